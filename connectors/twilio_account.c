#include <stdlib.h>
#include <string.h>

#include "provider_call.h"
#include "twilio.h"

struct trial {
	const struct host *host;
	void (*done)(bool ok, const char *phrase, void *context);
	void *context;
};

bool twilio_sid_is_good(const char *sid)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	return sid && strncmp(sid, "AC", 2) == 0 && sid[2] &&
	       strspn(sid + 2, hex) == strlen(sid + 2);
}

const char *twilio_authorization(const struct host *host, const struct twilio_account *account,
				 struct arena *arena)
{
	const char *pair = host->format(arena, "%s:%s", account->sid, account->token);

	return host->format(arena, "Basic %s", host->base64(arena, pair, strlen(pair)));
}

bool twilio_is_private(const struct twilio_account *account)
{
	return strcmp(account->api_base, TWILIO_PROVIDER) != 0;
}

/* The address redirects to a store of Amazon's, which must not see the token: libcurl sends it to
 * no other host. */
void twilio_media(const struct host *host, const struct twilio_account *account,
		  const struct attachment *attachment, struct arena *arena,
		  struct media_request *ret)
{
	size_t len = strlen(account->api_base);
	const char **fields;

	ret->url = attachment->url;
	ret->allow_private = twilio_is_private(account);
	if (strncmp(attachment->url, account->api_base, len) != 0 || attachment->url[len] != '/')
		return;
	fields = host->alloc(arena, 3 * sizeof(*fields));
	fields[0] = "authorization";
	fields[1] = twilio_authorization(host, account, arena);
	ret->fields = fields;
}

static void on_tried(const struct host_answer *answer, struct json_object *body,
		     struct arena *arena, void *context)
{
	struct trial trial = *(struct trial *)context;
	bool is_ok = !answer->error && answer->status == 200;
	const char *phrase = answer->error ? answer->error
					   : provider_text(trial.host, body, "message", "refused");

	free(context);
	if (is_ok)
		phrase = trial.host->format(
			arena, "the account is %s",
			provider_text(trial.host, body, "friendly_name", "there"));
	trial.done(is_ok, phrase, trial.context);
}

void twilio_try(const struct host *host, struct channel *channel,
		const struct twilio_account *account,
		void (*done)(bool ok, const char *phrase, void *context), void *context)
{
	struct arena *arena = host->arena_new();
	struct trial *trial = malloc(sizeof(*trial));
	const char *const fields[] = { "authorization", twilio_authorization(host, account, arena),
				       NULL };
	const struct host_http call = { .method = "GET",
					.url = host->format(arena, "%s/2010-04-01/Accounts/%s.json",
							    account->api_base, account->sid),
					.fields = fields,
					.allow_private = twilio_is_private(account) };

	if (!trial)
		abort();
	*trial = (struct trial){ host, done, context };
	provider_call(host, channel, &call, on_tried, trial);
	host->arena_free(arena);
}
