/* The walk over the MIME tree. GMime finds the parts and undoes their transfer
 * encoding; charsets, names and addresses are read by our own functions, which
 * know what mailers really send. */
#include <gmime/gmime.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "workers/parse.h"

enum { BOUNDARIES_MAX = 50 * 1000, PARTS_FIRST = 8 };

static const int64_t year_2100_s = 4102444800;

struct walk {
	struct arena *arena;
	struct mail *mail;
	struct error *err;
	struct buf text;
	struct buf html;
	size_t html_cut; /* where a quoted mail begins in text, told by HTML; SIZE_MAX */
	size_t parts;
	size_t part_room; /* of mail->parts */
	size_t decoded;
	bool in_report;
};

struct leaf {
	const char *type;
	const char *content_type; /* raw */
	const char *disposition;
	const char *name;
	const char *content_id;
	const char *bytes;
	size_t len;
};

int mail_open(struct error *err)
{
	g_mime_init();
	return charset_open(err);
}

void mail_close(void)
{
	charset_close();
	g_mime_shutdown();
}

static bool has_words(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] > ' ')
			return true;
	return false;
}

/* The field as it stands in the part, unfolded; NULL where absent. */
static const char *raw_field(GMimeObject *object, const char *name, struct arena *arena)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	int count = g_mime_header_list_get_count(list);

	for (int i = 0; i < count; i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
		const char *raw = g_mime_header_get_raw_value(header);
		char *value;
		size_t out = 0;

		if (raw == NULL || strcasecmp(g_mime_header_get_name(header), name) != 0)
			continue;
		value = arena_copy(arena, raw,
				   text_prefix(raw, strlen(raw), LIMIT_MAIL_HEADER_LINE));
		for (const char *p = value; *p != '\0'; p++)
			if (*p != '\r' && *p != '\n')
				value[out++] = *p;
		value[out] = '\0';
		return value + strspn(value, " \t");
	}
	return NULL;
}

static const char *type_of(GMimeObject *object, struct arena *arena)
{
	char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
	char *copy = header_token(arena, type == NULL ? "text/plain" : type);

	g_free(type);
	return copy;
}

/* Decoded bytes of a part, or the whole of an attached mail. */
static int leaf_bytes(struct walk *walk, GMimeObject *object, struct leaf *leaf)
{
	GMimeStream *stream = g_mime_stream_mem_new();
	GByteArray *bytes;

	if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));

		if (inner != NULL)
			g_mime_object_write_to_stream(GMIME_OBJECT(inner), NULL, stream);
	} else if (GMIME_IS_PART(object)) {
		GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(object));

		if (content != NULL)
			g_mime_data_wrapper_write_to_stream(content, stream);
	}
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	walk->decoded += bytes->len;
	if (walk->decoded <= LIMIT_MAIL_DECODED_BYTES) {
		leaf->bytes = arena_copy(walk->arena, bytes->data, bytes->len);
		leaf->len = bytes->len;
	}
	g_object_unref(stream);
	if (walk->decoded > LIMIT_MAIL_DECODED_BYTES)
		return error_set(walk->err, ERROR_PERMANENT,
				 "unreadable mail: over %d bytes when decoded",
				 LIMIT_MAIL_DECODED_BYTES);
	return 0;
}

static void leaf_names(struct walk *walk, GMimeObject *object, struct leaf *leaf)
{
	struct arena *arena = walk->arena;
	const char *disposition = raw_field(object, "Content-Disposition", arena);
	const char *id = raw_field(object, "Content-ID", arena);
	char *name = header_parameter(arena, disposition, "filename");

	leaf->type = type_of(object, arena);
	leaf->content_type = raw_field(object, "Content-Type", arena);
	leaf->disposition = header_token(arena, disposition);
	if (name == NULL)
		name = header_parameter(arena, leaf->content_type, "name");
	leaf->name = name == NULL ? NULL : file_name_clean(arena, name);
	if (id != NULL) {
		id += strspn(id, " <");
		leaf->content_id = text_clean_line(arena, id, strcspn(id, "> "), LIMIT_ID_BYTES);
	}
}

/* The charset that an HTML page names itself. */
static const char *page_charset(const struct leaf *leaf, struct arena *arena)
{
	enum { LOOKED = 1024 };
	char *head = arena_copy(arena, leaf->bytes, leaf->len < LOOKED ? leaf->len : LOOKED);
	const char *found = strcasestr(head, "charset=");

	if (found == NULL)
		return NULL;
	found += strlen("charset=");
	found += strspn(found, "\"' ");
	return arena_copy(arena, found, strcspn(found, "\"' />;"));
}

static void decode_text(struct walk *walk, const struct leaf *leaf, struct buf *out)
{
	const char *charset = header_parameter(walk->arena, leaf->content_type, "charset");

	if (charset == NULL && strcmp(leaf->type, "text/html") == 0)
		charset = page_charset(leaf, walk->arena);
	if (!charset_decode(charset, leaf->bytes, leaf->len, out))
		walk->mail->charset_guessed = true;
}

static void append_apart(struct buf *to, const char *bytes, size_t len)
{
	if (to->len > 0 && to->data[to->len - 1] != '\n')
		buf_byte(to, '\n');
	buf_add(to, bytes, len);
}

static void append_html_text(struct walk *walk, const char *html, size_t len)
{
	size_t cut;

	if (walk->text.len > 0 && has_words(walk->text.data, walk->text.len))
		append_apart(&walk->text, "", 0);
	html_to_text(html, len, &walk->text, &cut);
	if (cut < walk->text.len && walk->html_cut == SIZE_MAX)
		walk->html_cut = cut;
}

static void add_plain(struct walk *walk, const struct leaf *leaf)
{
	struct arena *arena = walk->arena;
	const char *format = header_parameter(arena, leaf->content_type, "format");
	const char *delsp = header_parameter(arena, leaf->content_type, "delsp");
	struct buf decoded = { 0 };
	struct buf joined = { 0 };

	decode_text(walk, leaf, &decoded);
	if (format != NULL && strcasecmp(format, "flowed") == 0) {
		flowed_join(buf_string(&decoded), decoded.len,
			    delsp != NULL && strcasecmp(delsp, "yes") == 0, &joined);
		append_apart(&walk->text, joined.data, joined.len);
	} else {
		append_apart(&walk->text, decoded.data, decoded.len);
	}
	buf_clear(&decoded);
	buf_clear(&joined);
}

static void add_html(struct walk *walk, const struct leaf *leaf, bool in_alternative)
{
	struct buf decoded = { 0 };

	decode_text(walk, leaf, &decoded);
	append_apart(&walk->html, decoded.data, decoded.len);
	if (!in_alternative)
		append_html_text(walk, buf_string(&decoded), decoded.len);
	buf_clear(&decoded);
}

static void add_part(struct walk *walk, const struct leaf *leaf)
{
	struct mail *mail = walk->mail;
	struct mail_part *part;

	if (mail->part_count == walk->part_room) {
		size_t room = walk->part_room == 0 ? PARTS_FIRST : 2 * walk->part_room;
		struct mail_part *parts = arena_alloc(walk->arena, room * sizeof(*parts));

		if (mail->part_count > 0)
			memcpy(parts, mail->parts, mail->part_count * sizeof(*parts));
		mail->parts = parts;
		walk->part_room = room;
	}
	part = &mail->parts[mail->part_count++];
	part->name = leaf->name == NULL ? "" : leaf->name;
	part->type = leaf->type;
	part->content_id = leaf->content_id;
	part->is_inline = strcmp(leaf->disposition, "attachment") != 0 &&
			  (leaf->content_id != NULL || strcmp(leaf->disposition, "inline") == 0);
	part->bytes = leaf->bytes;
	part->len = leaf->len;
}

/* Parts of a multipart/report; false: treat it as any other. */
static bool add_report(struct walk *walk, const struct leaf *leaf)
{
	static const struct {
		const char *type;
		void (*read)(struct arena *, const char *, size_t, struct mail_report *);
		bool only; /* not an attachment as well */
	} kinds[] = {
		{ "message/delivery-status", report_read_status, true },
		{ "message/global-delivery-status", report_read_status, true },
		{ "text/delivery-status", report_read_status, true },
		{ "message/disposition-notification", report_read_disposition, true },
		{ "message/feedback-report", report_read_feedback, true },
		{ "text/rfc822-headers", report_find_original, true },
		{ "message/rfc822", report_find_original, false },
		{ "message/global", report_find_original, false },
	};

	for (size_t i = 0; walk->in_report && i < COUNT_OF(kinds); i++)
		if (strcmp(kinds[i].type, leaf->type) == 0) {
			kinds[i].read(walk->arena, leaf->bytes, leaf->len, &walk->mail->report);
			return kinds[i].only;
		}
	return false;
}

static int visit_leaf(struct walk *walk, GMimeObject *object, bool in_alternative)
{
	struct leaf leaf = { 0 };
	bool is_body;

	leaf_names(walk, object, &leaf);
	if (leaf_bytes(walk, object, &leaf) < 0)
		return -1;
	is_body = leaf.name == NULL && strcmp(leaf.disposition, "attachment") != 0;
	if (add_report(walk, &leaf))
		return 0;
	if (is_body && strcmp(leaf.type, "text/plain") == 0)
		add_plain(walk, &leaf);
	else if (is_body && strcmp(leaf.type, "text/html") == 0)
		add_html(walk, &leaf, in_alternative);
	else
		add_part(walk, &leaf);
	return 0;
}

static int visit(struct walk *walk, GMimeObject *object, int depth, bool in_alternative);

static int visit_children(struct walk *walk, GMimeMultipart *multipart, int depth,
			  bool in_alternative)
{
	int count = g_mime_multipart_get_count(multipart);

	for (int i = 0; i < count; i++)
		if (visit(walk, g_mime_multipart_get_part(multipart, i), depth + 1,
			  in_alternative) < 0)
			return -1;
	return 0;
}

static int visit_multipart(struct walk *walk, GMimeObject *object, int depth, bool in_alternative)
{
	bool is_alternative = strcmp(type_of(object, walk->arena), "multipart/alternative") == 0;
	size_t text_start = walk->text.len;
	size_t html_start = walk->html.len;

	if (depth >= LIMIT_MIME_DEPTH)
		return error_set(walk->err, ERROR_PERMANENT,
				 "unreadable mail: parts nested over %d deep", LIMIT_MIME_DEPTH);
	if (visit_children(walk, GMIME_MULTIPART(object), depth, in_alternative || is_alternative) <
	    0)
		return -1;
	/* an alternative that has only HTML, or an empty text beside it */
	if (is_alternative && !in_alternative && walk->html.len > html_start &&
	    !has_words(buf_string(&walk->text) + text_start, walk->text.len - text_start)) {
		walk->text.len = text_start;
		append_html_text(walk, buf_string(&walk->html) + html_start,
				 walk->html.len - html_start);
	}
	return 0;
}

static int visit(struct walk *walk, GMimeObject *object, int depth, bool in_alternative)
{
	if (object == NULL)
		return 0;
	if (++walk->parts > LIMIT_MIME_PARTS)
		return error_set(walk->err, ERROR_PERMANENT, "unreadable mail: over %d parts",
				 LIMIT_MIME_PARTS);
	if (GMIME_IS_MULTIPART(object))
		return visit_multipart(walk, object, depth, in_alternative);
	return visit_leaf(walk, object, in_alternative);
}

static int walk_tree(struct walk *walk, const char *raw, size_t len)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(raw, len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	int rc = -1;

	g_object_unref(parser);
	g_object_unref(stream);
	if (message == NULL)
		return error_set(walk->err, ERROR_PERMANENT, "unreadable mail: not a message");
	walk->in_report =
		strcmp(header_token(walk->arena, fields_get(&walk->mail->fields, "Content-Type")),
		       "multipart/report") == 0;
	rc = visit(walk, g_mime_message_get_mime_part(message), 0, false);
	g_object_unref(message);
	return rc;
}

/* ---- what the walk found ---- */

static void finish_text(struct walk *walk)
{
	struct mail *mail = walk->mail;
	struct buf *text = &walk->text;
	const char *clean = text_clean(walk->arena, buf_string(text), text->len, LIMIT_TEXT_BYTES);
	size_t len = strlen(clean);
	size_t cut = quote_cut(clean, len);

	mail->truncated = text->len > LIMIT_TEXT_BYTES && len + 4 > LIMIT_TEXT_BYTES;
	mail->text = clean;
	if (walk->html_cut < text->len && has_words(text->data, walk->html_cut)) {
		const char *before =
			text_clean(walk->arena, text->data, walk->html_cut, LIMIT_TEXT_BYTES);
		size_t html_cut = strlen(before);

		if (html_cut < cut && memcmp(before, clean, html_cut) == 0)
			cut = html_cut;
	}
	while (cut > 0 && (unsigned char)clean[cut - 1] <= ' ')
		cut--;
	mail->text_cut = cut;
}

static void finish_html(struct walk *walk)
{
	if (walk->html.len == 0)
		return;
	walk->mail->html =
		text_clean(walk->arena, walk->html.data, walk->html.len, PARSE_HTML_BYTES);
	if (walk->html.len > PARSE_HTML_BYTES)
		walk->mail->truncated = true;
}

/* A bounce in no standard form still quotes the Message-ID of what came back. */
static void guess_report(struct walk *walk)
{
	struct mail *mail = walk->mail;
	struct mail_report *report = &mail->report;
	bool is_machine = mail->automatic != NULL && (strcmp(mail->automatic, "null_sender") == 0 ||
						      strcmp(mail->automatic, "machine") == 0);

	if (!is_machine || report->is_dsn || report->is_mdn || report->is_complaint)
		return;
	report_find_original(walk->arena, mail->text, strlen(mail->text), report);
	for (size_t i = 0; i < mail->part_count; i++)
		report_find_original(walk->arena, mail->parts[i].bytes, mail->parts[i].len, report);
	report->guessed = report->original_message_id != NULL;
	report->is_dsn = report->guessed;
}

static int64_t date_read(const char *value)
{
	GDateTime *date = value == NULL ? NULL : g_mime_utils_header_decode_date(value);
	int64_t seconds = date == NULL ? 0 : g_date_time_to_unix(date);

	if (date != NULL)
		g_date_time_unref(date);
	return seconds > 0 && seconds < year_2100_s ? seconds * 1000 : 0;
}

static const char *message_id_read(struct arena *arena, const char *value)
{
	struct mail_texts ids = { 0 };
	char *bare;

	message_ids_read(arena, value, &ids);
	if (ids.count > 0)
		return ids.items[0];
	bare = value == NULL ? NULL : text_clean_line(arena, value, strlen(value), LIMIT_ID_BYTES);
	if (bare == NULL || bare[0] == '\0' || strpbrk(bare, " <>") != NULL)
		return NULL;
	return arena_format(arena, "<%s>", bare);
}

static void read_addresses(struct mail *mail, struct arena *arena)
{
	const struct {
		const char *name;
		struct mail_addresses *list;
	} lists[] = {
		{ "From", &mail->from },
		{ "To", &mail->to },
		{ "Cc", &mail->cc },
		{ "Reply-To", &mail->reply_to },
		{ "Delivered-To", &mail->delivered_to },
		{ "X-Original-To", &mail->delivered_to },
	};
	size_t room = LIMIT_MAIL_ADDRESSES;

	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		size_t before = lists[i].list->count;

		addresses_read(arena, fields_get(&mail->fields, lists[i].name), room + before,
			       lists[i].list);
		room -= lists[i].list->count - before;
	}
}

static void hash_part(struct buf *out, const char *value)
{
	buf_text(out, value == NULL ? "" : value);
	buf_byte(out, '\0');
}

/* An outsider can choose a Message-ID, not a mail that has this hash. Line ends
 * differ between the ways a mail can come in. */
static void hash_content(struct mail *mail, const char *raw, size_t len)
{
	static const char *const names[] = { "Message-ID", "From", "Date", "Subject" };
	unsigned char hash[SHA256_BYTES];
	struct buf all = { 0 };

	buf_reserve(&all, len);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		hash_part(&all, fields_get(&mail->fields, names[i]));
	for (const char *p = raw + mail->fields.end, *end = raw + len; p < end; p++) {
		const char *stop = memchr(p, '\r', (size_t)(end - p));

		stop = stop == NULL ? end : stop;
		buf_add(&all, p, (size_t)(stop - p));
		p = stop;
	}
	while (all.len > 0 && all.data[all.len - 1] == '\n')
		all.len--;
	crypto_sha256(all.data, all.len, hash);
	text_hex(hash, sizeof(hash), mail->content_hash);
	buf_clear(&all);
}

static void read_headers(struct mail *mail, const char *raw, size_t len,
			 const struct parse_options *options, struct arena *arena)
{
	const char *subject;

	read_addresses(mail, arena);
	mail->message_id = message_id_read(arena, fields_get(&mail->fields, "Message-ID"));
	message_ids_read(arena, fields_get(&mail->fields, "In-Reply-To"), &mail->in_reply_to);
	message_ids_read(arena, fields_get(&mail->fields, "References"), &mail->references);
	subject = fields_get(&mail->fields, "Subject");
	mail->subject = header_decode(arena, subject == NULL ? "" : subject,
				      subject == NULL ? 0 : strlen(subject), 4 * LIMIT_NAME_BYTES);
	mail->date_ms = date_read(fields_get(&mail->fields, "Date"));
	auth_read(&mail->fields, options, &mail->from, arena, &mail->auth);
	mail->automatic =
		automatic_reason(&mail->fields, options,
				 mail->from.count > 0 ? mail->from.items[0].address : NULL, arena);
	hash_content(mail, raw, len);
}

/* Lines that may be boundaries: GMime builds an object for each before anybody
 * can count parts (6 million took half a minute). */
static size_t count_boundaries(const char *raw, size_t len)
{
	const char *end = raw + len;
	size_t count = 0;

	for (const char *p = raw; p != NULL && end - p > 2;) {
		count += p[0] == '-' && p[1] == '-' && (unsigned char)p[2] > ' ';
		p = memchr(p, '\n', (size_t)(end - p));
		p = p == NULL ? NULL : p + 1;
	}
	return count;
}

/* Containers that the raw bytes may hold, judged before GMime descends by
 * recursion: text that merely looks so counts as well. */
static size_t count_containers(const char *raw, size_t len)
{
	static const char name[] = "content-type:";
	const char *end = raw + len;
	size_t count = 0;

	for (const char *p = raw; p != NULL && (size_t)(end - p) > sizeof(name); p++) {
		const char *value = p + sizeof(name) - 1;

		if ((*p | 0x20) == 'c' && strncasecmp(p, name, sizeof(name) - 1) == 0) {
			while (end - value > 10 && strchr(" \t\r\n", *value) != NULL)
				value++;
			count += end - value > 10 && (strncasecmp(value, "multipart/", 10) == 0 ||
						      strncasecmp(value, "message/", 8) == 0);
		}
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL)
			break;
	}
	return count;
}

/* Before anything is built of it. */
static int check_size(const struct mail *mail, const char *raw, size_t len, struct error *err)
{
	if (len > LIMIT_MAIL_BYTES)
		return error_set(err, ERROR_PERMANENT, "unreadable mail: %zu bytes", len);
	if (mail->fields.count == 0)
		return error_set(err, ERROR_PERMANENT, "unreadable mail: no header fields");
	if (count_containers(raw, len) > LIMIT_MIME_PARTS ||
	    count_boundaries(raw, len) > BOUNDARIES_MAX)
		return error_set(err, ERROR_PERMANENT, "unreadable mail: nested, or over %d parts",
				 LIMIT_MIME_PARTS);
	if (fields_count(&mail->fields, "Received") > PARSE_RECEIVED_MAX)
		return error_set(err, ERROR_PERMANENT,
				 "unreadable mail: it goes in circles, %zu hops",
				 fields_count(&mail->fields, "Received"));
	return 0;
}

int mail_read(const char *raw, size_t len, const struct parse_options *options, struct arena *arena,
	      struct mail *ret, struct error *err)
{
	struct walk walk = { .arena = arena, .mail = ret, .err = err, .html_cut = SIZE_MAX };
	int rc;

	*ret = (struct mail){ 0 };
	if (fields_scan(raw, len, arena, &ret->fields, err) < 0 ||
	    check_size(ret, raw, len, err) < 0)
		return -1;
	read_headers(ret, raw, len, options, arena);
	rc = walk_tree(&walk, raw, len);
	if (rc == 0) {
		finish_text(&walk);
		finish_html(&walk);
		guess_report(&walk);
	}
	buf_clear(&walk.text);
	buf_clear(&walk.html);
	return rc;
}
