/* The table of nouns and verbs. */
#include <string.h>

#include "ctl.h"

#define COLUMNS_END                                                                                \
	{                                                                                          \
		NULL, NULL                                                                         \
	}
#define OPTIONS_END                                                                                \
	{                                                                                          \
		NULL, NULL, NULL, false, NULL                                                      \
	}

static const struct column token_columns[] = {
	{ "ID", "id" },     { "ROLE", "role" },          { "AGENT", "agent" },
	{ "NAME", "name" }, { "CREATED", "created_at" }, { "EXPIRES", "expires_at" },
	COLUMNS_END,
};

static const struct column agent_columns[] = {
	{ "ID", "id" },         { "NAME", "name" }, { "ROLE", "role" }, { "CAPACITY", "capacity" },
	{ "QUEUES", "queues" }, COLUMNS_END,
};

static const struct column queue_columns[] = {
	{ "ID", "id" },
	{ "NAME", "name" },
	{ "STRATEGY", "strategy" },
	{ "OFFER MS", "offer_timeout_ms" },
	COLUMNS_END,
};

static const struct column conversation_columns[] = {
	{ "ID", "conversation" },
	{ "CHANNEL", "channel" },
	{ "CUSTOMER", "customer.name" },
	{ "WORK ITEM", "id" },
	{ "STATE", "state" },
	{ "AGENT", "agent" },
	COLUMNS_END,
};

static const struct column work_columns[] = {
	{ "ID", "id" },       { "NUMBER", "number" },   { "STATE", "state" },
	{ "QUEUE", "queue" }, { "AGENT", "agent" },     { "CUSTOMER", "customer.name" },
	{ "TYPE", "type" },   { "URGENCY", "urgency" }, { "CREATED", "created_at" },
	COLUMNS_END,
};

static const struct column channel_columns[] = {
	{ "NAME", "name" },   { "CONNECTOR", "connector" },
	{ "STATE", "state" }, { "PARKED BECAUSE", "parked_because" },
	COLUMNS_END,
};

static const struct column deadletter_columns[] = {
	{ "MESSAGE", "id" }, { "STATE", "state" }, { "CHANNEL", "channel" },
	{ "CODE", "code" },  { "WHY", "reason" },  { "SINCE", "at" },
	COLUMNS_END,
};

static const struct column webhook_columns[] = {
	{ "ID", "id" },         { "NAME", "name" },  { "URL", "url" }, { "TYPES", "types" },
	{ "QUEUES", "queues" }, { "ON", "enabled" }, COLUMNS_END,
};

static const struct column webhook_delivery_columns[] = {
	{ "EVENT", "id" },
	{ "TYPE", "type" },
	{ "STATE", "state" },
	{ "ATTEMPTS", "attempts" },
	{ "STATUS", "status" },
	{ "ERROR", "error" },
	{ "NEXT", "next_attempt_at" },
	COLUMNS_END,
};

static const struct choice_option webhook_delivery_options[] = {
	{ "--state", "STATE", "state", false, "waiting, delivered or dead; default all" },
	{ "--limit", "N", NULL, false, "stop after N rows; default 200" },
	OPTIONS_END,
};

static const struct column retention_columns[] = {
	{ "ID", "id" },         { "WHAT", "what" },
	{ "BEFORE", "before" }, { "CONVERSATIONS", "conversations" },
	{ "OLDEST", "oldest" }, COLUMNS_END,
};

static const struct column audit_columns[] = {
	{ "AT", "at" },         { "ACTOR", "actor.id" },
	{ "TYPE", "type" },     { "TARGET", "target" },
	{ "STATUS", "status" }, { "RESULT", "result" },
	{ "FROM", "address" },  COLUMNS_END,
};

static const struct choice_option hold_options[] = {
	{ "--reason", "TEXT", "reason", true, "such as the case it is kept for" },
	OPTIONS_END,
};

static const struct choice_option erase_options[] = {
	{ "--preview", NULL, NULL, false, "show what would be destroyed and do nothing" },
	{ "--yes", NULL, NULL, false, "do it" },
	OPTIONS_END,
};

static const struct choice_option audit_options[] = {
	{ "--actor", "ID", "actor", false, "an agent, or token:<id>" },
	{ "--type", "TYPE", "type", false, "such as customers, or queues.put" },
	{ "--from", "TIME", "from", false, "RFC 3339" },
	{ "--to", "TIME", "to", false, "RFC 3339" },
	{ "--limit", "N", NULL, false, "stop after N rows; default 200" },
	OPTIONS_END,
};

static const struct choice_option list_options[] = {
	{ "--limit", "N", NULL, false, "stop after N rows; default 200" },
	OPTIONS_END,
};

static const struct choice_option person_options[] = {
	{ "--file", "FILE", NULL, false, "where it is written, for its owner only; also -f" },
	{ "--preview", NULL, NULL, false, "only count what it would hold" },
	{ "--without-notes", NULL, NULL, false, "leave out what staff noted" },
	OPTIONS_END,
};

static const struct choice_option apply_options[] = {
	{ "--file", "FILE", NULL, true, "the business configuration; also -f" },
	{ "--dry-run", NULL, NULL, false, "show the difference and change nothing" },
	{ "--prune", NULL, NULL, false,
	  "also delete what the file does not name, of the kinds it names" },
	OPTIONS_END,
};

static const struct choice_option token_options[] = {
	{ "--view", "VIEW", "view", false,
	  "of an integration: bot sees the safe subset of customers only" },
	{ "--role", "ROLE", "role", true, "agent, supervisor, admin or integration" },
	{ "--agent", "AGENT", "agent", false,
	  "whose token it is; needed by the roles agent and supervisor" },
	{ "--name", "TEXT", "name", false, "what it is for, shown by token list" },
	OPTIONS_END,
};

static const struct choice_option status_options[] = {
	{ "--reason", "TEXT", "reason", false, "why, shown to supervisors" },
	OPTIONS_END,
};

static const struct choice_option password_options[] = {
	{ "--stdin", NULL, NULL, false, "read it from standard input instead of asking" },
	OPTIONS_END,
};

static const struct choice_option work_options[] = {
	{ "--limit", "N", NULL, false, "stop after N rows; default 200" },
	{ "--state", "STATE", "state", false, "only items in this state" },
	{ "--queue", "QUEUE", "queue", false, "only items of this queue" },
	{ "--agent", "AGENT", "agent", false, "only items of this agent" },
	{ "--sla", "STATE", "sla", false, "only items whose clocks are warned or breached" },
	OPTIONS_END,
};

static const struct column search_columns[] = {
	{ "TYPE", "type" },   { "AT", "at" },           { "ID", "id" },
	{ "FIELD", "field" }, { "SNIPPET", "snippet" }, COLUMNS_END,
};

static const struct choice_option search_options[] = {
	{ "--limit", "N", NULL, false, "stop after N rows; default 200" },
	{ "--type", "TYPES", "type", false,
	  "messages, customers, work_items, parted by commas; default all" },
	{ "--channel", "CHANNEL", "channel", false, "only of this channel" },
	{ "--agent", "AGENT", "agent", false, "only written or worked on by this agent" },
	{ "--queue", "QUEUE", "queue", false, "only of this queue" },
	{ "--customer", "CUSTOMER", "customer", false, "only of this customer" },
	{ "--from", "TIME", "from", false, "not before, such as 2026-11-22T20:45:00Z" },
	{ "--to", "TIME", "to", false, "only before" },
	OPTIONS_END,
};

static const struct choice_option message_options[] = {
	{ "--note", NULL, NULL, false, "an internal note instead of a reply" },
	{ "--key", "KEY", NULL, false, "idempotency key; default: a new one" },
	OPTIONS_END,
};

static const struct column calendar_columns[] = {
	{ "ID", "id" },
	{ "NAME", "name" },
	{ "TIME ZONE", "time_zone" },
	COLUMNS_END,
};

static const struct choice_option calendar_options[] = {
	{ "--at", "TIME", "at", false, "when, such as 2026-10-01T09:00:00+08:00; default: now" },
	{ "--add", "TIME", "add", false, "so much business time, such as 8h, is over when" },
	{ "--to", "TIME", "to", false, "how much business time lies between" },
	OPTIONS_END,
};

static const struct column policy_columns[] = {
	{ "ID", "id" },
	{ "NAME", "name" },
	{ "ORDER", "order" },
	{ "FIRST RESPONSE MS", "first_response_ms" },
	{ "NEXT RESPONSE MS", "next_response_ms" },
	{ "RESOLUTION MS", "resolution_ms" },
	{ "CALENDAR", "calendar" },
	COLUMNS_END,
};

static const struct choice_option rules_test_options[] = {
	{ "--message", "TEXT", "text", true, "what the customer writes; also -m" },
	{ "--subject", "TEXT", "subject", false, "the mail's subject" },
	{ "--channel", "NAME", "channel", false, "the channel that it comes in on" },
	{ "--language", "TAG", "language", false, "as told by the channel; default: guessed" },
	{ "--tier", "TIER", "tier", false, "the customer's tier" },
	{ "--time", "TIME", "time", false, "when, RFC 3339; default: now" },
	{ "--attachment", "TYPE", NULL, false, "the media type of an attachment" },
	{ "--attribute", "NAME=VALUE", NULL, false, "an attribute of the customer" },
	{ "--file", "FILE", NULL, false, "try the rules of this file instead; also -f" },
	OPTIONS_END,
};

static const struct choice_option route_simulate_options[] = {
	{ "--business", "FILE", NULL, true, "queues, agents and rules, as for apply" },
	{ "--rules", "FILE", NULL, false, "other rules to compare with" },
	{ "--seed", "NUMBER", NULL, false, "another day of the same kind; default 1" },
	OPTIONS_END,
};

static const struct choice_option route_replay_options[] = {
	{ "--rules", "FILE", NULL, true, "the rules to try" },
	{ "--business", "FILE", NULL, false,
	  "queues, agents and rules as they are; default: the daemon's" },
	{ "--since", "SPAN", NULL, false, "how far back, such as 7d; default 24h" },
	{ "--handle", "SPAN", NULL, false, "how long an agent is busy with one; default 5m" },
	{ "--seed", "NUMBER", NULL, false, "of the handling times; default 1" },
	OPTIONS_END,
};

static const struct choice_option rules_lint_options[] = {
	{ "--file", "FILE", NULL, false, "judge the rules of this file instead; also -f" },
	OPTIONS_END,
};

static const struct column rules_columns[] = {
	{ "NAME", "name" }, { "QUEUE", "then.queue" }, { "TYPE", "then.type" }, { "WHEN", "when" },
	COLUMNS_END,
};

static const struct column versions_columns[] = {
	{ "VERSION", "version" },
	{ "SINCE", "since" },
	COLUMNS_END,
};

static const struct choice_option tail_options[] = {
	{ "--types", "LIST", "types", false, "only these event types, comma-separated" },
	{ "--queue", "QUEUE", "queue", false, "only events of this queue" },
	{ "--after", "POSITION", NULL, false, "start behind this position of the log" },
	{ "--count", "N", NULL, false, "end after N events" },
	OPTIONS_END,
};

static const struct choice_option import_csv_options[] = {
	{ "--dry-run", NULL, NULL, false, "say what would be done and change nothing" },
	{ "--trust", NULL, NULL, false,
	  "addresses were verified where they come from: mail from them is theirs" },
	{ "--region", "CC", NULL, false,
	  "the country of phone numbers that do not say it, such as CN" },
	{ "--source", "NAME", NULL, false,
	  "whose ids they are, such as crm; default csv. The same id of another source is another "
	  "customer" },
	OPTIONS_END,
};

static const struct choice_option import_chatwoot_options[] = {
	{ "--dry-run", NULL, NULL, false, "say what would be done and change nothing" },
	{ "--trust", NULL, NULL, false,
	  "addresses were verified where they come from: mail from them is theirs" },
	{ "--region", "CC", NULL, false,
	  "the country of phone numbers that do not say it, such as CN" },
	{ "--url", "URL", NULL, false, "read from the running product instead of a folder" },
	{ "--token-file", "FILE", NULL, false, "holds the access token, for --url" },
	{ "--account", "NUMBER", NULL, false, "the account there; default 1" },
	OPTIONS_END,
};

static const struct choice_option import_zendesk_options[] = {
	{ "--dry-run", NULL, NULL, false, "say what would be done and change nothing" },
	{ "--trust", NULL, NULL, false,
	  "addresses were verified where they come from: mail from them is theirs" },
	{ "--region", "CC", NULL, false,
	  "the country of phone numbers that do not say it, such as CN" },
	{ "--url", "URL", NULL, false, "read from the running product instead of a folder" },
	{ "--token-file", "FILE", NULL, false, "holds the API token, for --url" },
	{ "--user", "ADDRESS", NULL, false, "whose API token it is, for --url" },
	OPTIONS_END,
};

static const struct column id_columns[] = {
	{ "ID", "id" },
	COLUMNS_END,
};

static const struct column order_columns[] = {
	{ "ID", "id" },       { "PLACED", "placed_at" },  { "STATUS", "status" },
	{ "TOTAL", "total" }, { "CURRENCY", "currency" }, COLUMNS_END,
};

static const struct choice_option note_options[] = {
	{ "--text", "TEXT", "text", true, "about the customer; never sent" },
	OPTIONS_END,
};

static const struct column merge_columns[] = {
	{ "ID", "id" },     { "KIND", "kind" }, { "STATE", "state" }, { "INTO", "into" },
	{ "FROM", "from" }, { "BY", "by" },     { "AT", "at" },       COLUMNS_END,
};

static const struct choice_option blobs_copy_options[] = {
	{ "--to", "URL", NULL, true, "file:/folder or s3://bucket/prefix?options" },
	{ "--access-key", "KEY", NULL, false, "of the S3 it goes to; else AWS_ACCESS_KEY_ID" },
	{ "--secret-key-file", "FILE", NULL, false,
	  "of the S3 it goes to; else AWS_SECRET_ACCESS_KEY" },
	{ "--dry-run", NULL, NULL, false, "only count what is missing there" },
	{ "--switch", NULL, NULL, false,
	  "then say in the store that the workspaces' blobs are there" },
	OPTIONS_END,
};

static const struct choice_option blobs_sweep_options[] = {
	{ "--grace", "TIME", NULL, false, "how long, such as 36h or 7d (default); at least 1h" },
	{ "--dry-run", NULL, NULL, false, "only say what there is; note and erase nothing" },
	OPTIONS_END,
};

static const struct choice_option history_move_options[] = {
	{ "--to", "URL", NULL, true, "sqlite:/path or postgresql://user@host/database, empty" },
	{ "--password-file", "FILE", NULL, false, "password of the PostgreSQL it moves to" },
	{ "--anew", NULL, NULL, false, "throw away what a move that broke off left there" },
	{ "--dry-run", NULL, NULL, false, "only count what would move" },
	OPTIONS_END,
};

static const struct column suggestion_columns[] = {
	{ "OTHER", "customer" }, { "NAME", "name" }, { "STATE", "state" },
	{ "SCORE", "score" },    { "AT", "at" },     COLUMNS_END,
};

static const struct choice_option merge_options[] = {
	{ "--preview", NULL, NULL, false, "show what would move and change nothing" },
	{ "--reason", "TEXT", NULL, false, "why, kept with the merge" },
	OPTIONS_END,
};

static const struct choice_option split_options[] = {
	{ "--preview", NULL, NULL, false, "show what would move and change nothing" },
	{ "--name", "TEXT", NULL, false, "of the new customer; default: as before" },
	{ "--reason", "TEXT", NULL, false, "why, kept with the split" },
	OPTIONS_END,
};

static const struct choice_option revert_options[] = {
	{ "--preview", NULL, NULL, false, "show what would move and change nothing" },
	OPTIONS_END,
};

static const struct command commands[] = {
	{ "apply", NULL, NULL, "Bring agents, queues, rules ... to what a file says", run_apply,
	  NULL, NULL, NULL, apply_options },
	{ "token", "create", NULL, "Make an access token and print it once", run_token_create,
	  "POST", "/v1/tokens", NULL, token_options },
	{ "token", "list", NULL, "List tokens (never their secrets)", run_list, "GET", "/v1/tokens",
	  token_columns, NULL },
	{ "token", "revoke", "ID", "End a token at once", run_send, "DELETE", "/v1/tokens/%s", NULL,
	  NULL },
	{ "agent", "list", NULL, "List agents", run_list, "GET", "/v1/agents", agent_columns,
	  list_options },
	{ "agent", "show", "ID", "Show one agent", run_show, "GET", "/v1/agents/%s", NULL, NULL },
	{ "agent", "set-status", "ID STATUS", "Set presence: online, busy, away or offline",
	  run_send, "PUT", "/v1/agents/%s/presence", NULL, status_options },
	{ "agent", "password", "ID", "Set an agent's password for the desk", run_agent_password,
	  "PUT", "/v1/agents/%s/password", NULL, password_options },
	{ "agent", "totp-remove", "ID", "Ask an agent whose phone is lost for no code any more",
	  run_send, "DELETE", "/v1/agents/%s/totp", NULL, NULL },
	{ "queue", "list", NULL, "List queues", run_list, "GET", "/v1/queues", queue_columns,
	  list_options },
	{ "queue", "show", "ID", "Show one queue", run_show, "GET", "/v1/queues/%s", NULL, NULL },
	{ "conversation", "list", NULL, "List conversations with their work, newest first",
	  run_list, "GET", "/v1/work-items", conversation_columns, work_options },
	{ "conversation", "show", "ID", "Show a conversation and its messages",
	  run_conversation_show, "GET", "/v1/conversations/%s", NULL, NULL },
	{ "message", "send", "CONVERSATION TEXT", "Write into a conversation", run_message_send,
	  "POST", "/v1/conversations/%s/messages", NULL, message_options },
	{ "search", NULL, "TEXT", "Search messages, customers and work items, newest first",
	  run_list, "GET", "/v1/search?q=%s", search_columns, search_options },
	{ "work", "list", NULL, "List work items", run_list, "GET", "/v1/work-items", work_columns,
	  work_options },
	{ "work", "show", "ID", "Show one work item", run_show, "GET", "/v1/work-items/%s", NULL,
	  NULL },
	{ "work", "explain", "ID", "Say why a work item waits", run_show, "GET",
	  "/v1/work-items/%s/explain", NULL, NULL },
	{ "calendar", "list", NULL, "List calendars", run_list, "GET", "/v1/calendars",
	  calendar_columns, list_options },
	{ "calendar", "show", "ID", "Show one calendar", run_show, "GET", "/v1/calendars/%s", NULL,
	  NULL },
	{ "calendar", "test", "ID", "Say whether it is open, when that changes, when time is over",
	  run_send, "POST", "/v1/calendars/%s/test", NULL, calendar_options },
	{ "sla", "list", NULL, "List SLA policies; the first by ORDER that matches", run_list,
	  "GET", "/v1/sla-policies", policy_columns, list_options },
	{ "rules", "list", NULL, "List the rules", run_list, "GET", "/v1/rules", rules_columns,
	  list_options },
	{ "rules", "versions", NULL, "List the sets of rules that were in force", run_list, "GET",
	  "/v1/rules/versions", versions_columns, list_options },
	{ "rules", "show", "VERSION", "Show a version of the rules", run_show, "GET",
	  "/v1/rules/versions/%s", NULL, NULL },
	{ "rules", "test", NULL, "Say which rules a message would meet, and why not the others",
	  run_rules_test, "POST", "/v1/rules/test", NULL, rules_test_options },
	{ "rules", "lint", NULL, "Find rules that never match, come too late or are slow",
	  run_rules_lint, "POST", "/v1/rules/lint", NULL, rules_lint_options },
	{ "route", "replay", NULL, "Run stored work through other rules and compare",
	  run_route_replay, NULL, NULL, NULL, route_replay_options },
	{ "route", "simulate", "DAY", "Run a synthetic day through queues, agents and rules",
	  run_route_simulate, NULL, NULL, NULL, route_simulate_options },
	{ "audit", "list", NULL, "List administrative acts, newest first", run_list, "GET",
	  "/v1/audit", audit_columns, audit_options },
	{ "retention", "preview", NULL,
	  "Say how many conversations each rule of retention would take something of", run_list,
	  "GET", "/v1/retention/preview", retention_columns, NULL },
	{ "retention", "run", NULL, "Take now what is due", run_send, "POST", "/v1/retention/run",
	  NULL, NULL },
	{ "customer", "find", "IDENTIFIER",
	  "Find whose identifier it is, such as email:a@example.com", run_customer_find, "GET",
	  "/v1/customers", id_columns, NULL },
	{ "customer", "show", "ID", "Show a customer: who it is, and everything of theirs",
	  run_show, "GET", "/v1/customers/%s", NULL, NULL },
	{ "customer", "export", "ID", "Write all that is held about a person into a file",
	  run_customer_export, "POST", "/v1/customers/%s/export", NULL, person_options },
	{ "customer", "hold", "ID", "Put a legal hold on a customer: nothing of them is destroyed",
	  run_send, "PUT", "/v1/customers/%s/hold", NULL, hold_options },
	{ "customer", "unhold", "ID", "End a customer's legal hold", run_send, "DELETE",
	  "/v1/customers/%s/hold", NULL, NULL },
	{ "customer", "erase", "ID", "Destroy all that is known of a person; a job does it",
	  run_customer_erase, "DELETE", "/v1/customers/%s", NULL, erase_options },
	{ "customer", "note", "ID", "Write a note about a customer", run_send, "POST",
	  "/v1/customers/%s/notes", NULL, note_options },
	{ "customer", "orders", "ID", "List a customer's orders, newest first", run_list, "GET",
	  "/v1/customers/%s/orders", order_columns, list_options },
	{ "customer", "merge", "INTO FROM", "Two customers are one person", run_customer_merge,
	  "POST", "/v1/customers/%s/merge", NULL, merge_options },
	{ "customer", "suggestions", "ID", "List who else this customer may be", run_list, "GET",
	  "/v1/customers/%s/suggestions", suggestion_columns, NULL },
	{ "customer", "accept", "ID OTHER", "Merge the other as it was suggested",
	  run_customer_decide, "POST", "/v1/customers/%s/suggestions/%s/accept", NULL,
	  merge_options },
	{ "customer", "dismiss", "ID OTHER", "The two are not one person, whatever suggests it",
	  run_customer_decide, "POST", "/v1/customers/%s/suggestions/%s/dismiss", NULL, NULL },
	{ "customer", "split", "ID IDENTIFIER", "One identifier is somebody else's",
	  run_customer_split, "POST", "/v1/customers/%s/split", NULL, split_options },
	{ "customer", "merges", "ID", "List the merges and splits it was part of", run_list, "GET",
	  "/v1/customers/%s/merges", merge_columns, NULL },
	{ "customer", "revert", "MERGE", "Undo a merge or a split", run_customer_decide, "POST",
	  "/v1/customers/merges/%s/revert", NULL, revert_options },
	{ "import", "csv", "FILE", "Take customers over from a table; - reads standard input",
	  run_import_csv, NULL, NULL, NULL, import_csv_options },
	{ "import", "chatwoot", "[FOLDER]",
	  "Take customers, closed conversations and canned replies over from Chatwoot",
	  run_import_chatwoot, NULL, NULL, NULL, import_chatwoot_options },
	{ "import", "zendesk", "[FOLDER]",
	  "Take customers, solved tickets and macros over from Zendesk", run_import_zendesk, NULL,
	  NULL, NULL, import_zendesk_options },
	{ "export", NULL, "FOLDER",
	  "Write all that the workspace holds to FOLDER, as JSON Lines and files", run_export, NULL,
	  NULL, NULL, NULL },
	{ "tail", NULL, NULL, "Follow the log of events", run_tail, "GET", "/v1/events", NULL,
	  tail_options },
	{ "history", "status", NULL, "Say where the history is, how far it came, what it holds",
	  run_show, "GET", "/v1/history", NULL, NULL },
	{ "history", "rebuild", NULL, "Write everything that is in the store into it anew",
	  run_send, "POST", "/v1/history/rebuild", NULL, NULL },
	{ "history", "restore", NULL, "Bring back what the store lost: customers and open work",
	  run_history_restore, "POST", "/v1/history/restore", NULL, NULL },
	{ "history", "move", NULL,
	  "Move it into another database, SQLite or PostgreSQL; the daemon must not run",
	  run_history_move, NULL, NULL, NULL, history_move_options },
	{ "blobs", "test", NULL, "Keep, read and erase a blob in the blob store", run_send, "POST",
	  "/v1/blobs/test", NULL, NULL },
	{ "blobs", "copy", NULL,
	  "Copy every blob into another blob store, under its id; again goes on", run_blobs_copy,
	  NULL, NULL, NULL, blobs_copy_options },
	{ "blobs", "sweep", NULL,
	  "Erase blobs that nothing has referred to since a run before, longer ago than the grace",
	  run_blobs_sweep, NULL, NULL, NULL, blobs_sweep_options },
	{ "channel", "list", NULL, "List channels", run_list, "GET", "/v1/channels",
	  channel_columns, NULL },
	{ "channel", "test", "NAME", "Try a channel's settings against its provider", run_send,
	  "POST", "/v1/channels/%s/test", NULL, NULL },
	{ "deadletter", "list", NULL, "List messages that could not be delivered", run_list, "GET",
	  "/v1/deadletters", deadletter_columns, list_options },
	{ "deadletter", "show", "ID", "Show one dead letter", run_find, "GET", "/v1/deadletters",
	  NULL, NULL },
	{ "deadletter", "redrive", "ID", "Try to deliver it again", run_send, "POST",
	  "/v1/deadletters/%s/redrive", NULL, NULL },
	{ "deadletter", "decide", "ID OUTCOME",
	  "Say what became of an uncertain message: sent, failed or resend", run_send, "POST",
	  "/v1/messages/%s/decide", NULL, NULL },
	{ "webhook", "list", NULL, "List endpoints that are told of events", run_list, "GET",
	  "/v1/webhooks", webhook_columns, list_options },
	{ "webhook", "state", "ID", "Say whether an endpoint takes events, and how many wait",
	  run_show, "GET", "/v1/webhooks/%s/state", NULL, NULL },
	{ "webhook", "deliveries", "ID", "List what became of its events, newest first", run_list,
	  "GET", "/v1/webhooks/%s/deliveries", webhook_delivery_columns, webhook_delivery_options },
	{ "webhook", "resend", "ID EVENT", "Deliver an event again", run_send, "POST",
	  "/v1/webhooks/%s/deliveries/%s/resend", NULL, NULL },
	{ "webhook", "test", "ID", "Send it an event that says nothing", run_send, "POST",
	  "/v1/webhooks/%s/test", NULL, NULL },
	{ "webhook", "resume", "ID", "Try an endpoint that was switched off again, at once",
	  run_send, "POST", "/v1/webhooks/%s/resume", NULL, NULL },
	{ "doctor", NULL, NULL, "Check daemon, store, disk, blobs, clock, channels and permissions",
	  run_doctor, NULL, NULL, NULL, NULL },
	{ "backup", NULL, "FILE",
	  "Write a consistent copy of an embedded store and its blobs to FILE", run_backup, NULL,
	  NULL, NULL, NULL },
	{ "restore", NULL, "FILE",
	  "Unpack a backup into an empty state_dir; the daemon must not run", run_restore, NULL,
	  NULL, NULL, NULL },
	{ "health", NULL, NULL, "Exit with 0 when the daemon is ready", run_health, "GET",
	  "/readyz", NULL, NULL },
	{ "version", NULL, NULL, "Print this program's version", run_version, NULL, NULL, NULL,
	  NULL },
};

const struct command *commands_all(size_t *ret_count)
{
	*ret_count = sizeof(commands) / sizeof(commands[0]);
	return commands;
}

const struct command *commands_find(const char *noun, const char *verb)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *row = &commands[i];
		if (strcmp(row->noun, noun) != 0)
			continue;
		if (row->verb == NULL || (verb != NULL && strcmp(row->verb, verb) == 0))
			return row;
	}
	return NULL;
}

bool commands_has_noun(const char *noun)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].noun, noun) == 0)
			return true;
	return false;
}

const char *call_option(const struct call *call, const char *name)
{
	const struct choice_option *rows = call->command->options;
	for (size_t i = 0; rows != NULL && rows[i].name != NULL; i++)
		if (strcmp(rows[i].name, name) == 0)
			return call->options[i];
	return NULL;
}
