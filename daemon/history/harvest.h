/* The store's state of what a batch touched, as the rows of a write job (see
 * workers/history_write.c). What is not there any more is left out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct harvest;
struct store;

struct harvest *harvest_new(struct store *store, const char *workspace);
void harvest_free(struct harvest **harvest); /* done does not come any more */

/* What is to be read; each once, however often it is named. */
void harvest_customer(struct harvest *harvest, const char *id);
/* Notes about a customer, all of them. */
void harvest_notes(struct harvest *harvest, const char *customer);
/* Who else a customer may be, all of it. */
void harvest_suggestions(struct harvest *harvest, const char *customer);
/* A business event; NULL: all of the customer's that are there. */
void harvest_event(struct harvest *harvest, const char *customer, const char *id);
/* A merge or a split, by its id. */
void harvest_merge(struct harvest *harvest, const char *id);
/* A customer, and those merged into it, whose redirects changed. */
void harvest_family(struct harvest *harvest, const char *customer);
void harvest_work_item(struct harvest *harvest, const char *id);
void harvest_conversation(struct harvest *harvest, const char *id);
void harvest_message(struct harvest *harvest, const char *conversation, int64_t index);
void harvest_all_messages(struct harvest *harvest, const char *conversation);
/* Where a message stands, and its attachments. */
void harvest_mark(struct harvest *harvest, const char *conversation, const char *message);

/* rows: fields of a job, each after a comma; NULL with err, which is about the store. Once, never
 * before the return. */
typedef void harvest_done_fn(const struct buf *rows, const struct error *err, void *context);
void harvest_run(struct harvest *harvest, harvest_done_fn *done, void *context);

struct harvest_counts {
	int64_t customers, conversations, messages, work_items;
};
struct harvest_counts harvest_counts(const struct harvest *harvest);
