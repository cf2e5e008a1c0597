/* Mail: in by LMTP, answers taken by a small SMTP server. One mail on one connection. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"
#include "sim.h"
#include "wire.h"

#define CUSTOMER_DOMAIN "customers.example"

enum { LMTP_TIMEOUT_S = 60 };

/* --- LMTP: one command after each answer --- */

enum lmtp_step { LMTP_GREETING, LMTP_HELLO, LMTP_FROM, LMTP_TO, LMTP_DATA, LMTP_BODY, LMTP_OVER };

struct lmtp {
	struct sim *sim;
	char customer[48];
	struct buf mail;
	enum lmtp_step step;
	bool is_taken;
	char why[200];
};

static void send_step(struct wire *wire, struct lmtp *lmtp)
{
	struct buf out = { 0 };
	switch (lmtp->step) {
	case LMTP_HELLO:
		buf_text(&out, "LHLO " CUSTOMER_DOMAIN "\r\n");
		break;
	case LMTP_FROM:
		buf_format(&out, "MAIL FROM:<%s@" CUSTOMER_DOMAIN ">\r\n", lmtp->customer);
		break;
	case LMTP_TO:
		buf_format(&out, "RCPT TO:<%s>\r\n", lmtp->sim->mail_address);
		break;
	case LMTP_DATA:
		buf_text(&out, "DATA\r\n");
		break;
	case LMTP_BODY:
		buf_add(&out, lmtp->mail.data, lmtp->mail.len);
		buf_text(&out, ".\r\n");
		break;
	default:
		buf_text(&out, "QUIT\r\n");
		break;
	}
	wire_send(wire, out.data, out.len);
	buf_clear(&out);
}

static void on_lmtp_line(struct wire *wire, char *line, void *context)
{
	struct lmtp *lmtp = context;
	if (strlen(line) > 3 && line[3] == '-')
		return;
	bool is_good = line[0] == '2' || (line[0] == '3' && lmtp->step == LMTP_DATA);
	if (!is_good || lmtp->step == LMTP_OVER) {
		snprintf(lmtp->why, sizeof(lmtp->why), "%s", line);
		wire_close(wire);
		return;
	}
	lmtp->is_taken = lmtp->step == LMTP_BODY;
	lmtp->step++;
	send_step(wire, lmtp);
	if (lmtp->is_taken)
		wire_close(wire);
}

static void on_lmtp_bytes(struct wire *wire, const char *bytes, size_t len, void *context)
{
	(void)wire;
	(void)bytes;
	(void)len;
	(void)context;
}

static void on_lmtp_end(void *context)
{
	struct lmtp *lmtp = context;
	struct customer *customer = customer_find(lmtp->sim, lmtp->customer);
	if (customer != NULL)
		customer_heard(customer, lmtp->is_taken, lmtp->why);
	buf_clear(&lmtp->mail);
	free(lmtp);
}

static const struct wire_fns lmtp_fns = { on_lmtp_line, on_lmtp_bytes, on_lmtp_end };

static void put_encoded(struct buf *out, const char *text)
{
	char encoded[1024];
	text_base64(text, strlen(text), encoded);
	buf_format(out, "=?UTF-8?B?%s?=", encoded);
}

static void put_body(struct buf *out, const char *text)
{
	char encoded[2048];
	size_t len = text_base64(text, strlen(text), encoded);
	for (size_t at = 0; at < len; at += 76) {
		size_t run = len - at < 76 ? len - at : 76;
		buf_add(out, encoded + at, run);
		buf_text(out, "\r\n");
	}
}

/* Every attempt makes the same bytes: a repeat must be known as one. */
static void compose(struct customer *customer, const char *text, const char *message_id,
		    struct buf *out)
{
	buf_text(out, "From: ");
	put_encoded(out, customer->name);
	buf_format(out, " <%s@" CUSTOMER_DOMAIN ">\r\nTo: %s\r\nSubject: ", customer->id,
		   customer->sim->mail_address);
	put_encoded(out, customer->story->subject);
	buf_format(out,
		   "\r\nDate: Sun, 22 Nov 2026 12:00:%02d +0800\r\nMessage-ID: <%s@" CUSTOMER_DOMAIN
		   ">\r\n",
		   customer->said % 60, message_id);
	if (customer->their_id[0] != '\0')
		buf_format(out, "In-Reply-To: %s\r\nReferences: %s %s\r\n", customer->their_id,
			   customer->own_id, customer->their_id);
	buf_text(out, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"
		      "Content-Transfer-Encoding: base64\r\n\r\n");
	put_body(out, text);
}

static void mail_say(struct customer *customer, const char *text, const char *message_id)
{
	struct lmtp *lmtp = memory_new(sizeof(*lmtp));
	lmtp->sim = customer->sim;
	snprintf(lmtp->customer, sizeof(lmtp->customer), "%s", customer->id);
	snprintf(lmtp->why, sizeof(lmtp->why), "no answer");
	compose(customer, text, message_id, &lmtp->mail);
	snprintf(customer->own_id, sizeof(customer->own_id), "<%s@" CUSTOMER_DOMAIN ">",
		 message_id);
	wire_connect(customer->sim->base, customer->sim->lmtp, LMTP_TIMEOUT_S, &lmtp_fns, lmtp);
}

const struct door mail_door = { "email", mail_say, NULL };

/* --- SMTP: takes every mail for our customers --- */

struct smtp {
	struct sim *sim;
	char customer[48];
	char message_id[300];
	bool is_data;
	bool is_head;
};

static void take_recipient(struct smtp *smtp, const char *line)
{
	const char *start = strchr(line, '<');
	size_t len = start != NULL ? strcspn(start + 1, "@>") : 0;
	if (len > 0 && len < sizeof(smtp->customer)) {
		memcpy(smtp->customer, start + 1, len);
		smtp->customer[len] = '\0';
	}
}

static void end_mail(struct wire *wire, struct smtp *smtp)
{
	struct customer *customer = customer_find(smtp->sim, smtp->customer);
	smtp->is_data = false;
	wire_text(wire, "250 taken\r\n");
	if (customer == NULL)
		return;
	snprintf(customer->their_id, sizeof(customer->their_id), "%s", smtp->message_id);
	customer_answered(customer, NULL);
}

static void take_data_line(struct wire *wire, struct smtp *smtp, const char *line)
{
	if (strcmp(line, ".") == 0)
		end_mail(wire, smtp);
	else if (line[0] == '\0')
		smtp->is_head = false;
	else if (smtp->is_head && strncasecmp(line, "message-id:", strlen("message-id:")) == 0)
		snprintf(smtp->message_id, sizeof(smtp->message_id), "%s",
			 line + strlen("message-id:") +
				 strspn(line + strlen("message-id:"), " \t"));
}

static void on_smtp_line(struct wire *wire, char *line, void *context)
{
	struct smtp *smtp = context;
	if (smtp->is_data) {
		take_data_line(wire, smtp, line);
	} else if (strncasecmp(line, "DATA", 4) == 0) {
		smtp->is_data = smtp->is_head = true;
		wire_text(wire, "354 go on\r\n");
	} else if (strncasecmp(line, "QUIT", 4) == 0) {
		wire_text(wire, "221 bye\r\n");
		wire_close(wire);
	} else if (strncasecmp(line, "EHLO", 4) == 0) {
		wire_text(wire, "250-" CUSTOMER_DOMAIN "\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n");
	} else {
		if (strncasecmp(line, "RCPT", 4) == 0)
			take_recipient(smtp, line);
		wire_text(wire, "250 ok\r\n");
	}
}

static void on_smtp_end(void *context)
{
	free(context);
}

static void *on_smtp(struct wire *wire, void *context)
{
	struct smtp *smtp = memory_new(sizeof(*smtp));
	smtp->sim = context;
	wire_text(wire, "220 " CUSTOMER_DOMAIN "\r\n");
	return smtp;
}

static const struct wire_fns smtp_fns = { on_smtp_line, on_lmtp_bytes, on_smtp_end };

int mail_door_open(struct sim *sim)
{
	if (sim->smtp == NULL)
		return 0;
	sim->mail_in = wire_listen(sim->base, sim->smtp, &smtp_fns, on_smtp, sim);
	if (sim->mail_in == NULL) {
		fprintf(stderr, "converge-sim: cannot listen at %s\n", sim->smtp);
		return -1;
	}
	return 0;
}
