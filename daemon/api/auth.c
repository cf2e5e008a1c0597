#include "api/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "parts.h"
#include "routing/claim.h"
#include "services/loop.h"
#include "store/store.h"

enum { CACHE_SLOTS = 1024, CACHE_MS = 3000, HASH_HEX = 2 * SHA256_BYTES };

struct cached {
	char hash[HASH_HEX + 1];
	int64_t until_ms;
	int64_t seen_ms; /* when the store was last told that this agent is there */
	enum role role;
	bool is_bot;
	char *workspace;
	char *agent;
	char *name;
};

struct auth {
	struct parts *parts;
	struct cached cache[CACHE_SLOTS]; /* by the first bytes of the hash */
};

/* One look-up on its way; lives in the request's arena. */
struct asking {
	struct auth *auth;
	struct http_request *request;
	struct arena *arena;
	auth_done_fn *done;
	void *context;
	const char *workspace;
	bool by_cookie;
	char hash[HASH_HEX + 1];
	struct json_object *session; /* while its agent and their login are looked up */
	enum role role;              /* that agent's */
};

static void cached_clear(struct cached *slot)
{
	free(slot->workspace);
	free(slot->agent);
	free(slot->name);
	*slot = (struct cached){ 0 };
}

struct auth *auth_new(struct parts *parts)
{
	struct auth *auth = memory_new(sizeof(*auth));

	auth->parts = parts;
	return auth;
}

void auth_free(struct auth **auth)
{
	if (*auth == NULL)
		return;
	for (size_t i = 0; i < CACHE_SLOTS; i++)
		cached_clear(&(*auth)->cache[i]);
	free(*auth);
	*auth = NULL;
}

void auth_forget(struct auth *auth, const char *workspace)
{
	for (size_t i = 0; i < CACHE_SLOTS; i++)
		if (auth->cache[i].workspace != NULL &&
		    text_equal(auth->cache[i].workspace, workspace))
			cached_clear(&auth->cache[i]);
}

void auth_hash(const char *credential, char hex[65])
{
	unsigned char hash[SHA256_BYTES];

	crypto_sha256(credential, strlen(credential), hash);
	text_hex(hash, sizeof(hash), hex);
}

void auth_nonce(char nonce[AUTH_NONCE_BYTES])
{
	unsigned char random[(AUTH_NONCE_BYTES - 1) / 2];

	crypto_random(random, sizeof(random));
	text_hex(random, sizeof(random), nonce);
}

void auth_token_make(struct mac *key, const char *kind, const char *workspace, const char *nonce,
		     char out[AUTH_TOKEN_BYTES])
{
	unsigned char secret[SHA256_BYTES];
	char text[64];

	mac_begin(key);
	mac_add(key, "credential", sizeof("credential"));
	mac_add(key, kind, strlen(kind) + 1);
	mac_add(key, workspace, strlen(workspace) + 1);
	mac_add(key, nonce, strlen(nonce));
	mac_end(key, secret);
	text_base64url(secret, sizeof(secret), text);
	snprintf(out, AUTH_TOKEN_BYTES, "%s_%s_%s", kind, workspace, text);
}

static struct cached *cache_slot(struct auth *auth, const char *hash)
{
	unsigned char head[2] = { 0 };

	text_unhex(hash, 4, head, sizeof(head));
	return &auth->cache[((size_t)head[0] << 8 | head[1]) % CACHE_SLOTS];
}

static const struct {
	const char *name;
	enum role role;
} roles[] = {
	{ "agent", ROLE_AGENT },
	{ "supervisor", ROLE_SUPERVISOR },
	{ "admin", ROLE_ADMIN },
	{ "integration", ROLE_INTEGRATION },
};

enum role role_from_name(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(roles); i++)
		if (text_equal(roles[i].name, name))
			return roles[i].role;
	return ROLE_NONE;
}

const char *role_name(enum role role)
{
	for (size_t i = 0; i < COUNT_OF(roles); i++)
		if (roles[i].role == role)
			return roles[i].name;
	return "";
}

enum role agent_role(struct json_object *agent)
{
	enum role role = role_from_name(json_text(agent, "role"));

	return role == ROLE_NONE ? ROLE_AGENT : role;
}

/* A person's items stay assigned while something is heard of that person. */
static void note_seen(struct parts *parts, struct cached *slot)
{
	int64_t now = loop_now_ms(parts->loop);

	if (text_starts(slot->agent, "token:") ||
	    (slot->seen_ms != 0 && now - slot->seen_ms < api_seen_every_ms(parts)))
		return;
	slot->seen_ms = now;
	presence_seen(parts->store, slot->workspace, slot->agent);
}

static void finish(struct asking *asking, struct cached *slot)
{
	struct principal who = { .role = slot->role, .by_cookie = asking->by_cookie };

	who.workspace = arena_text(asking->arena, slot->workspace);
	who.agent = arena_text(asking->arena, slot->agent);
	who.name = arena_text(asking->arena, slot->name);
	who.credential = asking->hash;
	who.is_bot = slot->is_bot;
	note_seen(asking->auth->parts, slot);
	asking->done(AUTH_OK, &who, asking->context);
}

/* The stored JSON of a token or session becomes a cache entry. */
static bool slot_fill(struct cached *slot, const struct asking *asking, struct json_object *stored,
		      enum role role)
{
	int64_t now = loop_unix_ms(asking->auth->parts->loop);
	int64_t expires = json_int(stored, "expires", 0);
	const char *agent = json_text(stored, "agent");
	int64_t seen_ms;

	if (role == ROLE_NONE || (expires != 0 && expires <= now))
		return false;
	seen_ms = text_equal(slot->hash, asking->hash) ? slot->seen_ms : 0;
	cached_clear(slot);
	slot->seen_ms = seen_ms;
	slot->role = role;
	slot->is_bot = text_equal(json_text(stored, "view"), "bot");
	slot->workspace = memory_text(asking->workspace);
	slot->agent = memory_text(agent != NULL ? agent : json_text(stored, "id"));
	slot->name = memory_text(json_text(stored, "name") != NULL ? json_text(stored, "name")
								   : slot->agent);
	if (slot->agent == NULL) {
		cached_clear(slot);
		return false;
	}
	memcpy(slot->hash, asking->hash, sizeof(slot->hash));
	slot->until_ms = loop_now_ms(asking->auth->parts->loop) + CACHE_MS;
	return true;
}

/* Who sets a new password wants to be rid of who came in with the old one. */
static void on_login(const struct store_reply *reply, const struct error *err, void *context)
{
	struct asking *asking = context;
	struct cached *slot = cache_slot(asking->auth, asking->hash);
	OWNED(json_free) struct json_object *login = NULL;
	size_t len = 0;
	const char *text = err == NULL ? reply_text(reply, &len) : NULL;

	if (text != NULL)
		login = json_read(text, len, NULL);
	if (err != NULL)
		asking->done(AUTH_AWAY, NULL, asking->context);
	else if (json_int(login, "since", 0) > json_int(asking->session, "opened", 0) ||
		 !slot_fill(slot, asking, asking->session, asking->role))
		asking->done(AUTH_REFUSED, NULL, asking->context);
	else
		finish(asking, slot);
	json_free(&asking->session);
}

static void login_read(struct asking *asking)
{
	struct store_call *call = store_command("HGET");

	store_arg_key(call, asking->workspace, "logins");
	store_arg_text(call, json_text(asking->session, "agent"));
	store_read(asking->auth->parts->store, call, on_login, asking);
}

static void refuse(struct asking *asking, const struct error *err)
{
	asking->done(err != NULL ? AUTH_AWAY : AUTH_REFUSED, NULL, asking->context);
	json_free(&asking->session);
}

/* A token has the role that it was made with. */
static void token_take(struct asking *asking)
{
	struct cached *slot = cache_slot(asking->auth, asking->hash);

	if (!slot_fill(slot, asking, asking->session, asking->role)) {
		refuse(asking, NULL);
		return;
	}
	finish(asking, slot);
	json_free(&asking->session);
}

/* Where no agents are kept at all, nobody was deleted. */
static void on_agent_count(const struct store_reply *reply, const struct error *err, void *context)
{
	struct asking *asking = context;

	if (err != NULL || reply_int(reply) > 0)
		refuse(asking, err);
	else
		token_take(asking);
}

static void agents_count(struct asking *asking)
{
	struct store_call *call = store_command("HLEN");

	store_arg_key(call, asking->workspace, "cfg:agents");
	store_read(asking->auth->parts->store, call, on_agent_count, asking);
}

/* A session may do what its agent may now, whatever that was when it was opened; a token of an
 * agent who was deleted may do nothing. */
static void on_agent(const struct store_reply *reply, const struct error *err, void *context)
{
	struct asking *asking = context;
	OWNED(json_free) struct json_object *agent = NULL;
	size_t len = 0;
	const char *text = err == NULL ? reply_text(reply, &len) : NULL;

	if (text != NULL)
		agent = json_read(text, len, NULL);
	if (err != NULL || (agent == NULL && asking->by_cookie)) {
		refuse(asking, err);
	} else if (asking->by_cookie) {
		asking->role = agent_role(agent);
		login_read(asking);
	} else if (agent != NULL) {
		token_take(asking);
	} else {
		agents_count(asking);
	}
}

static void agent_read(struct asking *asking, struct json_object *session)
{
	struct store_call *call = store_command("HGET");

	asking->session = session;
	store_arg_key(call, asking->workspace, "cfg:agents");
	store_arg_text(call, json_text(session, "agent"));
	store_read(asking->auth->parts->store, call, on_agent, asking);
}

static void on_stored(const struct store_reply *reply, const struct error *err, void *context)
{
	struct asking *asking = context;
	struct cached *slot = cache_slot(asking->auth, asking->hash);
	struct json_object *stored = NULL;
	const char *text;
	size_t len = 0;

	if (err != NULL) {
		asking->done(AUTH_AWAY, NULL, asking->context);
		return;
	}
	text = reply_text(reply, &len);
	if (text != NULL)
		stored = json_read(text, len, NULL);
	if (json_text(stored, "agent") != NULL) {
		asking->role = role_from_name(json_text(stored, "role"));
		agent_read(asking, stored);
		return;
	}
	if (stored == NULL || asking->by_cookie ||
	    !slot_fill(slot, asking, stored, role_from_name(json_text(stored, "role"))))
		asking->done(AUTH_REFUSED, NULL, asking->context);
	else
		finish(asking, slot);
	json_free(&stored);
}

static void look_up(struct asking *asking)
{
	struct cached *slot = cache_slot(asking->auth, asking->hash);
	struct store_call *call;

	if (slot->until_ms > loop_now_ms(asking->auth->parts->loop) &&
	    crypto_equal(slot->hash, HASH_HEX, asking->hash, HASH_HEX) &&
	    text_equal(slot->workspace, asking->workspace)) {
		finish(asking, slot);
		return;
	}
	if (asking->by_cookie) {
		call = store_command("HGET");
		store_arg_key(call, asking->workspace, "ses:%s", asking->hash);
		store_arg_text(call, "j");
	} else {
		call = store_command("HGET");
		store_arg_key(call, asking->workspace, "tok");
		store_arg_text(call, asking->hash);
	}
	store_read(asking->auth->parts->store, call, on_stored, asking);
}

/* "cvg_main_…" and "cvs_main_…" (sessions): the workspace between the underscores. */
static const char *workspace_of(const char *credential, const char *prefix, struct arena *arena)
{
	const char *name;
	const char *end;

	if (!text_starts(credential, prefix) || strlen(credential) > 120)
		return NULL;
	name = credential + strlen(prefix);
	end = strchr(name, '_');
	if (end == NULL || end == name || end - name > 40)
		return NULL;
	for (const char *c = name; c < end; c++)
		if ((*c < 'a' || *c > 'z') && (*c < '0' || *c > '9') && *c != '-')
			return NULL;
	return arena_copy(arena, name, (size_t)(end - name));
}

const char *auth_workspace(const char *token, struct arena *arena)
{
	return workspace_of(token, "cvg_", arena);
}

char *auth_cookie(struct http_request *request, struct arena *arena, const char *name)
{
	const char *at = http_request_field(request, "Cookie");
	size_t len = strlen(name);

	while (at != NULL) {
		at += strspn(at, " ");
		if (strncmp(at, name, len) == 0 && at[len] == '=')
			return arena_copy(arena, at + len + 1, strcspn(at + len + 1, "; "));
		at = strchr(at, ';');
		if (at != NULL)
			at++;
	}
	return NULL;
}

static bool has_effect(const struct http_request *request)
{
	const char *method = http_request_method(request);

	return !text_equal(method, "GET") && !text_equal(method, "HEAD");
}

/* Derived from the session's own secret, so nothing more is stored. */
void auth_csrf(struct auth *auth, const char *session, char hex[65])
{
	unsigned char mac[SHA256_BYTES];

	mac_begin(auth->parts->key);
	mac_add(auth->parts->key, "csrf", 5);
	mac_add(auth->parts->key, session, strlen(session));
	mac_end(auth->parts->key, mac);
	text_hex(mac, sizeof(mac), hex);
}

bool auth_csrf_of(struct auth *auth, struct http_request *request, char hex[65])
{
	const char *session = auth_cookie(request, http_request_arena(request), "converge_session");

	if (session != NULL)
		auth_csrf(auth, session, hex);
	return session != NULL;
}

static bool csrf_fits(struct auth *auth, struct http_request *request, const char *session)
{
	const char *given = http_request_field(request, "X-CSRF-Token");
	char hex[HASH_HEX + 1];

	auth_csrf(auth, session, hex);
	return given != NULL && crypto_equal(given, strlen(given), hex, HASH_HEX);
}

void auth_request(struct auth *auth, struct http_request *request, struct arena *arena,
		  auth_done_fn *done, void *context)
{
	struct asking *asking = arena_alloc(arena, sizeof(*asking));
	const char *field = http_request_field(request, "Authorization");
	const char *credential = NULL;

	*asking = (struct asking){ auth, request, arena, done, context,
				   NULL, false,   "",    NULL, ROLE_NONE };
	if (field != NULL) {
		if (strncasecmp(field, "Bearer ", 7) == 0)
			credential = field + 7 + strspn(field + 7, " ");
		if (credential != NULL)
			asking->workspace = workspace_of(credential, "cvg_", arena);
	} else {
		credential = auth_cookie(request, arena, "converge_session");
		if (credential == NULL) {
			done(AUTH_MISSING, NULL, context);
			return;
		}
		asking->workspace = workspace_of(credential, "cvs_", arena);
		asking->by_cookie = true;
	}
	if (asking->workspace == NULL) {
		done(AUTH_REFUSED, NULL, context);
		return;
	}
	if (asking->by_cookie && has_effect(request) && !csrf_fits(auth, request, credential)) {
		done(AUTH_CSRF, NULL, context);
		return;
	}
	auth_hash(credential, asking->hash);
	look_up(asking);
}

void auth_again(struct auth *auth, const struct principal *who, struct arena *arena,
		auth_done_fn *done, void *context)
{
	struct asking *asking = arena_alloc(arena, sizeof(*asking));

	*asking = (struct asking){ .auth = auth,
				   .arena = arena,
				   .done = done,
				   .context = context,
				   .workspace = arena_text(arena, who->workspace),
				   .by_cookie = who->by_cookie };
	snprintf(asking->hash, sizeof(asking->hash), "%s", who->credential);
	look_up(asking);
}
