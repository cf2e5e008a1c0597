#include "standard_webhook.h"
#include "provider_read.h"

#include <string.h>

enum {
	KEY_MIN_BYTES = 24,
	SIGNATURE_BYTES = 32,
	SIGNATURES_MAX = 16,
	SKEW_S = 300,
	ID_MAX_BYTES = 256,
};

int standard_webhook_add(const struct host *host, struct standard_webhook *keys, const char *secret)
{
	static const char prefix[] = "whsec_";
	unsigned char *bytes = keys->keys[keys->count].bytes;
	long len;

	if (strncmp(secret, prefix, sizeof(prefix) - 1) != 0)
		return -1;
	secret += sizeof(prefix) - 1;
	len = host->unbase64(secret, strlen(secret), bytes, STANDARD_WEBHOOK_KEY_BYTES);
	if (len < KEY_MIN_BYTES)
		return -1;
	keys->keys[keys->count++].len = (size_t)len;
	return 0;
}

/* What is given against what each key makes. */
struct comparison {
	const struct host *host;
	unsigned char expected[STANDARD_WEBHOOK_KEYS][SIGNATURE_BYTES];
	size_t count;
};

static bool signature_fits(const struct comparison *comparison, const char *text, size_t len)
{
	const struct host *host = comparison->host;
	unsigned char given[SIGNATURE_BYTES];
	bool fits = false;

	if (len < 3 || memcmp(text, "v1,", 3) != 0)
		return false;
	if (host->unbase64(text + 3, len - 3, given, sizeof(given)) != SIGNATURE_BYTES)
		return false;
	for (size_t i = 0; i < comparison->count; i++)
		fits |= host->equal(given, sizeof(given), comparison->expected[i], SIGNATURE_BYTES);
	return fits;
}

static bool any_signature_fits(const struct comparison *comparison, const char *header)
{
	for (size_t i = 0; i < SIGNATURES_MAX && *header; i++) {
		size_t len = strcspn(header, " ");

		if (signature_fits(comparison, header, len))
			return true;
		header += len;
		header += strspn(header, " ");
	}
	return false;
}

/* A header of the standard, or its svix twin. */
static const char *field_of(const struct host *host, const struct inbound *in, const char *name,
			    const char *twin)
{
	const char *value = host->field(in, name);

	return value ? value : host->field(in, twin);
}

const char *standard_webhook_id(const struct host *host, const struct inbound *in)
{
	const char *id = field_of(host, in, "webhook-id", "svix-id");
	size_t len = id ? strlen(id) : 0;

	if (len == 0 || len > ID_MAX_BYTES)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (id[i] <= ' ' || id[i] == 0x7f || id[i] == '.')
			return NULL;
	return id;
}

static char *signed_bytes_of(const struct host *host, struct arena *arena, const char *head,
			     const void *body, size_t body_len)
{
	size_t len = strlen(head);
	char *bytes = host->alloc(arena, len + body_len + 1);

	memcpy(bytes, head, len + 1);
	if (body_len)
		memcpy(bytes + len, body, body_len);
	return bytes;
}

bool standard_webhook_fits(const struct host *host, const struct standard_webhook *keys,
			   const struct inbound *in, struct arena *arena)
{
	const char *id = standard_webhook_id(host, in);
	const char *timestamp = field_of(host, in, "webhook-timestamp", "svix-timestamp");
	const char *signature = field_of(host, in, "webhook-signature", "svix-signature");
	struct comparison comparison = { .host = host, .count = keys->count };
	const char *head;
	char *bytes;

	if (!id || !timestamp || !signature || !provider_is_fresh(in, timestamp, 1, SKEW_S))
		return false;
	head = host->format(arena, "%s.%s.", id, timestamp);
	bytes = signed_bytes_of(host, arena, head, in->body, in->body_len);
	for (size_t i = 0; i < keys->count; i++)
		host->hmac_sha256(keys->keys[i].bytes, keys->keys[i].len, bytes,
				  strlen(head) + in->body_len, comparison.expected[i]);
	return any_signature_fits(&comparison, signature);
}

const char *standard_webhook_sign(const struct host *host, const struct standard_webhook *keys,
				  struct arena *arena, const struct standard_webhook_post *post)
{
	const char *head = host->format(arena, "%s.%s.", post->id, post->timestamp);
	unsigned char mac[SIGNATURE_BYTES];
	char *bytes = signed_bytes_of(host, arena, head, post->body, strlen(post->body));

	host->hmac_sha256(keys->keys[0].bytes, keys->keys[0].len, bytes, strlen(bytes), mac);
	return host->format(arena, "v1,%s", host->base64(arena, mac, sizeof(mac)));
}
