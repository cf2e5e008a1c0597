/* smpp: short messages over SMPP 3.4 (SMPP Developers Forum, Issue 1.2), bound to a provider's
 * message centre as a client.
 *
 * One or more binds, where the workspace is sent from. In: deliver_sm, acknowledged when it is
 * stored. Out: submit_sm, a window of them at a time. There is no key against doubles: what was
 * written and not answered is uncertain. */
#include <stdlib.h>
#include <string.h>

#include "smpp_private.h"
#include "sms_text.h"

enum { TEXT_MAX = 1600, BINDS_MAX = SMPP_SESSIONS_MAX / 2, AGAIN_MS = 1000 };
enum bind_kind { BIND_TRANSCEIVER, BIND_SEPARATE };

static const char *const bind_kinds[] = { "transceiver", "separate", NULL };
static const char *const tons[] = { "auto",         "unknown",     "international",
				    "national",     "network",     "subscriber",
				    "alphanumeric", "abbreviated", NULL };
static const char *const alphabets[] = { "gsm7", "latin1", "ascii", NULL };
static const char *const long_kinds[] = { "udh", "udh16", "sar", "payload", NULL };
static const char *const receipt_kinds[] = { "always", "failure", "never", NULL };
static const char *const id_bases[] = { "same", "hex_in_response", "hex_in_receipt", NULL };

#define ROW(name, kind, member, fallback, ...)                                                     \
	SETTING_ROW(name, kind, struct smpp_settings, member, fallback, __VA_ARGS__)

static const struct setting smpp_settings_rows[] = {
	ROW("host", TEXT, host, NULL, .flags = SETTING_REQUIRED,
	    .text = "The provider's message centre: a name or an address."),
	ROW("port", COUNT, port, "2775", .min = 1, .max = 65535,
	    .text = "Its port: usually 2775, or 3550 with TLS."),
	ROW("tls", BOOL, tls, "false",
	    .text = "Speak TLS from the first byte; the certificate and its name are checked."),
	ROW("ca_file", PATH, ca_file, NULL,
	    .text = "Certificates to check it by, instead of the system's."),
	ROW("system_id", TEXT, system_id, NULL, .flags = SETTING_REQUIRED,
	    .text = "The account's name, at most 15 characters."),
	ROW("password", SECRET, password, NULL, .text = "Its password, at most 8 characters."),
	ROW("system_type", TEXT, system_type, NULL,
	    .text = "Where the provider wants one, at most 12 characters."),
	ROW("address_range", TEXT, address_range, NULL,
	    .text = "Which numbers' messages to be given, where the provider wants it said."),
	ROW("bind", CHOICE, bind, "transceiver", .choices = bind_kinds,
	    .text = "One connection for both ways, or separate ones as transmitter and receiver."),
	ROW("binds", COUNT, binds, "1", .min = 1, .max = BINDS_MAX,
	    .text = "How many connections (pairs of them with separate)."),
	ROW("source_addr", TEXT, source_addr, NULL,
	    .text = "Who sends: a number such as +8613900000000, a short code, or up to 11 "
		    "letters and digits."),
	ROW("source_ton", CHOICE, source_ton, "auto", .choices = tons,
	    .text = "Its type of number; auto: by its looks."),
	ROW("source_npi", COUNT, source_npi, "1", .max = 18,
	    .text = "Its numbering plan; 0 goes with letters in any case."),
	ROW("dest_ton", CHOICE, dest_ton, "auto", .choices = tons,
	    .text = "Type of number of those written to; auto: by the leading +."),
	ROW("dest_npi", COUNT, dest_npi, "1", .max = 18, .text = "Their numbering plan."),
	ROW("answer_from_same", BOOL, answer_from_same, "false",
	    .text = "Answer from the number that was written to, instead of source_addr."),
	ROW("bare_is_international", BOOL, bare_is_international, "false",
	    .text = "A sender's number of unknown type is an international one without its +."),
	ROW("service_type", TEXT, service_type, NULL,
	    .text = "Where the provider wants one, at most 5 characters."),
	ROW("window_size", COUNT, window, "10", .min = 1, .max = 100,
	    .text = "Messages on each connection that wait for an answer at the same time."),
	ROW("throughput", COUNT, throughput, "0", .max = 100000,
	    .text = "Messages a second over all connections, each part counted; 0: no limit."),
	ROW("enquire_link", TIME, enquire_ms, "30s", .min = 100, .max = 3600000,
	    .text = "How long a connection may be silent before it is asked whether it lives."),
	ROW("enquire_timeout", TIME, answer_ms, "15s", .min = 100, .max = 300000,
	    .text = "How long that answer may take before the connection is given up."),
	ROW("response_timeout", TIME, response_ms, "60s", .min = 100, .max = 90000,
	    .text = "How long a submit_sm_resp may take; after it the message is uncertain."),
	ROW("reconnect", TIME, reconnect_ms, "5s", .min = 50, .max = 60000,
	    .text = "The first pause after a break; it doubles up to a minute."),
	ROW("data_coding_0", CHOICE, alphabet, "gsm7", .choices = alphabets,
	    .text = "What data_coding 0 means to this provider."),
	ROW("long_messages", CHOICE, long_messages, "udh", .choices = long_kinds,
	    .text = "How long texts leave: parts with a header (8 or 16 bits of reference), "
		    "sar parameters, or one message_payload."),
	ROW("registered_delivery", CHOICE, registered_delivery, "always", .choices = receipt_kinds,
	    .text = "Which receipts to ask for."),
	ROW("message_id_base", CHOICE, id_base, "same", .choices = id_bases,
	    .text = "Whether response and receipt write a message's id in different bases."),
	ROW("receipt_id_field", TEXT, receipt_id, "id",
	    .text = "The receipt text's field that names the message."),
	ROW("receipt_state_field", TEXT, receipt_state, "stat", .text = "Its field for the state."),
	ROW("receipt_error_field", TEXT, receipt_error, "err",
	    .text = "Its field for the error code."),
	ROW("parts_wait", TIME, parts_wait_ms, "10m", .min = 100, .max = 3600000,
	    .text = "How long a long message waits for its missing parts."),
	SETTING_END,
};

/* One per process, given by open(): parse() has only a const channel. */
static const struct host *host;

const struct host *smpp_host(void)
{
	return host;
}

const struct smpp_settings *smpp_settings(const struct smpp_state *state)
{
	return host->channel_settings(state->channel);
}

int64_t smpp_now(void)
{
	return host->unix_ms();
}

/* ---- the clock ---- */

void smpp_wake_by(struct smpp_state *state, int64_t at_ms)
{
	int64_t now_ms = smpp_now();

	if (at_ms >= state->wake_ms || state->is_closing)
		return;
	state->wake_ms = at_ms;
	host->wake(state->channel, at_ms > now_ms ? at_ms - now_ms : 0);
}

static void on_join_read(const char *value, const char *error, void *context)
{
	struct smpp_state *state = context;

	state->is_reading = false;
	if (!state->is_mine || state->is_closing)
		return;
	if (error) {
		host->log(state->channel, 1, "event=parts_not_read error=\"%s\"", error);
		smpp_wake_by(state, smpp_now() + AGAIN_MS);
		return;
	}
	smpp_join_clear(&state->join);
	smpp_join_read(&state->join, value ? value : "");
	state->has_join = true;
	smpp_tick(state);
}

void smpp_tick(struct smpp_state *state)
{
	struct smpp_session *next;

	state->wake_ms = INT64_MAX;
	for (struct smpp_session *trial = state->trials; trial; trial = next) {
		next = trial->next;
		smpp_session_tick(trial);
	}
	/* Nothing is taken before it is known which parts are there already. */
	if (state->has_join) {
		for (size_t i = 0; i < state->session_count; i++)
			smpp_session_tick(&state->sessions[i]);
		smpp_receive_tick(state);
	} else if (!state->is_reading) {
		state->is_reading = true;
		host->cursor_get(state->channel, on_join_read, state);
	}
	smpp_submit_tick(state);
}

static void smpp_poll(struct channel *channel, bool lost)
{
	struct smpp_state *state = host->channel_state(channel);

	state->is_mine = !lost;
	if (!lost) {
		smpp_tick(state);
		return;
	}
	smpp_queue_give_back(state, "not_bound", "another instance sends by now");
	smpp_receive_stop(state);
	for (size_t i = 0; i < state->session_count; i++)
		smpp_session_leave(&state->sessions[i]);
	state->wake_ms = INT64_MAX;
}

/* ---- life ---- */

static const char *too_long(const struct smpp_settings *settings)
{
	const struct {
		const char *value;
		size_t max;
		const char *why;
	} limits[] = {
		{ settings->system_id, 15, "system_id must have at most 15 characters" },
		{ settings->password, 8, "password must have at most 8 characters" },
		{ settings->system_type, 12, "system_type must have at most 12 characters" },
		{ settings->address_range, 40, "address_range must have at most 40 characters" },
		{ settings->service_type, 5, "service_type must have at most 5 characters" },
		{ settings->source_addr, 20, "source_addr must have at most 20 characters" },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i].value && strlen(limits[i].value) > limits[i].max)
			return limits[i].why;
	return NULL;
}

static void sessions_open(struct smpp_state *state)
{
	static const enum smpp_command commands[] = { SMPP_BIND_TRANSMITTER, SMPP_BIND_RECEIVER };
	const struct smpp_settings *settings = smpp_settings(state);
	bool is_separate = settings->bind == BIND_SEPARATE;

	state->session_count = (size_t)settings->binds * (is_separate ? 2 : 1);
	state->sessions = calloc(state->session_count, sizeof(*state->sessions));
	if (!state->sessions)
		abort();
	for (size_t i = 0; i < state->session_count; i++) {
		state->sessions[i].state = state;
		state->sessions[i].command = is_separate ? commands[i % 2] : SMPP_BIND_TRANSCEIVER;
	}
}

static int smpp_open(const struct host *core, struct channel *channel, const char **ret_error)
{
	const struct smpp_settings *settings = core->channel_settings(channel);
	struct smpp_state *state = core->channel_state(channel);
	uint16_t random;

	host = core;
	if (!settings->host || !settings->host[0])
		*ret_error = "host must not be empty";
	else if (!settings->system_id || !settings->system_id[0])
		*ret_error = "system_id must not be empty";
	else
		*ret_error = too_long(settings);
	if (*ret_error)
		return -1;
	host->random(&random, sizeof(random));
	state->channel = channel;
	state->reference = random;
	state->wake_ms = INT64_MAX;
	state->window = settings->window;
	state->repeats = calloc(1, sizeof(*state->repeats));
	if (!state->repeats)
		abort();
	sessions_open(state);
	return 0;
}

static void smpp_close(struct channel *channel)
{
	struct smpp_state *state = host ? host->channel_state(channel) : NULL;

	if (!state || !state->sessions)
		return;
	state->is_closing = true;
	for (size_t i = 0; i < state->session_count; i++)
		smpp_session_end(&state->sessions[i], "the channel is closing");
	smpp_queue_give_back(state, "not_bound", "the channel is closing");
	smpp_receive_stop(state);
	free(state->sessions);
	free(state->repeats);
	state->sessions = NULL;
	state->session_count = 0;
}

static void smpp_estimate(const struct channel *channel, const char *text,
			  struct text_estimate *ret)
{
	(void)channel;
	sms_estimate(text, ret);
}

/* Soon again and again: what a provider cannot take now it can take in a minute. */
static const int64_t retry_ms[] = { 0,      5000,    15000,   60000,    300000,
				    900000, 1800000, 3600000, 14400000, -1 };

const struct connector smpp_connector = {
	.name = "smpp",
	.abi = CONNECTOR_ABI,
	.abilities = CAN_RECEIVE | CAN_SEND | HAS_RECEIPTS | PROVIDER_RETRIES | POLLS_WHERE_SENDS |
		     HAS_OPT_OUT_WORDS,
	.body_format = BODY_RAW,
	.max_text = TEXT_MAX,
	.text_unit = TEXT_UTF16,
	.remember_ms = SMPP_REPEAT_MS,
	.identifier_kind = "phone",
	.retry_ms = retry_ms,
	.settings_size = sizeof(struct smpp_settings),
	.settings = smpp_settings_rows,
	.state_size = sizeof(struct smpp_state),
	.open = smpp_open,
	.close = smpp_close,
	.parse = smpp_read,
	.send = smpp_send,
	.poll = smpp_poll,
	.test = smpp_test,
	.estimate = smpp_estimate,
};
