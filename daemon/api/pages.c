/* The pages: static files that the binary carries, already compressed. Nothing from
 * elsewhere is ever loaded, and the policy says so. */
#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "base/crypto.h"
#include "base/embedded.h"
#include "base/text.h"
#include "channel.h"
#include "parts.h"
#include "services/loop.h"

/* One file in the encodings there are, the best one first. */
struct coded {
	const char *encoding; /* NULL: as it is */
	const unsigned char *bytes;
	size_t len;
};

#define FILE_OF(name)                                                                              \
	(const struct coded[])                                                                     \
	{                                                                                          \
		{ "br", name##_br, name##_br_len }, { "gzip", name##_gz, name##_gz_len },          \
			{ NULL, name, name##_len },                                                \
	}

/* "br;q=0" refuses; other weights do not matter among what we have. */
static bool is_accepted(const char *accepted, const char *encoding)
{
	size_t len = strlen(encoding);

	for (const char *at = accepted; at != NULL && *at != '\0'; at += strcspn(at, ",")) {
		at += strspn(at, ", ");
		if (strncmp(at, encoding, len) == 0 &&
		    strspn(at + len, "abcdefghijklmnopqrstuvwxyz") == 0)
			return strncmp(at + len, ";q=0", 4) != 0 || at[len + 4] == '.';
	}
	return false;
}

static const struct coded *choose(struct api_call *call, const struct coded *file)
{
	const char *accepted = http_request_field(call->request, "Accept-Encoding");

	while (file->encoding != NULL && !is_accepted(accepted, file->encoding))
		file++;
	return file;
}

static void file_answer(struct api_call *call, const char *type, const struct coded *file)
{
	const struct coded *chosen = choose(call, file);
	const char *known = http_request_field(call->request, "If-None-Match");
	unsigned char hash[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1], etag[2 * SHA256_BYTES + 3];

	crypto_sha256(chosen->bytes, chosen->len, hash);
	text_hex(hash, SHA256_BYTES, hex);
	snprintf(etag, sizeof(etag), "\"%s\"", hex);
	http_request_add_field(call->request, "ETag", etag);
	http_request_add_field(call->request, "Vary", "Accept-Encoding");
	http_request_add_field(
		call->request, "Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; "
		"connect-src 'self'; img-src 'self' data: blob:; form-action 'none'; "
		"base-uri 'none'; frame-ancestors 'none'");
	http_request_add_field(call->request, "Referrer-Policy", "no-referrer");
	http_request_add_field(call->request, "Cache-Control", "no-cache");
	if (text_equal(known, etag)) {
		http_answer_empty(call->request, 304);
		return;
	}
	if (chosen->encoding != NULL)
		http_request_add_field(call->request, "Content-Encoding", chosen->encoding);
	http_answer_static(call->request, 200, type, chosen->bytes, chosen->len);
}

void handle_home(struct api_call *call)
{
	file_answer(call, "text/html; charset=utf-8", FILE_OF(embedded_desk_html));
}

void handle_desk_script(struct api_call *call)
{
	file_answer(call, "text/javascript; charset=utf-8", FILE_OF(embedded_desk_js));
}

void handle_desk_style(struct api_call *call)
{
	file_answer(call, "text/css; charset=utf-8", FILE_OF(embedded_desk_css));
}

void handle_widget(struct api_call *call)
{
	file_answer(call, "text/javascript; charset=utf-8", FILE_OF(embedded_widget_js));
}

/* Pages of any origin import it: a module is always asked for under CORS. */
void handle_widget_main(struct api_call *call)
{
	http_request_add_field(call->request, "Access-Control-Allow-Origin", "*");
	file_answer(call, "text/javascript; charset=utf-8", FILE_OF(embedded_widget_main_js));
}

/* It opens a channel to whoever finds the page, whose own pages may be for members only: so it is
 * there where somebody wanted it, and in the demonstration. */
void handle_widget_demo(struct api_call *call)
{
	const struct channel *channel = api_channel(call);
	struct visitor_rules rules = { 0 };

	if (channel == NULL)
		return;
	if ((channel_connector(channel)->abilities & HAS_VISITORS) == 0) {
		api_problem(call, 404, "no_visitors", "channel \"%s\" has no visitors",
			    call->params[0]);
		return;
	}
	channel_connector(channel)->visitor_rules(channel, loop_unix_ms(call->parts->loop) / 1000,
						  &rules);
	if (rules.has_demo_page || channel_is_simulated(channel))
		file_answer(call, "text/html; charset=utf-8", FILE_OF(embedded_widget_demo_html));
	else
		api_problem(call, 404, "no_demo_page",
			    "channel \"%s\" has no such page: set its demo_page to true",
			    call->params[0]);
}

void handle_widget_demo_script(struct api_call *call)
{
	file_answer(call, "text/javascript; charset=utf-8", FILE_OF(embedded_widget_demo_js));
}
