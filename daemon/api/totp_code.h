/* One-time passwords by the clock (RFC 6238: SHA-1, 6 digits, 30 s), as every authenticator app
 * makes them. Nothing here knows of agents or the store. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { TOTP_SECRET_BYTES = 20, TOTP_SECRET_TEXT = 33, TOTP_DIGITS = 6, TOTP_STEP_S = 30 };

/* Base32 (RFC 4648) without padding, as apps take it. */
void totp_secret_text(const unsigned char secret[TOTP_SECRET_BYTES], char out[TOTP_SECRET_TEXT]);
/* The step that the digits are of: now, the one before or the one after; -1: of none. Spaces among
 * the digits do not count. In constant time over the three. */
int64_t totp_step(const unsigned char secret[TOTP_SECRET_BYTES], const char *digits, int64_t now_s);
