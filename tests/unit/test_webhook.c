#include <criterion/criterion.h>

#include "../contract/fixture.h"
#include "../contract/peer.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OTHER_SECRET "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
#define BODY "{\"test\": 2432232314}"
#define GOOD "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define ED                                                                                         \
	"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/"                                                   \
	"enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
#define ZERO "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

enum { SIGNED_S = 1614265330 };

struct row {
	const char *name;
	const char *prefix, *id, *timestamp, *signature, *body;
	int64_t now_s;
	enum verdict expected;
};

#define ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define WHEN "1614265330"

static const struct row rows[] = {
	{ "the published vector", "webhook", ID, WHEN, GOOD, BODY, SIGNED_S, VERIFIED },
	{ "svix twins", "svix", ID, WHEN, GOOD, BODY, SIGNED_S, VERIFIED },
	{ "rotation", "webhook", ID, WHEN, ED " " ZERO " " GOOD, BODY, SIGNED_S, VERIFIED },
	{ "only unknown versions", "webhook", ID, WHEN, ED, BODY, SIGNED_S, FORGED },
	{ "tampered body", "webhook", ID, WHEN, GOOD, "{\"test\": 2432232315}", SIGNED_S, FORGED },
	{ "other id", "webhook", "msg_x", WHEN, GOOD, BODY, SIGNED_S, FORGED },
	{ "other timestamp", "webhook", ID, "1614265331", GOOD, BODY, SIGNED_S, FORGED },
	{ "300 s old", "webhook", ID, WHEN, GOOD, BODY, SIGNED_S + 300, VERIFIED },
	{ "301 s old", "webhook", ID, WHEN, GOOD, BODY, SIGNED_S + 301, FORGED },
	{ "300 s early", "webhook", ID, WHEN, GOOD, BODY, SIGNED_S - 300, VERIFIED },
	{ "301 s early", "webhook", ID, WHEN, GOOD, BODY, SIGNED_S - 301, FORGED },
	{ "leading zero", "webhook", ID, "01614265330", GOOD, BODY, SIGNED_S, FORGED },
	{ "plus sign", "webhook", ID, "+1614265330", GOOD, BODY, SIGNED_S, FORGED },
	{ "fraction", "webhook", ID, "1614265330.0", GOOD, BODY, SIGNED_S, FORGED },
	{ "blank", "webhook", ID, "1614265330 ", GOOD, BODY, SIGNED_S, FORGED },
	{ "huge", "webhook", ID, "99999999999999999999", GOOD, BODY, SIGNED_S, FORGED },
	{ "no id", "webhook", NULL, WHEN, GOOD, BODY, SIGNED_S, FORGED },
	{ "no timestamp", "webhook", ID, NULL, GOOD, BODY, SIGNED_S, FORGED },
	{ "no signature", "webhook", ID, WHEN, NULL, BODY, SIGNED_S, FORGED },
	{ "empty signature", "webhook", ID, WHEN, "", BODY, SIGNED_S, FORGED },
	{ "bare prefix", "webhook", ID, WHEN, "v1,", BODY, SIGNED_S, FORGED },
	{ "no version", "webhook", ID, WHEN, GOOD + 3, BODY, SIGNED_S, FORGED },
	{ "cut base64", "webhook", ID, WHEN, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1O", BODY,
	  SIGNED_S, FORGED },
	{ "id with a dot", "webhook", "msg.p5", WHEN, GOOD, BODY, SIGNED_S, FORGED },
};

static enum verdict verify_row(struct fixture *fixture, const struct row *row)
{
	struct buf buf = { 0 };
	struct json_out out;
	struct json_object *request;
	struct request_view view = { fixture_field, fixture_query, NULL };
	struct inbound in = { .method = "POST",
			      .target = "/in/shop",
			      .body = row->body,
			      .body_len = strlen(row->body),
			      .now_s = row->now_s,
			      .request = &view };
	struct parsed parsed = { 0 };
	struct arena *arena = arena_new(0);
	const char *names[] = { "id", "timestamp", "signature" };
	const char *values[] = { row->id, row->timestamp, row->signature };
	enum verdict verdict;

	jw_start(&out, &buf);
	jw_object(&out, NULL);
	jw_object(&out, "headers");
	for (size_t i = 0; i < 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s-%s", row->prefix, names[i]);
		if (values[i])
			jw_text(&out, name, values[i]);
	}
	jw_object_end(&out);
	jw_object_end(&out);
	request = json_read(buf.data, buf.len, NULL);
	view.context = request;
	verdict =
		channel_connector(fixture->channel)->verify(fixture->channel, &in, arena, &parsed);
	json_free(&request);
	buf_clear(&buf);
	arena_free(&arena);
	return verdict;
}

Test(webhook, verifies_by_the_standard_webhooks_rules)
{
	struct fixture fixture;

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "webhook", "{\"secret\":\"" SECRET "\"}"), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		cr_expect_eq(verify_row(&fixture, &rows[i]), rows[i].expected, "%s", rows[i].name);
	fixture_stop(&fixture);
}

Test(webhook, accepts_the_previous_secret_while_it_is_rolled)
{
	struct fixture fixture;

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "webhook", "{\"secret\":\"" OTHER_SECRET "\"}"), 0);
	cr_assert_eq(verify_row(&fixture, &rows[0]), FORGED);
	fixture_stop(&fixture);
	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "webhook",
				  "{\"secret\":\"" OTHER_SECRET "\",\"secret_previous\":\"" SECRET
				  "\"}"),
		     0);
	cr_assert_eq(verify_row(&fixture, &rows[0]), VERIFIED);
	fixture_stop(&fixture);
}

Test(webhook, refuses_secrets_that_are_not_24_to_64_bytes_of_base64)
{
	static const char *const bad[] = {
		"{}",
		"{\"secret\":\"\"}",
		"{\"secret\":\"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}",
		"{\"secret\":\"whsec_\"}",
		"{\"secret\":\"whsec_AAAA\"}",
		"{\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS\"}",
		"{\"secret\":\"whsec_!!!!9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}",
		"{\"secret\":\"" SECRET "\",\"deliver_url\":\"http://example.com/\"}",
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct fixture fixture;

		fixture_start(&fixture);
		cr_expect_lt(fixture_open(&fixture, "webhook", bad[i]), 0, "%s", bad[i]);
		fixture_stop(&fixture);
	}
}

struct parse_row {
	const char *body;
	const char *error; /* part of it; NULL: accepted */
};

static const struct parse_row parse_rows[] = {
	{ "{\"id\":\"1\",\"from\":{\"id\":\"ann\"},\"text\":\"hi\"}", NULL },
	{ "{\"from\":{\"id\":\"ann\"},\"text\":\"hi\"}", "id: is missing" },
	{ "{\"id\":\"1\",\"from\":{\"id\":\"ann\"},\"text\":\"hi\",\"more\":{\"x\":1}}", NULL },
	{ "{\"id\":1,\"from\":{\"id\":\"ann\"},\"text\":\"hi\"}", "id: must be a text" },
	{ "{\"id\":\"1\",\"text\":\"hi\"}", "from: must be an object" },
	{ "{\"id\":\"1\",\"from\":\"ann\",\"text\":\"hi\"}", "from: must be an object" },
	{ "{\"id\":\"1\",\"from\":{},\"text\":\"hi\"}", "from.id: must be" },
	{ "{\"id\":\"1\",\"from\":{\"id\":\"\"},\"text\":\"hi\"}", "from.id: must be" },
	{ "{\"id\":\"1\",\"from\":{\"id\":7},\"text\":\"hi\"}", "from.id: must be" },
	{ "{\"id\":\"1\",\"from\":{\"id\":\"a\",\"name\":[]},\"text\":\"hi\"}", "from.name" },
	{ "{\"id\":\"1\",\"from\":{\"id\":\"a\",\"email\":1},\"text\":\"hi\"}", "from.email" },
	{ "{\"id\":\"1\",\"from\":{\"id\":\"a\"}}", "text: is missing" },
	{ "{\"id\":\"1\",\"from\":{\"id\":\"a\"},\"text\":5}", "text: must be a text" },
	{ "{\"id\":\"1\",\"from\":{\"id\":\"a\"},\"text\":\"x\",\"thread\":5}", "thread" },
	{ "{\"id\":\"1\",\"from\":{\"id\":\"a\"},\"text\":\"x\",\"sent_at\":\"noon\"}", "sent_at" },
	{ "{\"id\":\"1\",\"from\":{\"id\":\"a\"},\"attachments\":{}}", "attachments: must be" },
	{ "{\"id\":\"1\",\"from\":{\"id\":\"a\"},\"attachments\":[1]}", "attachments[0]: must be" },
	{ "{\"id\":\"1\",\"from\":{\"id\":\"a\"},\"attachments\":[{}]}", "attachments[0].url" },
	{ "{\"id\":\"1\",\"from\":{\"id\":\"a\"},\"attachments\":[{\"url\":\"file:///x\"}]}",
	  "attachments[0].url: must be an https" },
	{ "{\"id\":\"1\",\"from\":{\"id\":\"a\"},\"attachments\":[{\"url\":\"https://x/\"}]}",
	  NULL },
	{ "[]", "must be a JSON object" },
	{ "{\"id\":\"1\",", "line 1, column" },
	{ "", "line 1" },
};

Test(webhook, says_what_is_wrong_with_a_body_and_where)
{
	struct fixture fixture;

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "webhook", "{\"secret\":\"" SECRET "\"}"), 0);
	for (size_t i = 0; i < COUNT_OF(parse_rows); i++) {
		const struct parse_row *row = &parse_rows[i];
		struct inbound in = { .method = "POST",
				      .body = row->body,
				      .body_len = strlen(row->body) };
		struct parsed parsed = { 0 };
		const char *error = "";
		int status = channel_connector(fixture.channel)
				     ->parse(fixture.channel, &in, fixture.arena, &parsed, &error);

		cr_expect_eq(status, row->error ? -1 : 0, "%s: %s", row->body, error);
		if (row->error)
			cr_expect(strstr(error, row->error), "%s: %s", row->body, error);
	}
	fixture_stop(&fixture);
}

Test(webhook, trusts_addresses_only_where_it_is_told_to)
{
	static const char body[] = "{\"id\":\"1\",\"from\":{\"id\":\"ann\",\"email\":\"a@b.cn\","
				   "\"phone\":\"+8613800138000\"},\"text\":\"你好\"}";

	for (int trusted = 0; trusted < 2; trusted++) {
		struct fixture fixture;
		struct inbound in = { .body = body, .body_len = sizeof(body) - 1 };
		struct parsed parsed = { 0 };
		const char *error;
		enum proof expected = trusted ? PROOF_CHANNEL : PROOF_CLAIMED;

		fixture_start(&fixture);
		fixture_open(&fixture, "webhook",
			     trusted ? "{\"secret\":\"" SECRET "\",\"trust_addresses\":true}"
				     : "{\"secret\":\"" SECRET "\"}");
		cr_assert_eq(channel_connector(fixture.channel)
				     ->parse(fixture.channel, &in, fixture.arena, &parsed, &error),
			     0);
		cr_assert_eq(parsed.messages[0].sender.proof, PROOF_CHANNEL);
		cr_assert_str_eq(parsed.messages[0].sender.scope, "shop");
		cr_assert_eq(parsed.messages[0].other_count, 2);
		cr_assert_eq(parsed.messages[0].others[0].proof, expected);
		cr_assert_eq(parsed.messages[0].others[1].proof, expected);
		fixture_stop(&fixture);
	}
}

#define IDENTITY_SECRET "0123456789abcdef0123456789abcdef"

static const char *identity_of(struct arena *arena, const char *header, const char *payload)
{
	char head[64], body[512], mac[64];
	unsigned char bytes[32];
	char *text;

	text_base64url(header, strlen(header), head);
	text_base64url(payload, strlen(payload), body);
	text = arena_format(arena, "%s.%s", head, body);
	host_services.hmac_sha256(IDENTITY_SECRET, strlen(IDENTITY_SECRET), text, strlen(text),
				  bytes);
	text_base64url(bytes, sizeof(bytes), mac);
	return arena_format(arena, "%s.%s", text, mac);
}

struct identity_row {
	const char *from;   /* members before "identity" */
	const char *header; /* of the token; NULL: none is sent */
	const char *payload;
	const char *error; /* NULL: taken */
};

static void check_identity(const struct identity_row *row, const char *settings,
			   struct fixture *fixture)
{
	struct inbound in = { .now_s = SIGNED_S };
	struct parsed parsed = { 0 };
	const char *error = "";
	const char *token =
		row->header ? identity_of(fixture->arena, row->header, row->payload) : NULL;
	int status;

	fixture_open(fixture, "webhook", settings);
	in.body = arena_format(fixture->arena, "{\"id\":\"1\",\"text\":\"x\",\"from\":{%s%s%s%s}}",
			       row->from, token ? "\"identity\":\"" : "", token ? token : "",
			       token ? "\"" : "");
	in.body_len = strlen(in.body);
	status = channel_connector(fixture->channel)
			 ->parse(fixture->channel, &in, fixture->arena, &parsed, &error);
	cr_expect_eq(status, row->error ? -1 : 0, "%s: %s", in.body, error);
	if (row->error) {
		cr_expect(strstr(error, row->error), "%s: %s", in.body, error);
		return;
	}
	cr_expect_str_eq(parsed.messages[0].sender.value, "ann");
	cr_expect_eq(parsed.messages[0].sender.proof, PROOF_PERSON);
	cr_expect_str_eq(parsed.messages[0].sender.proved_by, "jwt");
	cr_expect_str_eq(parsed.messages[0].sender_name, "Ann");
	cr_assert_geq(parsed.messages[0].other_count, 1);
	cr_expect_str_eq(parsed.messages[0].others[0].value, "a@b.cn");
	cr_expect_eq(parsed.messages[0].others[0].proof, PROOF_PERSON);
	for (size_t i = 1; i < parsed.messages[0].other_count; i++)
		cr_expect_eq(parsed.messages[0].others[i].proof, PROOF_CLAIMED);
}

#define HS "{\"alg\":\"HS256\"}"
#define IDENTITY_CLAIMS                                                                            \
	"{\"sub\":\"ann\",\"aud\":\"shop\",\"exp\":1614268930,\"name\":\"Ann\",\"email\":\"a@b."   \
	"cn\"}"

Test(webhook, takes_a_signed_identity_for_a_person)
{
	static const struct identity_row rows[] = {
		{ "", HS, IDENTITY_CLAIMS, NULL },
		{ "\"id\":\"ann\",", HS, IDENTITY_CLAIMS, NULL },
		{ "\"email\":\"boss@bank.cn\",\"phone\":\"1\",", HS, IDENTITY_CLAIMS, NULL },
		{ "\"id\":\"bob\",", HS, IDENTITY_CLAIMS, "from.identity: its sub" },
		{ "", "{\"alg\":\"none\"}", IDENTITY_CLAIMS, "signature" },
		{ "", "{\"alg\":\"EdDSA\"}", IDENTITY_CLAIMS, "signature" },
		{ "", "{\"alg\":\"RS256\"}", IDENTITY_CLAIMS, "signature" },
		{ "", HS, "{\"sub\":\"ann\",\"aud\":\"shop\"}", "exp is missing" },
		{ "", HS, "{\"sub\":\"ann\",\"aud\":\"other\",\"exp\":1614268930}", "aud" },
		{ "", HS, "{\"sub\":\"ann\",\"aud\":\"shop\",\"exp\":1614268991}",
		  "an hour ahead" },
		{ "", HS, "{\"sub\":\"ann\",\"aud\":\"shop\",\"exp\":1614265270}", "expired" },
		{ "\"id\":\"ann\",\"identity\":\"x.y.z\"", NULL, NULL, "from.identity: " },
		{ "\"id\":\"ann\",\"identity\":7", NULL, NULL, "from.identity: " },
		{ "\"id\":\"ann\",\"identity\":\"\"", NULL, NULL, "from.identity: " },
		{ "\"id\":\"ann\"", NULL, NULL, "wants a signed identity" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fixture fixture;

		fixture_start(&fixture);
		check_identity(&rows[i],
			       "{\"secret\":\"" SECRET "\",\"identity_secret\":\"" IDENTITY_SECRET
			       "\",\"require_identity\":true}",
			       &fixture);
		fixture_stop(&fixture);
	}
}

Test(webhook, takes_no_identity_where_no_key_is_set)
{
	static const struct identity_row row = { "", HS, IDENTITY_CLAIMS, "signature" };
	struct fixture fixture;

	fixture_start(&fixture);
	check_identity(&row, "{\"secret\":\"" SECRET "\"}", &fixture);
	fixture_stop(&fixture);
}

struct answer_row {
	const char *reply;
	bool sent;
	enum send_failure failure;
	const char *code;
	int64_t retry_after_ms;
	bool parked;
};

#define EMPTY "Content-Length: 0\r\n\r\n"

static const struct answer_row answer_rows[] = {
	{ "HTTP/1.1 200 OK\r\n" EMPTY, true, 0, "", 0, false },
	{ "HTTP/1.1 204 No\r\n\r\n", true, 0, "", 0, false },
	{ "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n" EMPTY, false, SEND_RETRY,
	  "http_302", -1, false },
	{ "HTTP/1.1 400 Bad\r\n" EMPTY, false, SEND_PERMANENT, "http_400", -1, false },
	{ "HTTP/1.1 404 No\r\n" EMPTY, false, SEND_RETRY, "http_404", -1, false },
	{ "HTTP/1.1 410 Gone\r\n" EMPTY, false, SEND_PERMANENT, "http_410", -1, true },
	{ "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\n" EMPTY, false, SEND_RETRY, "http_429", 7000,
	  false },
	{ "HTTP/1.1 502 Bad\r\n" EMPTY, false, SEND_RETRY, "http_502", -1, false },
	{ "HTTP/1.1 503 No\r\nRetry-After: Fri, 02 Jan 2026 03:00:00 GMT\r\n" EMPTY, false,
	  SEND_RETRY, "http_503", 0, false },
	{ "nonsense\r\n\r\n", false, SEND_RETRY, "timeout", -1, false },
};

static void open_sender(struct fixture *fixture, const struct peer *peer)
{
	char settings[256];

	snprintf(settings, sizeof(settings),
		 "{\"secret\":\"" SECRET "\",\"deliver_url\":\"http://127.0.0.1:%d/out\","
		 "\"allow_private_urls\":true}",
		 peer->port);
	cr_assert_eq(fixture_open(fixture, "webhook", settings), 0);
}

static const struct outbound reply = { .id = "msg_1",
				       .conversation = "cnv_1",
				       .text = "好 \"的\"",
				       .to = "ann",
				       .to_name = "Ann",
				       .created_ms = 1767322800000 };

Test(webhook, takes_each_answer_of_a_receiver_for_what_it_means)
{
	for (size_t i = 0; i < COUNT_OF(answer_rows); i++) {
		const struct answer_row *row = &answer_rows[i];
		struct delivery delivery;
		struct fixture fixture;
		struct peer peer;

		fixture_start(&fixture);
		peer_start(&peer, fixture.loop, PEER_ANSWERS, row->reply);
		open_sender(&fixture, &peer);
		delivery.channel = fixture.channel;
		channel_connector(fixture.channel)->send(fixture.channel, &reply, &delivery);
		while (fixture.sent + fixture.failed == 0)
			loop_turn(fixture.loop, true);
		cr_expect_eq(fixture.sent, row->sent, "%s", row->reply);
		cr_expect_eq(fixture.failure, row->failure, "%s", row->reply);
		cr_expect_str_eq(fixture.code, row->code, "%s", row->reply);
		cr_expect_eq(fixture.retry_after_ms, row->retry_after_ms, "%s", row->reply);
		cr_expect_eq(channel_parked(fixture.channel) != NULL, row->parked, "%s",
			     row->reply);
		cr_expect_eq(peer.accepted, 1, "%s", row->reply);
		peer_stop(&peer);
		fixture_stop(&fixture);
	}
}

/* The bytes a receiver sees, checked as a receiver would. */
Test(webhook, signs_what_it_sends)
{
	struct fixture fixture;
	struct delivery delivery;
	struct peer peer;
	unsigned char mac[32], key[64];
	char *text, *body, *timestamp, *signature, *bytes;
	long key_len = text_unbase64(SECRET + 6, strlen(SECRET) - 6, key, sizeof(key));

	fixture_start(&fixture);
	peer_start(&peer, fixture.loop, PEER_ANSWERS, peer_ok);
	open_sender(&fixture, &peer);
	delivery.channel = fixture.channel;
	channel_connector(fixture.channel)->send(fixture.channel, &reply, &delivery);
	while (peer.requests == 0)
		loop_turn(fixture.loop, true);
	text = arena_text(fixture.arena, peer.newest);
	body = strstr(text, "\r\n\r\n") + 4;
	timestamp = strstr(text, "webhook-timestamp: ") + 19;
	signature = strstr(text, "webhook-signature: v1,") + 22;
	cr_assert_str_eq(
		body,
		"{\"type\":\"message.outbound\",\"timestamp\":\"2026-01-02T03:00:00.000Z\","
		"\"data\":{\"id\":\"msg_1\",\"conversation\":\"cnv_1\",\"to\":{\"id\":\"ann\","
		"\"name\":\"Ann\"},\"text\":\"好 \\\"的\\\"\",\"attachments\":[]}}");
	cr_assert(strstr(text, "webhook-id: msg_1\r\n"));
	bytes = arena_format(fixture.arena, "msg_1.%.*s.%s", (int)strcspn(timestamp, "\r"),
			     timestamp, body);
	host_services.hmac_sha256(key, (size_t)key_len, bytes, strlen(bytes), mac);
	cr_assert(strncmp(signature, host_services.base64(fixture.arena, mac, 32), 44) == 0);
	peer_stop(&peer);
	fixture_stop(&fixture);
}

static void on_tested(bool ok, const char *phrase, void *context)
{
	snprintf(context, 100, "%d %s", ok, phrase);
}

Test(webhook, can_be_tried)
{
	char result[100] = "";
	struct fixture fixture;
	struct peer peer;

	fixture_start(&fixture);
	peer_start(&peer, fixture.loop, PEER_ANSWERS, answer_rows[4].reply);
	open_sender(&fixture, &peer);
	channel_connector(fixture.channel)->test(fixture.channel, on_tested, result);
	while (!result[0])
		loop_turn(fixture.loop, true);
	cr_assert_str_eq(result, "0 deliver_url answered 404");
	peer_stop(&peer);
	fixture_stop(&fixture);
}
