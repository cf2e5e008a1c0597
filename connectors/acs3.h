/* Signature version 3 of Alibaba Cloud's APIs (ACS3-HMAC-SHA256), for calls that have their
 * parameters in the query and no body. Source: the vendor's description of V3 signatures. */
#pragma once

#include "converge/connector.h"

struct acs3_request {
	const char *method;
	const char *host;   /* as the Host field has it, with a port that is not the usual one */
	const char *query;  /* sorted by name, escaped by RFC 3986 */
	const char *action; /* "SendSms" */
	const char *version;
	const char *date;  /* "2026-01-02T03:04:05Z" */
	const char *nonce; /* new for every call */
	const char *key_id;
	const char *key_secret;
};

enum { ACS3_FIELDS = 13 };

/* The request's fields, name and value in turn, ended by NULL. */
const char *const *acs3_fields(const struct host *host, struct arena *arena,
			       const struct acs3_request *request);
