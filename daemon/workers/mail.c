/* One mail by libesmtp (its only file). Jobs: u32 length, JSON, the message;
 * see services/mail_send.c, which writes them and has checked their bytes.
 *
 * libesmtp returned success with code 0 against a server that never answered,
 * so its return value decides nothing: only the codes of the message and of the
 * recipients count. Without any, the mail was surely not taken if its last byte
 * had not been asked for yet, and may have been taken otherwise. */
#include <openssl/ssl.h>

#include <auth-client.h>
#include <libesmtp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/mail_transfer.h"
#include "workers/sandbox.h"
#include "workers/worker.h"

enum {
	DESCRIPTORS = 64,
	CONNECT_S = 15,
	TEXT_MAX = 300,
	CODE_AUTH_NEEDED = 530,
	CODE_AUTH_OLD = 534,
	CODE_AUTH_FAILED = 535,
	CODE_AUTH_TLS = 538,
};

struct recipient {
	const char *address;
	smtp_recipient_t handle;
};

struct send {
	struct arena *arena;
	struct json_object *json;
	const char *message;
	size_t len;
	size_t at;      /* given to the library so far */
	bool all_given; /* it has asked beyond the last byte: the final dot may be out */
	bool in_auth;
	int auth_code;       /* that refused the login; 0 */
	const char *problem; /* of TLS or an extension; NULL */
	smtp_session_t session;
	smtp_message_t handle;
	auth_context_t auth;
	SSL_CTX *tls;
	struct recipient *recipients;
	size_t recipient_count;
};

static void on_alarm(int number)
{
	(void)number; /* only interrupts connect() */
}

int mail_start(struct error *err)
{
	struct sigaction action = { .sa_handler = on_alarm }; /* no SA_RESTART */

	if (sandbox_limits(0, DESCRIPTORS, err) < 0)
		return -1;
	sigaction(SIGALRM, &action, NULL);
	OPENSSL_init_ssl(0, NULL);
	auth_client_init();
	return sandbox_network(err);
}

/* ---- what libesmtp calls ---- */

/* One line a call: asked once more after the last one, it is about to end the data. */
static const char *on_read(void **unused, int *len, void *context)
{
	struct send *send = context;
	const char *line = send->message + send->at;
	const char *end;

	(void)unused;
	if (len == NULL) {
		send->at = 0;
		return NULL;
	}
	if (send->at == send->len) {
		send->all_given = true;
		*len = 0;
		return NULL;
	}
	end = memchr(line, '\n', send->len - send->at);
	*len = (int)(end == NULL ? send->len - send->at : (size_t)(end - line) + 1);
	send->at += (size_t)*len;
	return line;
}

static int on_interact(auth_client_request_t request, char **result, int fields, void *context)
{
	struct send *send = context;

	for (int i = 0; i < fields; i++) {
		const char *path = (request[i].flags & AUTH_PASS) != 0 ? "password" : "user";

		result[i] = json_text_copy(send->json, path, send->arena);
		if (result[i] == NULL)
			return 0;
	}
	return 1;
}

/* The answer to AUTH reaches no status: it is read as it passes. */
static void on_traffic(const char *bytes, int len, int writing, void *context)
{
	struct send *send = context;

	if (writing != 0) {
		if (len >= 5 && strncasecmp(bytes, "AUTH ", 5) == 0)
			send->in_auth = true;
		else if (len >= 5 && (strncasecmp(bytes, "MAIL ", 5) == 0 ||
				      strncasecmp(bytes, "QUIT", 4) == 0))
			send->in_auth = false;
	} else if (send->in_auth && len >= 3 && (bytes[0] == '4' || bytes[0] == '5')) {
		send->auth_code = (bytes[0] - '0') * 100 + (bytes[1] - '0') * 10 + (bytes[2] - '0');
	} else if (send->in_auth && len >= 3 && bytes[0] == '2') {
		send->auth_code = 0;
	}
}

static void stop_alarm(void)
{
	struct itimerval none = { 0 };

	setitimer(ITIMER_REAL, &none, NULL);
}

static void on_event(smtp_session_t session, int event, void *context, ...)
{
	static const struct {
		int event;
		const char *problem;
	} problems[] = {
		{ SMTP_EV_EXTNA_STARTTLS, "the server has no STARTTLS" },
		{ SMTP_EV_INVALID_PEER_CERTIFICATE, "the server's certificate is not trusted" },
		{ SMTP_EV_NO_PEER_CERTIFICATE, "the server has no certificate" },
		{ SMTP_EV_WEAK_CIPHER, "the server's cipher is weak" },
		{ SMTP_EV_EXTNA_8BITMIME, "the server has no 8BITMIME" },
	};
	struct send *send = context;
	va_list rest;

	(void)session;
	if (event == SMTP_EV_CONNECT)
		stop_alarm();
	if (event == SMTP_EV_WRONG_PEER_CERTIFICATE) {
		/* libesmtp asks for the canonical name of the host, which DNS chose; OpenSSL has
		 * checked the one that was configured */
		va_start(rest, context);
		*va_arg(rest, int *) = 1;
		va_end(rest);
	}
	/* nothing else is waved through: the int behind these events stays 0 */
	for (size_t i = 0; i < COUNT_OF(problems); i++)
		if (problems[i].event == event)
			send->problem = problems[i].problem;
}

/* ---- the session ---- */

static int set_tls(struct send *send, struct error *err)
{
	const char *server = json_text(send->json, "server");
	const char *ca_file = json_text(send->json, "ca_file");
	const char *end = strrchr(server, ':');
	char *host = arena_copy(send->arena, server,
				end == NULL ? strlen(server) : (size_t)(end - server));
	X509_VERIFY_PARAM *verify;

	if (!json_bool(send->json, "tls", true)) {
		smtp_starttls_enable(send->session, Starttls_DISABLED);
		return 0;
	}
	send->tls = SSL_CTX_new(TLS_client_method());
	if (send->tls == NULL)
		return error_set(err, ERROR_PERMANENT, "no TLS context");
	/* 1.2 exactly: a server of 1.3 sends session tickets unasked, and libesmtp takes them for
	 * the answer to a command that it has not flushed yet and waits for the rest */
	SSL_CTX_set_min_proto_version(send->tls, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(send->tls, TLS1_2_VERSION);
	SSL_CTX_set_verify(send->tls, SSL_VERIFY_PEER, NULL);
	if (ca_file != NULL ? SSL_CTX_load_verify_locations(send->tls, ca_file, NULL) != 1
			    : SSL_CTX_set_default_verify_paths(send->tls) != 1)
		return error_set(err, ERROR_PERMANENT, "the trusted certificates cannot be read");
	verify = SSL_CTX_get0_param(send->tls);
	if (X509_VERIFY_PARAM_set1_ip_asc(verify, host) != 1)
		X509_VERIFY_PARAM_set1_host(verify, host, 0);
	smtp_starttls_enable(send->session, Starttls_REQUIRED);
	smtp_starttls_set_ctx(send->session, send->tls);
	return 0;
}

static void set_timeouts(struct send *send)
{
	static const int which[] = { Timeout_GREETING, Timeout_ENVELOPE, Timeout_DATA,
				     Timeout_TRANSFER, Timeout_DATA2 };
	long ms = (long)json_int(send->json, "timeout_ms", 0);

	for (size_t i = 0; i < COUNT_OF(which); i++)
		smtp_set_timeout(send->session, which[i] | Timeout_OVERRIDE_RFC2822_MINIMUM, ms);
}

static void set_login(struct send *send)
{
	if (!json_has(send->json, "user"))
		return;
	send->auth = auth_create_context();
	auth_set_mechanism_flags(send->auth, AUTH_PLUGIN_PLAIN, 0);
	auth_set_interact_cb(send->auth, on_interact, send);
	smtp_auth_set_context(send->session, send->auth);
}

static bool is_ascii(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] > 0x7f)
			return false;
	return true;
}

static void set_message(struct send *send)
{
	struct json_object *to = json_at(send->json, "to");
	const char *from = json_text(send->json, "from");

	send->handle = smtp_add_message(send->session);
	smtp_set_messagecb(send->handle, on_read, send);
	smtp_set_reverse_path(send->handle, from == NULL || from[0] == '\0' ? NULL : from);
	if (!is_ascii(send->message, send->len))
		smtp_8bitmime_set_body(send->handle, E8bitmime_8BITMIME);
	send->recipients =
		arena_alloc(send->arena, (json_count(to) + 1) * sizeof(*send->recipients));
	for (size_t i = 0; i < json_count(to); i++) {
		struct recipient *recipient = &send->recipients[send->recipient_count++];

		recipient->address = json_string(json_item(to, i));
		recipient->handle = smtp_add_recipient(send->handle, recipient->address);
	}
}

static void run(struct send *send)
{
	struct itimerval alarm = { .it_value.tv_sec = CONNECT_S, .it_interval.tv_sec = 1 };

	setitimer(ITIMER_REAL, &alarm, NULL);
	smtp_start_session(send->session);
	stop_alarm();
}

/* ---- the verdict ---- */

static const char *verdict_of(int code)
{
	if (code == CODE_AUTH_NEEDED || code == CODE_AUTH_OLD || code == CODE_AUTH_FAILED ||
	    code == CODE_AUTH_TLS)
		return "reauth";
	return code / 100 == 5 ? "permanent" : "retry";
}

static const smtp_status_t *recipient_status(const struct send *send, size_t i)
{
	return send->recipients[i].handle == NULL
		       ? NULL
		       : smtp_recipient_status(send->recipients[i].handle);
}

/* Where every recipient was refused, the code that leaves most hope. */
static int refusal(const struct send *send)
{
	int code = 0;

	for (size_t i = 0; i < send->recipient_count; i++) {
		const smtp_status_t *status = recipient_status(send, i);
		int one = status == NULL ? 0 : status->code;

		if (one / 100 == 2 || one == 0)
			return 0;
		if (code == 0 || one < code)
			code = one;
	}
	return code;
}

struct outcome {
	const char *verdict;
	int code;
	const char *text;
};

static struct outcome outcome_of(const struct send *send)
{
	const smtp_status_t *sent = smtp_message_transfer_status(send->handle);
	const smtp_status_t *from = smtp_reverse_path_status(send->handle);
	int refused = refusal(send);

	if (refused != 0)
		return (struct outcome){ verdict_of(refused), refused,
					 "every recipient was refused" };
	if (sent != NULL && sent->code / 100 == 2)
		return (struct outcome){ "sent", sent->code, sent->text };
	if (sent != NULL && sent->code >= 400)
		return (struct outcome){ verdict_of(sent->code), sent->code, sent->text };
	if (send->all_given)
		return (struct outcome){ "unknown", 0, "no answer after the last byte" };
	if (send->auth_code != 0)
		return (struct outcome){ send->auth_code / 100 == 5 ? "reauth" : "retry",
					 send->auth_code, "the login was refused" };
	if (from != NULL && from->code >= 400)
		return (struct outcome){ verdict_of(from->code), from->code, from->text };
	return (struct outcome){ "retry", 0,
				 send->problem != NULL ? send->problem
						       : "the server gave no usable answer" };
}

static void write_text(struct json_out *out, const char *key, const char *text, struct arena *arena)
{
	jw_text(out, key, text == NULL ? "" : text_clean_line(arena, text, strlen(text), TEXT_MAX));
}

static void write_answer(const struct send *send, struct buf *answer)
{
	struct outcome outcome = outcome_of(send);
	struct json_out out;

	jw_start(&out, answer);
	jw_object(&out, NULL);
	jw_text(&out, "verdict", outcome.verdict);
	jw_int(&out, "code", outcome.code);
	write_text(&out, "text", outcome.text, send->arena);
	jw_array(&out, "recipients");
	for (size_t i = 0; i < send->recipient_count; i++) {
		const smtp_status_t *status = recipient_status(send, i);

		jw_object(&out, NULL);
		jw_text(&out, "address", send->recipients[i].address);
		jw_int(&out, "code", status == NULL ? 0 : status->code);
		write_text(&out, "text", status == NULL ? "" : status->text, send->arena);
		jw_object_end(&out);
	}
	jw_array_end(&out);
	jw_object_end(&out);
}

static int send_one(struct send *send, struct buf *answer, struct error *err)
{
	int rc;

	send->session = smtp_create_session();
	if (send->session == NULL)
		return error_set(err, ERROR_PERMANENT, "libesmtp makes no session");
	smtp_set_server(send->session, json_text(send->json, "server"));
	smtp_set_hostname(send->session, json_text(send->json, "hostname"));
	smtp_set_eventcb(send->session, on_event, send);
	smtp_set_monitorcb(send->session, on_traffic, send, 0);
	set_timeouts(send);
	set_login(send);
	set_message(send);
	rc = set_tls(send, err);
	if (rc == 0) {
		run(send);
		write_answer(send, answer);
	}
	smtp_destroy_session(send->session);
	if (send->auth != NULL)
		auth_destroy_context(send->auth);
	SSL_CTX_free(send->tls); /* the session held a reference of its own */
	return rc;
}

int mail_handle(const char *job, size_t len, struct buf *answer, struct error *err)
{
	OWNED(arena_free) struct arena *arena = arena_new(0);
	OWNED(json_free) struct json_object *json = NULL;
	struct send send = { .arena = arena };
	uint32_t json_len;

	if (len < sizeof(json_len))
		return error_set(err, ERROR_MISUSE, "a mail without its envelope");
	memcpy(&json_len, job, sizeof(json_len));
	if (json_len > len - sizeof(json_len))
		return error_set(err, ERROR_MISUSE, "a mail that is cut short");
	json = json_read(job + sizeof(json_len), json_len, err);
	if (json == NULL)
		return error_wrap(err, "the envelope of a mail");
	if (json_text(json, "url") != NULL)
		return mail_transfer(json, job + sizeof(json_len) + json_len,
				     len - sizeof(json_len) - json_len, answer, err);
	if (json_text(json, "server") == NULL || json_count(json_at(json, "to")) == 0)
		return error_set(err, ERROR_MISUSE, "a mail without server or recipients");
	send.json = json;
	send.message = job + sizeof(json_len) + json_len;
	send.len = len - sizeof(json_len) - json_len;
	return send_one(&send, answer, err);
}
