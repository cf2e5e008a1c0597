/* The pure parts of transfer.c, apart so that they can be tested alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;

/* As transfer_is_private_address() for what connect() is about to use; families
 * other than IPv4 and IPv6 count as private. */
bool transfer_sockaddr_is_private(const struct sockaddr *address);

/* First value of a header in raw header lines, trimmed, copied to out. Only the last block of
 * lines counts (1xx answers come before it). */
bool transfer_header_find(const char *headers, size_t len, const char *name, char *out,
			  size_t room);

/* Retry-After as seconds or as an HTTP date, in milliseconds from now, at most a day;
 * -1 where it cannot be read. */
int64_t transfer_retry_after(const char *value, int64_t now_s);

/* No control characters, so nothing can be smuggled into a line of a protocol. */
bool transfer_is_line(const char *text);
