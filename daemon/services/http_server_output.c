#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "services/http_server_internal.h"

enum { PIECE_ROOM = HTTP_PIECE_BYTES - sizeof(struct piece) };

static struct piece *piece_take(struct http_server *server, size_t room)
{
	struct piece *piece;

	if (room <= PIECE_ROOM && server->spare_pieces != NULL) {
		piece = server->spare_pieces;
		server->spare_pieces = piece->next;
		server->spare_piece_count--;
	} else {
		room = room < PIECE_ROOM ? PIECE_ROOM : room;
		piece = memory_grow(NULL, 1, sizeof(*piece) + room);
		piece->room = room;
	}
	piece->next = NULL;
	piece->bytes = piece->own;
	piece->start = 0;
	piece->end = 0;
	return piece;
}

static void piece_release(struct http_server *server, struct piece *piece)
{
	if (piece->room != PIECE_ROOM || server->spare_piece_count >= HTTP_SPARES) {
		free(piece);
		return;
	}
	piece->next = server->spare_pieces;
	server->spare_pieces = piece;
	server->spare_piece_count++;
}

static void chain_append(struct chain *chain, struct piece *piece)
{
	if (chain->last == NULL)
		chain->first = piece;
	else
		chain->last->next = piece;
	chain->last = piece;
}

char *http_chain_reserve(struct http_server *server, struct chain *chain, size_t len)
{
	if (chain->last == NULL || chain->last->room < len ||
	    chain->last->room - len < chain->last->end)
		chain_append(chain, piece_take(server, len));
	return chain->last->own + chain->last->end;
}

void http_chain_commit(struct chain *chain, size_t len)
{
	chain->last->end += len;
	chain->len += len;
}

void http_chain_add(struct http_server *server, struct chain *chain, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	memcpy(http_chain_reserve(server, chain, len), bytes, len);
	http_chain_commit(chain, len);
}

void http_chain_add_static(struct chain *chain, const void *bytes, size_t len)
{
	struct piece *piece = memory_new(sizeof(*piece));

	piece->bytes = bytes;
	piece->end = len;
	chain_append(chain, piece);
	chain->len += len;
}

void http_chain_sent(struct http_server *server, struct chain *chain, size_t len)
{
	chain->len -= len;
	while (chain->first != NULL) {
		struct piece *piece = chain->first;
		size_t left = piece->end - piece->start;

		if (left > len) {
			piece->start += len;
			return;
		}
		len -= left;
		chain->first = piece->next;
		if (chain->first == NULL)
			chain->last = NULL;
		piece_release(server, piece);
	}
}

void http_chain_splice(struct chain *chain, struct chain *more)
{
	if (more->first == NULL)
		return;
	if (chain->last == NULL)
		chain->first = more->first;
	else
		chain->last->next = more->first;
	chain->last = more->last;
	chain->len += more->len;
	*more = (struct chain){ 0 };
}

void http_chain_clear(struct http_server *server, struct chain *chain)
{
	http_chain_sent(server, chain, chain->len);
}

void http_pieces_free(struct http_server *server)
{
	while (server->spare_pieces != NULL) {
		struct piece *next = server->spare_pieces->next;

		free(server->spare_pieces);
		server->spare_pieces = next;
	}
}
