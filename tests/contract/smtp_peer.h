/* A small SMTP server on the test's own loop, and the faults of real ones. */
#pragma once

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "services/loop.h"

struct smtp_peer {
	struct evconnlistener *listener;
	struct bufferevent *connection;
	struct bufferevent *all[16];
	size_t all_count;
	int port;
	bool in_data;
	bool in_auth;             /* the next line is the token */
	const char *good_token;   /* of XOAUTH2; NULL: no login is asked for */
	const char *rcpt_answer;  /* NULL: 250 */
	const char *final_answer; /* NULL: 250; "": silence and a closed connection */
	int mails;
	struct buf commands;
	struct buf mail; /* the newest */
};

static void smtp_say(struct smtp_peer *peer, const char *line)
{
	bufferevent_write(peer->connection, line, strlen(line));
	bufferevent_write(peer->connection, "\r\n", 2);
}

static void smtp_auth(struct smtp_peer *peer, const char *line)
{
	char plain[512] = "";
	long len = text_unbase64(line, strlen(line), plain, sizeof(plain) - 1);
	bool good = false;

	for (long i = 0; peer->good_token && i + (long)strlen(peer->good_token) <= len; i++)
		good |= strncmp(plain + i, peer->good_token, strlen(peer->good_token)) == 0;
	peer->in_auth = false;
	smtp_say(peer, good ? "235 in" : "535 5.7.8 no");
}

static void smtp_data_line(struct smtp_peer *peer, const char *line)
{
	if (strcmp(line, ".") != 0) {
		buf_format(&peer->mail, "%s\r\n", line);
		return;
	}
	peer->in_data = false;
	if (peer->final_answer && !peer->final_answer[0]) {
		shutdown(bufferevent_getfd(peer->connection), SHUT_RDWR);
		return;
	}
	peer->mails += !peer->final_answer;
	smtp_say(peer, peer->final_answer ? peer->final_answer : "250 taken");
}

static void smtp_command(struct smtp_peer *peer, const char *line)
{
	buf_format(&peer->commands, "%s\n", line);
	if (strncmp(line, "EHLO", 4) == 0)
		smtp_say(peer, peer->good_token ? "250-peer\r\n250 AUTH XOAUTH2" : "250 peer");
	else if (strcmp(line, "AUTH XOAUTH2") == 0) {
		peer->in_auth = true;
		smtp_say(peer, "334 ");
	} else if (strncmp(line, "RCPT", 4) == 0 && peer->rcpt_answer)
		smtp_say(peer, peer->rcpt_answer);
	else if (strcmp(line, "DATA") == 0) {
		peer->in_data = true;
		buf_reset(&peer->mail);
		smtp_say(peer, "354 go on");
	} else {
		smtp_say(peer, "250 ok");
	}
}

static void smtp_on_read(struct bufferevent *connection, void *context)
{
	struct smtp_peer *peer = context;
	char *line;

	peer->connection = connection;
	while ((line = evbuffer_readln(bufferevent_get_input(connection), NULL,
				       EVBUFFER_EOL_CRLF_STRICT))) {
		if (peer->in_data)
			smtp_data_line(peer, line);
		else if (peer->in_auth)
			smtp_auth(peer, line);
		else
			smtp_command(peer, line);
		free(line);
	}
}

static void smtp_on_accept(struct evconnlistener *listener, evutil_socket_t fd,
			   struct sockaddr *address, int len, void *context)
{
	struct smtp_peer *peer = context;

	(void)address;
	(void)len;
	peer->in_data = false;
	peer->connection = bufferevent_socket_new(evconnlistener_get_base(listener), fd,
						  BEV_OPT_CLOSE_ON_FREE);
	if (peer->all_count < 16)
		peer->all[peer->all_count++] = peer->connection;
	bufferevent_setcb(peer->connection, smtp_on_read, NULL, NULL, peer);
	bufferevent_enable(peer->connection, EV_READ | EV_WRITE);
	smtp_say(peer, "220 peer ESMTP");
}

static void smtp_start(struct smtp_peer *peer, struct loop *loop)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	memset(peer, 0, sizeof(*peer));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer->listener = evconnlistener_new_bind(loop_base(loop), smtp_on_accept, peer,
						 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1,
						 (struct sockaddr *)&address, sizeof(address));
	getsockname(evconnlistener_get_fd(peer->listener), (struct sockaddr *)&address, &len);
	peer->port = ntohs(address.sin_port);
}

static void smtp_stop(struct smtp_peer *peer)
{
	for (size_t i = 0; i < peer->all_count; i++)
		bufferevent_free(peer->all[i]);
	evconnlistener_free(peer->listener);
	buf_clear(&peer->commands);
	buf_clear(&peer->mail);
}
