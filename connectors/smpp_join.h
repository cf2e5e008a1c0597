/* Parts of long texts on their way in. What is here and not yet whole is written into the channel's
 * cursor before it is acknowledged: a short text of one line per long message, so that neither a
 * crash nor another instance loses a part, and a provider that sends one message at a time is
 * not kept waiting for its answer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SMPP_HASH_BYTES = 33, /* 32 hexadecimal digits and the NUL */
	SMPP_GROUPS_MAX = 200,
	SMPP_JOIN_BYTES_MAX = 512 * 1024,
};

struct smpp_fragment {
	char hash[SMPP_HASH_BYTES]; /* of its content; "": it is missing */
	char *hex;                  /* the PDU; NULL once the message is stored */
};

/* One long message. */
struct smpp_group {
	struct smpp_group *next;
	char key[SMPP_HASH_BYTES]; /* from whom to whom under which number */
	int64_t first_ms;
	int64_t again_ms; /* not before */
	unsigned total;
	unsigned have;
	bool is_late;      /* does not wait for more */
	bool is_receiving; /* in the pipeline */
	bool is_done;      /* stored: kept to know its parts when they come again */
	struct smpp_fragment *fragments;
};

struct smpp_join {
	struct smpp_group *first; /* oldest first */
	size_t bytes;
	size_t count;
};

enum smpp_join_result {
	SMPP_JOIN_KEPT, /* acknowledge once the cursor is written */
	SMPP_JOIN_DONE, /* it is stored already */
	SMPP_JOIN_FULL, /* no room: ask for it again later */
};

struct smpp_join_part {
	const char *key;
	const char *hash;
	const char *hex;
	unsigned total;
	unsigned number;
};

enum smpp_join_result smpp_join_add(struct smpp_join *join, const struct smpp_join_part *part,
				    int64_t now_ms);
/* Makes late what is older than wait_ms and forgets what is done that long. Returns whether
 * something was forgotten. ret_next_ms: when to look again; INT64_MAX: never. */
bool smpp_join_age(struct smpp_join *join, int64_t wait_ms, int64_t now_ms, int64_t *ret_next_ms);
/* The first message that is whole or late and not under way; NULL. */
struct smpp_group *smpp_join_ready(struct smpp_join *join, int64_t now_ms);
/* The one under that key that began then; NULL. */
struct smpp_group *smpp_join_find(struct smpp_join *join, const char *key, int64_t first_ms);
void smpp_join_done(struct smpp_join *join, struct smpp_group *group);
/* To be freed with free(). */
char *smpp_join_text(const struct smpp_join *join);
/* Adds what such a text says; lines that are none are passed over. */
void smpp_join_read(struct smpp_join *join, const char *text);
void smpp_join_clear(struct smpp_join *join);
