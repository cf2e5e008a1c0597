/* The mailbox under its lease, one call at a time. What libcurl does with IMAP
 * decides the order: its own SELECT opens a folder for writing, and a plain
 * fetch would then set \Seen. So a custom EXAMINE follows in that same
 * connection, bodies are fetched by ;UID=n in it, and a new connection in the
 * middle means to start again. The cursor moves only after the durable ack and,
 * where mails are marked or moved, after that: a crash between fetches them
 * again, they are known, and are marked then. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "email_private.h"

enum {
	FIRST_BACKOFF_MS = 1000,
	LAST_BACKOFF_MS = 5 * 60 * 1000,
	LOGIN_BACKOFF_MS = 5 * 60 * 1000,
	RESTARTS_MAX = 3,
	RANGE = 500, /* UIDs asked for at once */
};

static void begin(struct channel *channel);
static void start_over(struct channel *channel);
static void next_message(struct channel *channel);

static struct email_poll *poll_of(struct channel *channel)
{
	struct email_state *state = email_host()->channel_state(channel);

	return &state->poll;
}

static const struct email_imap_settings *settings_of(struct channel *channel)
{
	const struct email_settings *settings = email_host()->channel_settings(channel);

	return &settings->imap;
}

static struct arena *scratch_of(struct channel *channel)
{
	struct email_state *state = email_host()->channel_state(channel);

	if (!state->scratch)
		state->scratch = email_host()->arena_new();
	return state->scratch;
}

static void scratch_free(struct channel *channel)
{
	struct email_state *state = email_host()->channel_state(channel);

	if (state->scratch)
		email_host()->arena_free(state->scratch);
	state->scratch = NULL;
}

/* First thing in every callback. False: the lease went, or came back, meanwhile. */
static bool step_landed(struct channel *channel)
{
	struct email_poll *poll = poll_of(channel);

	poll->busy = false;
	if (poll->active && poll->again) {
		poll->again = false;
		begin(channel);
		return false;
	}
	return poll->active;
}

static void session_close(struct channel *channel)
{
	struct email_poll *poll = poll_of(channel);
	struct host_imap *session = poll->session;

	poll->session = NULL;
	poll->skip_id = false;
	email_host()->imap_close(session);
}

/* ---- the end of a poll ---- */

static void poll_done(struct channel *channel)
{
	struct email_poll *poll = poll_of(channel);

	poll->backoff_ms = 0;
	poll->restarts = 0;
	scratch_free(channel);
	email_host()->wake(channel, settings_of(channel)->poll_ms);
}

static void poll_failed(struct channel *channel, const char *error, bool auth)
{
	struct email_poll *poll = poll_of(channel);
	struct email_state *state = email_host()->channel_state(channel);

	poll->backoff_ms = poll->backoff_ms ? poll->backoff_ms * 2 : FIRST_BACKOFF_MS;
	if (poll->backoff_ms > LAST_BACKOFF_MS)
		poll->backoff_ms = LAST_BACKOFF_MS;
	if (auth) {
		email_token_forget(&state->receiving);
		/* The first refusal of a token may only mean that it is old; guessing a password
		 * again and again locks the account. */
		if (!email_has_oauth(email_host()->channel_settings(channel)) ||
		    poll->backoff_ms > FIRST_BACKOFF_MS)
			poll->backoff_ms = LOGIN_BACKOFF_MS;
	}
	email_host()->log(channel, auth ? 0 : 1, "event=poll_failed retry_ms=%lld error=\"%s\"",
			  (long long)poll->backoff_ms, error ? error : "");
	session_close(channel);
	scratch_free(channel);
	poll->restarts = 0;
	email_host()->wake(channel, poll->backoff_ms);
}

/* True where the connection is the one that the poll began with. */
static bool step_is_good(struct channel *channel, const struct host_imap_answer *answer)
{
	struct email_poll *poll = poll_of(channel);

	if (answer->error) {
		poll_failed(channel, answer->error, answer->auth);
		return false;
	}
	if (!answer->new_connection || poll->may_connect) {
		poll->may_connect = false;
		return true;
	}
	if (++poll->restarts > RESTARTS_MAX)
		poll_failed(channel, "the server closes the connection again and again", false);
	else
		start_over(channel);
	return false;
}

static void run(struct channel *channel, const char *path, const char *command,
		host_imap_done *done)
{
	struct email_poll *poll = poll_of(channel);

	poll->busy = true;
	email_host()->imap_run(poll->session, path, command, done, channel);
}

static void run_in_folder(struct channel *channel, const char *command, host_imap_done *done)
{
	run(channel, email_folder(scratch_of(channel), settings_of(channel)->folder, true), command,
	    done);
}

/* ---- after the durable ack: \Seen or a move, where configured ---- */

static void list_range(struct channel *channel);

static char *cursor_of(struct channel *channel, uint32_t uid)
{
	return email_host()->format(scratch_of(channel), "%u:%u",
				    (unsigned)poll_of(channel)->uidvalidity, (unsigned)uid);
}

static void on_marked_cursor(const char *error, void *context)
{
	struct channel *channel = context;

	if (!step_landed(channel))
		return;
	if (error) {
		poll_failed(channel, error, false);
		return;
	}
	/* The folder is open for writing now: whatever comes next begins with EXAMINE. */
	if (poll_of(channel)->last_uid + 1 < poll_of(channel)->uidnext)
		start_over(channel);
	else
		poll_done(channel);
}

/* What a server refuses to mark is not asked for again. */
static void on_marked(const struct host_imap_answer *answer, void *context)
{
	struct channel *channel = context;
	struct email_poll *poll = poll_of(channel);

	if (!step_landed(channel))
		return;
	poll->stored_count = 0;
	if (answer->error)
		email_host()->log(channel, 1, "event=mark_failed error=\"%s\"", answer->error);
	poll->busy = true;
	email_host()->cursor_put(channel, cursor_of(channel, poll->last_uid), on_marked_cursor,
				 channel);
}

static char *stored_set(struct channel *channel)
{
	struct email_poll *poll = poll_of(channel);
	struct email_text set = { 0 };
	char *result;

	for (size_t i = 0; i < poll->stored_count; i++)
		email_text_format(&set, "%s%u", i ? "," : "", (unsigned)poll->stored[i]);
	result = email_host()->text(scratch_of(channel), set.data);
	email_text_clear(&set);
	return result;
}

static void on_writable(const struct host_imap_answer *answer, void *context)
{
	struct channel *channel = context;
	const struct email_imap_settings *imap = settings_of(channel);
	struct arena *scratch;
	char *command;

	if (!step_landed(channel) || !step_is_good(channel, answer))
		return;
	scratch = scratch_of(channel);
	if (imap->after == EMAIL_AFTER_MOVE)
		command = email_host()->format(scratch, "UID MOVE %s \"%s\"", stored_set(channel),
					       email_folder(scratch, imap->move_to, false));
	else
		command = email_host()->format(scratch, "UID STORE %s +FLAGS (\\Seen)",
					       stored_set(channel));
	run_in_folder(channel, command, on_marked);
}

static void batch_done(struct channel *channel)
{
	struct email_poll *poll = poll_of(channel);
	const struct email_imap_settings *imap = settings_of(channel);
	struct arena *scratch = scratch_of(channel);

	if (imap->after != EMAIL_AFTER_NOTHING && poll->stored_count > 0) {
		run_in_folder(channel,
			      email_host()->format(scratch, "SELECT \"%s\"",
						   email_folder(scratch, imap->folder, false)),
			      on_writable);
		return;
	}
	poll->stored_count = 0;
	if (poll->last_uid + 1 < poll->uidnext)
		list_range(channel);
	else
		poll_done(channel);
}

/* ---- one message ---- */

static void on_cursor(const char *error, void *context)
{
	struct channel *channel = context;

	if (!step_landed(channel))
		return;
	if (error)
		poll_failed(channel, error, false);
	else
		next_message(channel);
}

static void cursor_move(struct channel *channel, uint32_t uid)
{
	struct email_poll *poll = poll_of(channel);

	poll->last_uid = uid;
	poll->busy = true;
	email_host()->cursor_put(channel, cursor_of(channel, uid), on_cursor, channel);
}

static bool is_too_big(struct channel *channel, const struct email_listed *listed)
{
	const struct email_settings *settings = email_host()->channel_settings(channel);

	return listed->size > settings->max_size;
}

static void on_received(bool durable, const char *error, void *context)
{
	struct channel *channel = context;
	struct email_poll *poll = poll_of(channel);
	uint32_t uid;
	bool is_whole;

	if (!step_landed(channel))
		return;
	if (!durable) {
		poll_failed(channel, error ? error : "the message could not be stored", false);
		return;
	}
	is_whole = !is_too_big(channel, &poll->listed[poll->listed_at]);
	uid = poll->listed[poll->listed_at++].uid;
	/* Of a mail that is too big the mailbox holds the only copy: it stays as it was. */
	if (is_whole && poll->stored_count < EMAIL_LISTED_MAX)
		poll->stored[poll->stored_count++] = uid;
	if (settings_of(channel)->after == EMAIL_AFTER_NOTHING) {
		cursor_move(channel, uid);
		return;
	}
	poll->last_uid = uid;
	next_message(channel);
}

static void on_body(const struct host_imap_answer *answer, void *context)
{
	struct channel *channel = context;
	const struct email_listed *listed;
	struct inbound in = { .method = "", .target = "" };

	if (!step_landed(channel) || !step_is_good(channel, answer))
		return;
	listed = &poll_of(channel)->listed[poll_of(channel)->listed_at];
	in.body = answer->body;
	in.whole_size = is_too_big(channel, listed) ? listed->size : 0;
	in.body_len = answer->body_len;
	in.now_s = email_host()->unix_ms() / 1000;
	poll_of(channel)->busy = true;
	email_host()->receive(channel, &in, on_received, channel);
}

static void next_message(struct channel *channel)
{
	const struct email_settings *settings = email_host()->channel_settings(channel);
	struct email_poll *poll = poll_of(channel);
	const struct email_listed *listed;
	char *path;

	while (poll->listed_at < poll->listed_count && poll->listed[poll->listed_at].deleted)
		poll->listed_at++;
	if (poll->listed_at == poll->listed_count) {
		if (poll->listed_end > poll->last_uid)
			poll->last_uid = poll->listed_end; /* nothing is left below it */
		batch_done(channel);
		return;
	}
	listed = &poll->listed[poll->listed_at];
	path = email_host()->format(scratch_of(channel), "%s/;UID=%u%s",
				    email_folder(scratch_of(channel), settings->imap.folder, true),
				    (unsigned)listed->uid,
				    is_too_big(channel, listed) ? "/;SECTION=HEADER" : "");
	if (is_too_big(channel, listed))
		email_host()->log(channel, 1, "event=too_big uid=%u bytes=%lld kept=header",
				  (unsigned)listed->uid, (long long)listed->size);
	run(channel, path, NULL, on_body);
}

/* ---- what is there ---- */

static void on_listed(const struct host_imap_answer *answer, void *context)
{
	struct channel *channel = context;
	struct email_poll *poll = poll_of(channel);

	if (!step_landed(channel) || !step_is_good(channel, answer))
		return;
	poll->listed_count = email_read_listed(answer->untagged, answer->untagged_len,
					       poll->last_uid, poll->listed, EMAIL_LISTED_MAX);
	poll->listed_at = 0;
	if (poll->listed_count == EMAIL_LISTED_MAX)
		poll->listed_end = poll->listed[EMAIL_LISTED_MAX - 1].uid;
	next_message(channel);
}

/* A range with an end: "n:*" always names the last message, even below n. */
static void list_range(struct channel *channel)
{
	struct email_poll *poll = poll_of(channel);
	uint32_t first = poll->last_uid + 1;
	uint32_t last = poll->uidnext - 1;

	if (last - first >= RANGE)
		last = first + RANGE - 1;
	poll->listed_end = last;
	run_in_folder(channel,
		      email_host()->format(scratch_of(channel),
					   "UID FETCH %u:%u (UID FLAGS RFC822.SIZE)",
					   (unsigned)first, (unsigned)last),
		      on_listed);
}

/* ---- a new mailbox, or one whose UIDs mean nothing any more ---- */

static void on_found(const struct host_imap_answer *answer, void *context)
{
	struct channel *channel = context;
	struct email_poll *poll = poll_of(channel);
	uint32_t lowest;

	if (!step_landed(channel) || !step_is_good(channel, answer))
		return;
	lowest = email_read_search(answer->untagged, answer->untagged_len);
	poll->has_cursor = true;
	poll->listed_count = 0;
	poll->listed_at = 0;
	poll->listed_end = 0;
	/* on_cursor() goes on with next_message(), which finds nothing listed and lists. */
	cursor_move(channel, lowest ? lowest - 1 : poll->uidnext - 1);
}

static void search_window(struct channel *channel)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t since = (time_t)((email_host()->unix_ms() - settings_of(channel)->window_ms) / 1000);
	struct tm tm;

	gmtime_r(&since, &tm);
	run_in_folder(channel,
		      email_host()->format(scratch_of(channel), "UID SEARCH SINCE %d-%s-%d",
					   tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900),
		      on_found);
}

static void on_examined(const struct host_imap_answer *answer, void *context)
{
	struct channel *channel = context;
	struct email_poll *poll = poll_of(channel);
	struct email_mailbox mailbox;

	if (!step_landed(channel) || !step_is_good(channel, answer))
		return;
	email_read_mailbox(answer->untagged, answer->untagged_len, &mailbox);
	if (!mailbox.uidvalidity || !mailbox.uidnext) {
		poll_failed(channel, "the server tells no UIDVALIDITY or UIDNEXT", false);
		return;
	}
	poll->uidnext = mailbox.uidnext;
	if (!poll->has_cursor || poll->uidvalidity != mailbox.uidvalidity) {
		email_host()->log(channel, 2, "event=%s uidvalidity=%u",
				  poll->has_cursor ? "mailbox_recreated" : "mailbox_new",
				  (unsigned)mailbox.uidvalidity);
		poll->uidvalidity = mailbox.uidvalidity;
		poll->stored_count = 0;
		search_window(channel);
	} else {
		batch_done(channel);
	}
}

static void examine(struct channel *channel)
{
	struct arena *scratch = scratch_of(channel);

	run_in_folder(
		channel,
		email_host()->format(scratch, "EXAMINE \"%s\"",
				     email_folder(scratch, settings_of(channel)->folder, false)),
		on_examined);
}

/* 163 and 126 refuse clients that do not say who they are. A server without ID
 * answers BAD, whereupon curl hangs up; a lost connection shows again in EXAMINE. */
static void on_identified(const struct host_imap_answer *answer, void *context)
{
	struct channel *channel = context;

	if (!step_landed(channel))
		return;
	if (answer->error && answer->auth) {
		poll_failed(channel, answer->error, true);
		return;
	}
	poll_of(channel)->skip_id = answer->error;
	poll_of(channel)->may_connect = answer->error;
	examine(channel);
}

static void identify(struct channel *channel, const char *error, void *context)
{
	const struct email_settings *settings = email_host()->channel_settings(channel);
	struct email_state *state = email_host()->channel_state(channel);
	const struct host_account account = {
		.url = settings->imap.url,
		.user = settings->imap.user,
		.password = settings->imap.password,
		.oauth_bearer = email_has_oauth(settings) ? state->receiving.token : NULL,
		.tls = (enum host_tls)settings->imap.tls,
		.ca_file = settings->imap.ca_file,
	};

	(void)context;
	if (!step_landed(channel))
		return;
	if (error) {
		poll_failed(channel, error, false);
		return;
	}
	if (!state->poll.session)
		state->poll.session = email_host()->imap_open(channel, &account);
	state->poll.may_connect = state->poll.skip_id;
	if (state->poll.skip_id)
		examine(channel);
	else
		run(channel, "", "ID (\"name\" \"converge\" \"vendor\" \"converge\")",
		    on_identified);
}

/* Logged in, told who we are, folder open for reading. */
static void start_over(struct channel *channel)
{
	const struct email_settings *settings = email_host()->channel_settings(channel);
	struct email_state *state = email_host()->channel_state(channel);

	state->poll.busy = true;
	state->poll.listed_count = 0;
	state->poll.listed_at = 0;
	if (email_has_oauth(settings) && !state->poll.session)
		email_token_get(channel, &state->receiving, identify, NULL);
	else
		identify(channel, NULL, NULL);
}

/* "<uidvalidity>:<uid>", both of 32 bits. */
static bool read_cursor(const char *value, struct email_poll *poll)
{
	unsigned long uidvalidity, uid;
	char *end;

	uidvalidity = strtoul(value, &end, 10);
	if (end == value || *end != ':' || uidvalidity > UINT32_MAX)
		return false;
	value = end + 1;
	uid = strtoul(value, &end, 10);
	if (end == value || *end != '\0' || uid > UINT32_MAX)
		return false;
	poll->uidvalidity = (unsigned)uidvalidity;
	poll->last_uid = (unsigned)uid;
	return true;
}

static void on_cursor_read(const char *value, const char *error, void *context)
{
	struct channel *channel = context;
	struct email_poll *poll = poll_of(channel);

	if (!step_landed(channel))
		return;
	if (error) {
		poll_failed(channel, error, false);
		return;
	}
	poll->stored_count = 0;
	poll->has_cursor = value && read_cursor(value, poll);
	start_over(channel);
}

/* The cursor is read each time: another instance may have held the lease. */
static void begin(struct channel *channel)
{
	poll_of(channel)->busy = true;
	email_host()->cursor_get(channel, on_cursor_read, channel);
}

void email_poll_tick(struct channel *channel, bool lost)
{
	struct email_poll *poll = poll_of(channel);

	if (!settings_of(channel)->url || !settings_of(channel)->url[0])
		return;
	if (lost) {
		poll->active = false;
		session_close(channel);
		return;
	}
	poll->active = true;
	if (poll->busy)
		poll->again = true;
	else
		begin(channel);
}

void email_poll_close(struct channel *channel)
{
	poll_of(channel)->active = false;
	session_close(channel);
	scratch_free(channel);
}
