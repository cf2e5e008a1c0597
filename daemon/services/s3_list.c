#include "services/s3_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "services/s3_place.h"
#include "services/transfer.h"

enum { ANSWER_MAX = 4 * 1024 * 1024, KEY_BYTES = S3_URL_BYTES + BLOB_ID_CHARS };

static const char hash_of_nothing[] =
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct listing {
	struct s3_place place;
	s3_listed_fn *done;
	void *context;
	char (*ids)[BLOB_ID_CHARS + 1];
	const char **list;
	size_t count;
	char last[KEY_BYTES]; /* without the prefix */
};

/* Keys of ours have hex digits, and a prefix of letters that XML leaves alone. */
static void key_take(struct listing *listing, const char *key, size_t len)
{
	size_t prefix = strlen(listing->place.prefix);

	if (len < prefix || memcmp(key, listing->place.prefix, prefix) != 0)
		return;
	key += prefix;
	len -= prefix;
	snprintf(listing->last, sizeof(listing->last), "%.*s", (int)len, key);
	if (len != BLOB_ID_CHARS || strspn(listing->last, "0123456789abcdef") != len ||
	    listing->count == S3_LIST_MAX)
		return;
	memcpy(listing->ids[listing->count], listing->last, BLOB_ID_CHARS);
	listing->list[listing->count] = listing->ids[listing->count];
	listing->count++;
}

static void keys_take(struct listing *listing, const char *text)
{
	static const char start[] = "<Key>";

	while ((text = strstr(text, start)) != NULL) {
		const char *end;

		text += strlen(start);
		end = strstr(text, "</Key>");
		if (end == NULL)
			return;
		key_take(listing, text, (size_t)(end - text));
		text = end;
	}
}

static void on_answer(const struct transfer_answer *answer, void *context)
{
	struct listing *listing = context;
	struct error err = { 0 };
	bool is_last = true;

	if (answer->error != NULL) {
		err = *answer->error;
		error_wrap(&err, "the blob store");
	} else if (answer->status != 200) {
		error_set(&err, ERROR_TEMPORARY,
			  "the blob store answered %ld when it was asked for its keys (that needs "
			  "s3:ListBucket)",
			  answer->status);
	} else {
		keys_take(listing, answer->body);
		is_last = strstr(answer->body, "<IsTruncated>true</IsTruncated>") == NULL ||
			  listing->last[0] == '\0';
	}
	listing->done(listing->list, listing->count, is_last ? NULL : listing->last,
		      err.kind == ERROR_NONE ? NULL : &err, listing->context);
	free(listing->ids);
	free(listing->list);
	free(listing);
}

/* In the order of their names, as they are signed. */
static void write_url(const struct listing *listing, const char *after, struct buf *out)
{
	buf_format(out, "%s?list-type=2&max-keys=%d&prefix=", listing->place.bucket, S3_LIST_MAX);
	text_percent(out, listing->place.prefix, strlen(listing->place.prefix));
	if (after == NULL)
		return;
	buf_text(out, "&start-after=");
	text_percent(out, listing->place.prefix, strlen(listing->place.prefix));
	text_percent(out, after, strlen(after));
}

void s3_list(struct transfers *transfers, const struct blobs_s3_options *options, const char *after,
	     s3_listed_fn *done, void *context)
{
	struct listing *listing = memory_new(sizeof(*listing));
	const struct transfer_field field = { "x-amz-content-sha256", hash_of_nothing };
	struct buf url = { 0 };
	struct error err;

	if (s3_place_read(options->url, &listing->place, &err) != 0)
		abort(); /* it was judged before */
	listing->done = done;
	listing->context = context;
	listing->ids = memory_new(S3_LIST_MAX * sizeof(*listing->ids));
	listing->list = memory_new(S3_LIST_MAX * sizeof(*listing->list));
	write_url(listing, after, &url);
	const struct transfer_options wanted = {
		.url = buf_string(&url),
		.method = "GET",
		.fields = &field,
		.field_count = 1,
		.user = options->access_key,
		.password = options->secret_key,
		.s3_region = listing->place.region,
		.require_tls = !listing->place.is_plain,
		.allow_private = true,
		.timeout_ms = options->timeout_ms,
		.answer_max = ANSWER_MAX,
	};
	transfer_start(transfers, &wanted, NULL, on_answer, listing);
	buf_clear(&url);
}
