#include "acs3.h"

#include <string.h>

static const char signed_names[] = "host;x-acs-action;x-acs-content-sha256;x-acs-date;"
				   "x-acs-signature-nonce;x-acs-version";

static const char *sha256_hex(const struct host *host, struct arena *arena, const char *text)
{
	unsigned char hash[32];

	host->sha256(text, strlen(text), hash);
	return host->hex(arena, hash, sizeof(hash));
}

const char *const *acs3_fields(const struct host *host, struct arena *arena,
			       const struct acs3_request *request)
{
	const char *body_hash = sha256_hex(host, arena, "");
	const char *canonical = host->format(
		arena,
		"%s\n/\n%s\nhost:%s\nx-acs-action:%s\nx-acs-content-sha256:%s\nx-acs-date:%s\n"
		"x-acs-signature-nonce:%s\nx-acs-version:%s\n\n%s\n%s",
		request->method, request->query, request->host, request->action, body_hash,
		request->date, request->nonce, request->version, signed_names, body_hash);
	const char *text =
		host->format(arena, "ACS3-HMAC-SHA256\n%s", sha256_hex(host, arena, canonical));
	const char *fields[ACS3_FIELDS] = {
		"x-acs-action",  request->action,  "x-acs-content-sha256",  body_hash,
		"x-acs-date",    request->date,    "x-acs-signature-nonce", request->nonce,
		"x-acs-version", request->version, "authorization"
	};
	unsigned char mac[32];
	const char **kept = host->alloc(arena, sizeof(fields));

	host->hmac_sha256(request->key_secret, strlen(request->key_secret), text, strlen(text),
			  mac);
	fields[ACS3_FIELDS - 2] =
		host->format(arena, "ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s",
			     request->key_id, signed_names, host->hex(arena, mac, sizeof(mac)));
	memcpy(kept, fields, sizeof(fields));
	return kept;
}
