/* What the files of store/ share behind store.h. */
#pragma once

#include "store/store.h"

struct bell;
struct log_hub;

struct loop *store_loop(const struct store *store);
const struct store_options *store_options_of(const struct store *store);
struct bell *store_bell(const struct store *store);
struct log_hub **store_log_hub(struct store *store); /* where log_tail.c keeps its tails */
/* Of the read lane, see lane.h. */
int store_connection(const struct store *store);
int store_promotions(const struct store *store);
/* Why the write lane is not up; "" while it is. */
const char *store_why_down(const struct store *store);

/* The value after "<name>:" in an INFO text, or NULL; *ret_len excludes the line's end. */
const char *info_field(const char *info, const char *name, size_t *ret_len);
int64_t info_number(const char *info, const char *name, int64_t fallback);
