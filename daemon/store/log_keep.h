/* How much of a workspace's log is kept: what is younger than keep_ms, and
 * whatever a registered durable reader (its cursor is {ws}:cur:<name>) has not
 * passed. Nothing unread is ever trimmed; at max_bytes admission has to stop. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_keeper;
struct loop;
struct store;

struct log_keeper_options {
	const char *workspace;
	int64_t keep_ms;            /* 0: one hour */
	int64_t max_bytes;          /* 0: no limit */
	const char *const *readers; /* durable ones, as in log_trim.lua; copied */
	size_t reader_count;
};

/* Measures every 10 s; trims too while the instance is the workspace's steward. */
struct log_keeper *log_keeper_new(struct loop *loop, struct store *store,
				  const struct log_keeper_options *options);
void log_keeper_free(struct log_keeper **keeper);
void log_keeper_set_steward(struct log_keeper *keeper, bool is_steward);
int64_t log_keeper_bytes(const struct log_keeper *keeper); /* as last measured */
bool log_keeper_is_full(const struct log_keeper *keeper);  /* at max_bytes */
