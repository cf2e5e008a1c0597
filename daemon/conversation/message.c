#include "conversation/message.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "conversation/files.h"

/* The stored text starts with its author, so that a reader fills in what it
 * knows better without parsing the rest. */
static const char customer_start[] = "{\"author\":{\"type\":\"customer\",";

const char *message_kind_name(enum message_kind kind)
{
	static const char *const names[] = {
		[MESSAGE_TEXT] = "text",       [MESSAGE_IMAGE] = "image",
		[MESSAGE_VOICE] = "voice",     [MESSAGE_VIDEO] = "video",
		[MESSAGE_FILE] = "file",       [MESSAGE_LOCATION] = "location",
		[MESSAGE_EVENT] = "event",     [MESSAGE_NOTE] = "note",
		[MESSAGE_UNKNOWN] = "unknown",
	};

	return names[kind];
}

static void write_attachment(struct json_out *json, const struct attachment *attachment)
{
	jw_object(json, NULL);
	jw_text(json, "name", attachment->name ? attachment->name : "");
	jw_text(json, "type", attachment->type ? attachment->type : "application/octet-stream");
	if (attachment->blob)
		jw_text(json, "id", attachment->blob);
	if (attachment->url)
		jw_text(json, "url", attachment->url);
	/* Of what the provider keeps the size is known once it is fetched. */
	if (attachment->size >= 0 && !attachment->url)
		jw_int(json, "size", attachment->size);
	if (attachment->content_id)
		jw_text(json, "content_id", attachment->content_id);
	jw_object_end(json);
}

static void write_author(struct json_out *json, const struct message_record *record)
{
	jw_object(json, "author");
	jw_text(json, "type", record->author_type);
	if (record->author_id && strcmp(record->author_type, "customer") != 0)
		jw_text(json, "id", record->author_id);
	jw_text(json, "name", record->author_name ? record->author_name : "");
	jw_object_end(json);
}

static void text_if(struct json_out *json, const char *key, const char *text)
{
	if (text && *text)
		jw_text(json, key, text);
}

void message_write(struct buf *out, const struct message_record *record)
{
	struct json_out json;

	jw_start(&json, out);
	jw_object(&json, NULL);
	write_author(&json, record);
	jw_text(&json, "id", record->id);
	jw_text(&json, "conversation", record->conversation);
	jw_text(&json, "direction", record->out ? "out" : "in");
	jw_text(&json, "kind", message_kind_name(record->kind));
	jw_text(&json, "text", record->text ? record->text : "");
	jw_text(&json, "html", record->html);
	text_if(&json, "subject", record->subject);
	jw_array(&json, "attachments");
	for (size_t i = 0; i < record->attachment_count; i++)
		write_attachment(&json, &record->attachments[i]);
	jw_array_end(&json);
	jw_text(&json, "channel", record->channel);
	jw_text(&json, "provider_id", record->provider_id);
	if (record->sent_ms)
		jw_time(&json, "sent_at", record->sent_ms);
	text_if(&json, "language", record->language);
	if (record->automatic)
		jw_bool(&json, "automatic", true);
	text_if(&json, "raw", record->raw_blob);
	if (record->extra && *record->extra)
		jw_raw(&json, "extra", record->extra, strlen(record->extra));
	jw_time(&json, "created_at", record->created_ms);
	jw_object_end(&json);
}

static void write_delivery(struct buf *out, const char *mark)
{
	const char *space = strchr(mark, ' ');
	struct json_out json;

	jw_start(&json, out);
	jw_object(&json, NULL);
	jw_textn(&json, "state", mark, space ? (size_t)(space - mark) : strlen(mark));
	jw_text(&json, "error", space ? space + 1 : NULL);
	jw_object_end(&json);
}

static void write_file(struct buf *out, const char *files, size_t place)
{
	struct file_state state;
	struct json_out json;

	file_state_read(files, place, &state);
	buf_format(out, "\"state\":\"%s\",", file_standing_name(state.standing));
	if (state.standing == FILE_STORED)
		buf_format(out, "\"id\":\"%s\",\"size\":%lld,", state.blob, (long long)state.size);
	if (state.why[0] == '\0')
		return;
	buf_text(out, "\"error\":");
	jw_start(&json, out);
	jw_text(&json, NULL, state.why);
	buf_byte(out, ',');
}

/* Up to the end of the attachments, with how those stand that have a url; returns where it
 * stopped. A raw quote cannot stand inside a text, so what is found are members. */
static const char *add_files(struct buf *out, const char *rest, const char *files)
{
	static const char member[] = "\"url\":\"";
	const char *end = strstr(rest, "\"attachments\":[{");
	const char *at;

	end = end ? strstr(end, "],\"channel\":") : NULL;
	for (size_t place = 0; end && (at = strstr(rest, member)) && at < end; place++) {
		buf_add(out, rest, (size_t)(at - rest));
		write_file(out, files, place);
		buf_add(out, member, sizeof(member) - 1);
		rest = at + sizeof(member) - 1;
	}
	return rest;
}

/* A raw quote cannot stand inside a text, so the first such member is the message's own. */
static void add_rest(struct buf *out, const char *rest, size_t len, const char *provider_id)
{
	static const char member[] = "\"provider_id\":";
	static const char empty[] = "\"provider_id\":null";
	const char *at = provider_id ? strstr(rest, empty) : NULL;
	struct json_out json;

	if (!at) {
		buf_add(out, rest, len);
		return;
	}
	buf_add(out, rest, (size_t)(at - rest) + sizeof(member) - 1);
	jw_start(&json, out);
	jw_text(&json, NULL, provider_id);
	at += sizeof(empty) - 1;
	buf_add(out, at, len - (size_t)(at - rest));
}

void message_show(struct buf *out, const char *stored, size_t len,
		  const struct message_known *known)
{
	size_t start = sizeof(customer_start) - 1;
	const char *rest;

	buf_text(out, "{\"delivery\":");
	if (known->mark)
		write_delivery(out, known->mark);
	else
		buf_text(out, "null");
	if (len > start && memcmp(stored, customer_start, start) == 0) {
		buf_format(out, ",\"author\":{\"type\":\"customer\",\"id\":\"%s\",",
			   known->customer);
		rest = add_files(out, stored + start, known->files);
		buf_add(out, rest, len - (size_t)(rest - stored));
	} else {
		buf_byte(out, ',');
		add_rest(out, stored + 1, len - 1, known->provider_id);
	}
}

/* ---- previews ---- */

enum { PREVIEW_BYTES = 400, ESCAPE_BYTES = 6 };

/* The bytes of a JSON text from `at` that are whole characters and escapes, at most `max`. */
static size_t whole_bytes(const char *at, size_t max)
{
	size_t len = 0;

	while (len < max && at[len] != '\0' && at[len] != '"') {
		size_t step = at[len] != '\\' ? 1 : at[len + 1] == 'u' ? ESCAPE_BYTES : 2;

		if (strnlen(at + len, step) < step)
			break;
		len += step;
	}
	return text_prefix(at, strnlen(at, len + 4), len);
}

/* The member's text; a raw quote cannot stand inside a text, so the first such member counts. */
static const char *preview_member(struct arena *arena, const char *stored, const char *member)
{
	const char *at = strstr(stored, member);
	struct buf text = { 0 };
	struct json_object *value;
	const char *copy = NULL;

	if (!at)
		return "";
	at += strlen(member);
	buf_byte(&text, '"');
	buf_add(&text, at, whole_bytes(at, PREVIEW_BYTES));
	buf_byte(&text, '"');
	value = json_read(text.data, text.len, NULL);
	if (value)
		copy = arena_text(arena, json_string(value));
	json_free(&value);
	buf_clear(&text);
	return copy ? copy : "";
}

void message_preview(const char *stored, struct arena *arena, struct message_preview *ret)
{
	memset(ret, 0, sizeof(*ret));
	snprintf(ret->id, sizeof(ret->id), "%s", preview_member(arena, stored, "},\"id\":\""));
	ret->out = strcmp(preview_member(arena, stored, "\"direction\":\""), "out") == 0;
	ret->author = preview_member(arena, stored, "{\"author\":{\"type\":\"");
	ret->kind = preview_member(arena, stored, "\"kind\":\"");
	ret->text = preview_member(arena, stored, "\"text\":\"");
}
