/* The generic signed webhook (Standard Webhooks 1.0): messages in by POST, answers out to
 * deliver_url. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "http.h"
#include "sim.h"
#include "wire.h"

enum { BODY_MAX = 1024 * 1024 };

static void on_said(int status, const char *body, size_t len, void *context)
{
	struct customer *customer = context;
	(void)len;
	customer->call = NULL;
	customer_heard(customer, status == 200, status == 0 ? "no answer" : body);
}

static void sign(struct sim *sim, const char *id, const char *stamp, const struct buf *body,
		 char *out)
{
	unsigned char mac[SHA256_BYTES];
	mac_begin(sim->webhook_key);
	mac_add(sim->webhook_key, id, strlen(id));
	mac_add(sim->webhook_key, ".", 1);
	mac_add(sim->webhook_key, stamp, strlen(stamp));
	mac_add(sim->webhook_key, ".", 1);
	mac_add(sim->webhook_key, body->data, body->len);
	mac_end(sim->webhook_key, mac);
	text_base64(mac, sizeof(mac), out);
}

static void webhook_say(struct customer *customer, const char *text, const char *message_id)
{
	static const struct http_call_fns fns = { .on_done = on_said };
	struct buf body = { 0 }, head = { 0 };
	struct json_out json;
	char stamp[24], signature[64];
	jw_start(&json, &body);
	jw_object(&json, NULL);
	jw_text(&json, "id", message_id);
	jw_object(&json, "from");
	jw_text(&json, "id", customer->id);
	jw_text(&json, "name", customer->name);
	jw_object_end(&json);
	jw_text(&json, "text", text);
	jw_object_end(&json);
	snprintf(stamp, sizeof(stamp), "%lld", (long long)time(NULL));
	sign(customer->sim, message_id, stamp, &body, signature);
	buf_format(&head,
		   "POST /in/%s HTTP/1.1\r\nwebhook-id: %s\r\nwebhook-timestamp: %s\r\n"
		   "webhook-signature: v1,%s\r\n",
		   customer->sim->webhook_channel, message_id, stamp, signature);
	customer->call = http_call_start(customer->sim->base, customer->sim->http, head.data,
					 body.data, body.len, &fns, customer);
	buf_clear(&head);
	buf_clear(&body);
}

static void webhook_leave(struct customer *customer)
{
	http_call_cancel(&customer->call);
}

const struct door webhook_door = { "webhook", webhook_say, webhook_leave };

/* --- deliver_url: one request on one connection --- */

struct delivery_in {
	struct sim *sim;
	size_t length;
};

static void on_delivery_line(struct wire *wire, char *line, void *context)
{
	struct delivery_in *in = context;
	if (strncasecmp(line, "content-length:", strlen("content-length:")) == 0)
		in->length = strtoul(line + strlen("content-length:"), NULL, 10);
	if (line[0] != '\0')
		return;
	if (in->length > 0 && in->length <= BODY_MAX)
		wire_expect(wire, in->length);
	else
		wire_close(wire);
}

static void on_delivery_bytes(struct wire *wire, const char *bytes, size_t len, void *context)
{
	struct delivery_in *in = context;
	struct json_object *event = json_read(bytes, len, NULL);
	const char *to = json_text(event, "data.to.id");
	struct customer *customer = to != NULL ? customer_find(in->sim, to) : NULL;
	if (customer != NULL)
		customer_answered(customer, json_text(event, "data.text"));
	json_free(&event);
	/* Also for a customer who has left: the application took it. */
	wire_text(wire, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
	wire_close(wire);
}

static void on_delivery_end(void *context)
{
	free(context);
}

static void *on_delivery(struct wire *wire, void *context)
{
	struct delivery_in *in = memory_new(sizeof(*in));
	(void)wire;
	in->sim = context;
	return in;
}

static const struct wire_fns delivery_fns = { on_delivery_line, on_delivery_bytes,
					      on_delivery_end };

int webhook_door_open(struct sim *sim)
{
	unsigned char key[64];
	const char *text = sim->webhook_secret + strlen("whsec_");
	long len = text_starts(sim->webhook_secret, "whsec_")
			   ? text_unbase64(text, strlen(text), key, sizeof(key))
			   : -1;
	if (len <= 0) {
		fprintf(stderr, "converge-sim: the webhook's secret is not whsec_ and base64\n");
		return -1;
	}
	sim->webhook_key = mac_new(key, (size_t)len);
	if (sim->deliver_url == NULL)
		return 0;
	const char *host = strstr(sim->deliver_url, "://");
	host = host != NULL ? host + strlen("://") : sim->deliver_url;
	char *address = arena_copy(sim->arena, host, strcspn(host, "/"));
	sim->webhook_in = wire_listen(sim->base, address, &delivery_fns, on_delivery, sim);
	if (sim->webhook_in == NULL) {
		fprintf(stderr, "converge-sim: cannot listen at %s\n", address);
		return -1;
	}
	return 0;
}
