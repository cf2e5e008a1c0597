/* The installation key: 32 random bytes in state_dir/installation.key, made
 * on first start (mode 0600, synced). A fleet shares one file. */
#pragma once

#include "base/error.h"

enum { KEYFILE_BYTES = 32 };

int keyfile_read(const char *state_dir, unsigned char key[KEYFILE_BYTES], struct error *err);
