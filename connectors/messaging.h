/* What Messenger and Instagram have in common: one shape of events and of sends over the Graph API
 * (developers.facebook.com/docs/messenger-platform), for a page or an account. */
#pragma once

#include "graph.h"

struct messaging_settings {
	char *page_id;
	bool human_agent;
	struct graph_settings graph;
};

/* How the two differ. */
struct messaging_kind {
	const char *object; /* of the envelope */
	const char *identifier;
	bool takes_files; /* beside pictures, video and sound */
};

/* Of the channel: which of the two it is. */
struct messaging_state {
	const struct messaging_kind *kind;
};

/* One per process, given by the first messaging_open(). */
const struct host *messaging_host(void);

int messaging_open(const struct host *core, struct channel *channel,
		   const struct messaging_kind *kind, const char **ret_error);
/* The slots. */
void messaging_close(struct channel *channel);
enum verdict messaging_verify(struct channel *channel, const struct inbound *in,
			      struct arena *arena, struct parsed *ret);
int messaging_parse(const struct channel *channel, const struct inbound *in, struct arena *arena,
		    struct parsed *ret, const char **ret_error);
void messaging_send(struct channel *channel, const struct outbound *message,
		    struct delivery *delivery);
void messaging_media(const struct channel *channel, const struct attachment *attachment,
		     struct arena *arena, struct media_request *ret);
void messaging_test(struct channel *channel,
		    void (*done)(bool ok, const char *phrase, void *context), void *context);
void messaging_find_name(struct channel *channel, const char *who,
			 void (*done)(const char *name, void *context), void *context);
void messaging_window(const struct channel *channel, struct window_rules *ret);
