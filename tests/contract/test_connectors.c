/* Every connector of the registry against the contract; what differs between
 * them is data: tests/data/<connector>/contract.json, and <case>.json with its
 * <case>.expect. */
#include <criterion/criterion.h>
#include <glob.h>

#include "fixture.h"
#include "peer.h"

static struct json_object *read_json(const char *path)
{
	char *text = fixture_read_file(path);
	struct error err = { 0 };
	struct json_object *json;

	if (!text)
		return NULL;
	json = json_read(text, strlen(text), &err);
	cr_assert_not_null(json, "%s: %s", path, err.text);
	free(text);
	return json;
}

static char *canonical(struct json_object *value)
{
	struct buf buf = { 0 };
	char *text;

	json_append(value, &buf);
	text = memory_copy(buf_string(&buf), buf.len);
	buf_clear(&buf);
	return text;
}

static struct json_object *contract_of(const struct connector *connector)
{
	char path[512];
	struct json_object *json;

	snprintf(path, sizeof(path), TEST_DATA "/%s/contract.json", connector->name);
	json = read_json(path);
	cr_assert_not_null(json, "%s is missing", path);
	return json;
}

/* Opens the connector with its contract settings, PEER replaced by the port. */
static void open_contract(struct fixture *fixture, const struct connector *connector,
			  struct json_object *contract, int port)
{
	char *settings = canonical(json_at(contract, "settings"));
	char *at = strstr(settings, "PEER");
	char *filled = at ? arena_format(fixture->arena, "%.*s%d%s", (int)(at - settings), settings,
					 port, at + 4)
			  : settings;

	cr_assert_eq(fixture_open(fixture, connector->name, filled), 0, "%s", connector->name);
	free(settings);
}

Test(connectors, have_the_slots_and_settings_they_promise)
{
	const struct connector *connector;

	cr_assert_not_null(connector_at(0));
	for (size_t i = 0; (connector = connector_at(i)); i++) {
		struct error err = { 0 };

		cr_expect_eq(connector_check(connector, &err), 0, "%s", err.text);
		cr_expect_eq(connector_find(connector->name), connector);
	}
	cr_expect_null(connector_find("nothing"));
}

Test(connectors, are_refused_with_a_reason_when_a_slot_is_missing)
{
	struct connector broken = *connector_find("webhook");
	struct error err = { 0 };

	broken.send = NULL;
	cr_expect_lt(connector_check(&broken, &err), 0);
	cr_expect(strstr(err.text, "CAN_SEND needs the slot send"), "%s", err.text);
	broken = *connector_find("webhook");
	broken.abi = 99;
	cr_expect_lt(connector_check(&broken, &err), 0);
	cr_expect(strstr(err.text, "ABI 99"), "%s", err.text);
	broken = *connector_find("webhook");
	broken.name = "Web Hook";
	cr_expect_lt(connector_check(&broken, &err), 0);
	cr_expect_lt(connector_load("/nonexistent.so", &err), 0);
	cr_expect(strstr(err.text, "nonexistent"), "%s", err.text);
}

static const struct {
	const char *file;
	const char *error; /* NULL: loaded */
} plugins[] = {
	{ "plugin_sample", NULL },
	{ "plugin_sample", NULL }, /* a reload names it again */
	{ "plugin_old", "built for ABI 99" },
	{ "plugin_twin", "named webhook is there already" },
	{ "plugin_mute", "has no symbol converge_connector" },
	{ "plugin_none", "cannot open" },
};

Test(connectors, may_be_loaded_and_are_refused_with_a_reason)
{
	struct fixture fixture;
	struct delivery delivery;
	struct outbound message = { .id = "msg_1" };

	for (size_t i = 0; i < COUNT_OF(plugins); i++) {
		struct error err = { 0 };
		char path[512];
		int status;

		snprintf(path, sizeof(path), BUILD_DIR "/tests/%s.so", plugins[i].file);
		status = connector_load(path, &err);
		cr_expect_eq(status, plugins[i].error ? -1 : 0, "%s: %s", path, err.text);
		if (plugins[i].error)
			cr_expect(strstr(err.text, plugins[i].error), "%s: %s", path, err.text);
	}
	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "sample", "{}"), 0);
	delivery.channel = fixture.channel;
	channel_connector(fixture.channel)->send(fixture.channel, &message, &delivery);
	cr_expect_str_eq(fixture.provider_id, "msg_1");
	fixture_stop(&fixture);
	connectors_unload();
	cr_expect_null(connector_find("sample"));
}

/* ---- requests that nobody signed ---- */

/* out: NULL, or where the answer to a handshake is written down. */
static enum verdict verify_into(struct fixture *fixture, struct json_object *request,
				const char *body, size_t len, struct buf *out)
{
	const char *method = json_text(request, "method");
	const char *target = json_text(request, "target");
	struct request_view view = { fixture_field, fixture_query, request };
	struct inbound in = { .method = method ? method : "POST",
			      .target = target ? target : "/in/shop",
			      .public_url = json_text(request, "public_url"),
			      .source = json_text(request, "source"),
			      .body = body,
			      .body_len = len,
			      .request = &view };
	struct arena *arena = arena_new(0);
	struct parsed parsed = { 0 };
	enum verdict verdict;

	in.now_s = request ? json_int(request, "now_s", 0) : 0;
	verdict =
		channel_connector(fixture->channel)->verify(fixture->channel, &in, arena, &parsed);
	if (out && verdict == HANDSHAKE)
		buf_format(out, "answer %d %s %s\n", parsed.answer_status, parsed.answer_type,
			   parsed.answer_body);
	arena_free(&arena);
	return verdict;
}

static enum verdict verify_bytes(struct fixture *fixture, struct json_object *request,
				 const char *body, size_t len)
{
	return verify_into(fixture, request, body, len, NULL);
}

static void check_unsigned(const struct connector *connector)
{
	static const char *const bodies[] = { "", "{", "{}", "[]", "null", "\0\0\0", "<xml/>" };
	struct json_object *contract = contract_of(connector);
	struct json_object *empty = json_read("{}", 2, NULL);
	struct fixture fixture;

	fixture_start(&fixture);
	open_contract(&fixture, connector, contract, 1);
	for (size_t i = 0; i < COUNT_OF(bodies); i++)
		cr_expect_neq(verify_bytes(&fixture, empty, bodies[i], strlen(bodies[i])), VERIFIED,
			      "%s body %zu", connector->name, i);
	fixture_stop(&fixture);
	json_free(&empty);
	json_free(&contract);
}

Test(connectors, never_verify_a_request_without_proof)
{
	const struct connector *connector;

	for (size_t i = 0; (connector = connector_at(i)); i++)
		if (connector->verify)
			check_unsigned(connector);
}

Test(connectors, close_after_an_open_that_failed)
{
	const struct connector *connector;

	for (size_t i = 0; (connector = connector_at(i)); i++) {
		struct fixture fixture;
		struct channel_options options = { .workspace = "main",
						   .name = "x",
						   .connector = connector };
		struct error err = { 0 };

		fixture_start(&fixture);
		options.settings = arena_alloc(fixture.arena, connector->settings_size + 1);
		/* nothing is set at all: open may refuse, closing must work */
		channel_open(fixture.channels, &options, &err);
		fixture_stop(&fixture);
	}
}

/* ---- golden payloads ---- */

static void dump_identifier(struct buf *out, const char *what, const struct identifier *one)
{
	buf_format(out, " %s %s:%s:%s proof %d%s%s", what, one->kind, one->scope, one->value,
		   one->proof, one->proved_by ? " by " : "", one->proved_by ? one->proved_by : "");
}

static void dump_message(struct buf *out, const struct message *message)
{
	buf_format(out, "message %s kind %d thread %s sent %lld\n", message->provider_id,
		   message->kind, message->thread, (long long)message->sent_ms);
	dump_identifier(out, "from", &message->sender);
	buf_format(out, " name %s\n", message->sender_name);
	for (size_t i = 0; i < message->other_count; i++) {
		dump_identifier(out, "also", &message->others[i]);
		buf_byte(out, '\n');
	}
	buf_format(out, " text %s\n", message->text);
	for (size_t i = 0; i < message->attachment_count; i++)
		buf_format(out, " file %s %s %s\n", message->attachments[i].name,
			   message->attachments[i].type,
			   message->attachments[i].url ? message->attachments[i].url : "-");
	if (message->extra)
		buf_format(out, " extra %s\n", message->extra);
	if (message->call)
		buf_format(out, " call state %d%s order %lld agent %s talk %lld\n",
			   message->call->state, message->call->is_outgoing ? " outgoing" : "",
			   (long long)message->call->order,
			   message->call->agent ? message->call->agent : "-",
			   (long long)message->call->talk_s);
	if (message->reply_context)
		buf_format(out, " context %s\n", message->reply_context);
	if (message->window_ms || message->window_count)
		buf_format(out, " window %lld ms %lld messages\n", (long long)message->window_ms,
			   (long long)message->window_count);
	if (message->hint.token)
		buf_format(out, " token %s\n", message->hint.token);
	for (size_t i = 0; i < message->hint.reference_count; i++)
		buf_format(out, " reference %s\n", message->hint.references[i]);
}

static void dump_receipt(struct buf *out, const struct receipt *receipt)
{
	if (receipt->provider_id)
		buf_format(out, "receipt %s", receipt->provider_id);
	else
		buf_format(out, "receipt to %s until %lld", receipt->to,
			   (long long)receipt->until_ms);
	buf_format(out, " state %d %s\n", receipt->state, receipt->error ? receipt->error : "");
}

static void dump_parsed(struct buf *out, const struct parsed *parsed)
{
	/* An answer that asks for something (TwiML). */
	if (parsed->answer_body && strstr(parsed->answer_body, "</Response>"))
		buf_format(out, "answer %d %s %s\n", parsed->answer_status, parsed->answer_type,
			   parsed->answer_body);
	for (size_t i = 0; i < parsed->message_count; i++)
		dump_message(out, &parsed->messages[i]);
	for (size_t i = 0; i < parsed->receipt_count; i++)
		dump_receipt(out, &parsed->receipts[i]);
	if (parsed->wake)
		buf_text(out, "wake\n");
}

static bool dump_verdict(struct buf *out, struct fixture *fixture, struct json_object *request)
{
	static const char *const names[] = { "VERIFIED", "FORGED", "HANDSHAKE", "IGNORED" };
	const char *body = json_text(request, "body");
	OWNED(buf_clear) struct buf answer = { 0 };
	enum verdict verdict;

	/* What was polled came without a request. */
	if (!channel_connector(fixture->channel)->verify || json_text(request, "method")[0] == '\0')
		return true;
	verdict = verify_into(fixture, request, body, strlen(body), &answer);
	buf_format(out, "verdict %s\n%s", names[verdict], buf_string(&answer));
	return verdict == VERIFIED;
}

static void dump_case(struct buf *out, struct fixture *fixture, struct json_object *request)
{
	struct request_view view = { fixture_field, fixture_query, request };
	struct visitor visitor = { .id = json_text(request, "visitor.id"),
				   .name = json_text(request, "visitor.name"),
				   .email = json_text(request, "visitor.email"),
				   .proof = PROOF_CHANNEL };
	struct inbound in = { .method = json_text(request, "method"),
			      .request = &view,
			      .target = json_text(request, "target"),
			      .body = json_text(request, "body"),
			      .envelope_to = json_text(request, "envelope_to"),
			      .now_s = json_int(request, "now_s", 0),
			      .visitor = visitor.id ? &visitor : NULL };
	struct parsed parsed = { 0 };
	const char *error = "";

	in.body_len = strlen(in.body);
	if (!dump_verdict(out, fixture, request))
		return;
	if (channel_connector(fixture->channel)
		    ->parse(fixture->channel, &in, fixture->arena, &parsed, &error) < 0)
		buf_format(out, "error %s\n", error);
	else
		dump_parsed(out, &parsed);
}

static void run_case(const struct connector *connector, const char *path)
{
	struct json_object *json = read_json(path);
	char *settings = canonical(json_at(json, "settings"));
	char expect_path[512];
	struct fixture fixture;
	struct buf out = { 0 };
	char *expected;

	snprintf(expect_path, sizeof(expect_path), "%.*s.expect", (int)(strlen(path) - 5), path);
	expected = fixture_read_file(expect_path);
	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, connector->name, settings), 0, "%s", path);
	dump_case(&out, &fixture, json_at(json, "request"));
	if (getenv("UPDATE_EXPECT")) {
		FILE *file = fopen(expect_path, "wb");

		fputs(buf_string(&out), file);
		fclose(file);
	} else {
		cr_expect_str_eq(buf_string(&out), expected ? expected : "", "%s:\n%s", path,
				 buf_string(&out));
	}
	buf_clear(&out);
	fixture_stop(&fixture);
	free(expected);
	free(settings);
	json_free(&json);
}

Test(connectors, read_their_golden_payloads)
{
	const struct connector *connector;

	for (size_t i = 0; (connector = connector_at(i)); i++) {
		char pattern[512];
		glob_t found;
		int cases = 0;

		snprintf(pattern, sizeof(pattern), TEST_DATA "/%s/*.json", connector->name);
		cr_assert_eq(glob(pattern, 0, NULL, &found), 0, "%s", pattern);
		for (size_t j = 0; j < found.gl_pathc; j++) {
			if (strstr(found.gl_pathv[j], "/contract.json"))
				continue;
			run_case(connector, found.gl_pathv[j]);
			cases++;
		}
		globfree(&found);
		cr_expect_gt(cases, 0, "%s has no golden payload", connector->name);
	}
}

/* A request whose proof was for other bytes. */
static void tamper(const struct connector *connector, const char *path)
{
	struct json_object *json = read_json(path);
	struct json_object *request = json_at(json, "request");
	char *settings = canonical(json_at(json, "settings"));
	const char *body = json_text(request, "body");
	size_t len = strlen(body);
	struct fixture fixture;

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, connector->name, settings), 0);
	/* A token beside the body cannot cover it. */
	if (json_bool(json, "proof_covers_body", true) &&
	    verify_bytes(&fixture, request, body, len) == VERIFIED) {
		for (size_t i = 0; i < len; i++) {
			char *changed = memory_copy(body, len);

			changed[i] ^= 1;
			cr_expect_neq(verify_bytes(&fixture, request, changed, len), VERIFIED,
				      "%s: byte %zu", path, i);
			cr_expect_neq(verify_bytes(&fixture, request, body, i), VERIFIED,
				      "%s: cut at %zu", path, i);
			free(changed);
		}
	}
	fixture_stop(&fixture);
	free(settings);
	json_free(&json);
}

static void tamper_all(const struct connector *connector)
{
	char pattern[512];
	glob_t found;

	snprintf(pattern, sizeof(pattern), TEST_DATA "/%s/*.json", connector->name);
	cr_assert_eq(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (!strstr(found.gl_pathv[i], "/contract.json"))
			tamper(connector, found.gl_pathv[i]);
	globfree(&found);
}

Test(connectors, never_verify_a_changed_or_cut_body)
{
	const struct connector *connector;

	for (size_t i = 0; (connector = connector_at(i)); i++) {
		struct json_object *contract = contract_of(connector);

		if (json_bool(contract, "proof_covers_body", false))
			tamper_all(connector);
		json_free(&contract);
	}
}

/* ---- sends, with every kind of peer ---- */

static const struct {
	const char *name;
	enum peer_mode mode;
} modes[] = {
	{ "answers", PEER_ANSWERS }, { "refuses", PEER_REFUSES }, { "hangs", PEER_HANGS },
	{ "drops", PEER_DROPS },     { "floods", PEER_FLOODS },
};

static struct outbound outbound_of(struct json_object *contract)
{
	return (struct outbound){
		.id = "msg_01KAAAAAAAAAAAAAAAAAAAAAAA",
		.conversation = "cnv_1",
		.text = "你好",
		.to = json_text(contract, "to"),
		.to_name = "Ann",
		.thread = "",
		.reply_token = "0123456789abcdefghjkmnpq",
		.created_ms = 1767322800000,
		.attempt = 1,
	};
}

static void send_once(const struct connector *connector, enum peer_mode mode, const char *name)
{
	struct json_object *contract = contract_of(connector);
	const char *reply = json_text(contract, "reply");
	struct outbound message = outbound_of(contract);
	struct delivery delivery;
	struct fixture fixture;
	struct peer peer;

	fixture_begin(&fixture, true);
	peer_start(&peer, fixture.loop, mode, reply ? reply : peer_ok);
	open_contract(&fixture, connector, contract, peer.port);
	delivery.channel = fixture.channel;
	connector->send(fixture.channel, &message, &delivery);
	/* A peer that hangs, without a short timeout to be set, is cut off by closing. */
	while (fixture.sent + fixture.failed == 0 &&
	       (mode != PEER_HANGS || json_at(contract, "settings.timeout")))
		loop_turn(fixture.loop, true);
	for (int i = 0; i < 20; i++)
		loop_turn(fixture.loop, false);
	peer_stop(&peer);
	channels_free(&fixture.channels);
	cr_expect_eq(fixture.sent + fixture.failed, 1, "%s, peer %s: sent %d, failed %d",
		     connector->name, name, fixture.sent, fixture.failed);
	if (reply && mode == PEER_ANSWERS)
		cr_expect_eq(fixture.sent, 1, "%s, peer %s: %s", connector->name, name,
			     fixture.code);
	if (reply && mode != PEER_ANSWERS)
		cr_expect_eq(fixture.failed, 1, "%s, peer %s", connector->name, name);
	fixture_stop(&fixture);
	json_free(&contract);
}

Test(connectors, end_each_send_exactly_once_with_every_kind_of_peer)
{
	const struct connector *connector;

	for (size_t i = 0; (connector = connector_at(i)); i++)
		for (size_t j = 0; connector->send && j < COUNT_OF(modes); j++)
			send_once(connector, modes[j].mode, modes[j].name);
}
