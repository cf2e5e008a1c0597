#include <criterion/criterion.h>

#include "../../connectors/access_token.h"
#include "../contract/fixture.h"
#include "../contract/peer.h"

#define REPLY(body_len, body)                                                                      \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " body_len           \
	"\r\n\r\n" body

static const char good[] = REPLY("26", "{\"token\":\"t1\",\"life\":7200}");
static const char next[] = REPLY("26", "{\"token\":\"t2\",\"life\":7200}");
static const char brief[] = REPLY("23", "{\"token\":\"t1\",\"life\":0}\n");
static const char wrong[] = REPLY("12", "{\"wrong\":40}");
static const char busy[] = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}";

/* One channel of the smallest connector, a token and a peer that gives it out. */
struct bed {
	struct fixture fixture;
	struct peer peer;
	struct access_token token;
	int ended;
	char got[64]; /* "" : none */
	enum send_failure failure;
	int64_t retry_after_ms;
};

static int bed_port; /* request() has only the channel */

static void request(struct channel *channel, struct arena *arena, struct host_http *ret)
{
	(void)channel;
	ret->method = "GET";
	ret->url = host_services.format(arena, "http://127.0.0.1:%d/token", bed_port);
	ret->allow_private = true;
}

static void read_token(struct json_object *body, struct arena *arena,
		       struct access_token_answer *ret)
{
	const char *token = host_services.json_text(body, "token");

	if (token) {
		ret->token = host_services.text(arena, token);
		ret->life_s = host_services.json_int(body, "life", 0);
		return;
	}
	ret->failure = SEND_PERMANENT;
	ret->code = "40013";
	ret->why = "no such app";
}

static const struct access_token_source source = { request, read_token };

static void bed_start(struct bed *bed, const char *reply)
{
	memset(bed, 0, sizeof(*bed));
	fixture_start(&bed->fixture);
	cr_assert_eq(fixture_open(&bed->fixture, "loopback", "{}"), 0);
	peer_start(&bed->peer, bed->fixture.loop, PEER_ANSWERS, reply);
	bed_port = bed->peer.port;
	access_token_open(&bed->token, &host_services, bed->fixture.channel, &source);
}

static void bed_stop(struct bed *bed)
{
	access_token_close(&bed->token);
	peer_stop(&bed->peer);
	fixture_stop(&bed->fixture);
}

static void bed_wait(struct bed *bed, int ended)
{
	while (bed->ended < ended)
		loop_turn(bed->fixture.loop, true);
}

static void on_got(const struct access_token_answer *answer, void *context)
{
	struct bed *bed = context;

	bed->ended++;
	snprintf(bed->got, sizeof(bed->got), "%s", answer->token ? answer->token : "");
	bed->failure = answer->failure;
	bed->retry_after_ms = answer->retry_after_ms;
}

static void get(struct bed *bed)
{
	int before = bed->ended;

	access_token_get(&bed->token, on_got, bed);
	bed_wait(bed, before + 1);
}

Test(access_token, is_fetched_once_for_all_who_wait_and_kept)
{
	struct bed bed;

	bed_start(&bed, good);
	for (int i = 0; i < 5; i++)
		access_token_get(&bed.token, on_got, &bed);
	cr_expect_eq(bed.ended, 0);
	bed_wait(&bed, 5);
	cr_expect_str_eq(bed.got, "t1");
	get(&bed);
	cr_expect_eq(bed.peer.requests, 1);
	bed_stop(&bed);
}

Test(access_token, is_fetched_anew_when_it_ends_or_was_refused)
{
	struct bed bed;

	bed_start(&bed, brief);
	get(&bed);
	bed.peer.reply = good;
	get(&bed);
	cr_expect_eq(bed.peer.requests, 2, "one that has ended is kept");
	access_token_drop(&bed.token, "an older one");
	get(&bed);
	cr_expect_eq(bed.peer.requests, 2, "a late refusal threw the new one away");
	bed.peer.reply = next;
	access_token_drop(&bed.token, "t1");
	get(&bed);
	cr_expect_str_eq(bed.got, "t2");
	bed_stop(&bed);
}

static const struct refusal_row {
	const char *reply;
	enum peer_mode mode;
	enum send_failure failure;
	int64_t retry_after_ms;
} refusals[] = {
	{ wrong, PEER_ANSWERS, SEND_PERMANENT, -1 },
	{ busy, PEER_ANSWERS, SEND_RETRY, 7000 },
	{ good, PEER_REFUSES, SEND_RETRY, -1 },
	{ good, PEER_DROPS, SEND_RETRY, -1 },
	{ REPLY("3", "<a>"), PEER_ANSWERS, SEND_RETRY, -1 },
};

Test(access_token, tells_why_there_is_none_and_asks_again_next_time)
{
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		struct bed bed;

		bed_start(&bed, refusals[i].reply);
		bed.peer.mode = refusals[i].mode;
		get(&bed);
		cr_expect_str_eq(bed.got, "", "row %zu", i);
		cr_expect_eq(bed.failure, refusals[i].failure, "row %zu", i);
		cr_expect_eq(bed.retry_after_ms, refusals[i].retry_after_ms, "row %zu", i);
		bed.peer.mode = PEER_ANSWERS;
		bed.peer.reply = good;
		get(&bed);
		cr_expect_str_eq(bed.got, "t1", "row %zu", i);
		bed_stop(&bed);
	}
}

/* ---- calls ---- */

struct call_bed {
	struct bed bed;
	int refusals_left;
	int made;
	char tokens[64]; /* that the calls carried */
	bool has_answer;
};

static void call_request(const char *token, struct arena *arena, struct host_http *ret,
			 void *context)
{
	struct call_bed *bed = context;

	bed->made++;
	strncat(bed->tokens, token, sizeof(bed->tokens) - strlen(bed->tokens) - 1);
	request(NULL, arena, ret);
	bed->bed.peer.reply = next;
}

static bool call_is_refused(const struct host_answer *answer, struct json_object *body,
			    void *context)
{
	struct call_bed *bed = context;

	(void)answer;
	cr_expect_not_null(body);
	return bed->refusals_left-- > 0;
}

static void on_call_end(const struct token_call_end *end, void *context)
{
	struct call_bed *bed = context;

	bed->bed.ended++;
	bed->has_answer = end->answer != NULL;
	cr_expect_eq(end->answer == NULL, end->no_token != NULL);
	if (end->no_token)
		bed->bed.failure = end->no_token->failure;
}

static void call_once(struct call_bed *bed, const char *reply, int refusals_wanted)
{
	const struct token_call call = { call_request, call_is_refused, on_call_end, bed };

	memset(bed, 0, sizeof(*bed));
	bed_start(&bed->bed, reply);
	bed->refusals_left = refusals_wanted;
	token_call(&bed->bed.token, &call);
	bed_wait(&bed->bed, 1);
	bed_stop(&bed->bed);
}

Test(access_token, goes_with_a_call_and_is_renewed_once_when_refused)
{
	struct call_bed bed;

	call_once(&bed, good, 0);
	cr_expect_str_eq(bed.tokens, "t1");
	cr_expect(bed.has_answer);
	call_once(&bed, good, 1);
	cr_expect_str_eq(bed.tokens, "t1t2");
	call_once(&bed, good, 5);
	cr_expect_str_eq(bed.tokens, "t1t2", "repeated more than once");
	cr_expect_null(bed.bed.token.value, "a refused token is kept");
	call_once(&bed, wrong, 0);
	cr_expect_eq(bed.made, 0);
	cr_expect_not(bed.has_answer);
	cr_expect_eq(bed.bed.failure, SEND_PERMANENT);
}

Test(access_token, ends_its_waiters_when_the_channel_closes)
{
	struct bed bed;

	bed_start(&bed, good);
	bed.peer.mode = PEER_HANGS;
	access_token_get(&bed.token, on_got, &bed);
	loop_turn(bed.fixture.loop, false);
	peer_stop(&bed.peer);
	channels_free(&bed.fixture.channels);
	cr_expect_eq(bed.ended, 1);
	cr_expect_eq(bed.failure, SEND_RETRY);
	access_token_close(&bed.token);
	fixture_stop(&bed.fixture);
}
