/* `convergectl channel test`: logs in to the mailbox, or says why not. */
#include <stdlib.h>

#include "email_private.h"

struct testing {
	struct channel *channel;
	struct host_imap *session;
	void (*done)(bool ok, const char *phrase, void *context);
	void *context;
};

static void end(struct testing *testing, bool ok, const char *phrase)
{
	void (*done)(bool ok, const char *phrase, void *context) = testing->done;
	void *context = testing->context;

	email_host()->imap_close(testing->session);
	free(testing);
	done(ok, phrase, context);
}

static void on_answer(const struct host_imap_answer *answer, void *context)
{
	end(context, !answer->error, answer->error ? answer->error : "logged in to the mailbox");
}

static void log_in(struct channel *channel, const char *error, void *context)
{
	const struct email_settings *settings = email_host()->channel_settings(channel);
	struct email_state *state = email_host()->channel_state(channel);
	struct testing *testing = context;
	const struct host_account account = {
		.url = settings->imap.url,
		.user = settings->imap.user,
		.password = settings->imap.password,
		.oauth_bearer = email_has_oauth(settings) ? state->receiving.token : NULL,
		.tls = (enum host_tls)settings->imap.tls,
		.ca_file = settings->imap.ca_file,
	};

	if (error) {
		end(testing, false, error);
		return;
	}
	testing->session = email_host()->imap_open(channel, &account);
	email_host()->imap_run(testing->session, "", "NOOP", on_answer, testing);
}

void email_test(struct channel *channel, void (*done)(bool ok, const char *phrase, void *context),
		void *context)
{
	const struct email_settings *settings = email_host()->channel_settings(channel);
	struct email_state *state = email_host()->channel_state(channel);
	struct testing *testing;

	if (!settings->imap.url || !settings->imap.url[0]) {
		done(true, "there is no mailbox to log in to", context);
		return;
	}
	testing = calloc(1, sizeof(*testing));
	if (!testing)
		abort();
	testing->channel = channel;
	testing->done = done;
	testing->context = context;
	if (email_has_oauth(settings))
		email_token_get(channel, &state->receiving, log_in, testing);
	else
		log_in(channel, NULL, testing);
}
