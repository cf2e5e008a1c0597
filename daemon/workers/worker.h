/* Child side of the workers: one handler per kind of job, run one at a time in
 * a process of its own that has nothing but the socket to its parent. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* Called once before the first job: opens what the sandbox will forbid, then
 * enters it. */
typedef int worker_start_fn(struct error *err);
/* One job. The answer is appended; -1 with err answers an error instead. */
typedef int worker_handle_fn(const char *job, size_t len, struct buf *answer, struct error *err);

/* The whole life of a worker process; the exit status. For worker_main(), and for a worker that
 * is a program of its own. */
int worker_serve(const char *name, worker_start_fn *start, worker_handle_fn *handle);

int disk_start(struct error *err);
int disk_handle(const char *job, size_t len, struct buf *answer, struct error *err);
int history_start(struct error *err);
int history_handle(const char *job, size_t len, struct buf *answer, struct error *err);
int parse_start(struct error *err);
int parse_handle(const char *job, size_t len, struct buf *answer, struct error *err);
int password_start(struct error *err);
int password_handle(const char *job, size_t len, struct buf *answer, struct error *err);
int mail_start(struct error *err);
int mail_handle(const char *job, size_t len, struct buf *answer, struct error *err);
