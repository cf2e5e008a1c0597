#include <criterion/criterion.h>

#include "../contract/fixture.h"
#include "../contract/peer.h"

/* wechat and wecom against a peer that gives one answer to everything: it is a
 * token's and, to the call after it, an error's. */

#define WECHAT                                                                                     \
	"{\"app_id\":\"wx1\",\"app_secret\":\"s\",\"token\":\"t\",\"api_base\":\"http://"          \
	"127.0.0.1:%d\"}"
#define WECOM                                                                                      \
	"{\"corp_id\":\"ww1\",\"app_secret\":\"s\",\"token\":\"t\",\"encoding_aes_key\":"          \
	"\"jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C\",\"api_base\":\"http://127.0.0.1:%d\"}"

struct bed {
	struct fixture fixture;
	struct peer peer;
};

/* The whole answer, in the bed's arena. */
static const char *reply(struct arena *arena, const char *head, const char *body)
{
	return arena_format(arena, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", head,
			    strlen(body), body);
}

static void bed_start(struct bed *bed, const char *connector, const char *head, const char *body)
{
	const char *settings = strcmp(connector, "wechat") == 0 ? WECHAT : WECOM;

	memset(bed, 0, sizeof(*bed));
	fixture_start(&bed->fixture);
	peer_start(&bed->peer, bed->fixture.loop, PEER_ANSWERS,
		   reply(bed->fixture.arena, head, body));
	cr_assert_eq(fixture_open(&bed->fixture, connector,
				  arena_format(bed->fixture.arena, settings, bed->peer.port)),
		     0);
}

static void bed_stop(struct bed *bed)
{
	peer_stop(&bed->peer);
	fixture_stop(&bed->fixture);
}

/* ---- the class of each error ---- */

enum { AT_ONCE = -1, LATER = 1 };

static const struct error_row {
	const char *connector;
	int code;
	enum send_failure failure;
	int wait; /* AT_ONCE: the schedule; LATER: a time of its own */
	int calls;
} errors[] = {
	{ "wechat", -1, SEND_RETRY, AT_ONCE, 2 },
	{ "wechat", 40001, SEND_REAUTH, AT_ONCE, 4 }, /* the token once more, the call once more */
	{ "wechat", 40014, SEND_REAUTH, AT_ONCE, 4 },
	{ "wechat", 41001, SEND_REAUTH, AT_ONCE, 4 },
	{ "wechat", 42001, SEND_REAUTH, AT_ONCE, 4 },
	{ "wechat", 40013, SEND_REAUTH, AT_ONCE, 2 },
	{ "wechat", 40125, SEND_REAUTH, AT_ONCE, 2 },
	{ "wechat", 40164, SEND_REAUTH, AT_ONCE, 2 },
	{ "wechat", 48001, SEND_REAUTH, AT_ONCE, 2 },
	{ "wechat", 48004, SEND_REAUTH, AT_ONCE, 2 },
	{ "wechat", 50002, SEND_REAUTH, AT_ONCE, 2 },
	{ "wechat", 45009, SEND_RETRY, LATER, 2 },
	{ "wechat", 45011, SEND_RETRY, LATER, 2 },
	{ "wechat", 45015, SEND_WINDOW, AT_ONCE, 2 },
	{ "wechat", 45047, SEND_WINDOW, AT_ONCE, 2 },
	{ "wechat", 43004, SEND_PERMANENT, AT_ONCE, 2 },
	{ "wechat", 40003, SEND_PERMANENT, AT_ONCE, 2 },
	{ "wechat", 43019, SEND_PERMANENT, AT_ONCE, 2 },
	{ "wechat", 45002, SEND_PERMANENT, AT_ONCE, 2 },
	{ "wechat", 40007, SEND_RETRY, AT_ONCE, 2 },
	{ "wechat", 99999, SEND_PERMANENT, AT_ONCE, 2 },
	{ "wecom", -1, SEND_RETRY, AT_ONCE, 2 },
	{ "wecom", 6000, SEND_RETRY, AT_ONCE, 2 },
	{ "wecom", 40001, SEND_REAUTH, AT_ONCE, 4 },
	{ "wecom", 40014, SEND_REAUTH, AT_ONCE, 4 },
	{ "wecom", 42001, SEND_REAUTH, AT_ONCE, 4 },
	{ "wecom", 60020, SEND_REAUTH, AT_ONCE, 2 },
	{ "wecom", 45009, SEND_RETRY, LATER, 2 },
	{ "wecom", 45033, SEND_RETRY, LATER, 2 },
	{ "wecom", 95000, SEND_PERMANENT, AT_ONCE, 2 },
	{ "wecom", 95001, SEND_WINDOW, AT_ONCE, 2 },
	{ "wecom", 95013, SEND_WINDOW, AT_ONCE, 2 },
	{ "wecom", 95018, SEND_WINDOW, AT_ONCE, 3 }, /* whose session is it? */
	{ "wecom", 40007, SEND_RETRY, AT_ONCE, 2 },
};

static void send_text(struct bed *bed)
{
	struct outbound message = { .id = "msg_1", .text = "hi", .to = "who", .thread = "wk1" };
	struct delivery delivery = { .channel = bed->fixture.channel };

	channel_connector(bed->fixture.channel)->send(bed->fixture.channel, &message, &delivery);
	while (bed->fixture.sent + bed->fixture.failed == 0)
		loop_turn(bed->fixture.loop, true);
}

Test(weixin, classes_every_error_that_is_known)
{
	for (size_t i = 0; i < COUNT_OF(errors); i++) {
		const struct error_row *row = &errors[i];
		struct bed bed;
		char body[128];

		snprintf(body, sizeof(body),
			 "{\"access_token\":\"t\",\"expires_in\":7200,\"errcode\":%d}", row->code);
		bed_start(&bed, row->connector, "200 OK", body);
		send_text(&bed);
		cr_expect_eq(bed.fixture.failed, 1, "%s %d", row->connector, row->code);
		cr_expect_eq(bed.fixture.failure, row->failure, "%s %d: %d", row->connector,
			     row->code, bed.fixture.failure);
		cr_expect_eq(bed.fixture.retry_after_ms < 0, row->wait == AT_ONCE, "%s %d",
			     row->connector, row->code);
		cr_expect_eq(bed.peer.requests, row->calls, "%s %d: %d calls", row->connector,
			     row->code, bed.peer.requests);
		bed_stop(&bed);
	}
}

/* ---- answers that are no answers ---- */

static const struct http_row {
	const char *head;
	const char *body;
	enum send_failure failure;
	int64_t retry_after_ms;
} https[] = {
	{ "503 Busy\r\nRetry-After: 9", "{}", SEND_RETRY, 9000 },
	{ "429 Slow\r\nRetry-After: 9", "{\"errcode\":45011}", SEND_RETRY, 9000 },
	{ "200 OK", "<html>", SEND_RETRY, -1 },
	{ "302 Found\r\nLocation: /x", "", SEND_RETRY, -1 },
};

Test(weixin, gets_no_token_from_a_provider_in_trouble)
{
	for (size_t i = 0; i < COUNT_OF(https); i++) {
		struct bed bed;

		bed_start(&bed, "wechat", https[i].head, https[i].body);
		send_text(&bed);
		cr_expect_eq(bed.fixture.failure, https[i].failure, "row %zu", i);
		cr_expect_eq(bed.fixture.retry_after_ms, https[i].retry_after_ms, "row %zu", i);
		bed_stop(&bed);
	}
}

/* ---- where a file is ---- */

struct hunt {
	struct media_search search; /* first */
	char url[256];
	char why[256];
	bool is_over, is_gone;
};

static void on_found(struct media_search *search, const struct media_request *request)
{
	struct hunt *hunt = (struct hunt *)search;

	hunt->is_over = true;
	snprintf(hunt->url, sizeof(hunt->url), "%s", request->url);
}

static void on_lost(struct media_search *search, bool gone, const char *why)
{
	struct hunt *hunt = (struct hunt *)search;

	hunt->is_over = true;
	hunt->is_gone = gone;
	snprintf(hunt->why, sizeof(hunt->why), "%s", why);
}

#define TOKEN "{\"access_token\":\"t 1\",\"expires_in\":7200"

static const struct media_row {
	const char *body;
	const char *url; /* after the peer's address, or whole; NULL: lost */
	bool is_gone;
} media[] = {
	{ TOKEN "}", "/cgi-bin/media/get?media_id=m%2F1&access_token=t%201", false },
	{ TOKEN ",\"video_url\":\"https://v.example/1\"}", "https://v.example/1", false },
	{ TOKEN ",\"errcode\":40007}", NULL, true },
	{ TOKEN ",\"errcode\":-1}", NULL, false },
	{ TOKEN ",\"errcode\":40009}", NULL, true },
	{ "{\"errcode\":40013}", NULL, false },
};

Test(weixin, finds_a_file_by_its_id_or_says_why_not)
{
	const struct attachment attachment = { .url = "media:m/1", .name = "", .type = "" };

	for (size_t i = 0; i < COUNT_OF(media); i++) {
		struct bed bed;
		struct hunt hunt = { .search = { .found = on_found, .lost = on_lost } };

		bed_start(&bed, i % 2 ? "wecom" : "wechat", "200 OK", media[i].body);
		channel_connector(bed.fixture.channel)
			->find_media(bed.fixture.channel, &attachment, &hunt.search);
		while (!hunt.is_over)
			loop_turn(bed.fixture.loop, true);
		cr_expect_eq(hunt.url[0] != '\0', media[i].url != NULL, "row %zu: %s", i, hunt.why);
		if (media[i].url)
			cr_expect(strstr(hunt.url, media[i].url), "row %zu: %s", i, hunt.url);
		cr_expect_eq(hunt.is_gone, media[i].is_gone, "row %zu: %s", i, hunt.why);
		bed_stop(&bed);
	}
}

Test(weixin, has_no_file_without_an_id)
{
	const struct attachment attachment = { .url = "https://elsewhere.example/", .name = "" };
	struct hunt hunt = { .search = { .found = on_found, .lost = on_lost } };
	struct bed bed;

	bed_start(&bed, "wechat", "200 OK", "{}");
	channel_connector(bed.fixture.channel)
		->find_media(bed.fixture.channel, &attachment, &hunt.search);
	cr_expect(hunt.is_over && hunt.is_gone);
	bed_stop(&bed);
}

/* ---- settings ---- */

Test(weixin, refuses_settings_that_cannot_work)
{
	static const char *const bad[][2] = {
		{ "wechat", "{\"app_id\":\"\",\"app_secret\":\"s\",\"token\":\"t\"}" },
		{ "wechat", "{\"app_id\":\"a\",\"app_secret\":\"\",\"token\":\"t\"}" },
		{ "wechat", "{\"app_id\":\"a\",\"app_secret\":\"s\",\"token\":\"\"}" },
		{ "wechat", "{\"app_id\":\"a\",\"app_secret\":\"s\",\"token\":\"t\","
			    "\"encoding_aes_key\":\"short\"}" },
		{ "wecom", "{\"corp_id\":\"a\",\"app_secret\":\"s\",\"token\":\"t\"}" },
		{ "wecom", "{\"corp_id\":\"a\",\"app_secret\":\"s\",\"token\":\"\","
			   "\"encoding_aes_key\":"
			   "\"jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C\"}" },
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct fixture fixture;

		fixture_start(&fixture);
		cr_expect_lt(fixture_open(&fixture, bad[i][0], bad[i][1]), 0, "row %zu", i);
		fixture_stop(&fixture);
	}
}
