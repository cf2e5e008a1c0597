/* GET and POST /in/{channel}: the provider's side of a webhook channel. */
#include <string.h>

#include "api/handlers.h"
#include "base/text.h"
#include "channel.h"
#include "pipeline.h"
#include "services/loop.h"

static const char *view_field(void *context, const char *name)
{
	return http_request_field(context, name);
}

static const char *view_query(void *context, const char *name)
{
	return http_request_query(context, name);
}

struct channel *api_channel(struct api_call *call)
{
	const char *name = call->params[0];
	const char *dot = strchr(name, '.');
	const char *workspace = "main";
	struct channel *channel;

	if (dot != NULL) {
		workspace = arena_copy(call->arena, name, (size_t)(dot - name));
		name = dot + 1;
	}
	channel = channel_find(call->parts->channels, workspace, name);
	if (channel == NULL)
		api_problem(call, 404, "unknown_channel", "there is no channel \"%s\"",
			    call->params[0]);
	return channel;
}

static void answer_ok(struct api_call *call, const struct flight *flight)
{
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	if (flight->parsed.message_count == 1) {
		if (flight->passengers[0].duplicate)
			jw_bool(&out, "duplicate", true);
		else
			jw_text(&out, "message", flight->passengers[0].message_id);
	} else {
		jw_int(&out, "messages", (int64_t)flight->parsed.message_count);
	}
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

static void on_flight(struct flight *flight, bool durable, void *context)
{
	struct api_call *call = context;
	const struct parsed *parsed = &flight->parsed;

	if (!durable && flight->error.kind != ERROR_NONE) {
		if (flight->status == 503)
			http_request_add_field(call->request, "Retry-After", "5");
		if (flight->status == 405)
			http_request_add_field(call->request, "Allow", "POST");
		/* A refusal in the provider's own form, where the connector made one. */
		if (parsed->answer_status >= 400)
			http_answer(call->request, parsed->answer_status, parsed->answer_type,
				    parsed->answer_body,
				    parsed->answer_body == NULL ? 0 : strlen(parsed->answer_body));
		else
			api_problem(call, flight->status, flight->code, "%s", flight->error.text);
		return;
	}
	if (parsed->answer_status == 0) {
		answer_ok(call, flight);
		return;
	}
	if (parsed->answer_body == NULL)
		http_answer_empty(call->request, parsed->answer_status);
	else
		http_answer(call->request, parsed->answer_status, parsed->answer_type,
			    parsed->answer_body, strlen(parsed->answer_body));
}

void handle_inbound(struct api_call *call)
{
	struct channel *channel = api_channel(call);
	struct request_view *view;
	struct inbound in = { 0 };

	if (channel == NULL)
		return;
	view = arena_alloc(call->arena, sizeof(*view));
	*view = (struct request_view){ view_field, view_query, call->request };
	in.method = http_request_method(call->request);
	in.target = http_request_target(call->request);
	in.public_url = channel_public_url(channel);
	in.body = http_request_body(call->request, &in.body_len);
	in.now_s = loop_unix_ms(call->parts->loop) / 1000;
	in.request = view;
	in.source = http_request_source(call->request);
	pipeline_launch(call->parts->pipeline, channel, &in, call->request, on_flight, call);
}
