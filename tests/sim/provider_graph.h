/* What WhatsApp, Messenger and Instagram have in common: Meta's Graph API and its webhooks. */
#pragma once

#include "provider.h"

/* code: "131047", or with its subcode "10/2018278". */
void graph_error(struct ask *ask, const char *code, const char *detail);
const char *graph_trouble(struct ask *ask, int status, int64_t seconds);
/* Bearer or access_token, and appsecret_proof where it is given; refuses with 190. */
bool graph_token_is_right(struct ask *ask);
/* The version in the path looks like one; refuses. */
bool graph_version_is_right(struct ask *ask);
/* Posts this body, signed with app_secret; non-ASCII goes as \uXXXX as Meta writes it. */
void graph_post(struct standin *sim, const char *id, struct json_object *what,
		const struct buf *body);
const char *graph_handshake(struct standin *sim, struct json_object *what, char ret_id[128]);
/* Unix milliseconds that a test may choose by "at_ms". */
int64_t graph_time_ms(struct json_object *what);
/* A line of /_sim/sent by its id; the caller frees it. NULL: nothing was sent as that. */
struct json_object *graph_sent(struct standin *sim, const char *id);
bool digits_only(const char *text);
/* The address of a file under /media/, for this customer's file. */
const char *graph_media_url(struct standin *sim, struct arena *arena, const char *id);
void graph_on_media(struct ask *ask); /* GET /media/<id>; token by the setting "media_token" */
