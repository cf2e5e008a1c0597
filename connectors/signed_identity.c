#include "signed_identity.h"

#include <string.h>

enum { SECRET_MIN_BYTES = 32 };

static bool is_set(const char *text)
{
	return text && text[0];
}

int signed_identity_open(const struct host *host, const struct channel *channel,
			 const struct signed_identity_settings *settings,
			 struct signed_identity *ret, const char **ret_error)
{
	*ret = (struct signed_identity){ .host = host, .settings = settings };
	ret->audience =
		is_set(settings->audience) ? settings->audience : host->channel_name(channel);
	if (is_set(settings->public_key)) {
		if (host->unbase64(settings->public_key, strlen(settings->public_key),
				   ret->public_key,
				   sizeof(ret->public_key)) != SIGNED_IDENTITY_KEY_BYTES) {
			*ret_error = "identity_public_key must be the base64 of 32 bytes";
			return -1;
		}
		ret->has_public_key = true;
	}
	if (is_set(settings->secret) && strlen(settings->secret) < SECRET_MIN_BYTES) {
		*ret_error = "identity_secret must be at least 32 bytes";
		return -1;
	}
	if (settings->required && !ret->has_public_key && !is_set(settings->secret)) {
		*ret_error = "require_identity needs identity_secret or identity_public_key";
		return -1;
	}
	return 0;
}

int signed_identity_check(const struct signed_identity *identity, const struct host_jwt *token,
			  struct arena *arena, struct host_jwt_claims *ret, const char **ret_error)
{
	const struct signed_identity_settings *settings = identity->settings;
	struct host_jwt check = {
		.token = token->token,
		.secret = is_set(settings->secret) ? settings->secret : NULL,
		.secret_len = is_set(settings->secret) ? strlen(settings->secret) : 0,
		.public_key = identity->has_public_key ? identity->public_key : NULL,
		.audience = identity->audience,
		.issuer = is_set(settings->issuer) ? settings->issuer : NULL,
		.now_s = token->now_s,
	};

	return identity->host->jwt(&check, arena, ret, ret_error) ? 0 : -1;
}
