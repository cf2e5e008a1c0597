/* Log lines: id first, then key=value (logfmt) or JSON, to stderr. Never
 * bodies, secrets or full addresses; log_address() masks.
 *
 *     log_info(flight->id, "stage=admit channel=%s result=stored ms=%d", ...);
 *     => level=info ts=... id=01J8XK stage=admit channel=shop result=stored ms=3
 *
 * The format string is key=value pairs. A value that can hold a space is
 * written with log_quote(), which yields a quoted, escaped, bounded text. */
#pragma once

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* json: JSON lines instead of logfmt. Lines get a "<N>" journal priority when
 * stderr is the journal ($JOURNAL_STREAM). */
void log_setup(enum log_level level, bool json);
void log_line(enum log_level level, const char *id, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(id, ...) log_line(LOG_ERROR, id, __VA_ARGS__)
#define log_warn(id, ...) log_line(LOG_WARN, id, __VA_ARGS__)
#define log_info(id, ...) log_line(LOG_INFO, id, __VA_ARGS__)
#define log_debug(id, ...) log_line(LOG_DEBUG, id, __VA_ARGS__)

/* Borrowed from a small ring of static buffers: good for one log line. */
const char *log_quote(const char *text);
const char *log_address(const char *address); /* a***@example.com, 138****8000 */

/* For tests: every finished line goes to fn instead of stderr (NULL restores). */
typedef void log_sink_fn(const char *line, void *context);
void log_capture(log_sink_fn *fn, void *context);
