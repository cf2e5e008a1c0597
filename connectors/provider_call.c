#include <stdlib.h>

#include "provider_call.h"

struct waiting {
	const struct host *host;
	provider_answered *done;
	void *context;
};

static void on_answer(const struct host_answer *answer, void *context)
{
	struct waiting waiting = *(struct waiting *)context;
	const struct host *host = waiting.host;
	struct arena *arena = host->arena_new();
	struct json_object *body = NULL;

	free(context);
	if (!answer->error && answer->body_len > 0)
		body = host->json_read(answer->body, answer->body_len, arena, NULL);
	waiting.done(answer, body, arena, waiting.context);
	if (body)
		host->json_free(body);
	host->arena_free(arena);
}

void provider_call(const struct host *host, struct channel *channel, const struct host_http *call,
		   provider_answered *done, void *context)
{
	struct waiting *waiting = malloc(sizeof(*waiting));

	if (!waiting)
		abort();
	*waiting = (struct waiting){ host, done, context };
	host->http(channel, call, on_answer, waiting);
}

const char *provider_text(const struct host *host, struct json_object *value, const char *path,
			  const char *fallback)
{
	const char *text = value ? host->json_text(value, path) : NULL;

	return text ? text : fallback;
}

void provider_unreached(const struct host *host, struct delivery *delivery,
			const struct host_answer *answer, bool is_idempotent)
{
	bool is_uncertain = answer->maybe_received && !is_idempotent;

	host->failed(delivery, is_uncertain ? SEND_UNKNOWN : SEND_RETRY,
		     answer->maybe_received ? "timeout" : "network", answer->error, -1);
}

struct attachment *provider_attachment(const struct host *host, struct arena *arena,
				       const struct attachment *from)
{
	struct attachment *copy = host->alloc(arena, sizeof(*copy));

	*copy = *from;
	copy->name = host->text(arena, from->name ? from->name : "");
	copy->type = host->text(arena, from->type ? from->type : "");
	copy->url = from->url ? host->text(arena, from->url) : NULL;
	copy->blob = from->blob ? host->text(arena, from->blob) : NULL;
	copy->content_id = NULL;
	return copy;
}

struct naming {
	const struct host *host;
	const char *const *paths;
	struct provider_named named;
};

static void on_named(const struct host_answer *answer, struct json_object *body,
		     struct arena *arena, void *context)
{
	struct naming naming = *(struct naming *)context;
	const char *name = NULL;

	(void)arena;
	free(context);
	for (size_t i = 0; !answer->error && answer->status == 200 && naming.paths[i]; i++) {
		name = provider_text(naming.host, body, naming.paths[i], "");
		if (name[0])
			break;
	}
	naming.named.done(name && name[0] ? name : NULL, naming.named.context);
}

void provider_find_name(const struct host *host, struct channel *channel,
			const struct host_http *call, const char *const *paths,
			const struct provider_named *named)
{
	struct naming *naming = malloc(sizeof(*naming));

	if (!naming)
		abort();
	*naming = (struct naming){ host, paths, *named };
	provider_call(host, channel, call, on_named, naming);
}

struct provider_trial *provider_trial_new(void (*done)(bool ok, const char *phrase, void *context),
					  void *context)
{
	struct provider_trial *trial = malloc(sizeof(*trial));

	if (!trial)
		abort();
	*trial = (struct provider_trial){ done, context };
	return trial;
}

void provider_tried(struct provider_trial *trial, bool ok, const char *phrase)
{
	const struct provider_trial ended = *trial;

	free(trial);
	ended.done(ok, phrase, ended.context);
}
