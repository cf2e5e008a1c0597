/* A person that a host application vouches for: a JWT over who it is, for the
 * connectors that take one. Their settings and their check. */
#pragma once

#include "converge/connector.h"

enum { SIGNED_IDENTITY_KEY_BYTES = 32 };

struct signed_identity_settings {
	char *secret;
	char *public_key;
	char *audience;
	char *issuer;
	bool required;
};

struct signed_identity {
	const struct host *host;
	const struct signed_identity_settings *settings;
	unsigned char public_key[SIGNED_IDENTITY_KEY_BYTES];
	bool has_public_key;
	const char *audience;
};

/* Rows of a connector whose settings have a member of that struct. */
#define SIGNED_IDENTITY_ROWS(type, member)                                                         \
	SETTING_ROW("identity_secret", SECRET, type, member.secret, NULL,                          \
		    .text = "Shared with the application that signs who the person is (HS256); "   \
			    "at least 32 bytes."),                                                 \
		SETTING_ROW("identity_public_key", TEXT, type, member.public_key, NULL,            \
			    .text = "The application's Ed25519 public key in base64, instead of "  \
				    "a shared secret (EdDSA)."),                                   \
		SETTING_ROW("identity_audience", TEXT, type, member.audience, NULL,                \
			    .text = "What aud must name; none: the channel's name."),              \
		SETTING_ROW("identity_issuer", TEXT, type, member.issuer, NULL,                    \
			    .text = "What iss must be; none: not asked."),                         \
		SETTING_ROW("require_identity", BOOL, type, member.required, "false",              \
			    .text = "Refuse who comes without a signed identity.")

/* At open: 0, or -1 with a phrase. settings must outlive ret. */
int signed_identity_open(const struct host *host, const struct channel *channel,
			 const struct signed_identity_settings *settings,
			 struct signed_identity *ret, const char **ret_error);

/* 0 with the claims in the arena, or -1 with a phrase that says which rule was broken. */
int signed_identity_check(const struct signed_identity *identity,
			  const struct host_jwt *token /* token and now_s */, struct arena *arena,
			  struct host_jwt_claims *ret, const char **ret_error);
