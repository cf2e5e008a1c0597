/* What the two files of the hook share. */
#pragma once

#include <sys/queue.h>

#include "automation/classify.h"

/* A new work item, in the order of the log until it and all before it are done. */
struct classify_job {
	STAILQ_ENTRY(classify_job) link;
	struct classify *classify;
	char *position;
	char work_item[ID_BYTES];
	char conversation[ID_BYTES];
	int64_t index;
	bool is_started;
	bool is_done;
};

struct classify {
	struct parts *parts;
	struct workspace *workspace;    /* not after is_dead */
	struct classify_counts *counts; /* likewise */
	char *name;
	char *fence;
	struct classifier_list *list; /* NULL: not read yet */
	struct log_reader *reader;    /* NULL while there is no classifier */
	struct loop_timer *tick;
	char *cursor; /* all before it is done; NULL: not known */
	char *kept;   /* as it is stored */
	STAILQ_HEAD(, classify_job) jobs;
	size_t waiting;
	size_t running;
	int refs;
	bool is_dead;
};

void classify_ref(struct classify *classify);
void classify_unref(struct classify *classify);
