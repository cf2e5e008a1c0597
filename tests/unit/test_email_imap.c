#include <criterion/criterion.h>

#include "../../connectors/email_private.h"
#include "../contract/fixture.h"
#include "../contract/imap_peer.h"

#define MAIL(text) "From: ann@example.org\r\nSubject: " text "\r\n\r\nbody of " text "\r\n"

static void open_mailbox(struct fixture *fixture, struct imap_peer *peer, const char *more)
{
	char settings[512];

	snprintf(
		settings, sizeof(settings),
		"{\"address\":\"support@shop.example\",\"imap\":{\"url\":\"imap://127.0.0.1:%d\","
		"\"user\":\"support\",\"password\":\"pw\",\"folder\":\"INBOX\",\"poll\":\"1s\"%s}}",
		peer->port, more);
	cr_assert_eq(fixture_open(fixture, "email", settings), 0);
}

/* One turn at a time until the n-th mail was handed over and its cursor stored. */
static void until(struct fixture *fixture, int received, int puts)
{
	while (fixture->received < received || fixture->store.puts < puts)
		loop_turn(fixture->loop, true);
}

/* Until the poll is over: it has freed its scratch. */
static void until_idle(struct fixture *fixture)
{
	const struct email_state *state = host_services.channel_state(fixture->channel);

	do
		loop_turn(fixture->loop, true);
	while (state->poll.busy);
}

Test(email_imap, fetches_without_marking_and_moves_the_cursor_after_the_ack)
{
	struct fixture fixture;
	struct imap_peer peer;

	fixture_start(&fixture);
	imap_start(&peer, fixture.loop);
	imap_add(&peer, 5, MAIL("one"));
	imap_add(&peer, 9, MAIL("two"));
	open_mailbox(&fixture, &peer, "");
	channels_start(fixture.channels);
	until(&fixture, 2, 3);
	until_idle(&fixture);
	cr_assert(strstr(buf_string(&fixture.received_all), "body of one"));
	cr_assert(strstr(buf_string(&fixture.received_all), "body of two"));
	cr_assert_str_eq(fixture.store.cursor, "77:9");
	cr_assert(!peer.mails[0].seen && !peer.mails[1].seen, "a fetch set \\Seen");
	cr_assert_eq(peer.accepted, 1);
	cr_assert(strstr(buf_string(&peer.log),
			 "ID (\"name\" \"converge\" \"vendor\" \"converge\")\nSELECT INBOX\n"
			 "EXAMINE \"INBOX\"\nUID SEARCH SINCE "));
	cr_assert(strstr(buf_string(&peer.log), "UID FETCH 5:9 (UID FLAGS RFC822.SIZE)\n"
						"UID FETCH 5 BODY[]\nUID FETCH 9 BODY[]\n"));
	imap_stop(&peer);
	fixture_stop(&fixture);
}

Test(email_imap, goes_on_from_its_cursor)
{
	struct fixture fixture;
	struct imap_peer peer;

	fixture_start(&fixture);
	imap_start(&peer, fixture.loop);
	imap_add(&peer, 5, MAIL("one"));
	imap_add(&peer, 9, MAIL("two"));
	snprintf(fixture.store.cursor, sizeof(fixture.store.cursor), "77:5");
	open_mailbox(&fixture, &peer, "");
	channels_start(fixture.channels);
	until(&fixture, 1, 1);
	imap_add(&peer, 12, MAIL("three"));
	until(&fixture, 2, 2);
	cr_assert(!strstr(buf_string(&fixture.received_all), "body of one"));
	cr_assert(strstr(buf_string(&fixture.received_all), "body of three"));
	cr_assert_str_eq(fixture.store.cursor, "77:12");
	cr_assert(!strstr(buf_string(&peer.log), "SEARCH"));
	imap_stop(&peer);
	fixture_stop(&fixture);
}

Test(email_imap, reads_the_window_again_when_uids_lost_their_meaning)
{
	struct fixture fixture;
	struct imap_peer peer;

	fixture_start(&fixture);
	imap_start(&peer, fixture.loop);
	imap_add(&peer, 1, MAIL("one"));
	imap_add(&peer, 2, MAIL("two"));
	snprintf(fixture.store.cursor, sizeof(fixture.store.cursor), "76:900");
	open_mailbox(&fixture, &peer, "");
	channels_start(fixture.channels);
	until(&fixture, 2, 3);
	cr_assert_str_eq(fixture.store.cursor, "77:2");
	imap_stop(&peer);
	fixture_stop(&fixture);
}

Test(email_imap, starts_again_on_a_new_connection)
{
	struct fixture fixture;
	struct imap_peer peer;

	fixture_start(&fixture);
	imap_start(&peer, fixture.loop);
	imap_add(&peer, 5, MAIL("one"));
	imap_add(&peer, 9, MAIL("two"));
	peer.drop_at_fetch = 2;
	open_mailbox(&fixture, &peer, "");
	channels_start(fixture.channels);
	until(&fixture, 2, 3);
	until_idle(&fixture);
	cr_assert_eq(peer.accepted, 2);
	cr_assert_eq(fixture.received, 2, "each mail once: %d", fixture.received);
	cr_assert(!peer.mails[0].seen && !peer.mails[1].seen);
	imap_stop(&peer);
	fixture_stop(&fixture);
}

Test(email_imap, marks_or_moves_only_what_is_stored_and_where_it_is_told_to)
{
	static const char *const more[] = { ",\"after\":\"seen\"",
					    ",\"after\":\"move\",\"move_to\":\"完成\"" };

	for (int moves = 0; moves < 2; moves++) {
		struct fixture fixture;
		struct imap_peer peer;

		fixture_start(&fixture);
		imap_start(&peer, fixture.loop);
		imap_add(&peer, 5, MAIL("one"));
		open_mailbox(&fixture, &peer, more[moves]);
		channels_start(fixture.channels);
		while (!peer.mails[0].seen)
			loop_turn(fixture.loop, true);
		/* A crash here leaves the cursor in front of it: fetched and marked again. */
		cr_assert_eq(fixture.received, 1);
		cr_assert_eq(fixture.store.puts, 1);
		while (fixture.store.puts < 2)
			loop_turn(fixture.loop, true);
		cr_assert_eq(peer.mails[0].moved, moves);
		cr_assert(strstr(buf_string(&peer.log),
				 moves ? "SELECT \"INBOX\"\nUID MOVE 5 \"&W4xiEA-\"\n"
				       : "SELECT \"INBOX\"\nUID STORE 5 +FLAGS (\\Seen)\n"));
		imap_stop(&peer);
		fixture_stop(&fixture);
	}
}

Test(email_imap, takes_only_the_headers_of_a_mail_that_is_too_big)
{
	static char big[80000];
	struct fixture fixture;
	struct imap_peer peer;
	char settings[512];

	snprintf(big, sizeof(big), "Subject: big\r\n\r\n");
	memset(big + strlen(big), 'x', sizeof(big) - strlen(big) - 1);
	fixture_start(&fixture);
	imap_start(&peer, fixture.loop);
	imap_add(&peer, 5, big);
	snprintf(settings, sizeof(settings),
		 "{\"address\":\"a@b.cn\",\"max_size\":\"64k\",\"imap\":{\"url\":"
		 "\"imap://127.0.0.1:%d\",\"user\":\"u\",\"password\":\"pw\"}}",
		 peer.port);
	cr_assert_eq(fixture_open(&fixture, "email", settings), 0);
	channels_start(fixture.channels);
	until(&fixture, 1, 2);
	cr_assert_str_eq(fixture.received_body, "Subject: big\r\n\r\n");
	imap_stop(&peer);
	fixture_stop(&fixture);
}

Test(email_imap, does_without_id_and_backs_off_from_a_refused_login)
{
	struct fixture fixture;
	struct imap_peer peer;
	const struct email_state *state;

	fixture_start(&fixture);
	imap_start(&peer, fixture.loop);
	imap_add(&peer, 5, MAIL("one"));
	peer.knows_no_id = true;
	open_mailbox(&fixture, &peer, "");
	channels_start(fixture.channels);
	until(&fixture, 1, 2);
	imap_stop(&peer);
	fixture_stop(&fixture);

	fixture_start(&fixture);
	imap_start(&peer, fixture.loop);
	peer.refuse_login = true;
	open_mailbox(&fixture, &peer, "");
	channels_start(fixture.channels);
	state = host_services.channel_state(fixture.channel);
	while (state->poll.backoff_ms == 0)
		loop_turn(fixture.loop, true);
	cr_assert_eq(state->poll.backoff_ms, 300000);
	cr_assert_eq(peer.accepted, 1);
	imap_stop(&peer);
	fixture_stop(&fixture);
}

Test(email_imap, fetches_again_what_could_not_be_stored)
{
	struct fixture fixture;
	struct imap_peer peer;
	const struct email_state *state;

	fixture_start(&fixture);
	imap_start(&peer, fixture.loop);
	imap_add(&peer, 5, MAIL("one"));
	fixture.is_store_away = true;
	open_mailbox(&fixture, &peer, ",\"after\":\"seen\"");
	channels_start(fixture.channels);
	state = host_services.channel_state(fixture.channel);
	while (state->poll.backoff_ms == 0)
		loop_turn(fixture.loop, true);
	cr_assert_str_eq(fixture.store.cursor, "77:4");
	cr_assert(!peer.mails[0].seen);
	fixture.is_store_away = false;
	until(&fixture, 2, 2);
	cr_assert_str_eq(fixture.store.cursor, "77:5");
	imap_stop(&peer);
	fixture_stop(&fixture);
}

Test(email_imap, stops_at_once_when_the_lease_is_lost_and_survives_its_return)
{
	struct fixture fixture;
	struct imap_peer peer;

	fixture_start(&fixture);
	imap_start(&peer, fixture.loop);
	imap_add(&peer, 5, MAIL("one"));
	open_mailbox(&fixture, &peer, "");
	for (int turns = 0; turns < 25; turns++) {
		channels_start(fixture.channels);
		for (int i = 0; i < turns && fixture.received == 0; i++)
			loop_turn(fixture.loop, false);
		channels_stop(fixture.channels);
	}
	channels_start(fixture.channels);
	until(&fixture, 1, 2);
	cr_assert_str_eq(fixture.store.cursor, "77:5");
	imap_stop(&peer);
	fixture_stop(&fixture);
}

static void on_tested(bool ok, const char *phrase, void *context)
{
	snprintf(context, 100, "%d %s", ok, phrase);
}

Test(email_imap, can_be_tried)
{
	for (int refused = 0; refused < 2; refused++) {
		char result[100] = "";
		struct fixture fixture;
		struct imap_peer peer;

		fixture_start(&fixture);
		imap_start(&peer, fixture.loop);
		peer.refuse_login = refused;
		open_mailbox(&fixture, &peer, "");
		channel_connector(fixture.channel)->test(fixture.channel, on_tested, result);
		while (!result[0])
			loop_turn(fixture.loop, true);
		cr_expect_str_eq(result, refused ? "0 the login was refused"
						 : "1 logged in to the mailbox");
		imap_stop(&peer);
		fixture_stop(&fixture);
	}
}
