/* The web chat: a visitor's session, messages by POST, answers by SSE. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "http.h"
#include "sim.h"

enum { EVENT_MAX = 256 * 1024 };

static void on_message(struct customer *customer)
{
	struct json_object *message =
		json_read(buf_string(&customer->event_bytes), customer->event_bytes.len, NULL);
	const char *id = json_text(message, "id");
	/* After a lost stream the conversation comes again: an answer counts once. */
	if (text_equal(json_text(message, "direction"), "out") && id != NULL &&
	    strcmp(id, customer->their_id) > 0) {
		snprintf(customer->their_id, sizeof(customer->their_id), "%s", id);
		customer_answered(customer, json_text(message, "text"));
	}
	json_free(&message);
}

static void take_line(struct customer *customer, const char *line)
{
	if (line[0] == '\0') {
		if (customer->event_bytes.len > 0)
			on_message(customer);
		buf_reset(&customer->event_bytes);
	} else if (text_starts(line, "data: ")) {
		buf_text(&customer->event_bytes, line + strlen("data: "));
	} else if (text_starts(line, "data:")) {
		buf_text(&customer->event_bytes, line + strlen("data:"));
	}
}

static void on_stream(const char *bytes, size_t len, void *context)
{
	struct customer *customer = context;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			take_line(customer, buf_string(&customer->line_bytes));
			buf_reset(&customer->line_bytes);
		} else if (bytes[i] != '\r' && customer->line_bytes.len < EVENT_MAX) {
			buf_byte(&customer->line_bytes, bytes[i]);
		}
	}
}

/* The stream is opened again with the next message. */
static void on_stream_end(int status, const char *body, size_t len, void *context)
{
	struct customer *customer = context;
	(void)status;
	(void)body;
	(void)len;
	customer->stream = NULL;
	buf_reset(&customer->line_bytes);
	buf_reset(&customer->event_bytes);
}

static void listen_for_answers(struct customer *customer)
{
	static const struct http_call_fns fns = { on_stream, on_stream_end };
	struct buf head = { 0 };
	buf_format(&head,
		   "GET /chat/%s/events HTTP/1.1\r\nAuthorization: Bearer %s\r\n"
		   "Accept: text/event-stream\r\n",
		   customer->sim->chat_channel, customer->token);
	customer->stream = http_call_start(customer->sim->base, customer->sim->http, head.data,
					   NULL, 0, &fns, customer);
	buf_clear(&head);
}

static void on_said(int status, const char *body, size_t len, void *context)
{
	struct customer *customer = context;
	(void)len;
	customer->call = NULL;
	if (customer->stream == NULL)
		listen_for_answers(customer);
	customer_heard(customer, status == 200 || status == 201, status == 0 ? "no answer" : body);
}

static void on_session(int status, const char *body, size_t len, void *context)
{
	struct customer *customer = context;
	struct json_object *answer = json_read(body, len, NULL);
	customer->call = NULL;
	if (status == 200 || status == 201)
		customer->token = memory_text(json_text(answer, "token"));
	json_free(&answer);
	if (customer->token != NULL)
		customer_repeat(customer);
	else
		customer_heard(customer, false, status == 0 ? "no answer" : body);
}

static void start_session(struct customer *customer)
{
	static const struct http_call_fns fns = { .on_done = on_session };
	struct buf body = { 0 }, head = { 0 };
	struct json_out json;
	jw_start(&json, &body);
	jw_object(&json, NULL);
	jw_text(&json, "name", customer->name);
	jw_object_end(&json);
	buf_format(&head, "POST /chat/%s/sessions HTTP/1.1\r\n", customer->sim->chat_channel);
	customer->call = http_call_start(customer->sim->base, customer->sim->http, head.data,
					 body.data, body.len, &fns, customer);
	buf_clear(&head);
	buf_clear(&body);
}

static void chat_say(struct customer *customer, const char *text, const char *message_id)
{
	static const struct http_call_fns fns = { .on_done = on_said };
	struct buf body = { 0 }, head = { 0 };
	struct json_out json;
	if (customer->token == NULL) {
		start_session(customer);
		return;
	}
	jw_start(&json, &body);
	jw_object(&json, NULL);
	jw_text(&json, "text", text);
	jw_text(&json, "client_id", message_id);
	jw_object_end(&json);
	buf_format(&head, "POST /chat/%s/messages HTTP/1.1\r\nAuthorization: Bearer %s\r\n",
		   customer->sim->chat_channel, customer->token);
	customer->call = http_call_start(customer->sim->base, customer->sim->http, head.data,
					 body.data, body.len, &fns, customer);
	buf_clear(&head);
	buf_clear(&body);
}

static void chat_leave(struct customer *customer)
{
	http_call_cancel(&customer->call);
	http_call_cancel(&customer->stream);
}

const struct door chat_door = { "webchat", chat_say, chat_leave };
