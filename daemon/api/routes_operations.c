/* Operations, the history, what could not be delivered, and the pages. */
#include "api/handlers.h"
#include "api/routes.h"
#include "base/memory.h"

static const struct route routes[] = {
	{ "POST", "/v1/blobs/test", ROLE_ADMIN, handle_blobs_test, body_none, NULL, "ChannelTest",
	  200, "Keep, read and erase a blob: does the blob store work?", 0 },
	{ "GET", "/v1/history", ROLES_LEAD, handle_history_get, NULL, NULL, "History", 200,
	  "Where the history is, how far it came, what it holds", 0 },
	{ "POST", "/v1/history/rebuild", ROLE_ADMIN, handle_history_rebuild, body_none, NULL,
	  "History", 202, "Write everything that is in the store into the history anew", 0 },
	{ "POST", "/v1/history/restore", ROLE_ADMIN, handle_history_restore, body_none, NULL,
	  "History", 202, "Bring back what the store lost: customers and open work", 0 },
	{ "GET", "/v1/deadletters", ROLES_LEAD, handle_dead_list, NULL, PAGED, "List", 200,
	  "Messages that could not be delivered", 0 },
	{ "POST", "/v1/deadletters/{id}/redrive", ROLES_LEAD, handle_dead_redrive, body_none, NULL,
	  "Delivery", 200, "Try once more", 0 },
	{ "GET", "/healthz", ROLE_PUBLIC, handle_health, NULL, NULL, NULL, 200, "The loop runs",
	  0 },
	{ "GET", "/readyz", ROLE_PUBLIC, handle_ready, NULL, "verbose", NULL, 200,
	  "Ready for traffic", 0 },
	{ "GET", "/metrics", ROLE_PUBLIC, handle_metrics, NULL, NULL, NULL, 200, "Prometheus text",
	  0 },
	{ "GET", "/openapi.json", ROLE_PUBLIC, handle_openapi, NULL, NULL, NULL, 200,
	  "This description", 0 },
	{ "GET", "/", ROLE_PUBLIC, handle_home, NULL, "*", NULL, 200, "The desk", 0 },
	{ "GET", "/desk.js", ROLE_PUBLIC, handle_desk_script, NULL, NULL, NULL, 200,
	  "The desk's script", 0 },
	{ "GET", "/desk.css", ROLE_PUBLIC, handle_desk_style, NULL, NULL, NULL, 200,
	  "The desk's style", 0 },
	{ "GET", "/widget.js", ROLE_PUBLIC, handle_widget, NULL, NULL, NULL, 200,
	  "The chat widget's loader", 0 },
	{ "GET", "/widget-main.js", ROLE_PUBLIC, handle_widget_main, NULL, NULL, NULL, 200,
	  "The rest of the chat widget", 0 },
	{ "GET", "/widget/demo/{channel}", ROLE_PUBLIC, handle_widget_demo, NULL, "lang", NULL, 200,
	  "A page to try the chat widget on, of a channel that has one", 0 },
	{ "GET", "/widget-demo.js", ROLE_PUBLIC, handle_widget_demo_script, NULL, NULL, NULL, 200,
	  "Its script", 0 },
};

const struct route_group routes_of_operations = { routes, COUNT_OF(routes) };
