/* A loop, a private Redis and a store on it, for tests of what builds on the store. */
#pragma once

#include "base/error.h"
#include "redis_child.h"
#include "services/loop.h"
#include "store/store.h"

struct store_bed {
	struct redis_child child;
	struct loop *loop;
	struct store *store;
};

struct store_bed *bed_new(const struct store_options *options /* url is filled in; may be NULL */);
void bed_free(struct store_bed **bed);
/* Turns the loop until *flag is true; aborts the test after 20 s. */
void bed_until(struct store_bed *bed, const bool *flag);
void bed_until_up(struct store_bed *bed, bool up);

/* The last answer of bed_run()/bed_read(), as text: the first word, or "error: ...". */
struct bed_answer {
	bool is_done;
	int count; /* times done was called */
	char text[600];
	enum error_kind kind;
};
void bed_done(const struct store_reply *reply, const struct error *err, void *answer);
const char *bed_run(struct store_bed *bed, struct store_call *take_call);  /* waits */
const char *bed_read(struct store_bed *bed, struct store_call *take_call); /* waits */
