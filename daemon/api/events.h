/* The live event streams of one instance. */
#pragma once

struct api_call;
struct events;
struct parts;
struct principal;

struct events *events_new(struct parts *parts);
void events_free(struct events **events);
/* Turns the call into a stream for this principal. */
void events_watch(struct events *events, struct api_call *call, const struct principal *who);
