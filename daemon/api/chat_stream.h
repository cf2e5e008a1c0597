/* Live streams of visitors: each shows one conversation, from its start (or
 * where the visitor left off) and on. */
#pragma once

struct api_call;
struct chat_streams;
struct parts;

struct chat_streams *chat_streams_new(struct parts *parts);
void chat_streams_free(struct chat_streams **streams);
void chat_streams_open(struct chat_streams *streams, struct api_call *call, const char *workspace,
		       const char *conversation);
