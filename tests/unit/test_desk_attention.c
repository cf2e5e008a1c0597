/* Costs, limits and interruption: who may get what beside what is in the agent's hands. */
#include <stdio.h>

#include "roster_bed.h"

#include "base/memory.h"
#include "routing/desk.h"

enum { NOW = 1000000 };

static struct error err;
static struct desk *desk;
static struct roster *roster;

static void use(const char *agent, const char *const *channels)
{
	struct roster *fresh =
		roster_with_channels(PAIRS("a", "{}"), PAIRS("alice", agent), channels, &err);

	desk_roster(desk, fresh);
	roster_free(&roster);
	roster = fresh;
}

static void setup(void)
{
	desk = desk_new();
}

static void teardown(void)
{
	desk_free(&desk);
	roster_free(&roster);
}

TestSuite(desk_attention, .init = setup, .fini = teardown);

static void put(const char *id, const char *channel)
{
	char copy[20];
	char name[20];
	struct desk_item item = { .id = copy,
				  .queue = (char[]){ "a" },
				  .channel = name,
				  .queued_ms = NOW,
				  .cost = roster_channel(roster, channel)->cost };

	snprintf(copy, sizeof(copy), "%s", id);
	snprintf(name, sizeof(name), "%s", channel);
	desk_put_item(desk, &item);
}

/* Alice attends to work of these channels: the id of what she is offered, "" nothing. */
static const char *offered(const char *held, bool is_wish)
{
	static char text[40];
	struct desk_agent *alice = desk_agent(desk, "alice");
	struct desk_match match;

	alice->is_online = alice->is_routable = true;
	alice->is_proposed = false;
	desk_set_held(alice, held);
	desk_set_wish(alice, is_wish ? "key" : NULL, NULL, 1);
	desk_agent_changed(desk, alice);
	text[0] = '\0';
	if (desk_match(desk, NOW, &match)) {
		snprintf(text, sizeof(text), "%s", match.item->id);
		match.item->is_proposed = false;
	}
	return text;
}

/* Which channel may come beside which: a cell each, and the cell alone makes the difference. */
Test(desk_attention, every_cell_of_the_interrupt_matrix_decides)
{
	static const char *const channels[] = { "call", "chat", "mail" };

	for (size_t coming = 0; coming < COUNT_OF(channels); coming++) {
		for (size_t held = 0; held < COUNT_OF(channels); held++) {
			char row[100];

			snprintf(row, sizeof(row), "{\"interrupts\":[\"%s\"]}", channels[held]);
			use("{}", PAIRS(channels[coming], row));
			put("w1", channels[coming]);
			cr_expect_str_eq(offered(channels[held], false), "w1", "%s beside %s",
					 channels[coming], channels[held]);
			use("{}", PAIRS(channels[coming], "{\"interrupts\":[\"other\"]}"));
			put("w1", channels[coming]);
			cr_expect_str_eq(offered(channels[held], false), coming == held ? "w1" : "",
					 "no %s beside %s", channels[coming], channels[held]);
			desk_clear_items(desk);
		}
	}
}

Test(desk_attention, all_that_is_held_must_be_interruptible)
{
	use("{}", PAIRS("call", "{\"interrupts\":[\"mail\",\"chat\"]}", "chat", "{}", "mail",
			"{\"interrupts\":[]}"));
	put("w1", "call");
	cr_expect_str_eq(offered("", false), "w1");
	cr_expect_str_eq(offered("mail", false), "w1");
	cr_expect_str_eq(offered("mail chat mail", false), "w1");
	cr_expect_str_eq(offered("mail mailbox", false), "");
	cr_expect_str_eq(offered("mai", false), "");
	desk_remove_item(desk, "w1");
	put("w2", "mail");
	cr_expect_str_eq(offered("", false), "w2");
	cr_expect_str_eq(offered("mail", false), "w2");
	cr_expect_str_eq(offered("chat", false), "");
	desk_remove_item(desk, "w2");
	put("w3", "chat");
	cr_expect_str_eq(offered("call mail other", false), "w3", "nothing said: everything");
	put("w4", "other");
	desk_remove_item(desk, "w3");
	cr_expect_str_eq(offered("call", false), "w4");
}

Test(desk_attention, who_asks_for_work_may_interrupt)
{
	use("{}", PAIRS("call", "{\"interrupts\":[]}"));
	put("w1", "call");
	cr_expect_str_eq(offered("mail", false), "");
	cr_expect_str_eq(offered("mail", true), "w1");
}

Test(desk_attention, a_limit_is_of_its_channel_and_holds_for_claims)
{
	use("{\"limits\":[{\"channel\":\"call\",\"at_once\":1},"
	    "{\"channel\":\"chat\",\"at_once\":2},{\"channel\":\"fax\",\"at_once\":0}]}",
	    NULL);
	put("w1", "call");
	cr_expect_str_eq(offered("chat chat mail", false), "w1");
	cr_expect_str_eq(offered("call", false), "");
	cr_expect_str_eq(offered("call", true), "");
	put("w2", "chat");
	cr_expect_str_eq(offered("call chat", false), "w2");
	cr_expect_str_eq(offered("call chat chat", false), "");
	put("w3", "fax");
	cr_expect_str_eq(offered("call chat chat", false), "");
	put("w4", "mail");
	cr_expect_str_eq(offered("call chat chat mail mail mail", false), "w4");
}

Test(desk_attention, a_channel_costs_what_it_says)
{
	struct desk_agent *alice;

	use("{\"capacity\":5}", PAIRS("call", "{\"cost\":3}"));
	put("w1", "call");
	alice = desk_agent(desk, "alice");
	alice->load = 3;
	cr_expect_str_eq(offered("", false), "");
	put("w2", "mail");
	cr_expect_str_eq(offered("", false), "w2", "it waits longer, but there is no room for it");
	alice->load = 2;
	cr_expect_str_eq(offered("", false), "w1");
}

Test(desk_attention, beyond_the_capacity_nothing_new_comes_until_below)
{
	struct desk_agent *alice;

	use("{\"capacity\":5}", NULL);
	put("w1", "mail");
	alice = desk_agent(desk, "alice");
	for (alice->load = 8; alice->load >= 5; alice->load--)
		cr_expect_str_eq(offered("", false), "");
	cr_expect_str_eq(offered("", false), "w1");
}

Test(desk_attention, a_new_roster_is_heard_by_items_that_wait)
{
	use("{}", NULL);
	put("w1", "call");
	cr_expect_str_eq(offered("mail", false), "w1");
	use("{}", PAIRS("x", "{}", "call", "{\"interrupts\":[]}"));
	cr_expect_str_eq(offered("mail", false), "");
	use("{}", NULL);
	cr_expect_str_eq(offered("mail", false), "w1");
}
