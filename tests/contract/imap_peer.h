/* A small IMAP server on the test's own loop: one mailbox, the commands that
 * the email connector uses, and the faults it must survive. */
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
#include "services/loop.h"

enum { IMAP_MAILS = 16 };

struct imap_mail {
	unsigned uid;
	const char *body;
	bool seen;
	bool moved;
};

struct imap_peer {
	struct evconnlistener *listener;
	struct bufferevent *connection; /* the newest */
	struct bufferevent *all[32];
	size_t all_count;
	int port;
	int accepted;
	unsigned uidvalidity;
	struct imap_mail mails[IMAP_MAILS];
	size_t mail_count;
	bool writable; /* SELECT, not EXAMINE */
	bool refuse_login;
	bool knows_no_id;
	int drop_at_fetch; /* closes instead of the n-th body; 0: never */
	int bodies;
	struct buf log; /* commands without their tags */
};

static void imap_say(struct imap_peer *peer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void imap_say(struct imap_peer *peer, const char *format, ...)
{
	char line[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	bufferevent_write(peer->connection, line, strlen(line));
}

static void imap_open_folder(struct imap_peer *peer, const char *tag, bool writable)
{
	unsigned next = 1;

	for (size_t i = 0; i < peer->mail_count; i++)
		next = peer->mails[i].uid + 1;
	peer->writable = writable;
	imap_say(peer, "* FLAGS (\\Seen)\r\n* %zu EXISTS\r\n* OK [UIDVALIDITY %u] x\r\n",
		 peer->mail_count, peer->uidvalidity);
	imap_say(peer, "* OK [UIDNEXT %u] x\r\n%s OK [READ-%s] done\r\n", next, tag,
		 writable ? "WRITE" : "ONLY");
}

static void imap_body(struct imap_peer *peer, struct imap_mail *mail, const char *section)
{
	size_t len = strlen(mail->body);

	if (strcmp(section, "BODY[HEADER]") == 0)
		len = (size_t)(strstr(mail->body, "\r\n\r\n") + 4 - mail->body);
	if (peer->writable)
		mail->seen = true;
	imap_say(peer, "* 1 FETCH (UID %u %s {%zu}\r\n", mail->uid, section, len);
	bufferevent_write(peer->connection, mail->body, len);
	imap_say(peer, ")\r\n");
}

/* True where the connection was dropped instead. */
static bool imap_fetch(struct imap_peer *peer, const char *rest)
{
	unsigned first = 0, last = 0;
	char section[64] = "";

	if (sscanf(rest, "%u:%u", &first, &last) == 2) {
		for (size_t i = 0; i < peer->mail_count; i++)
			if (peer->mails[i].uid >= first && peer->mails[i].uid <= last)
				imap_say(peer,
					 "* %zu FETCH (UID %u FLAGS (%s) RFC822.SIZE %zu)\r\n",
					 i + 1, peer->mails[i].uid,
					 peer->mails[i].seen ? "\\Seen" : "",
					 strlen(peer->mails[i].body));
		return false;
	}
	sscanf(rest, "%u %63s", &first, section);
	if (++peer->bodies == peer->drop_at_fetch) {
		shutdown(bufferevent_getfd(peer->connection), SHUT_RDWR);
		return true;
	}
	for (size_t i = 0; i < peer->mail_count; i++)
		if (peer->mails[i].uid == first)
			imap_body(peer, &peer->mails[i], section);
	return false;
}

static void imap_mark(struct imap_peer *peer, char *set, bool move)
{
	for (char *word = strtok(set, ","); word; word = strtok(NULL, ","))
		for (size_t i = 0; i < peer->mail_count; i++)
			if (peer->mails[i].uid == strtoul(word, NULL, 10)) {
				peer->mails[i].seen = true;
				peer->mails[i].moved = move;
			}
}

static void imap_uid(struct imap_peer *peer, const char *tag, char *rest)
{
	if (strncmp(rest, "FETCH ", 6) == 0) {
		if (imap_fetch(peer, rest + 6))
			return;
	} else if (strncmp(rest, "SEARCH ", 7) == 0) {
		imap_say(peer, "* SEARCH");
		for (size_t i = 0; i < peer->mail_count; i++)
			imap_say(peer, " %u", peer->mails[i].uid);
		imap_say(peer, "\r\n");
	} else if (strncmp(rest, "STORE ", 6) == 0 || strncmp(rest, "MOVE ", 5) == 0) {
		char *set = strchr(rest, ' ') + 1;

		*strchr(set, ' ') = '\0';
		if (!peer->writable) {
			imap_say(peer, "%s NO read-only\r\n", tag);
			return;
		}
		imap_mark(peer, set, rest[0] == 'M');
	}
	imap_say(peer, "%s OK done\r\n", tag);
}

static void imap_command(struct imap_peer *peer, char *line)
{
	char *tag = line;
	char *word = strchr(line, ' ');
	char *rest;

	if (!word)
		return;
	*word++ = '\0';
	buf_format(&peer->log, "%s\n", word);
	rest = word + strcspn(word, " ");
	if (*rest)
		*rest++ = '\0';
	if (strcmp(word, "CAPABILITY") == 0)
		imap_say(peer, "* CAPABILITY IMAP4rev1 ID UIDPLUS MOVE\r\n%s OK done\r\n", tag);
	else if (strcmp(word, "LOGIN") == 0)
		imap_say(peer,
			 peer->refuse_login ? "%s NO [AUTHENTICATIONFAILED] no\r\n"
					    : "%s OK in\r\n",
			 tag);
	else if (strcmp(word, "ID") == 0 && peer->knows_no_id)
		imap_say(peer, "%s BAD what\r\n", tag);
	else if (strcmp(word, "ID") == 0)
		imap_say(peer, "* ID (\"name\" \"peer\")\r\n%s OK done\r\n", tag);
	else if (strcmp(word, "SELECT") == 0 || strcmp(word, "EXAMINE") == 0)
		imap_open_folder(peer, tag, word[0] == 'S');
	else if (strcmp(word, "UID") == 0)
		imap_uid(peer, tag, rest);
	else
		imap_say(peer, "%s OK done\r\n", tag);
}

static void imap_on_read(struct bufferevent *connection, void *context)
{
	struct imap_peer *peer = context;
	char *line;

	peer->connection = connection;
	while ((line = evbuffer_readln(bufferevent_get_input(connection), NULL,
				       EVBUFFER_EOL_CRLF))) {
		imap_command(peer, line);
		free(line);
	}
}

static void imap_on_accept(struct evconnlistener *listener, evutil_socket_t fd,
			   struct sockaddr *address, int len, void *context)
{
	struct imap_peer *peer = context;

	(void)address;
	(void)len;
	peer->accepted++;
	peer->writable = false;
	peer->connection = bufferevent_socket_new(evconnlistener_get_base(listener), fd,
						  BEV_OPT_CLOSE_ON_FREE);
	if (peer->all_count < 32)
		peer->all[peer->all_count++] = peer->connection;
	bufferevent_setcb(peer->connection, imap_on_read, NULL, NULL, peer);
	bufferevent_enable(peer->connection, EV_READ | EV_WRITE);
	imap_say(peer, "* OK ready\r\n");
}

__attribute__((unused)) static void imap_add(struct imap_peer *peer, unsigned uid, const char *body)
{
	peer->mails[peer->mail_count++] = (struct imap_mail){ .uid = uid, .body = body };
}

static void imap_start(struct imap_peer *peer, struct loop *loop)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	memset(peer, 0, sizeof(*peer));
	peer->uidvalidity = 77;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer->listener = evconnlistener_new_bind(loop_base(loop), imap_on_accept, peer,
						 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1,
						 (struct sockaddr *)&address, sizeof(address));
	getsockname(evconnlistener_get_fd(peer->listener), (struct sockaddr *)&address, &len);
	peer->port = ntohs(address.sin_port);
}

static void imap_stop(struct imap_peer *peer)
{
	for (size_t i = 0; i < peer->all_count; i++)
		bufferevent_free(peer->all[i]);
	evconnlistener_free(peer->listener);
	buf_clear(&peer->log);
}
