/* A stand-in's state: settings, people, tokens, media, faults. */
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "provider.h"

enum { BODY_MAX = 32 * 1024 * 1024, TOKEN_BYTES = 12 };

static const struct provider *const providers[] = {
	&telegram_provider, &whatsapp_provider,   &messenger_provider, &instagram_provider,
	&wechat_provider,   &wecom_provider,      &feishu_provider,    &dingtalk_provider,
	&line_provider,     &slack_provider,      &weibo_provider,     &x_provider,
	&twilio_provider,   &aliyun_sms_provider, &http_sms_provider
};

const struct provider *provider_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(providers); i++)
		if (strcmp(providers[i]->name, name) == 0)
			return providers[i];
	return NULL;
}

void provider_names(struct buf *out)
{
	for (size_t i = 0; i < COUNT_OF(providers); i++)
		buf_format(out, "%s%s", i > 0 ? " " : "", providers[i]->name);
}

int64_t sim_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- settings ---- */

static struct setting_default *setting_row(struct standin *sim, const char *name)
{
	for (size_t i = 0; i < sim->setting_count; i++)
		if (strcmp(sim->settings[i].name, name) == 0)
			return &sim->settings[i];
	return NULL;
}

const char *setting(struct standin *sim, const char *name)
{
	const struct setting_default *row = setting_row(sim, name);
	return row != NULL ? row->value : "";
}

const char *secret(struct standin *sim, const char *name)
{
	/* As long and of the same letters as a real one may have to be: AES keys. */
	static const char wrong[] = "wrongwrongwrongwrongwrongwrongwrongwrongwro";
	const char *right = setting(sim, name);
	return sim->is_lying && right[0] != '\0' ? wrong : right;
}

void setting_put(struct standin *sim, const char *name, const char *value)
{
	struct setting_default *row = setting_row(sim, name);
	if (row == NULL) {
		sim->settings =
			memory_grow(sim->settings, sim->setting_count + 1, sizeof(*sim->settings));
		row = &sim->settings[sim->setting_count++];
		*row = (struct setting_default){ .name = memory_text(name) };
	} else {
		free((void *)(uintptr_t)row->value);
	}
	row->value = memory_text(value);
}

int64_t next_number(struct standin *sim)
{
	return ++sim->counter;
}

const char *own_base(struct standin *sim, struct arena *arena)
{
	return arena_format(arena, "http://%s", sim->listen);
}

/* ---- people ---- */

struct person *person_find(struct standin *sim, const char *id)
{
	for (size_t i = 0; id != NULL && i < sim->person_count; i++)
		if (strcmp(sim->people[i].id, id) == 0)
			return &sim->people[i];
	return NULL;
}

struct person *person_of(struct standin *sim, const char *id)
{
	struct person *person = person_find(sim, id);
	if (person != NULL)
		return person;
	person = &sim->people[sim->person_count < PEOPLE_MAX ? sim->person_count++ : 0];
	*person = (struct person){ .number = next_number(sim) };
	snprintf(person->id, sizeof(person->id), "%s", id);
	return person;
}

void window_open(struct standin *sim, const char *id, int64_t ms, int64_t count)
{
	struct person *person = person_of(sim, id);
	person->window_until_ms = sim_now_ms() + ms;
	person->window_left = count > 0 ? count : INT64_MAX;
}

bool window_take(struct standin *sim, const char *id)
{
	struct person *person = person_find(sim, id);
	if (person == NULL || person->window_until_ms < sim_now_ms() || person->window_left <= 0)
		return false;
	person->window_left--;
	return true;
}

/* ---- media ---- */

struct media *media_find(struct standin *sim, const char *id)
{
	for (size_t i = 0; id != NULL && i < sim->media_count; i++)
		if (strcmp(sim->media[i].id, id) == 0)
			return &sim->media[i];
	return NULL;
}

struct media *media_keep(struct standin *sim, const char *id, const char *type, const char *name)
{
	struct media *media = media_find(sim, id);
	if (media == NULL) {
		sim->media = memory_grow(sim->media, sim->media_count + 1, sizeof(*sim->media));
		media = &sim->media[sim->media_count++];
		*media = (struct media){ 0 };
	}
	snprintf(media->id, sizeof(media->id), "%s", id);
	snprintf(media->type, sizeof(media->type), "%s", type);
	snprintf(media->name, sizeof(media->name), "%s", name != NULL ? name : "");
	return media;
}

void media_bytes(struct media *media, const void *bytes, size_t len)
{
	free(media->bytes);
	media->bytes = memory_copy(bytes, len);
	media->len = len;
}

struct media *media_said(struct standin *sim, struct json_object *what, const char *id)
{
	const char *base64 = json_text(what, "media.base64");
	if (base64 == NULL)
		return NULL;
	size_t room = strlen(base64) + 4;
	char *bytes = memory_new(room);
	long len = text_unbase64(base64, strlen(base64), bytes, room);
	struct media *media = NULL;
	if (len >= 0) {
		media = media_keep(sim, id, said(what, "media.type", "application/octet-stream"),
				   said(what, "media.name", "file"));
		media_bytes(media, bytes, (size_t)len);
	}
	free(bytes);
	return media;
}

/* ---- tokens ---- */

const char *token_mint(struct standin *sim, const char *prefix)
{
	if (sim->token[0] == '\0') {
		unsigned char random[TOKEN_BYTES];
		char hex[2 * TOKEN_BYTES + 1];
		crypto_random(random, sizeof(random));
		text_hex(random, sizeof(random), hex);
		snprintf(sim->token, sizeof(sim->token), "%s%s", prefix, hex);
		sim->tokens_minted++;
	}
	return sim->token;
}

bool token_is_good(struct standin *sim, const char *token)
{
	return token != NULL && sim->token[0] != '\0' && strcmp(token, sim->token) == 0;
}

/* ---- faults ---- */

static bool fault_fits(const struct fault *fault, const char *kind, const char *on,
		       const char *body)
{
	return fault->left > 0 && strcmp(fault->kind, kind) == 0 &&
	       (strcmp(fault->on, "any") == 0 || strcmp(fault->on, on) == 0) &&
	       strstr(body, fault->match) != NULL;
}

static bool take(struct fault *faults, const char *kind, const char *on, const char *body,
		 struct fault *ret)
{
	for (size_t i = 0; i < FAULTS_MAX; i++) {
		struct fault *fault = &faults[i];
		if (!fault_fits(fault, kind, on, body))
			continue;
		if (fault->after > 0) {
			fault->after--;
			continue;
		}
		fault->left--;
		*ret = *fault;
		return true;
	}
	return false;
}

bool fault_take(struct standin *sim, const char *kind, const char *on, struct fault *ret)
{
	return take(sim->faults, kind, on, "", ret);
}

bool ask_fault(struct ask *ask, const char *kind, struct fault *ret)
{
	/* What is sent stands in the body, or in the query of an API that has it there. */
	const char *said = ask->len > 0 || ask->query == NULL ? ask->body : ask->query;
	return ask->route != NULL && take(ask->sim->faults, kind, ask->route->on, said, ret);
}

void list_add(struct list *list, struct buf *json)
{
	list->items = memory_grow(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = memory_copy(buf_string(json), json->len);
	buf_clear(json);
}

/* ---- life ---- */

static bool serve(struct standin *sim)
{
	char host[64];
	const char *colon = strrchr(sim->listen, ':');
	uint64_t port = 0;
	if (colon == NULL || (size_t)(colon - sim->listen) >= sizeof(host) ||
	    !text_uint(colon + 1, strlen(colon + 1), &port) || port > 65535)
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - sim->listen), sim->listen);
	sim->http = evhttp_new(sim->base);
	evhttp_set_max_body_size(sim->http, BODY_MAX);
	evhttp_set_allowed_methods(sim->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
						      EVHTTP_REQ_DELETE | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(sim->http, serve_request, sim);
	return evhttp_bind_socket(sim->http, host, (uint16_t)port) == 0;
}

struct standin *standin_start(struct event_base *base, const struct provider *provider,
			      const char *listen)
{
	struct standin *sim = memory_new(sizeof(*sim));
	sim->base = base;
	sim->provider = provider;
	sim->listen = listen;
	sim->own = memory_new(provider->own_size + 1);
	sim->people = memory_new(sizeof(*sim->people) * PEOPLE_MAX);
	for (const struct setting_default *row = provider->settings; row->name != NULL; row++)
		setting_put(sim, row->name, row->value);
	if (!serve(sim)) {
		fprintf(stderr, "converge-sim: cannot listen at %s\n", listen);
		standin_free(&sim);
		return NULL;
	}
	return sim;
}

static void list_free(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

void standin_free(struct standin **at)
{
	struct standin *sim = *at;
	if (sim == NULL)
		return;
	*at = NULL;
	if (sim->provider->end != NULL)
		sim->provider->end(sim);
	if (sim->http != NULL)
		evhttp_free(sim->http);
	for (size_t i = 0; i < sim->post_count; i++)
		post_free(sim->posts[i]);
	for (size_t i = 0; i < sim->setting_count; i++) {
		free((void *)(uintptr_t)sim->settings[i].name);
		free((void *)(uintptr_t)sim->settings[i].value);
	}
	for (size_t i = 0; i < sim->media_count; i++)
		free(sim->media[i].bytes);
	list_free(&sim->sent);
	list_free(&sim->refused);
	list_free(&sim->calls);
	free(sim->posts);
	free(sim->media);
	free(sim->settings);
	free(sim->people);
	free(sim->own);
	free(sim);
}
