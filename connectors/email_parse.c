/* The parse worker's document (docs/mail-document.md) to a message, or to the
 * receipts that a delivery report carries. */
#include <stdio.h>
#include <string.h>

#include "email_private.h"

enum { REFERENCES_MAX = 100, EXTRA_PEOPLE_MAX = 50, SUSPICIONS_MAX = 8, TOKEN_ROOM = 64 };

struct reading {
	const struct email_settings *settings;
	const struct inbound *in;
	struct arena *arena;
	struct json_object *document;
	struct message *message;
};

static const char *text_of(const struct reading *reading, const char *path)
{
	const char *text = email_host()->json_text(reading->document, path);

	return text ? email_host()->text(reading->arena, text) : NULL;
}

/* ---- the thread ---- */

static bool token_in_people(const struct reading *reading, const char *list, char *out)
{
	struct json_object *people = email_host()->json_at(reading->document, list);

	for (size_t i = 0; i < email_host()->json_count(people); i++)
		if (email_token_of_address(
			    reading->settings,
			    email_host()->json_text(email_host()->json_item(people, i), "address"),
			    out))
			return true;
	return false;
}

static bool token_in_ids(const struct reading *reading, char *out)
{
	const struct thread_hint *hint = &reading->message->hint;

	for (size_t i = 0; i < hint->reference_count; i++)
		if (email_token_of_id(reading->settings, hint->references[i], out))
			return true;
	return false;
}

/* The envelope knows best; headers may be what somebody typed. */
static void find_token(const struct reading *reading)
{
	static const char *const lists[] = { "delivered_to", "to", "cc" };
	char token[TOKEN_ROOM];
	bool found = email_token_of_address(reading->settings, reading->in->envelope_to, token);

	for (size_t i = 0; !found && i < sizeof(lists) / sizeof(lists[0]); i++)
		found = token_in_people(reading, lists[i], token);
	if (found || token_in_ids(reading, token))
		reading->message->hint.token = email_host()->text(reading->arena, token);
}

static void add_reference(struct thread_hint *hint, const char **ids, const char *id)
{
	for (size_t i = 0; i < hint->reference_count; i++)
		if (strcmp(ids[i], id) == 0)
			return;
	if (hint->reference_count < REFERENCES_MAX)
		ids[hint->reference_count++] = id;
}

static const char *id_at(const struct reading *reading, struct json_object *list, size_t index)
{
	const char *id = email_host()->json_text(email_host()->json_item(list, index), "");

	return id ? email_host()->text(reading->arena, id) : "";
}

/* Nearest first: what it answers, then the chain from its end. */
static void find_references(const struct reading *reading)
{
	struct thread_hint *hint = &reading->message->hint;
	struct json_object *reply = email_host()->json_at(reading->document, "in_reply_to");
	struct json_object *chain = email_host()->json_at(reading->document, "references");
	const char **ids = email_host()->alloc(reading->arena, REFERENCES_MAX * sizeof(*ids));

	hint->references = ids;
	for (size_t i = 0; i < email_host()->json_count(reply); i++)
		add_reference(hint, ids, id_at(reading, reply, i));
	for (size_t i = email_host()->json_count(chain); i-- > 0;)
		add_reference(hint, ids, id_at(reading, chain, i));
	hint->subject = text_of(reading, "subject_base");
}

/* ---- the person ---- */

static void find_sender(const struct reading *reading)
{
	struct message *message = reading->message;
	const char *address = text_of(reading, "from.address");
	const char *name = text_of(reading, "from.name");
	const char *level = email_host()->json_text(reading->document, "auth.level");
	/* With two From addresses nobody can say whom the signature vouches for. */
	bool proved = level && strcmp(level, "proved") == 0 &&
		      email_host()->json_int(reading->document, "from_count", 1) == 1;

	if (!address || !address[0]) {
		address = reading->in->envelope_from;
		proved = false;
	}
	/* Kept all the same: somebody may still want to read it. */
	if (!address || !address[0])
		address = "unknown@unreadable.invalid";
	message->sender = (struct identifier){
		.kind = "email",
		.scope = "",
		.value = email_host()->text(reading->arena, address),
		.proof = proved ? PROOF_CHANNEL : PROOF_CLAIMED,
		.proved_by = proved ? text_of(reading, "auth.by") : NULL,
	};
	message->sender_name = name ? name : "";
}

/* ---- content ---- */

static void take_attachments(const struct reading *reading)
{
	struct json_object *list = email_host()->json_at(reading->document, "attachments");
	struct message *message = reading->message;
	size_t count = email_host()->json_count(list);

	message->attachments =
		email_host()->alloc(reading->arena, (count + 1) * sizeof(*message->attachments));
	for (size_t i = 0; i < count && i < reading->in->part_count; i++) {
		struct json_object *item = email_host()->json_item(list, i);
		struct attachment *to = &message->attachments[message->attachment_count++];
		const char *name = email_host()->json_text(item, "name");
		const char *type = email_host()->json_text(item, "type");
		const char *content_id = email_host()->json_text(item, "content_id");

		to->name = email_host()->text(reading->arena, name ? name : "");
		to->type = email_host()->text(reading->arena,
					      type ? type : "application/octet-stream");
		to->content_id = email_host()->text(reading->arena, content_id);
		to->bytes = reading->in->parts[i].bytes;
		to->size = (int64_t)reading->in->parts[i].len;
	}
}

/* Whoever reads the conversation must see that there is more, and where. */
static void tell_too_big(const struct reading *reading)
{
	double size = (double)reading->in->whole_size / (1024 * 1024);
	double limit = (double)reading->settings->max_size / (1024 * 1024);

	reading->message->text = email_host()->format(
		reading->arena,
		"[This mail has %.1f MiB, more than the %.1f MiB that are fetched. Only its "
		"headers "
		"are here; the whole mail is still in the mailbox on the mail server.]\n"
		"[这封邮件大小为 %.1f MiB，超过了 %.1f MiB 的接收上限。此处只有邮件头，"
		"完整邮件仍在邮件服务器的邮箱中。]",
		size, limit, size, limit);
}

static char *people_json(const struct reading *reading, const char *list)
{
	struct json_object *people = email_host()->json_at(reading->document, list);
	size_t count = email_host()->json_count(people);
	char *json = email_host()->text(reading->arena, "");

	for (size_t i = 0; i < count && i < EXTRA_PEOPLE_MAX; i++) {
		const char *address =
			email_host()->json_text(email_host()->json_item(people, i), "address");

		json = email_host()->format(
			reading->arena, "%s%s%s", json, i ? "," : "",
			email_host()->json_quote(reading->arena, address ? address : ""));
	}
	return json;
}

static const char *quoted(const struct reading *reading, const char *path)
{
	const char *text = email_host()->json_text(reading->document, path);

	return text ? email_host()->json_quote(reading->arena, text) : "null";
}

/* Why the sender is believed or not. */
static char *auth_json(const struct reading *reading)
{
	struct json_object *list = email_host()->json_at(reading->document, "auth.suspicions");
	char *why = email_host()->text(reading->arena, "");

	for (size_t i = 0; i < email_host()->json_count(list) && i < SUSPICIONS_MAX; i++) {
		const char *one = email_host()->json_text(email_host()->json_item(list, i), "");

		why = email_host()->format(
			reading->arena, "%s%s%s", why, i ? "," : "",
			email_host()->json_quote(reading->arena, one ? one : ""));
	}
	return email_host()->format(
		reading->arena,
		"{\"level\":%s,\"by\":%s,\"dkim\":%s,\"spf\":%s,\"dmarc\":%s,\"suspicions\":[%s]}",
		quoted(reading, "auth.level"), quoted(reading, "auth.by"),
		quoted(reading, "auth.dkim"), quoted(reading, "auth.spf"),
		quoted(reading, "auth.dmarc"), why);
}

static void add_extra(const struct reading *reading)
{
	struct arena *arena = reading->arena;
	const char *reason = text_of(reading, "automatic");
	const char *id = text_of(reading, "message_id");
	const char *cut = email_host()->json_text(reading->document, "text_new");

	reading->message->extra = email_host()->format(
		arena,
		"{\"message_id\":%s,\"to\":[%s],\"cc\":[%s],\"reply_to\":[%s],\"automatic\":%s,"
		"\"trimmed\":%s,\"auth\":%s%s}",
		id ? email_host()->json_quote(arena, id) : "null", people_json(reading, "to"),
		people_json(reading, "cc"), people_json(reading, "reply_to"),
		reason ? email_host()->json_quote(arena, reason) : "null", cut ? "true" : "false",
		auth_json(reading),
		reading->in->whole_size > 0
			? email_host()->format(arena, ",\"too_big\":{\"bytes\":%lld}",
					       (long long)reading->in->whole_size)
			: "");
}

/* Without what it quotes; null where it quotes nothing. */
static const char *new_text(const struct reading *reading)
{
	const char *whole = email_host()->json_text(reading->document, "text");
	const char *cut = email_host()->json_text(reading->document, "text_new");
	size_t len;

	if (cut)
		return email_host()->text(reading->arena, cut);
	len = whole ? strlen(whole) : 0;
	while (len > 0 && (unsigned char)whole[len - 1] <= ' ')
		len--;
	return email_host()->copy(reading->arena, whole, len);
}

static void take_content(const struct reading *reading)
{
	struct message *message = reading->message;
	const char *id = text_of(reading, "message_id");
	const char *hash = text_of(reading, "content_hash");

	message->kind = MESSAGE_TEXT;
	message->dedupe = hash;
	message->provider_id = id && id[0] ? id : hash;
	message->text = new_text(reading);
	message->html = text_of(reading, "html");
	message->subject = text_of(reading, "subject");
	message->sent_ms = email_host()->json_int(reading->document, "date_ms", 0);
	message->automatic =
		email_host()->json_kind(reading->document, "automatic") == HOST_JSON_TEXT;
	message->thread = hash; /* a mail that answers nothing we know opens a conversation */
	take_attachments(reading);
	add_extra(reading);
	if (reading->in->whole_size > 0)
		tell_too_big(reading);
}

/* ---- reports about what we sent ---- */

static void add_receipt(const struct reading *reading, const char *original,
			enum receipt_state state, const char *error, struct parsed *ret)
{
	ret->receipts = email_host()->alloc(reading->arena, sizeof(*ret->receipts));
	ret->receipts[0] =
		(struct receipt){ .provider_id = original, .state = state, .error = error };
	ret->receipt_count = 1;
}

/* The worst that happened to any recipient; delayed ones say nothing yet. */
static void read_dsn(const struct reading *reading, const char *original, struct parsed *ret)
{
	struct json_object *list = email_host()->json_at(reading->document, "dsn.recipients");
	bool delivered = false;

	for (size_t i = 0; i < email_host()->json_count(list); i++) {
		struct json_object *item = email_host()->json_item(list, i);
		const char *action = email_host()->json_text(item, "action");
		const char *status = email_host()->json_text(item, "status");
		const char *why = email_host()->json_text(item, "diagnostic");

		if (action && strcmp(action, "failed") == 0) {
			add_receipt(reading, original, RECEIPT_FAILED,
				    email_host()->format(reading->arena, "%s %s",
							 status ? status : "5.0.0", why ? why : ""),
				    ret);
			return;
		}
		delivered |= action && strcmp(action, "delivered") == 0;
	}
	if (delivered)
		add_receipt(reading, original, RECEIPT_DELIVERED, NULL, ret);
	else if (email_host()->json_bool(reading->document, "dsn.guessed", false))
		add_receipt(reading, original, RECEIPT_FAILED, "returned to sender", ret);
}

/* True where the mail is only about a message of ours. */
static bool read_report(const struct reading *reading, struct parsed *ret)
{
	const char *original = text_of(reading, "dsn.original_message_id");
	bool is_dsn = original;

	if (!original)
		original = text_of(reading, "mdn.original_message_id");
	if (!original || !email_id_is_ours(reading->settings, original))
		return false;
	if (is_dsn) {
		read_dsn(reading, original, ret);
	} else {
		const char *what = email_host()->json_text(reading->document, "mdn.disposition");

		if (what && strstr(what, "displayed"))
			add_receipt(reading, original, RECEIPT_READ, NULL, ret);
	}
	return true;
}

/* A copy of a letter of ours that came back to our own mailbox. */
static bool is_our_own(const struct reading *reading)
{
	return email_is_ours(reading->settings,
			     email_host()->json_text(reading->document, "from.address")) &&
	       email_id_is_ours(reading->settings,
				email_host()->json_text(reading->document, "message_id"));
}

static int read_document(const struct reading *reading, struct parsed *ret, const char **ret_error)
{
	if (email_host()->json_kind(reading->document, "") != HOST_JSON_OBJECT ||
	    email_host()->json_kind(reading->document, "content_hash") != HOST_JSON_TEXT) {
		*ret_error = "not a mail document";
		return -1;
	}
	if (read_report(reading, ret) || is_our_own(reading))
		return 0;
	find_sender(reading);
	take_content(reading);
	find_references(reading);
	find_token(reading);
	ret->messages = reading->message;
	ret->message_count = 1;
	return 0;
}

int email_parse(const struct channel *channel, const struct inbound *in, struct arena *arena,
		struct parsed *ret, const char **ret_error)
{
	struct reading reading = {
		.settings = email_host()->channel_settings(channel),
		.in = in,
		.arena = arena,
		.message = email_host()->alloc(arena, sizeof(struct message)),
	};
	int status;

	reading.document = email_host()->json_read(in->body, in->body_len, arena, ret_error);
	if (!reading.document)
		return -1;
	status = read_document(&reading, ret, ret_error);
	email_host()->json_free(reading.document);
	return status;
}

char *email_mail_options(const struct channel *channel, const struct inbound *in,
			 struct arena *arena)
{
	const struct email_settings *settings = email_host()->channel_settings(channel);
	const char *authserv = settings->authserv_id;
	char *own = email_host()->json_quote(arena, settings->address);

	for (size_t i = 0; i < settings->aliases.count; i++)
		own = email_host()->format(
			arena, "%s,%s", own,
			email_host()->json_quote(arena, settings->aliases.items[i]));
	return email_host()->format(
		arena,
		"{\"authserv_id\":%s,\"received_above\":%d,\"strict\":%s,\"own\":[%s],"
		"\"envelope_from\":%s}",
		authserv && authserv[0] ? email_host()->json_quote(arena, authserv) : "null",
		(int)settings->received_above,
		settings->alignment == EMAIL_ALIGNMENT_STRICT ? "true" : "false", own,
		in->envelope_from ? email_host()->json_quote(arena, in->envelope_from) : "null");
}
