#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "services/http_server_internal.h"

static const unsigned char v4_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool is_v4(const struct address *address)
{
	return memcmp(address->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

static bool parse_plain(const char *text, size_t len, struct address *ret_address)
{
	char copy[INET6_ADDRSTRLEN];
	struct address address;

	if (len == 0 || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	memcpy(address.bytes, v4_prefix, sizeof(v4_prefix));
	if (inet_pton(AF_INET, copy, address.bytes + 12) != 1 &&
	    inet_pton(AF_INET6, copy, address.bytes) != 1)
		return false;
	*ret_address = address;
	return true;
}

/* Some proxies write a port: 192.0.2.1:80, [2001:db8::1]:80, [2001:db8::1]. */
bool http_address_parse(const char *text, size_t len, struct address *ret_address)
{
	const char *colon = memchr(text, ':', len);

	if (len > 0 && text[0] == '[') {
		const char *end = memchr(text, ']', len);

		return end != NULL && parse_plain(text + 1, (size_t)(end - text) - 1, ret_address);
	}
	if (colon != NULL && memchr(colon + 1, ':', len - (size_t)(colon - text) - 1) == NULL)
		len = (size_t)(colon - text);
	return parse_plain(text, len, ret_address);
}

void http_address_format(const struct address *address, char out[INET6_ADDRSTRLEN])
{
	bool v4 = is_v4(address);

	if (inet_ntop(v4 ? AF_INET : AF_INET6, address->bytes + (v4 ? 12 : 0), out,
		      INET6_ADDRSTRLEN) == NULL)
		out[0] = '\0';
}

bool http_network_parse(const char *text, struct network *ret_network)
{
	const char *slash = strchr(text, '/');
	size_t len = slash == NULL ? strlen(text) : (size_t)(slash - text);
	struct network network;
	uint64_t bits;
	unsigned most;

	if (!parse_plain(text, len, &network.address))
		return false;
	most = memchr(text, ':', len) == NULL ? 32 : 128;
	bits = most;
	if (slash != NULL && (!text_uint(slash + 1, strlen(slash + 1), &bits) || bits > most))
		return false;
	network.bits = (unsigned)bits + (128 - most);
	*ret_network = network;
	return true;
}

bool http_network_holds(const struct network *network, const struct address *address)
{
	size_t whole = network->bits / 8;
	unsigned rest = network->bits % 8;
	unsigned differ;

	if (memcmp(network->address.bytes, address->bytes, whole) != 0)
		return false;
	if (rest == 0)
		return true;
	differ = (unsigned)(network->address.bytes[whole] ^ address->bytes[whole]);
	return differ >> (8 - rest) == 0;
}

int http_network_has(const char *text, const char *address)
{
	struct network network;
	struct address parsed;

	if (!http_network_parse(text, &network))
		return -1;
	return address != NULL && http_address_parse(address, strlen(address), &parsed) &&
	       http_network_holds(&network, &parsed);
}

bool http_address_is_trusted(const struct http_server *server, const struct address *address)
{
	for (size_t i = 0; i < server->trusted_count; i++)
		if (http_network_holds(&server->trusted[i], address))
			return true;
	return false;
}

static bool is_loopback(const struct address *address)
{
	static const struct address v6 = { { [15] = 1 } };

	return (is_v4(address) && address->bytes[12] == 127) ||
	       memcmp(address, &v6, sizeof(v6)) == 0;
}

static size_t bucket_of(const struct address *address)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < sizeof(address->bytes); i++)
		hash = (hash ^ address->bytes[i]) * 1099511628211u;
	return (size_t)(hash >> 32) % HTTP_SOURCE_BUCKETS;
}

static void counted_part(struct address *address)
{
	if (!is_v4(address))
		memset(address->bytes + 8, 0, 8);
}

bool http_request_source_key(const struct http_request *request, char out[HTTP_SOURCE_KEY_BYTES])
{
	struct address address;

	if (!parse_plain(request->source, strlen(request->source), &address) ||
	    is_loopback(&address))
		return false;
	counted_part(&address);
	http_address_format(&address, out);
	return true;
}

void http_source_attach(struct connection *connection)
{
	struct http_server *server = connection->server;
	struct address address = connection->address;
	struct source **bucket;

	if (connection->is_trusted || connection->is_unix ||
	    (is_loopback(&address) && !server->counts_loopback))
		return;
	counted_part(&address);
	bucket = &server->sources[bucket_of(&address)];
	while (*bucket != NULL && memcmp(&(*bucket)->address, &address, sizeof(address)) != 0)
		bucket = &(*bucket)->next;
	if (*bucket == NULL) {
		*bucket = memory_new(sizeof(**bucket));
		(*bucket)->address = address;
		TAILQ_INIT(&(*bucket)->idle);
	}
	connection->source = *bucket;
	connection->source->users++;
}

void http_source_detach(struct connection *connection)
{
	struct source *source = connection->source;
	struct source **bucket;

	connection->source = NULL;
	if (source == NULL || --source->users > 0)
		return;
	bucket = &connection->server->sources[bucket_of(&source->address)];
	while (*bucket != source)
		bucket = &(*bucket)->next;
	*bucket = source->next;
	free(source);
}

/* From right to left, past the proxies that are trusted: what stands further
 * left was written by somebody who is not. False: nothing usable further. */
static bool last_untrusted(const struct http_server *server, const struct http_field *field,
			   struct address *address)
{
	size_t end = field->value_len;

	while (end > 0) {
		size_t start = end;
		size_t stop = end;

		while (start > 0 && field->value[start - 1] != ',')
			start--;
		end = start == 0 ? 0 : start - 1;
		while (start < stop && (field->value[start] == ' ' || field->value[start] == '\t'))
			start++;
		while (stop > start &&
		       (field->value[stop - 1] == ' ' || field->value[stop - 1] == '\t'))
			stop--;
		if (!http_address_parse(field->value + start, stop - start, address) ||
		    !http_address_is_trusted(server, address))
			return false;
	}
	return true;
}

static bool field_is(const struct http_field *field, const char *name)
{
	return field->name_len == strlen(name) &&
	       strncasecmp(field->name, name, field->name_len) == 0;
}

void http_source_of_request(struct connection *connection, struct http_request *request)
{
	const struct http_head *head = &request->head;
	struct address address = connection->address;
	bool follow = connection->is_trusted;
	bool known = !connection->is_unix;

	request->secure = connection->ssl != NULL;
	for (size_t i = head->field_count; connection->is_trusted && i-- > 0;) {
		const struct http_field *field = &head->fields[i];

		if (follow && field_is(field, "x-forwarded-for")) {
			follow = last_untrusted(connection->server, field, &address);
			known = known ||
				memcmp(&address, &connection->address, sizeof(address)) != 0;
		}
		if (field_is(field, "x-forwarded-proto"))
			request->secure =
				field->value_len == 5 && strncasecmp(field->value, "https", 5) == 0;
	}
	if (known)
		http_address_format(&address, request->source);
	else
		memcpy(request->source, "unix", sizeof("unix"));
}
