/* What the files of http_sms share. */
#pragma once

#include "converge/connector.h"
#include "provider_call.h"

struct http_sms_send {
	int method;
	char *url;
	int type; /* enum sms_escape */
	char *body;
	struct setting_texts headers;
};

struct http_sms_answer {
	int format;     /* 0 JSON, 1 text */
	char *accepted; /* "path=value|value", of a text what it begins with; "": any 2xx */
	char *id;       /* path, of a text what the id stands behind */
	char *code;
	char *why;
	struct setting_texts retry_codes;
	struct setting_texts reauth_codes;
};

struct http_sms_incoming {
	int format; /* 0 JSON, 1 form */
	char *list;
	char *message_if; /* "path=value|value"; "": all are */
	char *id;
	char *from;
	char *text;
	char *answer;
};

struct http_sms_receipts {
	char *receipt_if;
	char *id;
	char *status;
	char *code;
	struct setting_texts delivered;
	struct setting_texts failed;
};

struct http_sms_settings {
	char *number;
	char *sign_name;
	char *api_key;
	char *user;
	char *password;
	char *callback_secret;
	char *callback_token;
	char *signature_header;
	char *token_header;
	char *test_url;
	bool allow_private_urls;
	struct http_sms_send send;
	struct http_sms_answer answer;
	struct http_sms_incoming incoming;
	struct http_sms_receipts receipts;
};

const struct host *http_sms_host(void); /* given to open() */

/* Is a text, given as found at a path, among the values of "path=value|value"? */
bool http_sms_is_among(const char *condition, const char *found);
/* The path of "path=value"; what stands before the =. */
const char *http_sms_path_of(struct arena *arena, const char *condition);
/* A text or a number of JSON as a text; "": neither. */
const char *http_sms_scalar(struct arena *arena, struct json_object *value, const char *path);
bool http_sms_listed(const struct setting_texts *list, const char *word);

/* The names of all templates; message NULL: for a check of them. */
const struct host_pair *http_sms_values(const struct http_sms_settings *settings,
					struct arena *arena, const struct outbound *message);
/* name, value ..., NULL */
const char *const *http_sms_fields(const struct http_sms_settings *settings, struct arena *arena,
				   const struct host_pair *values);
void http_sms_send(struct channel *channel, const struct outbound *message,
		   struct delivery *delivery);
void http_sms_test(struct channel *channel,
		   void (*done)(bool ok, const char *phrase, void *context), void *context);
