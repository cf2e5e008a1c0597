/* A store with one message admitted, and calls that wait: for tests of what
 * happens to work items, conversations and the outbox. */
#pragma once

#include "admit/admit.h"
#include "base/id.h"
#include "conversation/conversation.h"
#include "delivery/outbox.h"
#include "routing/claim.h"
#include "store_bed.h"

struct desk_bed {
	struct store_bed *bed;
	struct mac *mac;
	struct admit *admit;
	char message[ID_BYTES], conversation[ID_BYTES], customer[ID_BYTES], item[ID_BYTES];
	bool done;
	/* of the last call */
	enum work_code code;
	char refusal[40], state[24], allowed[120], given[ID_BYTES];
	int64_t version;
	bool replayed;
	struct write_result written;
	char written_id[ID_BYTES];
	enum outbox_code outbox;
	char sending[ID_BYTES], stored[600];
	int attempt;
};

struct desk_bed *desk_bed_new(void); /* admits p1 of u1; steward's fence is "f1"; alice is online */
void desk_bed_free(struct desk_bed **desk);
void desk_admit(struct desk_bed *desk, const char *provider_id);
const char *desk_ask(struct desk_bed *desk, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
struct work_call desk_call(struct desk_bed *desk, const char *agent);
void desk_wait(struct desk_bed *desk);
void desk_on_work(const struct work_result *result, const struct error *err, void *desk);
void desk_on_write(const struct write_result *result, const struct error *err, void *desk);
void desk_on_outbox(const struct outbox_result *result, const struct error *err, void *desk);
void desk_offer(struct desk_bed *desk, const char *agent, const char *offer);
void desk_assign(struct desk_bed *desk, const char *agent); /* offered and accepted */
/* A reply of an agent (NULL key: none). */
void desk_reply(struct desk_bed *desk, const char *agent, const char *key, const char *text);
/* Fires a timer as the steward does; the store's clock cannot be moved, so its score is. */
void desk_fire(struct desk_bed *desk, const char *timer);
