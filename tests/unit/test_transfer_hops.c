/* Where a redirect may lead. A server on loopback plays one on the internet: 8.8.8.8 and the names
 * below are taken to it and back by connect(), getpeername() and getaddrinfo() of this program,
 * which come before the C library's. Every other address that anybody connects to is counted. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "services/http_server.h"
#include "services/loop.h"
#include "services/transfer.h"

TestSuite(transfer_hops, .timeout = 60);

static const uint32_t outside = 0x08080808;

static int elsewhere; /* connections to any other address */
static int odd_ports; /* connections to 8.8.8.8 on another port than the server's */
static int server_port;
static bool taken[1024]; /* by descriptor: it was taken to the server */

static void *next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (found == NULL)
		abort();
	return found;
}

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
	int (*real)(int, const struct sockaddr *, socklen_t);
	struct sockaddr_in v4;

	*(void **)&real = next("connect");
	if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
		return real(fd, address, len);
	memcpy(&v4, address, sizeof(v4));
	if (address->sa_family != AF_INET || ntohl(v4.sin_addr.s_addr) != outside) {
		elsewhere++;
		return real(fd, address, len);
	}
	odd_ports += ntohs(v4.sin_port) != server_port;
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	taken[fd] = true;
	return real(fd, (struct sockaddr *)&v4, sizeof(v4));
}

int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict len)
{
	int (*real)(int, struct sockaddr *, socklen_t *);
	int rc;

	*(void **)&real = next("getpeername");
	rc = real(fd, address, len);
	if (rc == 0 && fd >= 0 && fd < (int)COUNT_OF(taken) && taken[fd] &&
	    address->sa_family == AF_INET) {
		struct in_addr there = { htonl(outside) };

		memcpy((char *)address + offsetof(struct sockaddr_in, sin_addr), &there,
		       sizeof(there));
	}
	return rc;
}

static const struct name {
	const char *name;
	const char *first;
	const char *second;
} dns[] = {
	{ "public.test", "8.8.8.8", NULL },
	{ "rebind.test", "127.0.0.1", NULL },
	{ "zero.test", "0.0.0.0", NULL },
	{ "metadata.test", "169.254.169.254", NULL },
	{ "six.test", "::1", NULL },
	{ "mapped.test", "::ffff:127.0.0.1", NULL },
	{ "both.test", "10.0.0.1", "8.8.8.8" },
	{ "both-later.test", "8.8.8.8", "10.0.0.1" },
};

int getaddrinfo(const char *restrict node, const char *restrict service,
		const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	struct addrinfo *more = NULL;
	int rc;

	*(void **)&real = next("getaddrinfo");
	for (size_t i = 0; node != NULL && i < COUNT_OF(dns); i++) {
		if (strcmp(node, dns[i].name) != 0)
			continue;
		rc = real(dns[i].first, service, hints, ret);
		if (rc == 0 && dns[i].second != NULL &&
		    real(dns[i].second, service, hints, &more) == 0)
			(*ret)->ai_next = more;
		return rc;
	}
	return real(node, service, hints, ret);
}

/* ---- the server ---- */

struct world {
	struct loop *loop;
	struct http_server *server;
	struct transfers *transfers;
	char dir[40];
	char cert[64];
	char key[64];
	const char *location; /* where /last leads */
	int reached;          /* requests for /end */
};

static void certificate_write(const struct world *world)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_EXTENSION *names = X509V3_EXT_conf_nid(
		NULL, NULL, NID_subject_alt_name,
		"IP:8.8.8.8,IP:127.0.0.1,IP:::1,IP:0.0.0.0,DNS:public.test,DNS:rebind.test,"
		"DNS:zero.test,DNS:metadata.test,DNS:six.test,DNS:mapped.test,DNS:both.test,"
		"DNS:both-later.test");
	FILE *file;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)"hops", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_add_ext(cert, names, -1);
	cr_assert_gt(X509_sign(cert, key, EVP_sha256()), 0);
	file = fopen(world->cert, "w");
	PEM_write_X509(file, cert);
	fclose(file);
	file = fopen(world->key, "w");
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	chmod(world->key, 0600);
	X509_EXTENSION_free(names);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void on_request(struct http_request *request, void *context)
{
	struct world *world = context;
	const char *path = http_request_path(request);

	if (strcmp(path, "/first") == 0) {
		http_request_add_field(request, "Location", "/last");
	} else if (strcmp(path, "/last") == 0) {
		http_request_add_field(request, "Location", world->location);
	} else if (strcmp(path, "/loop") == 0) {
		http_request_add_field(request, "Location", "/loop");
	} else {
		world->reached += strcmp(path, "/end") == 0;
		http_answer(request, 200, "image/png", "picture", 7);
		return;
	}
	http_answer_empty(request, 302);
}

static int64_t on_head(const struct http_head *head, void *context)
{
	(void)head;
	(void)context;
	return 0;
}

static void setup(struct world *world)
{
	struct http_server_options options = { .address = "127.0.0.1:0",
					       .tls_cert = world->cert,
					       .tls_key = world->key };
	struct error err = { 0 };

	memset(world, 0, sizeof(*world));
	snprintf(world->dir, sizeof(world->dir), "/tmp/converge-hops-XXXXXX");
	cr_assert_not_null(mkdtemp(world->dir));
	snprintf(world->cert, sizeof(world->cert), "%s/cert.pem", world->dir);
	snprintf(world->key, sizeof(world->key), "%s/key.pem", world->dir);
	certificate_write(world);
	world->loop = loop_new();
	world->server = http_server_new(world->loop, &options, on_head, on_request, world, &err);
	cr_assert_not_null(world->server, "%s", err.text);
	world->transfers = transfers_new(world->loop);
	server_port = http_server_port(world->server);
	elsewhere = odd_ports = 0;
}

static void teardown(struct world *world)
{
	transfers_free(&world->transfers);
	http_server_free(&world->server);
	loop_turn(world->loop, false);
	loop_free(&world->loop);
	unlink(world->cert);
	unlink(world->key);
	rmdir(world->dir);
}

struct seen {
	bool done;
	bool failed;
	char error[300];
	long status;
	char body[32];
};

static void on_done(const struct transfer_answer *answer, void *context)
{
	struct seen *seen = context;

	seen->done = true;
	seen->failed = answer->error != NULL;
	snprintf(seen->error, sizeof(seen->error), "%s",
		 answer->error != NULL ? answer->error->text : "");
	seen->status = answer->status;
	snprintf(seen->body, sizeof(seen->body), "%s", answer->body);
}

static struct seen fetch(struct world *world, const char *url)
{
	struct transfer_options options = {
		.url = url, .ca_file = world->cert, .redirects = 3, .timeout_ms = 20000
	};
	struct seen seen = { 0 };

	transfer_start(world->transfers, &options, NULL, on_done, &seen);
	while (!seen.done)
		loop_turn(world->loop, true);
	return seen;
}

/* %d is the server's port. */
static const char *const forbidden[] = {
	"https://127.0.0.1:%d/end",
	"https://0.0.0.0:%d/end",
	"https://[::1]:%d/end",
	"https://[::ffff:127.0.0.1]:%d/end",
	"https://[::ffff:7f00:1]:%d/end",
	"https://[64:ff9b::7f00:1]:%d/end",
	"https://2130706433:%d/end",
	"https://rebind.test:%d/end",
	"https://zero.test:%d/end",
	"https://metadata.test:%d/end",
	"https://six.test:%d/end",
	"https://mapped.test:%d/end",
	"//127.0.0.1:%d/end",
	"//rebind.test:%d/end",
	"http://public.test:%d/end",
	"http://127.0.0.1:%d/end",
	"file:///etc/passwd?%d",
	"ftp://public.test:%d/end",
	"gopher://public.test:%d/_end",
	"dict://public.test:%d/end",
	"smtp://public.test:%d/",
	"https://public.test:25/end?%d",
	"https://public.test:22/end?%d",
	"https://8.8.8.8:6/end?%d",
};

static const char *write_url(char out[200], const char *form)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(out, 200, form, server_port);
#pragma GCC diagnostic pop
	return out;
}

Test(transfer_hops, lead_to_public_places)
{
	struct world world;
	char start[200], location[200];
	struct seen seen;

	setup(&world);
	world.location = write_url(location, "https://8.8.8.8:%d/end");
	seen = fetch(&world, write_url(start, "https://public.test:%d/first"));
	cr_expect(!seen.failed, "%s", seen.error);
	cr_expect_eq(seen.status, 200);
	cr_expect_str_eq(seen.body, "picture");
	cr_expect_eq(world.reached, 1);
	cr_expect_eq(elsewhere, 0);
	teardown(&world);
}

Test(transfer_hops, lead_nowhere_else_whichever_hop_it_is)
{
	static const char *const starts[] = { "https://public.test:%d/last",
					      "https://public.test:%d/first" };
	struct world world;
	char start[200], location[200];

	setup(&world);
	for (size_t hops = 0; hops < COUNT_OF(starts); hops++)
		for (size_t i = 0; i < COUNT_OF(forbidden); i++) {
			struct seen seen;

			world.location = write_url(location, forbidden[i]);
			seen = fetch(&world, write_url(start, starts[hops]));
			cr_expect(seen.failed, "%s was followed", location);
			cr_expect_neq(seen.error[0], '\0');
			cr_expect_eq(elsewhere, 0, "%s: somebody else was connected to", location);
			cr_expect_eq(odd_ports, 0, "%s: another service was connected to",
				     location);
			cr_expect_eq(world.reached, 0, "%s was reached", location);
			elsewhere = odd_ports = world.reached = 0;
		}
	teardown(&world);
}

Test(transfer_hops, that_are_no_hops_are_judged_the_same)
{
	struct world world;
	char url[200];

	setup(&world);
	for (size_t i = 0; i < COUNT_OF(forbidden); i++) {
		struct seen seen = fetch(&world, write_url(url, forbidden[i]));

		cr_expect(seen.failed, "%s was asked", url);
		cr_expect_eq(elsewhere + odd_ports + world.reached, 0, "%s", url);
		elsewhere = odd_ports = world.reached = 0;
	}
	teardown(&world);
}

Test(transfer_hops, end)
{
	struct world world;
	char url[200];
	struct seen seen;

	setup(&world);
	seen = fetch(&world, write_url(url, "https://public.test:%d/loop"));
	cr_expect(seen.failed);
	cr_expect_eq(elsewhere, 0);
	/* of a name with several addresses only the public ones are connected to */
	fetch(&world, write_url(url, "https://both.test:%d/end"));
	fetch(&world, write_url(url, "https://both-later.test:%d/end"));
	cr_expect_eq(elsewhere, 0);
	teardown(&world);
}
