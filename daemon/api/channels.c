/* /v1/channels: the channels of the file, read-only here. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/names.h"
#include "api/page.h"
#include "base/memory.h"
#include "base/text.h"
#include "channel.h"
#include "parts.h"

/* What is pasted into the provider's console; only the path where no public_url says the host. */
static void write_callback(struct json_out *out, const struct channel *channel)
{
	const char *host = channel_public_url(channel);
	size_t len = host == NULL ? 0 : strlen(host);
	struct buf address = { 0 };

	while (len > 0 && host[len - 1] == '/')
		len--;
	buf_add(&address, host, len);
	buf_text(&address, "/in/");
	if (!text_equal(channel_workspace(channel), "main")) {
		buf_text(&address, channel_workspace(channel));
		buf_text(&address, ".");
	}
	buf_text(&address, channel_name(channel));
	jw_text(out, "callback", buf_string(&address));
	buf_clear(&address);
}

static void write_channel(struct json_out *out, const struct page_row *row)
{
	const struct channel *channel = row->what;
	const struct connector *connector = channel_connector(channel);
	const char *parked = channel_parked(channel);
	static const char *const afters[] = { "nothing", "template", "free" };
	struct window_rules window;

	jw_object(out, NULL);
	jw_text(out, "id", channel_name(channel));
	jw_text(out, "name", channel_name(channel));
	jw_text(out, "connector", connector->name);
	jw_bool(out, "read_only", true);
	jw_bool(out, "simulated", channel_is_simulated(channel));
	jw_text(out, "state", parked == NULL ? "working" : "parked");
	jw_text(out, "parked_because", parked);
	jw_bool(out, "can_send", (connector->abilities & CAN_SEND) != 0);
	jw_bool(out, "has_media", (connector->abilities & HAS_MEDIA) != 0);
	write_callback(out, channel);
	jw_bool(out, "has_receipts", (connector->abilities & HAS_RECEIPTS) != 0);
	channel_window(channel, &window);
	jw_int(out, "window_s", window.open_ms / 1000);
	jw_object(out, "window");
	jw_int(out, "open_s", window.open_ms / 1000);
	if (window.count > 0)
		jw_int(out, "count", window.count);
	else
		jw_null(out, "count");
	jw_text(out, "after", afters[window.after]);
	jw_bool(out, "template_only", window.template_only);
	jw_object_end(out);
	jw_object_end(out);
}

/* In the order of the file, which is the only creation they have. */
void handle_channel_list(struct api_call *call)
{
	const struct channel *channel;
	struct page_row *rows;
	size_t count = 0;

	while (channel_at(call->parts->channels, count) != NULL)
		count++;
	rows = arena_alloc(call->arena, (count + 1) * sizeof(*rows));
	count = 0;
	for (size_t i = 0; (channel = channel_at(call->parts->channels, i)) != NULL; i++)
		if (text_equal(channel_workspace(channel), call->who.workspace))
			rows[count++] =
				(struct page_row){ channel_name(channel), (int64_t)i, channel };
	page_answer(call, rows, count, write_channel);
}

static void on_tested(bool ok, const char *phrase, void *context)
{
	struct api_call *call = context;
	struct buf body = { 0 };
	struct json_out out;

	jw_start(&out, &body);
	jw_object(&out, NULL);
	jw_bool(&out, "ok", ok);
	jw_text(&out, "detail", phrase == NULL ? "" : phrase);
	jw_object_end(&out);
	api_answer(call, 200, &body);
}

struct trial {
	struct api_call *call;
	struct channel *channel;
};

/* A provider that answers well again has no reason to be left alone. */
static void on_provider_tested(bool ok, const char *phrase, void *context)
{
	struct trial trial = *(struct trial *)context;

	free(context);
	if (ok)
		channel_unpark(trial.channel);
	channel_drop(trial.channel);
	on_tested(ok, phrase, trial.call);
}

static void test_provider(struct api_call *call, struct channel *channel)
{
	struct trial *trial = memory_new(sizeof(*trial));

	*trial = (struct trial){ call, channel };
	channel_hold(channel);
	channel_connector(channel)->test(channel, on_provider_tested, trial);
}

void handle_channel_test(struct api_call *call)
{
	struct channel *channel =
		channel_find(call->parts->channels, call->who.workspace, call->params[0]);

	if (channel == NULL)
		api_problem(call, 404, "unknown_channel", "there is no channel \"%s\"%s",
			    call->params[0], channel_hint(call, call->params[0]));
	else if (channel_connector(channel)->test == NULL)
		on_tested(true, "nothing to ask: this connector has no provider of its own", call);
	else
		test_provider(call, channel);
}
