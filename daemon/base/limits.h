/* Every bound on bytes that come from outside, in one place. A setting may
 * lower or raise those that docs/configuration.md names; a connector may raise
 * its own body limit. */
#pragma once

enum {
	/* HTTP server */
	LIMIT_HTTP_HEADER_BYTES = 16 * 1024,
	LIMIT_HTTP_FIELDS = 64,
	LIMIT_HTTP_BODY_BYTES = 1024 * 1024,
	LIMIT_MEDIA_BYTES = 25 * 1024 * 1024,
	LIMIT_VISITOR_BYTES = 10 * 1024 * 1024,       /* one file of a visitor */
	LIMIT_CONFIGURATION_BYTES = 16 * 1024 * 1024, /* of all objects applied at once */
	LIMIT_HTTP_HEADER_MS = 10 * 1000,
	LIMIT_HTTP_REQUEST_MS = 30 * 1000,
	LIMIT_HTTP_IDLE_PER_SOURCE = 10,
	/* messages of one conversation in one millisecond: places between two positions */
	LIMIT_PLACES_PER_MS = 4096,
	/* JSON */
	LIMIT_JSON_DEPTH = 32,
	/* mail */
	LIMIT_MIME_DEPTH = 32,
	LIMIT_MIME_PARTS = 1000,
	LIMIT_MAIL_BYTES = 25 * 1024 * 1024,
	LIMIT_MAIL_HEADER_LINE = 64 * 1024,
	LIMIT_MAIL_HEADER_BYTES = 1024 * 1024,
	LIMIT_MAIL_ADDRESSES = 1000,
	LIMIT_MAIL_DECODED_BYTES = 50 * 1024 * 1024,
	/* messages */
	LIMIT_TEXT_BYTES = 256 * 1024, /* text of one message after normalisation */
	LIMIT_NAME_BYTES = 200,
	LIMIT_ID_BYTES = 512, /* a provider's message id, a thread key */
	LIMIT_ADDRESS_BYTES = 320,
	LIMIT_ATTACHMENTS = 50,
	LIMIT_IDENTIFIERS = 8,
	LIMIT_VISITOR_MAIL_BYTES = 20 * 1000,
	LIMIT_DRAFT_BYTES = 64 * 1024,     /* what an agent writes and has not sent */
	LIMIT_MESSAGES_PER_REQUEST = 1000, /* what Meta puts into one batch at most */
	/* webhooks */
	LIMIT_TIMESTAMP_SKEW_S = 300,
};
