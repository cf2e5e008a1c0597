/* The document of one mail (docs/mail-document.md). */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "workers/parse.h"

static void write_texts(struct json_out *out, const char *key, const struct mail_texts *texts)
{
	jw_array(out, key);
	for (size_t i = 0; i < texts->count; i++)
		jw_text(out, NULL, texts->items[i]);
	jw_array_end(out);
}

static void write_address(struct json_out *out, const char *key, const struct mail_address *address)
{
	jw_object(out, key);
	jw_text(out, "name", address->name);
	jw_text(out, "address", address->address);
	jw_object_end(out);
}

static void write_addresses(struct json_out *out, const char *key,
			    const struct mail_addresses *addresses)
{
	jw_array(out, key);
	for (size_t i = 0; i < addresses->count; i++)
		write_address(out, NULL, &addresses->items[i]);
	jw_array_end(out);
}

static void write_people(struct json_out *out, const struct mail *mail)
{
	if (mail->from.count > 0)
		write_address(out, "from", &mail->from.items[0]);
	else
		jw_null(out, "from");
	jw_int(out, "from_count", (int64_t)mail->from.count);
	write_addresses(out, "to", &mail->to);
	write_addresses(out, "cc", &mail->cc);
	write_addresses(out, "reply_to", &mail->reply_to);
	write_addresses(out, "delivered_to", &mail->delivered_to);
}

static void write_attachments(struct json_out *out, const struct mail *mail)
{
	jw_array(out, "attachments");
	for (size_t i = 0; i < mail->part_count; i++) {
		const struct mail_part *part = &mail->parts[i];

		jw_object(out, NULL);
		jw_text(out, "name", part->name);
		jw_text(out, "type", part->type);
		jw_int(out, "size", (int64_t)part->len);
		jw_text(out, "content_id", part->content_id);
		jw_bool(out, "inline", part->is_inline);
		jw_object_end(out);
	}
	jw_array_end(out);
}

static void write_auth(struct json_out *out, const struct mail_auth *auth)
{
	jw_object(out, "auth");
	jw_text(out, "dkim", auth->dkim);
	jw_text(out, "spf", auth->spf);
	jw_text(out, "dmarc", auth->dmarc);
	jw_bool(out, "aligned", auth->aligned);
	jw_text(out, "level", auth->proved_by != NULL ? "proved" : "claimed");
	jw_text(out, "by", auth->proved_by);
	jw_array(out, "suspicions");
	for (size_t i = 0; i < auth->suspicion_count; i++)
		jw_text(out, NULL, auth->suspicions[i]);
	jw_array_end(out);
	jw_object_end(out);
}

static void write_recipients(struct json_out *out, const struct mail_report *report)
{
	jw_array(out, "recipients");
	for (size_t i = 0; i < report->recipient_count; i++) {
		const struct mail_recipient *recipient = &report->recipients[i];
		const char *status = recipient->status;

		jw_object(out, NULL);
		jw_text(out, "address", recipient->address);
		jw_text(out, "action", recipient->action);
		jw_text(out, "status", status);
		jw_text(out, "diagnostic", recipient->diagnostic);
		jw_bool(out, "permanent", status != NULL && status[0] == '5');
		jw_object_end(out);
	}
	jw_array_end(out);
}

static void write_report(struct json_out *out, const char *key, bool present,
			 const struct mail_report *report)
{
	if (!present) {
		jw_null(out, key);
		return;
	}
	jw_object(out, key);
	jw_text(out, "original_message_id", report->original_message_id);
	jw_text(out, "disposition", report->disposition);
	jw_bool(out, "guessed", report->guessed);
	write_recipients(out, report);
	jw_object_end(out);
}

/* Most mails quote nothing: their text is not written twice. */
static bool is_cut(const struct mail *mail)
{
	const char *rest = mail->text + mail->text_cut;

	return rest[strspn(rest, " \t\r\n")] != '\0';
}

static void write_body(struct json_out *out, const struct mail *mail)
{
	jw_text(out, "text", mail->text);
	if (is_cut(mail))
		jw_textn(out, "text_new", mail->text, mail->text_cut);
	else
		jw_null(out, "text_new");
	jw_text(out, "html", mail->html);
	jw_bool(out, "truncated", mail->truncated);
	jw_bool(out, "charset_guessed", mail->charset_guessed);
}

static void write_document(struct json_out *out, const struct mail *mail)
{
	jw_object(out, NULL);
	jw_text(out, "message_id", mail->message_id);
	write_texts(out, "in_reply_to", &mail->in_reply_to);
	write_texts(out, "references", &mail->references);
	write_people(out, mail);
	jw_text(out, "subject", mail->subject);
	jw_text(out, "subject_base", subject_base(mail->subject));
	jw_int(out, "date_ms", mail->date_ms);
	write_body(out, mail);
	write_attachments(out, mail);
	jw_text(out, "automatic", mail->automatic);
	write_auth(out, &mail->auth);
	write_report(out, "dsn", mail->report.is_dsn, &mail->report);
	write_report(out, "mdn", mail->report.is_mdn, &mail->report);
	write_report(out, "complaint", mail->report.is_complaint, &mail->report);
	jw_text(out, "content_hash", mail->content_hash);
	jw_object_end(out);
}

void mail_write(const struct mail *mail, struct buf *out)
{
	size_t start = out->len;
	uint32_t len = 0;
	uint32_t count = (uint32_t)mail->part_count;
	struct json_out json;

	buf_add(out, &len, sizeof(len)); /* corrected below */
	buf_add(out, &count, sizeof(count));
	for (size_t i = 0; i < mail->part_count; i++) {
		uint32_t size = (uint32_t)mail->parts[i].len;

		buf_add(out, &size, sizeof(size));
	}
	len = (uint32_t)out->len;
	jw_start(&json, out);
	write_document(&json, mail);
	len = (uint32_t)(out->len - len);
	memcpy(out->data + start, &len, sizeof(len));
	buf_byte(out, '\0');
	for (size_t i = 0; i < mail->part_count; i++)
		buf_add(out, mail->parts[i].bytes, mail->parts[i].len);
}
