#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "store/blob_owner.h"
#include "store/check.h"
#include "store/index_migrate.h"

static const struct store_migration migrations[] = {
	{ 1, blob_migrate },
	{ 2, blob_migrate },
	{ 3, index_migrate },
	{ 0, NULL },
};

static const struct store_boot_plan current_plan = { migrations, STORE_FORMAT };

struct boot {
	struct store *store;
	char *workspace;
	char *installation;
	char *history;
	char *blobs;
	int64_t grace_ms;
	struct store_boot_plan plan;
	int format; /* being migrated from */
	store_ready_fn *done;
	void *context;
};

static void ask(struct boot *boot);

static void finish(struct boot *boot, struct error *err)
{
	if (err != NULL)
		error_wrap(err, "workspace %s", boot->workspace);
	boot->done(err, boot->context);
	free(boot->workspace);
	free(boot->installation);
	free(boot->history);
	free(boot->blobs);
	free(boot);
}

static void finish_text(struct boot *boot, const char *text)
{
	struct error err;

	error_set(&err, ERROR_PERMANENT, "%s", text);
	finish(boot, &err);
}

static const char *advice(const char *what)
{
	if (what != NULL && strcmp(what, "installation") == 0)
		return " (a fleet shares the first instance's installation.key)";
	if (what != NULL && strcmp(what, "history") == 0)
		return " (instances of a fleet share one PostgreSQL; where the old one is lost for "
		       "good, set history.accept_other: what is in the store is written anew)";
	return "";
}

static void refuse(struct boot *boot, const struct store_reply *reply)
{
	const char *what = reply_text(reply_item(reply, 1), NULL);
	const char *stored = reply_text(reply_item(reply, 2), NULL);
	char text[480];

	if (what != NULL && strcmp(what, "format") == 0)
		snprintf(text, sizeof(text),
			 "the store has format %s, this build knows %d: run the newer build",
			 stored, boot->plan.format);
	else
		snprintf(text, sizeof(text),
			 "the store belongs to another %s (%s): point the configuration back to it "
			 "or use another store%s",
			 what, stored, advice(what));
	finish_text(boot, text);
}

/* --- migration --- */

static void on_format_set(const struct store_reply *reply, const struct error *err, void *context)
{
	struct boot *boot = context;
	struct error copy;

	if (err != NULL) {
		copy = *err;
		finish(boot, &copy);
	} else if (reply_is(reply, "ok")) {
		log_info("store", "event=migrated workspace=%s from=%d to=%d", boot->workspace,
			 boot->format, boot->format + 1);
		ask(boot);
	} else {
		finish_text(boot, "another instance changed the format meanwhile");
	}
}

static void on_migrated(const struct error *err, void *context)
{
	struct boot *boot = context;
	struct store_call *call;
	struct error copy;

	if (err != NULL) {
		copy = *err;
		error_wrap(&copy, "migration from format %d", boot->format);
		finish(boot, &copy);
		return;
	}
	call = store_script("format_set", boot->workspace);
	store_arg_int(call, boot->format);
	store_arg_int(call, boot->format + 1);
	store_run(boot->store, call, on_format_set, boot);
}

static void migrate(struct boot *boot, int from)
{
	const struct store_migration *step = boot->plan.migrations;
	char text[160];

	while (step->run != NULL && step->from != from)
		step++;
	if (step->run == NULL) {
		snprintf(text, sizeof(text), "no migration from format %d is known", from);
		finish_text(boot, text);
		return;
	}
	boot->format = from;
	step->run(boot->store, boot->workspace, on_migrated, boot);
}

static void on_boot(const struct store_reply *reply, const struct error *err, void *context)
{
	struct boot *boot = context;
	struct error copy;

	if (err != NULL) {
		copy = *err;
		finish(boot, &copy);
	} else if (reply_is(reply, "ok")) {
		finish(boot, NULL);
	} else if (reply_is(reply, "old")) {
		migrate(boot, (int)reply_int(reply_item(reply, 1)));
	} else {
		refuse(boot, reply);
	}
}

static void ask(struct boot *boot)
{
	struct store_call *call = store_script("boot", boot->workspace);

	store_arg_int(call, boot->plan.format);
	store_arg_text(call, boot->installation);
	store_arg_text(call, boot->history);
	store_arg_text(call, boot->blobs);
	if (boot->grace_ms > 0)
		store_arg_int(call, boot->grace_ms);
	store_run(boot->store, call, on_boot, boot);
}

void store_boot_with(struct store *store, const char *workspace,
		     const struct store_identity *identity, const struct store_boot_plan *plan,
		     store_ready_fn *done, void *context)
{
	struct boot *boot = memory_new(sizeof(*boot));

	boot->store = store;
	boot->workspace = memory_text(workspace);
	boot->installation = memory_text(identity->installation);
	boot->history = memory_text(identity->history);
	boot->blobs = memory_text(identity->blobs);
	boot->grace_ms = identity->grace_ms;
	boot->plan = *plan;
	boot->done = done;
	boot->context = context;
	ask(boot);
}

void store_boot(struct store *store, const char *workspace, const struct store_identity *identity,
		store_ready_fn *done, void *context)
{
	store_boot_with(store, workspace, identity, &current_plan, done, context);
}
