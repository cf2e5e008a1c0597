#include "api/chat_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "api/chat_rooms.h"
#include "api/handlers.h"
#include "base/memory.h"
#include "base/text.h"
#include "conversation/conversation.h"
#include "parts.h"
#include "routing/figures.h"
#include "services/loop.h"
#include "store/log.h"
#include "store/store.h"
#include "workspace.h"

enum { HEARTBEAT_MS = 15 * 1000, READ_BATCH = 200, WAIT_STEP_S = 30, AGENT_BYTES = 100 };

struct chat_stream {
	TAILQ_ENTRY(chat_stream) link;
	struct chat_streams *streams;
	struct http_stream *stream; /* NULL once gone */
	struct chat_seat *seat;
	char *workspace;
	char *conversation;
	int64_t next;           /* index of the next message to show */
	bool is_reading;        /* a read is on its way */
	bool is_behind;         /* something came while it was */
	bool is_asking;         /* for its place in the queue */
	int64_t place;          /* as last shown; 0: it does not wait */
	int64_t wait_s;         /* as last shown; -1: not known */
	char written[ID_BYTES]; /* the visitor's newest message that nobody is known to have read */
	char agent[AGENT_BYTES]; /* whose work it is; "" nobody's */
};

struct chat_streams {
	struct parts *parts;
	struct chat_rooms *rooms;
	struct loop_timer *heartbeat;
	TAILQ_HEAD(, chat_stream) list;
};

static void stream_free(void *object)
{
	struct chat_stream *stream = object;

	free(stream->workspace);
	free(stream->conversation);
	free(stream);
}

static void stream_release(struct chat_stream *stream)
{
	/* The last read on its way frees it when it comes back. */
	if (!stream->is_reading && !stream->is_asking)
		loop_defer_free(stream->streams->parts->loop, stream, stream_free);
}

static void on_gone(void *context)
{
	struct chat_stream *stream = context;

	if (stream->stream == NULL)
		return;
	TAILQ_REMOVE(&stream->streams->list, stream, link);
	chat_seat_leave(&stream->seat);
	stream->stream = NULL;
	stream_release(stream);
}

/* The whole message, with an author reduced to type and name. */
static void write_message(struct buf *out, struct json_object *message)
{
	static const char *const kept[] = { "id",          "conversation", "direction",   "kind",
					    "text",        "html",         "attachments", "channel",
					    "provider_id", "delivery",     "created_at" };
	struct json_out writer;
	struct buf value = { 0 };

	jw_start(&writer, out);
	jw_object(&writer, NULL);
	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		buf_reset(&value);
		if (json_has(message, kept[i])) {
			json_append(json_at(message, kept[i]), &value);
			jw_raw(&writer, kept[i], value.data, value.len);
		} else {
			jw_null(&writer, kept[i]);
		}
	}
	jw_object(&writer, "author");
	jw_text(&writer, "type", json_text(message, "author.type"));
	jw_text(&writer, "name", json_text(message, "author.name"));
	jw_object_end(&writer);
	jw_object_end(&writer);
	buf_clear(&value);
}

static void show(struct chat_stream *stream, const struct message_page *page, size_t at)
{
	size_t start = page->starts[at];
	size_t end = at + 1 < page->count ? page->starts[at + 1] - 1 : page->len;
	struct json_object *message = json_read(page->json + start, end - start, NULL);
	struct buf text = { 0 };

	if (message != NULL) {
		buf_format(&text,
			   "id: %lld\nevent: message\ndata: ", (long long)page->positions[at]);
		write_message(&text, message);
		buf_text(&text, "\n\n");
		http_stream_write(stream->stream, text.data, text.len);
		if (text_equal(json_text(message, "author.type"), "customer"))
			snprintf(stream->written, sizeof(stream->written), "%s",
				 json_text(message, "id"));
	}
	json_free(&message);
	buf_clear(&text);
}

static void read_on(struct chat_stream *stream);

static void on_messages(const struct message_page *page, const struct error *err, void *context)
{
	struct chat_stream *stream = context;

	(void)err;
	stream->is_reading = false;
	if (stream->stream == NULL) {
		stream_release(stream);
		return;
	}
	for (size_t i = 0; page != NULL && i < page->count && stream->stream != NULL; i++)
		show(stream, page, i);
	if (page != NULL && page->next > stream->next)
		stream->next = page->next;
	if (stream->stream != NULL && ((page != NULL && page->more) || stream->is_behind))
		read_on(stream);
}

static void read_on(struct chat_stream *stream)
{
	const struct message_query query = {
		.workspace = stream->workspace,
		.conversation = stream->conversation,
		.from = stream->next,
		.limit = READ_BATCH,
		.without_notes = true,
	};

	stream->is_behind = stream->is_reading;
	if (stream->is_reading)
		return;
	stream->is_reading = true;
	conversation_messages(stream->streams->parts, &query, on_messages, stream);
}

static void show_mark(struct chat_stream *stream, const char *message, const char *state)
{
	struct buf text = { 0 };
	struct json_out out;

	buf_text(&text, "event: delivery\ndata: ");
	jw_start(&out, &text);
	jw_object(&out, NULL);
	jw_text(&out, "message", message);
	jw_text(&out, "state", state);
	jw_object_end(&out);
	buf_text(&text, "\n\n");
	http_stream_write(stream->stream, text.data, text.len);
	buf_clear(&text);
}

/* ---- its place in the queue ---- */

/* Of the item at that place, by how fast this queue's work is taken now; -1: not known. */
static int64_t wait_expected_s(const struct chat_stream *stream, const char *queue, int64_t place)
{
	struct parts *parts = stream->streams->parts;
	struct workspace *workspace = workspace_get(parts->workspaces, stream->workspace);
	struct queue_figures figures;
	int64_t wait_ms;

	if (place == 0 || queue == NULL)
		return -1;
	figures_queue(workspace_figures(workspace), queue, loop_unix_ms(parts->loop), &figures);
	wait_ms = figures_expected_wait(&figures, place, 0);
	return wait_ms < 0 ? -1 : (wait_ms + 999) / 1000;
}

/* A guess that changes all the time looks worse than it is. */
static bool is_news(const struct chat_stream *stream, int64_t place, int64_t wait_s)
{
	int64_t change = wait_s - stream->wait_s;

	return place != stream->place || (wait_s < 0) != (stream->wait_s < 0) ||
	       change >= WAIT_STEP_S || change <= -WAIT_STEP_S;
}

static void show_place(struct chat_stream *stream, int64_t place, int64_t wait_s)
{
	struct buf text = { 0 };
	struct json_out out;

	stream->place = place;
	stream->wait_s = wait_s;
	buf_text(&text, "event: queue\ndata: ");
	jw_start(&out, &text);
	jw_object(&out, NULL);
	jw_int(&out, "position", place);
	if (wait_s < 0)
		jw_null(&out, "wait_s");
	else
		jw_int(&out, "wait_s", wait_s);
	jw_object_end(&out);
	buf_text(&text, "\n\n");
	http_stream_write(stream->stream, text.data, text.len);
	buf_clear(&text);
}

static void on_place(const struct store_reply *reply, const struct error *err, void *context)
{
	struct chat_stream *stream = context;
	const char *agent;
	int64_t place, wait_s;

	stream->is_asking = false;
	if (stream->stream == NULL) {
		stream_release(stream);
		return;
	}
	if (err != NULL)
		return;
	place = reply_int(reply_item(reply, 1));
	agent = reply_text_at(reply, 3);
	snprintf(stream->agent, sizeof(stream->agent), "%s", agent == NULL ? "" : agent);
	wait_s = wait_expected_s(stream, reply_text_at(reply, 2), place);
	if (is_news(stream, place, wait_s))
		show_place(stream, place, wait_s);
}

static void ask_place(struct chat_stream *stream)
{
	struct store_call *call;

	if (stream->is_asking)
		return;
	stream->is_asking = true;
	call = store_script("chat_state", stream->workspace);
	store_key(call, "c:%s", stream->conversation);
	store_read(stream->streams->parts->store, call, on_place, stream);
}

/* Whose work it is looks at it, so what the visitor wrote is read. Who else looks on is not for
 * visitors. */
static void show_seen(struct chat_stream *stream, const char *who)
{
	if (*stream->written == '\0' || *stream->agent == '\0' || !text_equal(who, stream->agent))
		return;
	show_mark(stream, stream->written, "read");
	*stream->written = '\0';
}

static void on_sign(enum sign sign, const char *who, void *context)
{
	struct chat_stream *stream = context;
	static const char typing[] = "event: typing\ndata: {\"author\":{\"type\":\"agent\"}}\n\n";

	if (stream->stream == NULL || text_equal(who, "customer"))
		return;
	if (sign == SIGN_TYPING)
		http_stream_write(stream->stream, typing, sizeof(typing) - 1);
	if (sign != SIGN_GONE)
		show_seen(stream, who);
}

static void on_entry(const struct log_entry *entry, void *context)
{
	struct chat_stream *stream = context;
	static const char closed[] = "event: closed\ndata: {}\n\n";

	if (stream->stream == NULL)
		return;
	if (text_equal(entry->type, "message.created"))
		read_on(stream);
	else if (text_equal(entry->type, "message.delivery"))
		show_mark(stream, entry->message, entry->to);
	else if (text_equal(entry->type, "work_item.state") && text_equal(entry->to, "closed"))
		http_stream_write(stream->stream, closed, sizeof(closed) - 1);
	if (stream->stream != NULL && entry->to != NULL)
		ask_place(stream);
}

static void on_reset(void *context)
{
	struct chat_stream *stream = context;

	if (stream->stream != NULL)
		read_on(stream);
}

void chat_streams_open(struct chat_streams *streams, struct api_call *call, const char *workspace,
		       const char *conversation)
{
	struct chat_stream *stream = memory_new(sizeof(*stream));
	const char *last = http_request_field(call->request, "Last-Event-ID");
	uint64_t index;
	static const char hello[] = "retry: 3000\n\n";

	stream->streams = streams;
	stream->wait_s = -1;
	stream->workspace = memory_text(workspace);
	stream->conversation = memory_text(conversation);
	if (last != NULL && text_uint(last, strlen(last), &index) && index < INT64_MAX)
		stream->next = (int64_t)index + 1;
	stream->seat = chat_rooms_sit(streams->rooms, workspace, conversation, stream);
	TAILQ_INSERT_TAIL(&streams->list, stream, link);
	http_request_add_field(call->request, "Cache-Control", "no-store");
	http_request_add_field(call->request, "X-Accel-Buffering", "no");
	stream->stream = http_stream_start(call->request, "text/event-stream; charset=utf-8",
					   on_gone, stream);
	http_stream_write(stream->stream, hello, sizeof(hello) - 1);
	read_on(stream);
	ask_place(stream);
}

static void on_heartbeat(void *context)
{
	struct chat_streams *streams = context;
	struct chat_stream *stream;
	struct chat_stream *next;

	for (stream = TAILQ_FIRST(&streams->list); stream != NULL; stream = next) {
		next = TAILQ_NEXT(stream, link);
		http_stream_write(stream->stream, ":\n\n", 3);
		if (stream->place > 0 && stream->stream != NULL)
			ask_place(stream);
	}
	loop_timer_start(streams->heartbeat, HEARTBEAT_MS);
}

struct chat_streams *chat_streams_new(struct parts *parts)
{
	static const struct chat_room_calls calls = { on_entry, on_reset, on_sign };
	struct chat_streams *streams = memory_new(sizeof(*streams));

	streams->parts = parts;
	streams->rooms = chat_rooms_new(parts, &calls);
	TAILQ_INIT(&streams->list);
	streams->heartbeat = loop_timer_new(parts->loop, on_heartbeat, streams);
	loop_timer_start(streams->heartbeat, HEARTBEAT_MS);
	return streams;
}

void chat_streams_free(struct chat_streams **streams)
{
	struct chat_stream *stream;

	if (*streams == NULL)
		return;
	chat_rooms_free(&(*streams)->rooms);
	while ((stream = TAILQ_FIRST(&(*streams)->list)) != NULL) {
		TAILQ_REMOVE(&(*streams)->list, stream, link);
		stream_free(stream);
	}
	loop_timer_free(&(*streams)->heartbeat);
	free(*streams);
	*streams = NULL;
}
