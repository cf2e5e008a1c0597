/* What the APIs of WeChat Official Account and WeCom share: a token in the
 * query, errcode in every answer, media by id. */
#pragma once

#include "access_token.h"
#include "converge/connector.h"

/* When to try again what was refused for its rate. */
enum weixin_wait { WEIXIN_BY_SCHEDULE, WEIXIN_NEXT_MINUTE, WEIXIN_NEXT_DAY };

struct weixin_error {
	int64_t code; /* 0 ends a table */
	enum send_failure failure;
	enum weixin_wait wait;
	const char *why;
};

/* In the channel's state. */
struct weixin {
	const struct host *host;
	struct channel *channel;
	const char *base; /* of the provider */
	bool is_private;
	const struct weixin_error *errors; /* what is in none is permanent */
	struct access_token token;
};

/* path may hold a query; the token is added. What is pointed at lives until done. */
struct weixin_request {
	const char *method;
	const char *path;
	const char *type; /* NULL: JSON */
	const void *body;
	size_t len;
	int64_t timeout_ms;
	size_t answer_max;
};

/* Gone after the call. */
struct weixin_answer {
	struct json_object *body; /* NULL where there is none to be read */
	struct arena *arena;
	bool is_ok; /* HTTP 2xx, JSON, errcode 0 or absent; else: */
	enum send_failure failure;
	const char *code; /* the errcode as text where there is one */
	const char *why;
	int64_t retry_after_ms;
	long status; /* of HTTP; 0: no answer */
};

typedef void weixin_answered(const struct weixin_answer *answer, void *context);

void weixin_call(struct weixin *weixin, const struct weixin_request *request, weixin_answered *done,
		 void *context);

/* Judges an answer without a call (the token's). */
void weixin_judge(const struct weixin *weixin, struct json_object *body, struct arena *arena,
		  struct weixin_answer *ret);

/* The answer that brings a token; of weixin only host and errors are read. */
void weixin_token_read(const struct weixin *weixin, struct json_object *body, struct arena *arena,
		       struct access_token_answer *ret);

/* image, voice, video or file: what /media/upload is asked for, by media type and size; NULL: none
 * of them takes it. */
const char *weixin_media_kind(const char *type, size_t len, bool has_files);
/* The attachment's bytes to the provider; what is pointed at lives until done. */
struct weixin_upload {
	const struct attachment *attachment;
	bool has_files; /* the kind "file" exists */
	/* media_id and kind, or, with NULL, why not; kind NULL: the provider takes no such file. */
	void (*done)(const char *media_id, const char *kind, const struct weixin_answer *answer,
		     void *context);
	void *context;
};
void weixin_upload(struct weixin *weixin, const struct weixin_upload *upload);

/* An attachment whose url is "media:<id>": its address, with the token. */
void weixin_find_media(struct weixin *weixin, const struct attachment *attachment,
		       struct media_search *search);
