/* What a shop or an application tells of a customer (a cart left behind, a sign-up), for
 * journeys: checked here, stored by scripts/event_put.lua. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

enum {
	EVENT_ID_MAX = 200,
	EVENT_TYPE_MAX = 60,
	EVENT_BYTES_MAX = 8 * 1024,
	EVENTS_A_CALL = 100,
};

struct business_event {
	const char *id;   /* of who tells it: the same id is the same event */
	const char *type; /* a-z, 0-9, "_", "-" and "." */
	int64_t at_ms;    /* when it happened */
	const char *customer;
	const char *identifier; /* who, where customer is NULL */
};

/* 0 with *ret (borrowed of given) and its JSON members without braces in out, which start with a
 * comma: our own id and the source stand before them; or -1. now_ms stands for a time that is
 * missing. */
int business_event_check(struct json_object *given, int64_t now_ms, struct business_event *ret,
			 struct buf *out, struct error *err);
