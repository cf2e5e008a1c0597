/* email: a mailbox over IMAP (polled), or mail handed over by LMTP, and letters
 * out over SMTP. The parts: email_imap.c and email_imap_lines.c (the mailbox),
 * email_parse.c (the parse worker's document to a message), email_compose.c and
 * email_send.c (the way out), email_oauth.c (XOAUTH2 tokens).
 *
 * RFC 3501, 6851, 5321, 5322, 2047, 2231, 3464, 3834, 8601. Limits: 25 MiB a
 * mail by default; of larger ones the headers arrive with a notice, and the mail
 * stays on the server as it was. */
#include <stdlib.h>
#include <string.h>

#include "email_private.h"

static const char *const alignment_choices[] = { "relaxed", "strict", NULL };
static const char *const tls_choices[] = { "default", "none", "starttls", "implicit", NULL };
static const char *const after_choices[] = { "nothing", "seen", "move", NULL };
static const char *const imap_schemes[] = { "imap", "imaps", NULL };
static const char *const smtp_schemes[] = { "smtp", "smtps", NULL };
static const char *const token_schemes[] = { "https", "http", NULL };

static const struct setting imap_rows[] = {
	SETTING_ROW("url", URL, struct email_imap_settings, url, NULL, .choices = imap_schemes,
		    .text = "imap://host:port (STARTTLS except on loopback) or imaps://host."),
	SETTING_ROW("user", TEXT, struct email_imap_settings, user, NULL, .text = "Login name."),
	SETTING_ROW("password", SECRET, struct email_imap_settings, password, NULL,
		    .text = "Password, or the authorisation code of QQ, 163 and 126."),
	SETTING_ROW("folder", TEXT, struct email_imap_settings, folder, "INBOX",
		    .text = "The folder that is read."),
	SETTING_ROW("poll", TIME, struct email_imap_settings, poll_ms, "30s", .min = 1000,
		    .max = 3600000, .text = "How often to look."),
	SETTING_ROW("window", TIME, struct email_imap_settings, window_ms, "7d", .min = 86400000,
		    .max = 7776000000, .text = "How far back a new or re-created mailbox is read."),
	SETTING_ROW("tls", CHOICE, struct email_imap_settings, tls, "default",
		    .choices = tls_choices, .text = "Overrides what the address says."),
	SETTING_ROW("after", CHOICE, struct email_imap_settings, after, "nothing",
		    .choices = after_choices,
		    .text = "What happens to a mail once it is stored here."),
	SETTING_ROW("move_to", TEXT, struct email_imap_settings, move_to, NULL,
		    .text = "The folder for after: move."),
	SETTING_ROW("ca_file", PATH, struct email_imap_settings, ca_file, NULL,
		    .text = "Certificates to trust instead of the system's."),
	SETTING_END,
};

static const struct setting smtp_rows[] = {
	SETTING_ROW("url", URL, struct email_smtp_settings, url, NULL, .choices = smtp_schemes,
		    .text = "smtp://host:587 (STARTTLS except on loopback) or smtps://host:465."),
	SETTING_ROW("user", TEXT, struct email_smtp_settings, user, NULL,
		    .text = "Login name; none: no login."),
	SETTING_ROW("password", SECRET, struct email_smtp_settings, password, NULL,
		    .text = "Password of that login."),
	SETTING_ROW("tls", CHOICE, struct email_smtp_settings, tls, "default",
		    .choices = tls_choices, .text = "Overrides what the address says."),
	SETTING_ROW("ca_file", PATH, struct email_smtp_settings, ca_file, NULL,
		    .text = "Certificates to trust instead of the system's."),
	SETTING_END,
};

static const struct setting oauth_rows[] = {
	SETTING_ROW("token_url", URL, struct email_oauth_settings, token_url, NULL,
		    .choices = token_schemes,
		    .text = "Where access tokens come from; turns on XOAUTH2 for IMAP and SMTP."),
	SETTING_ROW("client_id", TEXT, struct email_oauth_settings, client_id, NULL,
		    .text = "The registered application."),
	SETTING_ROW("client_secret", SECRET, struct email_oauth_settings, client_secret, NULL,
		    .text = "Its secret."),
	SETTING_ROW("refresh_token", SECRET, struct email_oauth_settings, refresh_token, NULL,
		    .text = "The mailbox's refresh token; none: client credentials."),
	SETTING_ROW("scope", TEXT, struct email_oauth_settings, scope, NULL,
		    .text = "Asked for where the provider wants one."),
	SETTING_END,
};

static const struct setting email_settings_rows[] = {
	SETTING_ROW("address", TEXT, struct email_settings, address, NULL, .max = 320,
		    .flags = SETTING_REQUIRED, .text = "The address customers write to."),
	SETTING_ROW("name", TEXT, struct email_settings, name, NULL, .max = 200,
		    .text = "Shown beside the address in From."),
	SETTING_ROW("aliases", LIST, struct email_settings, aliases, NULL,
		    .text = "Further addresses of this channel."),
	SETTING_ROW("authserv_id", TEXT, struct email_settings, authserv_id, NULL,
		    .text = "The name our own mail server writes into Authentication-Results; "
			    "none: every sender is only claimed."),
	SETTING_ROW("received_above", COUNT, struct email_settings, received_above, "0", .max = 20,
		    .text = "Received fields that our own servers add above that result."),
	SETTING_ROW("alignment", CHOICE, struct email_settings, alignment, "relaxed",
		    .choices = alignment_choices,
		    .text = "Whose DKIM signature proves a sender: relaxed is From's domain or one "
			    "above it, strict is From's domain alone."),
	SETTING_ROW("max_size", SIZE, struct email_settings, max_size, "25M", .min = 65536,
		    .max = 52428800,
		    .text = "Of one mail; of larger ones only the headers are read, and the "
			    "message says so."),
	SETTING_ROW("imap", GROUP, struct email_settings, imap, NULL, .rows = imap_rows,
		    .text = "The mailbox to read; none: mail only comes by LMTP."),
	SETTING_ROW("smtp", GROUP, struct email_settings, smtp, NULL, .rows = smtp_rows,
		    .text = "The server that sends; none: receive only."),
	SETTING_ROW("oauth", GROUP, struct email_settings, oauth, NULL, .rows = oauth_rows,
		    .text = "XOAUTH2 instead of passwords (Gmail, Microsoft 365)."),
	SETTING_END,
};

/* SMTP servers ask for patience in minutes: greylisting, quotas. */
static const int64_t email_retry_ms[] = {
	0, 60000, 300000, 900000, 3600000, 14400000, 28800000, 43200000, 86400000, -1,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

const struct host *email_host(void)
{
	return host;
}

static bool is_loopback(const char *url)
{
	return strncmp(url, "http://127.", 11) == 0 || strncmp(url, "http://localhost", 16) == 0 ||
	       strncmp(url, "http://[::1]", 12) == 0;
}

static const char *complaint(const struct email_settings *settings)
{
	const struct email_imap_settings *imap = &settings->imap;
	const char *token_url = settings->oauth.token_url;

	if (!email_address_ok(settings->address))
		return "address must be a mail address";
	for (size_t i = 0; i < settings->aliases.count; i++)
		if (!email_address_ok(settings->aliases.items[i]))
			return "aliases must be mail addresses";
	if (imap->url && imap->url[0] && (!imap->user || !imap->user[0]))
		return "imap.user is missing";
	if (imap->after == EMAIL_AFTER_MOVE && (!imap->move_to || !imap->move_to[0]))
		return "imap.after: move needs imap.move_to";
	if (token_url && strncmp(token_url, "http://", 7) == 0 && !is_loopback(token_url))
		return "oauth.token_url must be https";
	if (token_url && token_url[0] && !settings->oauth.client_id)
		return "oauth.client_id is missing";
	return NULL;
}

static int email_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const char *error;

	host = core;
	error = complaint(core->channel_settings(channel));
	if (error) {
		*ret_error = error;
		return -1;
	}
	return 0;
}

static void email_close(struct channel *channel)
{
	struct email_state *state = email_host()->channel_state(channel);

	email_poll_close(channel);
	email_token_forget(&state->receiving);
	email_token_forget(&state->sending);
}

static bool email_takes(const struct channel *channel, const char *address)
{
	return email_is_ours(email_host()->channel_settings(channel), address);
}

const struct connector email_connector = {
	.name = "email",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_MEDIA | HAS_RECEIPTS | PROVIDER_RETRIES |
		     ACCEPTS_MAIL | HAS_EMAIL_THREADS,
	.body_format = BODY_MIME,
	.body_limit = (size_t)50 * 1024 * 1024,
	.identifier_kind = "email",
	.retry_ms = email_retry_ms,
	.settings_size = sizeof(struct email_settings),
	.settings = email_settings_rows,
	.state_size = sizeof(struct email_state),
	.open = email_open,
	.close = email_close,
	.parse = email_parse,
	.send = email_send,
	.poll = email_poll_tick,
	.takes = email_takes,
	.test = email_test,
	.mail_options = email_mail_options,
	.sent_as = email_sent_as,
};
