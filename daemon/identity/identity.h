/* Identifiers of people as the store knows them: keyed hashes of canonical
 * texts, so that no address is in a key's name, what is stored is bounded, and
 * nobody outside can choose a hash. The mac holds the installation's key.
 *
 * An identifier is proved or claimed; a claimed one is known within its channel
 * only, so what somebody typed can never lead to what somebody proved. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "converge/message.h"

struct mac;

enum {
	IDENTITY_FIELD_BYTES = 16,
	IDENTITY_BUCKETS = 8192,           /* of {ws}:i:<bucket> */
	IDENTITY_REFERENCE_BUCKETS = 8192, /* of {ws}:r:<bucket> */
};

/* A field of a bucket: {ws}:i:<bucket> or {ws}:r:<bucket>, bucket in hex. */
struct identity_key {
	unsigned bucket;
	unsigned char field[IDENTITY_FIELD_BYTES];
	char hex[2 * IDENTITY_FIELD_BYTES + 1];
};

/* Where identifiers are looked up. */
struct identity_place {
	struct mac *mac;
	const char *workspace;
	const char *channel;
};

/* "email:a@b.cn", "wechat:<scope>:<value>": what people read and type. */
char *identity_text(struct arena *arena, const struct identifier *identifier);
/* The other way, for ?identifier=: proof is PROOF_CHANNEL. kinds that are valid in a scope are
 * given with it. false where there is no kind or no value. */
bool identity_parse(struct arena *arena, const char *text, struct identifier *ret_identifier);

bool identity_is_proved(const struct identifier *identifier);
/* What the customer's record holds of it: [kind, scope, value, proof, by, at s, raw]. */
void identity_record(const struct identifier *identifier, int64_t at_ms, struct buf *out);
/* The identifier's place in the index; the written forms of one phone number have one. */
void identity_index(const struct identity_place *place, const struct identifier *identifier,
		    struct identity_key *ret_key);
/* The place that a claimed one would have were it proved: whose it really is. */
void identity_index_proved(const struct identity_place *place, const struct identifier *identifier,
			   struct identity_key *ret_key);
/* The place of a provider's message id (receipts, mail references). */
void identity_reference(const struct identity_place *place, const char *provider_id,
			struct identity_key *ret_key);
/* The conversation of (channel, identifier, thread); thread is "" where the channel has none. */
void identity_conversation(const struct identity_place *place, const struct identifier *identifier,
			   const char *thread, char ret_id[ID_BYTES]);
/* The same where the identifier's place is known already. */
void identity_conversation_of(const struct identity_place *place, const struct identity_key *key,
			      const char *thread, char ret_id[ID_BYTES]);
/* A message's id from what is remembered of it, where a repeated message must be told its first id.
 */
void identity_message(const struct identity_place *place, const char *remembered,
		      char ret_id[ID_BYTES]);
/* The number that is remembered of a provider's message: 62 bits. */
uint64_t identity_remembered(const struct identity_place *place, const char *remembered);
