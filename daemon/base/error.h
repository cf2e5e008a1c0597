/* One-line errors. A leaf sets, each level may prefix once, and only the level
 * that knows what to do about it logs. Phrases start lower-case, have no full
 * stop, and never hold a secret or a message body. */
#pragma once

enum error_kind {
	ERROR_NONE,
	ERROR_TEMPORARY, /* trying again later may work */
	ERROR_PERMANENT, /* it will not work however often it is tried */
	ERROR_MISUSE,    /* the caller's or the user's input is wrong */
};

struct error {
	enum error_kind kind;
	char text[512];
};

/* Sets the error (err may be NULL) and returns -1, so `return error_set(...)`. */
int error_set(struct error *err, enum error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "<prefix>: " before the text, keeps the kind and returns -1. */
int error_wrap(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
