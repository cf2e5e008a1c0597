#include <criterion/criterion.h>

#include "../contract/fixture.h"

#define SECRET "0123456789abcdef0123456789abcdef"

struct hours_row {
	const char *settings;
	int64_t now_s;
	bool open;
};

/* 2026-01-05 is a Monday; 1767571200 is its midnight, UTC. */
enum { MONDAY_S = 1767571200, HOUR_S = 3600, DAY_S = 86400 };

static const struct hours_row hours_rows[] = {
	{ "{}", MONDAY_S, true },
	{ "{\"hours\":[\"mon-fri 09:00-18:00\"]}", MONDAY_S + 9 * HOUR_S - 1, false },
	{ "{\"hours\":[\"mon-fri 09:00-18:00\"]}", MONDAY_S + 9 * HOUR_S, true },
	{ "{\"hours\":[\"mon-fri 09:00-18:00\"]}", MONDAY_S + 18 * HOUR_S - 1, true },
	{ "{\"hours\":[\"mon-fri 09:00-18:00\"]}", MONDAY_S + 18 * HOUR_S, false },
	{ "{\"hours\":[\"mon-fri 09:00-18:00\"]}", MONDAY_S + 5 * DAY_S + 10 * HOUR_S, false },
	{ "{\"hours\":[\"mon-fri 09:00-18:00\"],\"utc_offset\":\"+08:00\"}", MONDAY_S + HOUR_S,
	  true },
	{ "{\"hours\":[\"mon-fri 09:00-18:00\"],\"utc_offset\":\"+08:00\"}", MONDAY_S + 10 * HOUR_S,
	  false },
	{ "{\"hours\":[\"mon-fri 09:00-18:00\"],\"utc_offset\":\"-05:30\"}",
	  MONDAY_S + 14 * HOUR_S + 1800, true },
	{ "{\"hours\":[\"sun 22:00-02:00\"]}", MONDAY_S - 2 * HOUR_S, true },
	{ "{\"hours\":[\"sun 22:00-02:00\"]}", MONDAY_S + HOUR_S, true },
	{ "{\"hours\":[\"sun 22:00-02:00\"]}", MONDAY_S + 2 * HOUR_S, false },
	{ "{\"hours\":[\"sat-mon 00:00-24:00\"]}", MONDAY_S, true },
	{ "{\"hours\":[\"sat-mon 00:00-24:00\"]}", MONDAY_S + DAY_S, false },
};

struct hours_seen {
	bool is_open;
	int64_t opens_s;
};

static struct hours_seen hours_at(const char *settings, int64_t now_s)
{
	struct fixture fixture;
	struct visitor_rules rules;
	struct hours_seen seen;

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "webchat", settings), 0);
	channel_connector(fixture.channel)->visitor_rules(fixture.channel, now_s, &rules);
	seen = (struct hours_seen){ rules.closed == NULL, rules.opens_s };
	fixture_stop(&fixture);
	return seen;
}

Test(webchat, shows_the_offline_message_outside_its_hours)
{
	for (size_t i = 0; i < COUNT_OF(hours_rows); i++) {
		struct hours_seen seen = hours_at(hours_rows[i].settings, hours_rows[i].now_s);

		cr_expect_eq(seen.is_open, hours_rows[i].open, "row %zu", i);
	}
}

/* The opening next to come, by the channel's clock; at its minute, whatever the second. */
static const struct {
	const char *settings;
	int64_t now_s, opens_s;
} opening_rows[] = {
	{ "{\"hours\":[\"mon-fri 09:00-18:00\"]}", MONDAY_S + 59, MONDAY_S + 9 * HOUR_S },
	{ "{\"hours\":[\"mon-fri 09:00-18:00\"]}", MONDAY_S + 10 * HOUR_S, 0 },
	{ "{\"hours\":[\"mon-fri 09:00-18:00\"]}", MONDAY_S + 5 * DAY_S,
	  MONDAY_S + 7 * DAY_S + 9 * HOUR_S },
	{ "{\"hours\":[\"mon 14:00-15:00\",\"mon 09:00-12:00\"]}", MONDAY_S + 13 * HOUR_S,
	  MONDAY_S + 14 * HOUR_S },
	{ "{\"hours\":[\"mon 09:00-12:00\"],\"utc_offset\":\"+08:00\"}", MONDAY_S - DAY_S,
	  MONDAY_S + HOUR_S },
	{ "{}", MONDAY_S, 0 },
};

Test(webchat, knows_when_it_opens_again)
{
	for (size_t i = 0; i < COUNT_OF(opening_rows); i++) {
		struct hours_seen seen = hours_at(opening_rows[i].settings, opening_rows[i].now_s);

		cr_expect_eq(seen.opens_s, opening_rows[i].opens_s, "row %zu", i);
	}
}

Test(webchat, leaves_its_hours_to_a_calendar)
{
	struct fixture fixture;
	struct visitor_rules rules;

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "webchat", "{\"calendar\":\"cn\"}"), 0);
	channel_connector(fixture.channel)->visitor_rules(fixture.channel, MONDAY_S, &rules);
	cr_expect_str_eq(rules.calendar, "cn");
	cr_expect_not_null(rules.closed);
	fixture_stop(&fixture);
}

Test(webchat, refuses_settings_that_cannot_work)
{
	static const char *const bad[] = {
		"{\"hours\":[\"monday 9-18\"]}",
		"{\"hours\":[\"mon-fri 09:00-09:00\"]}",
		"{\"hours\":[\"mon-fri 09:00-25:00\"]}",
		"{\"hours\":[\"mon-fri 09:00-18:00 x\"]}",
		"{\"utc_offset\":\"8\"}",
		"{\"hours\":[\"mon-fri 09:00-18:00\"],\"calendar\":\"cn\"}",
		"{\"utc_offset\":\"+15:00\"}",
		"{\"identity_secret\":\"short\"}",
		"{\"identity_public_key\":\"AAAA\"}",
		"{\"require_identity\":true}",
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct fixture fixture;

		fixture_start(&fixture);
		cr_expect_lt(fixture_open(&fixture, "webchat", bad[i]), 0, "%s", bad[i]);
		fixture_stop(&fixture);
	}
}

/* sub u1, aud shop, exp 1767571800, HS256 with SECRET. */
static const char *token_of(struct arena *arena, const char *payload)
{
	char head[64], body[512], mac[64];
	unsigned char bytes[32];
	char *text;

	text_base64url("{\"alg\":\"HS256\"}", 15, head);
	text_base64url(payload, strlen(payload), body);
	text = arena_format(arena, "%s.%s", head, body);
	host_services.hmac_sha256(SECRET, strlen(SECRET), text, strlen(text), bytes);
	text_base64url(bytes, sizeof(bytes), mac);
	return arena_format(arena, "%s.%s", text, mac);
}

static int start_session(struct fixture *fixture, const char *body, struct visitor *ret,
			 const char **ret_error)
{
	struct inbound in = { .body = body, .body_len = strlen(body), .now_s = MONDAY_S };

	return channel_connector(fixture->channel)
		->visitor_session(fixture->channel, &in, fixture->arena, ret, ret_error);
}

Test(webchat, tells_anonymous_visitors_from_proved_ones)
{
	struct fixture fixture;
	struct visitor visitor;
	const char *error = "";
	const char *token;

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "webchat", "{\"identity_secret\":\"" SECRET "\"}"), 0);
	token = token_of(fixture.arena, "{\"sub\":\"u1\",\"aud\":\"shop\",\"exp\":1767571800,"
					"\"email\":\"a@b.cn\"}");
	cr_assert_eq(start_session(&fixture, "", &visitor, &error), 0);
	cr_assert_null(visitor.id);
	cr_assert_eq(visitor.proof, PROOF_CHANNEL);
	cr_assert_eq(start_session(&fixture, "{\"name\":\"Ann\",\"email\":\"a@b.cn\"}", &visitor,
				   &error),
		     0);
	cr_assert_str_eq(visitor.name, "Ann");
	cr_assert_eq(visitor.proof, PROOF_CHANNEL);
	cr_assert_eq(start_session(&fixture,
				   arena_format(fixture.arena, "{\"identity\":\"%s\"}", token),
				   &visitor, &error),
		     0);
	cr_assert_str_eq(visitor.id, "u1");
	cr_assert_str_eq(visitor.email, "a@b.cn");
	cr_assert_eq(visitor.proof, PROOF_PERSON);
	cr_assert_lt(start_session(&fixture, "{\"identity\":\"x.y.z\"}", &visitor, &error), 0);
	cr_assert_lt(start_session(&fixture, "{\"identity\":7}", &visitor, &error), 0);
	cr_assert_lt(start_session(&fixture, "[]", &visitor, &error), 0);
	cr_assert_lt(start_session(&fixture, "{", &visitor, &error), 0);
	cr_assert_lt(start_session(&fixture, "{\"name\":7}", &visitor, &error), 0);
	token = token_of(fixture.arena, "{\"sub\":\"vis_1\",\"aud\":\"shop\",\"exp\":1767571800}");
	cr_assert_lt(start_session(&fixture,
				   arena_format(fixture.arena, "{\"identity\":\"%s\"}", token),
				   &visitor, &error),
		     0);
	fixture_stop(&fixture);
}

Test(webchat, refuses_anonymous_visitors_where_identity_is_required)
{
	struct fixture fixture;
	struct visitor visitor;
	const char *error = "";

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "webchat",
				  "{\"identity_secret\":\"" SECRET "\",\"require_identity\":true}"),
		     0);
	cr_assert_lt(start_session(&fixture, "{}", &visitor, &error), 0);
	cr_assert(strstr(error, "signed identity"));
	cr_assert_lt(start_session(&fixture, "{\"identity\":null}", &visitor, &error), 0);
	fixture_stop(&fixture);
}

Test(webchat, lets_no_older_anonymous_session_write_where_identity_is_required)
{
	static const char body[] = "{\"text\":\"hi\"}";

	for (int proved = 0; proved < 2; proved++) {
		struct visitor visitor = { .id = "v",
					   .proof = proved ? PROOF_PERSON : PROOF_CHANNEL };
		struct inbound in = {
			.body = body, .body_len = sizeof(body) - 1, .id = "1", .visitor = &visitor
		};
		struct parsed parsed = { 0 };
		struct fixture fixture;
		const char *error = "";

		fixture_start(&fixture);
		cr_assert_eq(fixture_open(&fixture, "webchat",
					  "{\"identity_secret\":\"" SECRET
					  "\",\"require_identity\":true}"),
			     0);
		cr_expect_eq(channel_connector(fixture.channel)
				     ->parse(fixture.channel, &in, fixture.arena, &parsed, &error),
			     proved ? 0 : -1);
		fixture_stop(&fixture);
	}
}

Test(webchat, keeps_a_client_id_beside_its_own_visitor)
{
	static const char body[] = "{\"text\":\"你好\",\"client_id\":\"1\"}";
	struct visitor ann = {
		.id = "vis_a", .name = "Ann", .email = "a@b.cn", .proof = PROOF_CHANNEL
	};
	struct visitor bob = { .id = "bob", .name = "", .email = "b@b.cn", .proof = PROOF_PERSON };
	struct inbound in = { .body = body, .body_len = sizeof(body) - 1, .visitor = &ann };
	struct parsed one = { 0 }, two = { 0 };
	struct fixture fixture;
	const char *error = "";

	fixture_start(&fixture);
	cr_assert_eq(fixture_open(&fixture, "webchat", "{}"), 0);
	cr_assert_eq(channel_connector(fixture.channel)
			     ->parse(fixture.channel, &in, fixture.arena, &one, &error),
		     0);
	in.visitor = &bob;
	cr_assert_eq(channel_connector(fixture.channel)
			     ->parse(fixture.channel, &in, fixture.arena, &two, &error),
		     0);
	cr_assert_str_neq(one.messages[0].provider_id, two.messages[0].provider_id);
	cr_assert_eq(one.messages[0].others[0].proof, PROOF_CLAIMED);
	cr_assert_eq(two.messages[0].others[0].proof, PROOF_PERSON);
	cr_assert_eq(two.messages[0].sender.proof, PROOF_PERSON);
	in.visitor = NULL;
	cr_assert_lt(channel_connector(fixture.channel)
			     ->parse(fixture.channel, &in, fixture.arena, &two, &error),
		     0);
	fixture_stop(&fixture);
}
