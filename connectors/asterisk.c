/* asterisk: calls in the queues of an Asterisk PBX, by its manager interface
 * (AMI over TCP; docs.asterisk.org, Asterisk Manager Interface).
 *
 * In only. AMI tells an event once and has no ids: what nobody heard is found
 * after a reconnect by comparing the calls that we know (kept as the channel's
 * cursor) with the lists of channels and of waiting callers. */
#include <string.h>

#include "asterisk_private.h"

static const char *const auth_names[] = { "md5", "plain", NULL };
static const char *const agent_names[] = { "interface", "member", NULL };

/* What is written into a line of AMI must not end it. */
static const char *check_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return "must be one line without control characters";
	return NULL;
}

static const struct setting asterisk_settings_rows[] = {
	SETTING_ROW("host", TEXT, struct asterisk_settings, host, NULL, .flags = SETTING_REQUIRED,
		    .check = check_line, .text = "Where Asterisk is."),
	SETTING_ROW("port", COUNT, struct asterisk_settings, port, "5038", .min = 1, .max = 65535,
		    .text = "manager.conf, port (tlsbindaddr: 5039)."),
	SETTING_ROW("tls", BOOL, struct asterisk_settings, tls, "false",
		    .text = "Talk TLS (manager.conf, tlsenable)."),
	SETTING_ROW("ca_file", PATH, struct asterisk_settings, ca_file, NULL,
		    .text = "Who signed Asterisk's certificate; none: the system's."),
	SETTING_ROW("username", TEXT, struct asterisk_settings, username, NULL,
		    .flags = SETTING_REQUIRED, .check = check_line,
		    .text = "manager.conf, the name of the user's section."),
	SETTING_ROW("secret", SECRET, struct asterisk_settings, secret, NULL,
		    .flags = SETTING_REQUIRED, .check = check_line,
		    .text = "manager.conf, secret of that user."),
	SETTING_ROW("auth", CHOICE, struct asterisk_settings, auth, "md5", .choices = auth_names,
		    .text = "md5: the secret is not sent; plain: it is."),
	SETTING_ROW("queues", LIST, struct asterisk_settings, queues, NULL,
		    .text = "The queues whose calls are taken; none: all."),
	SETTING_ROW("agent", CHOICE, struct asterisk_settings, agent, "interface",
		    .choices = agent_names,
		    .text = "What of a queue's member is looked for in an agent's lines: its "
			    "interface, such as PJSIP/101, or the member's name."),
	SETTING_ROW("trust_caller", BOOL, struct asterisk_settings, trust_caller, "true",
		    .text = "The caller's number says who calls. Numbers can be forged: with false "
			    "a known customer is only suggested."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

const struct host *asterisk_host(void)
{
	return host;
}

static int asterisk_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct asterisk_settings *settings = core->channel_settings(channel);

	host = core;
	if (!settings->host || !settings->host[0])
		*ret_error = "host must not be empty";
	else if (!settings->username || !settings->username[0] || check_line(settings->username))
		*ret_error = "username must be one line that is not empty";
	else if (!settings->secret || check_line(settings->secret))
		*ret_error = "secret must be one line";
	else
		return 0;
	return -1;
}

static void asterisk_close(struct channel *channel)
{
	asterisk_forget(host->channel_state(channel));
}

const struct connector asterisk_connector = {
	.name = "asterisk",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | HAS_CALLS,
	.body_format = BODY_RAW,
	.identifier_kind = "phone",
	.settings_size = sizeof(struct asterisk_settings),
	.settings = asterisk_settings_rows,
	.state_size = sizeof(struct asterisk_state),
	.open = asterisk_open,
	.close = asterisk_close,
	.parse = asterisk_parse,
	.poll = asterisk_poll,
	.test = asterisk_test,
};
