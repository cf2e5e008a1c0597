#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "services/transfer.h"
#include "services/transfer_private.h"

struct range4 {
	uint32_t network;
	unsigned bits;
};

/* Everything of IANA's IPv4 special-purpose registry that is not globally
 * reachable, and multicast. */
static const struct range4 private4[] = {
	{ 0x00000000, 8 },  /* this network */
	{ 0x0a000000, 8 },  /* private */
	{ 0x64400000, 10 }, /* carrier-grade NAT */
	{ 0x7f000000, 8 },  /* loopback */
	{ 0xa9fe0000, 16 }, /* link-local, cloud metadata */
	{ 0xac100000, 12 }, /* private */
	{ 0xc0000000, 24 }, /* protocol assignments */
	{ 0xc0000200, 24 }, /* documentation */
	{ 0xc0586300, 24 }, /* 6to4 relays, deprecated */
	{ 0xc0a80000, 16 }, /* private */
	{ 0xc6120000, 15 }, /* benchmarks */
	{ 0xc6336400, 24 }, /* documentation */
	{ 0xcb007100, 24 }, /* documentation */
	{ 0xe0000000, 4 },  /* multicast */
	{ 0xf0000000, 4 },  /* reserved, broadcast */
};

struct range6 {
	unsigned char network[16];
	unsigned bits;
};

static const struct range6 private6[] = {
	{ { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48 }, /* local translation */
	{ { 0x01 }, 64 },                               /* discard */
	{ { 0x20, 0x01, 0x00 }, 23 },                   /* Teredo, ORCHID, benchmarks */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 },             /* documentation */
	{ { 0x3f, 0xff, 0x00 }, 20 },                   /* documentation */
	{ { 0x5f, 0x00 }, 16 },                         /* segment routing */
	{ { 0xfc }, 7 },                                /* unique local */
	{ { 0xfe, 0x80 }, 10 },                         /* link-local */
	{ { 0xfe, 0xc0 }, 10 },                         /* site-local */
	{ { 0xff }, 8 },                                /* multicast */
};

/* Prefixes that carry an IPv4 address: where it starts decides which bytes are judged. */
struct carrier6 {
	unsigned char network[16];
	unsigned bits;
	size_t at;
};

static const struct carrier6 carriers6[] = {
	{ { 0 }, 96, 12 },                                        /* v4-compatible, ::, ::1 */
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96, 12 }, /* v4-mapped */
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96, 12 },       /* v4-translated */
	{ { 0x00, 0x64, 0xff, 0x9b }, 96, 12 },                   /* NAT64 */
	{ { 0x20, 0x02 }, 16, 2 },                                /* 6to4 */
};

static bool v4_is_private(const unsigned char bytes[4])
{
	uint32_t address = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
			   (uint32_t)bytes[2] << 8 | bytes[3];

	for (size_t i = 0; i < COUNT_OF(private4); i++)
		if (address >> (32 - private4[i].bits) ==
		    private4[i].network >> (32 - private4[i].bits))
			return true;
	return false;
}

static bool has_prefix(const unsigned char *address, const unsigned char *network, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	unsigned mask = 0xffu << (8 - rest) & 0xffu;

	if (memcmp(address, network, whole) != 0)
		return false;
	return rest == 0 || (address[whole] & mask) == (network[whole] & mask);
}

static bool v6_is_private(const unsigned char bytes[16])
{
	for (size_t i = 0; i < COUNT_OF(private6); i++)
		if (has_prefix(bytes, private6[i].network, private6[i].bits))
			return true;
	for (size_t i = 0; i < COUNT_OF(carriers6); i++)
		if (has_prefix(bytes, carriers6[i].network, carriers6[i].bits))
			return v4_is_private(bytes + carriers6[i].at);
	return false;
}

bool transfer_sockaddr_is_private(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, address, sizeof(v4));
		return v4_is_private((const unsigned char *)&v4.sin_addr);
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, address, sizeof(v6));
		return v6_is_private(v6.sin6_addr.s6_addr);
	}
	return true;
}

bool transfer_is_private_address(const char *numeric)
{
	unsigned char bytes[16];
	char plain[INET6_ADDRSTRLEN];
	size_t len = numeric ? strcspn(numeric, "%") : 0; /* without a zone */

	if (len == 0 || len >= sizeof(plain))
		return true;
	memcpy(plain, numeric, len);
	plain[len] = '\0';
	if (inet_pton(AF_INET, plain, bytes) == 1)
		return v4_is_private(bytes);
	if (inet_pton(AF_INET6, plain, bytes) == 1)
		return v6_is_private(bytes);
	return true;
}
