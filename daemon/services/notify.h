/* systemd's notify protocol: one datagram to $NOTIFY_SOCKET. Does nothing
 * where there is none. */
#pragma once

void notify_state(const char *state); /* "READY=1", "STOPPING=1", "STATUS=..." */
