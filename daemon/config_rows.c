/* Every setting of the file: name, type, fallback, range, help. */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "config.h"

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const char *check_region(const char *text)
{
	return strlen(text) == 2 && isalpha((unsigned char)text[0]) &&
			       isalpha((unsigned char)text[1])
		       ? NULL
		       : "must be two letters";
}

static const char *check_name(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text)
		       ? NULL
		       : "must have only a-z, 0-9 and \"-\"";
}

static const char *check_network(const char *text)
{
	static const char phrase[] = "must hold addresses or networks, such as 10.0.0.0/8";
	unsigned char address[16];
	const char *slash = strchr(text, '/');
	size_t len = slash == NULL ? strlen(text) : (size_t)(slash - text);
	uint64_t bits = 0;
	char host[64];

	if (len >= sizeof(host) ||
	    (slash != NULL && !text_uint(slash + 1, strlen(slash + 1), &bits)))
		return phrase;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, address) == 1)
		return bits <= 32 ? NULL : phrase;
	return inet_pton(AF_INET6, host, address) == 1 && bits <= 128 ? NULL : phrase;
}

static const char *check_base_url(const char *text)
{
	return strpbrk(text, "?#@") == NULL ? NULL : "must have no user, query or fragment";
}

static const char *const store_schemes[] = { "=embedded", "unix",     "redis", "!rediss",
					     "!sentinel", "!cluster", NULL };
static const char *const history_schemes[] = { "=none", "sqlite", "postgresql", "postgres", NULL };
static const char *const blob_schemes[] = { "file", "s3", NULL };
static const char *const acks[] = { "local", "replicas", NULL };
static const char *const levels[] = { "error", "warn", "info", "debug", NULL };
static const char *const formats[] = { "logfmt", "json", NULL };

static const struct setting listen_rows[] = {
	SETTING_ROW(
		"http", ADDRESS, struct config_listen, http, "127.0.0.1:8080",
		.text = "Where the front door listens: host:port, \"[v6]:port\" or unix:/path."),
	SETTING_ROW(
		"lmtp", ADDRESS, struct config_listen, lmtp, NULL,
		.text = "Where a mail server hands mail in over LMTP: host:port or unix:/path."),
	SETTING_ROW("admin", ADDRESS, struct config_listen, admin, NULL,
		    .text = "Where convergectl comes in, unix:/path; by default a socket in "
			    "state_dir."),
	SETTING_ROW(
		"reuse_port", BOOL, struct config_listen, reuse_port, "false",
		.text = "Lets several instances share one port; off, a second one is an error."),
	SETTING_ROW("tls_cert", PATH, struct config_listen, tls_cert, NULL,
		    .flags = SETTING_RELOADABLE,
		    .text = "The front door's certificate chain, a PEM file."),
	SETTING_ROW("tls_key", PATH, struct config_listen, tls_key, NULL,
		    .flags = SETTING_RELOADABLE, .text = "The key of tls_cert, a PEM file."),
	SETTING_ROW("trusted_proxies", LIST, struct config_listen, trusted_proxies, NULL,
		    .max = 100, .check = check_network,
		    .text = "Proxies whose X-Forwarded-For is believed: addresses or networks."),
	SETTING_ROW("connections", COUNT, struct config_listen, connections, "20000", .min = 10,
		    .max = 1000000, .text = "How many connections may be open at once."),
	SETTING_ROW("idle_per_source", COUNT, struct config_listen, idle_per_source, "10", .min = 1,
		    .max = 10000, .text = "How many idle connections one source may keep."),
	SETTING_ROW("header_timeout", TIME, struct config_listen, header_timeout_ms, "10s",
		    .min = SECOND, .max = 5 * MINUTE,
		    .text = "How long the head of a request may take."),
	SETTING_ROW("request_timeout", TIME, struct config_listen, request_timeout_ms, "30s",
		    .min = SECOND, .max = HOUR, .text = "How long a whole request may take."),
	SETTING_ROW("idle_timeout", TIME, struct config_listen, idle_timeout_ms, "75s",
		    .min = SECOND, .max = HOUR,
		    .text = "How long a connection may wait for its next request."),
	SETTING_ROW("stream_buffer", SIZE, struct config_listen, stream_buffer, "1M",
		    .min = 16 * KIB, .max = 64 * MIB,
		    .text = "How much a live stream may lag before it is closed."),
	SETTING_END,
};

static const struct setting store_rows[] = {
	SETTING_ROW("url", URL, struct config_store, url, "embedded", .choices = store_schemes,
		    .text = "embedded (a Redis of its own in state_dir), unix:/path or "
			    "redis://user:password@host:port."),
	SETTING_ROW("ack", CHOICE, struct config_store, ack, "local", .choices = acks,
		    .text = "When a message counts as kept: local (on this disk) or replicas (on "
			    "every connected replica too)."),
	SETTING_ROW("allow_unsafe", BOOL, struct config_store, allow_unsafe, "false",
		    .text = "Accepts a Redis that may lose messages (no AOF, an eviction policy)."),
	SETTING_ROW("max_memory", SIZE, struct config_store, max_memory, NULL, .min = 32 * MIB,
		    .max = 1024 * GIB,
		    .text = "Memory of the embedded store; by default half of the machine's."),
	SETTING_ROW("deadline", TIME, struct config_store, deadline_ms, "5s", .min = 100,
		    .max = MINUTE, .text = "How long one command may take."),
	SETTING_ROW("in_flight", COUNT, struct config_store, in_flight, "256", .min = 1,
		    .max = 10000, .text = "How many commands may be on their way at once."),
	SETTING_ROW("queue", COUNT, struct config_store, queue, "10000", .min = 1, .max = 1000000,
		    .text = "How many commands may wait; more are answered 503."),
	SETTING_END,
};

static const struct setting history_rows[] = {
	SETTING_ROW(
		"url", URL, struct config_history, url, NULL, .choices = history_schemes,
		.text = "sqlite:/path (by default history.db in state_dir), "
			"postgresql://user@host/database, or none: nothing is kept, and nothing "
			"ever leaves the store."),
	SETTING_ROW("password", SECRET, struct config_history, password, NULL,
		    .text = "PostgreSQL's password, where it is not in the URL."),
	SETTING_ROW(
		"accept_other", BOOL, struct config_history, accept_other, "false",
		.text = "Takes a database other than the one the store knows, where that one is "
			"lost: what is in the store is written anew."),
	SETTING_ROW("keep_hot", TIME, struct config_history, keep_hot_ms, "7d", .min = 1,
		    .max = 3650 * DAY,
		    .text = "How long a closed conversation, or a work item that has ended, stays "
			    "in the store before it leaves it for the history. It comes back when "
			    "it is needed; only memory is at stake."),
	SETTING_END,
};

static const struct setting blob_rows[] = {
	SETTING_ROW("url", URL, struct config_blobs, url, NULL, .choices = blob_schemes,
		    .text = "file:/folder (its folder blobs; by default that of state_dir), or an "
			    "S3-compatible store: "
			    "s3://bucket/prefix?endpoint=https://host&region=name&style=path."),
	SETTING_ROW("access_key", SECRET, struct config_blobs, access_key, NULL,
		    .text = "The S3 store's access key; by default from AWS_ACCESS_KEY_ID."),
	SETTING_ROW("secret_key", SECRET, struct config_blobs, secret_key, NULL,
		    .text = "The S3 store's secret key; by default from AWS_SECRET_ACCESS_KEY."),
	SETTING_ROW("timeout", TIME, struct config_blobs, timeout_ms, "20s", .min = SECOND,
		    .max = 10 * MINUTE,
		    .text = "How long the S3 store has for one blob, repetitions included."),
	SETTING_END,
};

static const struct setting log_rows[] = {
	SETTING_ROW("level", CHOICE, struct config_log, level, "info", .choices = levels,
		    .flags = SETTING_RELOADABLE, .text = "error, warn, info or debug."),
	SETTING_ROW("format", CHOICE, struct config_log, format, "logfmt", .choices = formats,
		    .flags = SETTING_RELOADABLE, .text = "logfmt (key=value) or json."),
	SETTING_ROW("max_bytes", SIZE, struct config_log, max_bytes, "1G", .min = MIB,
		    .max = 1024 * GIB,
		    .text = "How much of a workspace's event log is kept for readers that lag."),
	SETTING_END,
};

static const char *check_scope(const char *text)
{
	const char *at = strstr(text, "openid");

	return at != NULL && (at == text || at[-1] == ' ') && (at[6] == ' ' || at[6] == '\0')
		       ? NULL
		       : "must have the scope openid in it";
}

static const struct setting oidc_rows[] = {
	SETTING_ROW("issuer", URL, struct config_oidc, issuer, NULL, .check = check_base_url,
		    .flags = SETTING_RELOADABLE,
		    .text = "The provider, exactly as it names itself in its tokens: what is read "
			    "first is /.well-known/openid-configuration below it."),
	SETTING_ROW("client_id", TEXT, struct config_oidc, client_id, NULL, .min = 1, .max = 255,
		    .flags = SETTING_RELOADABLE, .text = "Who we are to the provider."),
	SETTING_ROW("client_secret", SECRET, struct config_oidc, client_secret, NULL,
		    .flags = SETTING_RELOADABLE,
		    .text = "Proves it; none where the provider knows us as a public client."),
	SETTING_ROW("name", TEXT, struct config_oidc, name, NULL, .min = 1, .max = 40,
		    .flags = SETTING_RELOADABLE,
		    .text = "What the button to sign in calls the provider; by default its host."),
	SETTING_ROW("scope", TEXT, struct config_oidc, scope, "openid email", .max = 500,
		    .check = check_scope, .flags = SETTING_RELOADABLE,
		    .text = "What is asked of the provider, parted by spaces."),
	SETTING_ROW("allow_private", BOOL, struct config_oidc, allow_private, "false",
		    .flags = SETTING_RELOADABLE,
		    .text = "Whether the provider may be on this host or in a private network, and "
			    "without TLS."),
	SETTING_END,
};

static const struct setting limit_rows[] = {
	SETTING_ROW("body", SIZE, struct config_limits, body, "1M", .min = KIB, .max = 64 * MIB,
		    .flags = SETTING_RELOADABLE, .text = "The largest body of a request."),
	SETTING_ROW("media", SIZE, struct config_limits, media, "25M", .min = KIB, .max = GIB,
		    .flags = SETTING_RELOADABLE, .text = "The largest attachment."),
	SETTING_ROW("media_types", LIST, struct config_limits, media_types, NULL, .max = 100,
		    .flags = SETTING_RELOADABLE,
		    .text = "Media types of files fetched from a provider, such as "
			    "application/pdf, or whole classes, such as image; none: any."),
	SETTING_ROW("mail", SIZE, struct config_limits, mail, "25M", .min = 64 * KIB, .max = GIB,
		    .flags = SETTING_RELOADABLE, .text = "The largest mail."),
	SETTING_ROW("api_per_second", COUNT, struct config_limits, api_per_second, "100", .min = 1,
		    .max = 100000, .flags = SETTING_RELOADABLE,
		    .text = "How many API requests one token may make a second."),
	SETTING_ROW("private_classifiers", BOOL, struct config_limits, private_classifiers, "false",
		    .flags = SETTING_RELOADABLE,
		    .text = "Whether classifiers may be on this host or in a private network."),
	SETTING_ROW("private_order_hooks", BOOL, struct config_limits, private_order_hooks, "false",
		    .flags = SETTING_RELOADABLE,
		    .text = "Whether shops that are asked for orders may be on this host or in a "
			    "private network."),
	SETTING_ROW("private_webhooks", BOOL, struct config_limits, private_webhooks, "false",
		    .flags = SETTING_RELOADABLE,
		    .text = "Whether endpoints that are told of events may be on this host or in a "
			    "private network, or use http."),
	SETTING_ROW("disconnect_grace", TIME, struct config_limits, disconnect_grace_ms, "3m",
		    .min = 4 * SECOND, .max = DAY,
		    .text = "How long nothing may be heard of an agent before the agent is offline "
			    "and the work goes back to its queue; of a fleet the instance that was "
			    "started last decides."),
	SETTING_ROW("visitor_messages_per_minute", COUNT, struct config_limits,
		    visitor_messages_per_minute, "30", .min = 1, .max = 10000,
		    .flags = SETTING_RELOADABLE,
		    .text = "How many chat messages one visitor may write a minute."),
	SETTING_ROW("visitor_sessions_per_minute", COUNT, struct config_limits,
		    visitor_sessions_per_minute, "60", .min = 1, .max = 100000,
		    .flags = SETTING_RELOADABLE,
		    .text = "How many chat sessions one address (of IPv6 a network of 64 bits) may "
			    "start a minute; loopback is not counted."),
	SETTING_END,
};

const struct setting config_rows[] = {
	SETTING_ROW("state_dir", PATH, struct config, state_dir, "./var",
		    .text = "The folder of everything the daemon keeps on disk."),
	SETTING_ROW("listen", GROUP, struct config, listen, NULL, .rows = listen_rows,
		    .text = "Where the daemon listens."),
	SETTING_ROW("store", GROUP, struct config, store, NULL, .rows = store_rows,
		    .flags = SETTING_SHORT, .text = "Where the state lives; short: `store: URL`."),
	SETTING_ROW("history", GROUP, struct config, history, NULL, .rows = history_rows,
		    .flags = SETTING_SHORT,
		    .text = "Where all that was said is kept, and closed conversations go; short: "
			    "`history: URL`."),
	SETTING_ROW("blobs", GROUP, struct config, blobs, NULL, .rows = blob_rows,
		    .flags = SETTING_SHORT,
		    .text = "Where raw mail and attachments go; short: `blobs: URL`."),
	SETTING_ROW("log", GROUP, struct config, log, NULL, .rows = log_rows,
		    .text = "Log lines on stderr, and the event log."),
	SETTING_ROW("limits", GROUP, struct config, limits, NULL, .rows = limit_rows,
		    .text = "Bounds on what comes from outside."),
	SETTING_ROW("oidc", GROUP, struct config, oidc, NULL, .rows = oidc_rows,
		    .text = "Agents sign in through an OpenID Connect provider, too; needs "
			    "public_url, whose /v1/oidc/callback the provider must know."),
	SETTING_ROW("public_url", URL, struct config, public_url, NULL, .check = check_base_url,
		    .flags = SETTING_RELOADABLE,
		    .text = "The base of the daemon's URLs as seen from outside: scheme, host, "
			    "optional port and path."),
	SETTING_ROW("files_url", URL, struct config, files_url, NULL, .check = check_base_url,
		    .flags = SETTING_RELOADABLE,
		    .text = "The base of signed links to files, on a host of its own (which must "
			    "come to this daemon with its Host); then only files are served on "
			    "that host, and on no other one."),
	SETTING_ROW(
		"default_region", TEXT, struct config, default_region, NULL, .check = check_region,
		.flags = SETTING_RELOADABLE,
		.text = "Two letters of the country whose national phone numbers are meant, such "
			"as CN."),
	SETTING_ROW("lame_duck", TIME, struct config, lame_duck_ms, "10s", .max = 10 * MINUTE,
		    .flags = SETTING_RELOADABLE,
		    .text = "How long requests and sends in flight may go on after SIGTERM."),
	SETTING_ROW("connector_path", LIST, struct config, connector_path, NULL, .max = 100,
		    .text = "Connectors built outside: paths of shared objects (trusted code)."),
	SETTING_END,
};

static const char *check_price(const char *text)
{
	static const char must[] = "must be a number and a currency, such as 0.045 CNY";
	size_t whole = strspn(text, "0123456789");
	const char *rest = text + whole;
	size_t after = *rest == '.' ? strspn(rest + 1, "0123456789") : 0;

	if (whole == 0 || whole > 9 || after > 6 || (*rest == '.' && after == 0))
		return must;
	rest += *rest == '.' ? after + 1 : 0;
	if (*rest != ' ' || strlen(rest) != 4 ||
	    strspn(rest + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
		return must;
	return NULL;
}

static const char *const opt_out_modes[] = { "auto", "on", "off", NULL };

const struct setting config_channel_rows[] = {
	SETTING_ROW("name", TEXT, struct config_channel, name, NULL, .min = 1, .max = 40,
		    .flags = SETTING_REQUIRED, .check = check_name,
		    .text = "The channel's name: a-z, 0-9 and \"-\", at most 40, unique in its "
			    "workspace; also part of its URL."),
	SETTING_ROW("connector", TEXT, struct config_channel, connector_name, NULL, .min = 1,
		    .max = 40, .flags = SETTING_REQUIRED,
		    .text = "The connector that serves it, such as webhook."),
	SETTING_ROW("workspace", TEXT, struct config_channel, workspace, "main", .min = 1,
		    .max = 40, .check = check_name,
		    .text = "The workspace (tenant) it belongs to."),
	SETTING_ROW("public_url", URL, struct config_channel, public_url, NULL,
		    .check = check_base_url,
		    .text = "The base of the daemon's URLs as this channel's provider sees it."),
	SETTING_ROW("default_region", TEXT, struct config_channel, default_region, NULL,
		    .check = check_region,
		    .text = "Two letters of the country whose national phone numbers are meant."),
	SETTING_ROW("trust_addresses", BOOL, struct config_channel, trust_addresses, "false",
		    .text = "Takes e-mail addresses and phone numbers in its messages as proved."),
	SETTING_ROW("allow_private_urls", BOOL, struct config_channel, allow_private_urls, "false",
		    .text = "May connect to addresses of this machine and of private networks."),
	SETTING_ROW("simulated", BOOL, struct config_channel, is_simulated, "false",
		    .text = "Its customers are a program's, as in the demonstration; the desk says "
			    "so."),
	SETTING_ROW("remember", TIME, struct config_channel, remember_ms, NULL, .min = HOUR,
		    .max = 30 * DAY,
		    .text = "How long repeated messages are recognised; by default as long as the "
			    "provider may repeat them."),
	SETTING_ROW("window", TIME, struct config_channel, window_ms, NULL, .min = MINUTE,
		    .max = 365 * DAY,
		    .text = "How long after the customer's last message we may still write; by "
			    "default the provider's rule."),
	SETTING_ROW(
		"opt_out", CHOICE, struct config_channel, sending.opt_out, "auto",
		.choices = opt_out_modes,
		.text = "Whether a message that is only STOP, TD, 退订 or the like ends what we "
			"send to that address; auto: where the connector sends text messages to "
			"phone numbers."),
	SETTING_ROW("opt_out_words", LIST, struct config_channel, sending.opt_out_words, NULL,
		    .max = 40, .text = "Further words that opt out."),
	SETTING_ROW("opt_in_words", LIST, struct config_channel, sending.opt_in_words, NULL,
		    .max = 40, .text = "Further words that take an opt-out back."),
	SETTING_ROW("help_words", LIST, struct config_channel, sending.help_words, NULL, .max = 40,
		    .text = "Further words that ask for help_reply."),
	SETTING_ROW("opt_out_reply", TEXT, struct config_channel, sending.opt_out_reply, NULL,
		    .min = 1, .max = 1000,
		    .text = "The last message to who opts out; none where it is not set."),
	SETTING_ROW("opt_in_reply", TEXT, struct config_channel, sending.opt_in_reply, NULL,
		    .min = 1, .max = 1000,
		    .text = "The answer to who takes an opt-out back; none where it is not set."),
	SETTING_ROW(
		"help_reply", TEXT, struct config_channel, sending.help_reply, NULL, .min = 1,
		.max = 1000,
		.text = "The answer to HELP and 帮助; where it is not set, such a message is one "
			"like any other."),
	SETTING_ROW("per_recipient_hour", COUNT, struct config_channel, sending.per_recipient_hour,
		    NULL, .min = 1, .max = 10000,
		    .text = "How many messages one address may get an hour; by default any "
			    "number. People are told when the next may leave, automatic "
			    "messages wait."),
	SETTING_ROW("per_recipient_day", COUNT, struct config_channel, sending.per_recipient_day,
		    NULL, .min = 1, .max = 100000, .text = "The same for a day."),
	SETTING_ROW("automatic_hours", TEXT, struct config_channel, sending.automatic_hours, NULL,
		    .min = 1, .max = 40,
		    .text = "The calendar (its id) in whose hours automatic messages leave; "
			    "outside they wait until it opens, and people are only told. By "
			    "default always."),
	SETTING_ROW("segment_price", TEXT, struct config_channel, sending.segment_price, NULL,
		    .min = 1, .max = 30, .check = check_price,
		    .text = "What a segment costs, for the preview of a message: a number and a "
			    "currency, such as 0.045 CNY."),
	SETTING_END,
};
