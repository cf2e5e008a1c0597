#include "identity/identity.h"

#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/text.h"
#include "identity/address.h"

enum { PARTS_MAX = 6, LENGTH_BYTES = 4 };

/* Every part carries its length, so no two lists of parts have one text. */
static void hash_parts(struct mac *mac, const char *const *parts, unsigned char out[SHA256_BYTES])
{
	mac_begin(mac);
	for (size_t i = 0; i < PARTS_MAX && parts[i]; i++) {
		size_t len = strlen(parts[i]);
		unsigned char length[LENGTH_BYTES] = { (unsigned char)(len >> 24),
						       (unsigned char)(len >> 16),
						       (unsigned char)(len >> 8),
						       (unsigned char)len };

		mac_add(mac, length, sizeof(length));
		mac_add(mac, parts[i], len);
	}
	mac_end(mac, out);
}

/* The bucket follows from the field, so that whoever has an identifier's hash finds its place. */
static void key_from_hash(const unsigned char hash[SHA256_BYTES], unsigned buckets,
			  struct identity_key *ret_key)
{
	memcpy(ret_key->field, hash, IDENTITY_FIELD_BYTES);
	text_hex(ret_key->field, IDENTITY_FIELD_BYTES, ret_key->hex);
	ret_key->bucket =
		((unsigned)hash[IDENTITY_FIELD_BYTES - 2] << 8 | hash[IDENTITY_FIELD_BYTES - 1]) %
		buckets;
}

static const char *scope_of(const struct identifier *identifier)
{
	return identifier->scope ? identifier->scope : "";
}

char *identity_text(struct arena *arena, const struct identifier *identifier)
{
	const char *scope = scope_of(identifier);

	return arena_format(arena, "%s:%s%s%s", identifier->kind, scope, *scope ? ":" : "",
			    identifier->value);
}

bool identity_parse(struct arena *arena, const char *text, struct identifier *ret_identifier)
{
	const char *colon = strchr(text, ':');
	const char *scope_end;

	if (!colon || colon == text || !colon[1])
		return false;
	*ret_identifier = (struct identifier){ .proof = PROOF_CHANNEL, .scope = "" };
	ret_identifier->kind = arena_copy(arena, text, (size_t)(colon - text));
	scope_end = strchr(colon + 1, ':');
	/* Only kinds without a scope have values of their own kind of colon. */
	if (scope_end && scope_end[1] && !text_equal(ret_identifier->kind, "email") &&
	    !text_equal(ret_identifier->kind, "phone")) {
		ret_identifier->scope =
			arena_copy(arena, colon + 1, (size_t)(scope_end - colon - 1));
		colon = scope_end;
	}
	ret_identifier->value = arena_text(arena, colon + 1);
	return true;
}

bool identity_is_proved(const struct identifier *identifier)
{
	return identifier->proof != PROOF_CLAIMED;
}

/* Short enough for the store's compact form. */
void identity_record(const struct identifier *identifier, int64_t at_ms, struct buf *out)
{
	struct json_out json;

	jw_start(&json, out);
	jw_array(&json, NULL);
	jw_text(&json, NULL, identifier->kind);
	jw_text(&json, NULL, scope_of(identifier));
	jw_text(&json, NULL, identifier->value);
	jw_int(&json, NULL, identifier->proof);
	jw_text(&json, NULL, identifier->proved_by ? identifier->proved_by : "");
	jw_int(&json, NULL, at_ms / 1000);
	if (identifier->raw && !text_equal(identifier->raw, identifier->value))
		jw_text(&json, NULL, identifier->raw);
	jw_array_end(&json);
}

void identity_index(const struct identity_place *place, const struct identifier *identifier,
		    struct identity_key *ret_key)
{
	bool proved = identity_is_proved(identifier);
	char room[ADDRESS_PHONE_BYTES];
	const char *parts[PARTS_MAX] = { proved ? "proved" : "claimed",
					 place->workspace,
					 identifier->kind,
					 scope_of(identifier),
					 address_match(identifier, room),
					 proved ? NULL : place->channel };
	unsigned char hash[SHA256_BYTES];

	hash_parts(place->mac, parts, hash);
	key_from_hash(hash, IDENTITY_BUCKETS, ret_key);
}

void identity_index_proved(const struct identity_place *place, const struct identifier *identifier,
			   struct identity_key *ret_key)
{
	struct identifier proved = *identifier;

	proved.proof = PROOF_CHANNEL;
	identity_index(place, &proved, ret_key);
}

void identity_reference(const struct identity_place *place, const char *provider_id,
			struct identity_key *ret_key)
{
	const char *parts[PARTS_MAX] = { "reference", place->workspace, place->channel,
					 provider_id };
	unsigned char hash[SHA256_BYTES];

	hash_parts(place->mac, parts, hash);
	key_from_hash(hash, IDENTITY_REFERENCE_BUCKETS, ret_key);
}

void identity_conversation_of(const struct identity_place *place, const struct identity_key *key,
			      const char *thread, char ret_id[ID_BYTES])
{
	unsigned char hash[SHA256_BYTES];
	const char *parts[PARTS_MAX] = { "conversation", place->workspace, place->channel, key->hex,
					 thread };

	hash_parts(place->mac, parts, hash);
	id_from_bytes("cnv_", hash, ret_id);
}

void identity_conversation(const struct identity_place *place, const struct identifier *identifier,
			   const char *thread, char ret_id[ID_BYTES])
{
	struct identity_key key;

	identity_index(place, identifier, &key);
	identity_conversation_of(place, &key, thread, ret_id);
}

void identity_message(const struct identity_place *place, const char *remembered,
		      char ret_id[ID_BYTES])
{
	const char *parts[PARTS_MAX] = { "message", place->workspace, place->channel, remembered };
	unsigned char hash[SHA256_BYTES];

	hash_parts(place->mac, parts, hash);
	id_from_bytes("msg_", hash, ret_id);
}

uint64_t identity_remembered(const struct identity_place *place, const char *remembered)
{
	const char *parts[PARTS_MAX] = { "remember", place->workspace, place->channel, remembered };
	unsigned char hash[SHA256_BYTES];
	uint64_t number = 0;

	hash_parts(place->mac, parts, hash);
	for (int i = 0; i < 8; i++)
		number = number << 8 | hash[i];
	return number >> 2;
}
