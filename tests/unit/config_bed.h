/* Connectors for the configuration's tests: rows of every kind, and nothing behind them. */
#pragma once

#include <string.h>

#include "config.h"

struct bed_webhook {
	char *secret;
	char *deliver_url;
	bool allow_private_urls;
	bool compress;
};

struct bed_imap {
	char *url;
	char *user;
	char *password;
	char *folder;
	int64_t poll_ms;
};

struct bed_email {
	char *address;
	struct bed_imap imap;
	struct bed_imap smtp;
};

static const struct setting bed_webhook_rows[] = {
	SETTING_ROW("secret", SECRET, struct bed_webhook, secret, NULL, .flags = SETTING_REQUIRED,
		    .text = "Signs both ways."),
	SETTING_ROW("deliver_url", URL, struct bed_webhook, deliver_url, NULL,
		    .text = "Where replies go."),
	SETTING_ROW("allow_private_urls", BOOL, struct bed_webhook, allow_private_urls, "false",
		    .text = "May connect to private addresses."),
	SETTING_ROW("compress", BOOL, struct bed_webhook, compress, "false",
		    .flags = SETTING_ABSENT, .text = "Compresses."),
	SETTING_END,
};

static const char *const bed_imap_schemes[] = { "imap", "imaps", NULL };
static const char *const bed_smtp_schemes[] = { "smtp", "smtps", NULL };

static const struct setting bed_imap_rows[] = {
	SETTING_ROW("url", URL, struct bed_imap, url, NULL, .flags = SETTING_REQUIRED,
		    .choices = bed_imap_schemes, .text = "The server."),
	SETTING_ROW("user", TEXT, struct bed_imap, user, NULL, .max = 200, .text = "The user."),
	SETTING_ROW("password", SECRET, struct bed_imap, password, NULL, .text = "The password."),
	SETTING_ROW("folder", TEXT, struct bed_imap, folder, "INBOX", .max = 200,
		    .text = "The folder."),
	SETTING_ROW("poll", TIME, struct bed_imap, poll_ms, "30s", .min = 1000,
		    .text = "How often."),
	SETTING_END,
};

static const struct setting bed_smtp_rows[] = {
	SETTING_ROW("url", URL, struct bed_imap, url, NULL, .flags = SETTING_REQUIRED,
		    .choices = bed_smtp_schemes, .text = "The server."),
	SETTING_END,
};

static const struct setting bed_email_rows[] = {
	SETTING_ROW("address", TEXT, struct bed_email, address, NULL, .flags = SETTING_REQUIRED,
		    .max = 320, .text = "The mailbox's address."),
	SETTING_ROW("imap", GROUP, struct bed_email, imap, NULL, .rows = bed_imap_rows,
		    .text = "Where mail is fetched."),
	SETTING_ROW("smtp", GROUP, struct bed_email, smtp, NULL, .rows = bed_smtp_rows,
		    .text = "Where mail is sent."),
	SETTING_END,
};

static const struct connector bed_connectors[] = {
	{ .name = "webhook",
	  .settings = bed_webhook_rows,
	  .settings_size = sizeof(struct bed_webhook) },
	{ .name = "webchat" },
	{ .name = "email", .settings = bed_email_rows, .settings_size = sizeof(struct bed_email) },
};

static const struct connector *bed_at(size_t index)
{
	return index < 3 ? &bed_connectors[index] : NULL;
}

static const struct connector *bed_find(const char *name)
{
	for (size_t i = 0; i < 3; i++) {
		if (strcmp(bed_connectors[i].name, name) == 0)
			return &bed_connectors[i];
	}
	return NULL;
}

static int bed_load(const char *path, struct error *err)
{
	return error_set(err, ERROR_MISUSE, "no plug-in at %s", path);
}

static const struct config_registry bed_registry = { bed_find, bed_at, bed_load };
