/* The folder an export is written to: files of JSON Lines that appear whole or not at all, each
 * with its count and SHA-256. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/error.h"

enum { EXPORT_HEX = SHA256_BYTES * 2 + 1 };

struct export_file {
	int folder; /* descriptor; borrowed */
	const char *name;
	FILE *stream;
	struct digest *digest;
	int64_t rows;
	int64_t bytes;
	char hash[EXPORT_HEX]; /* once it is ended */
};

/* The folder's descriptor, made where it is not there; -1 with err. */
int export_folder(const char *path, struct error *err);

/* Written beside, as name.partial, until export_file_end(). name is borrowed. */
int export_file_begin(struct export_file *file, int folder, const char *name, struct error *err);
int export_file_add(struct export_file *file, const void *bytes, size_t len, struct error *err);
int export_file_row(struct export_file *file, const struct buf *json, struct error *err);
int export_file_end(struct export_file *file, struct error *err);
void export_file_drop(struct export_file *file); /* what was not ended goes; harmless after */

/* Hash and size of a file that is there; false where it is not or cannot be read. */
bool export_file_known(int folder, const char *name, char hash[EXPORT_HEX], int64_t *ret_bytes);
