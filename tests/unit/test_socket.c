/* Connections that we open, against a listener of the test's own on the same loop. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "services/loop.h"
#include "services/socket.h"

TestSuite(socket, .timeout = 60);

struct world {
	struct loop *loop;
	struct sockets *sockets;
	struct socket *socket;
	int listener;
	int port;
	bool is_connected;
	bool closes_in_callback;
	size_t takes; /* at most so many bytes of each call */
	char got[64];
	size_t got_len;
	char why[256];
	int ends;
};

static void on_connected(struct socket *socket, void *context)
{
	struct world *world = context;

	cr_assert_eq(socket, world->socket, "told before socket_open() returned");
	world->is_connected = true;
	if (world->closes_in_callback)
		socket_close(&world->socket);
}

static size_t on_received(struct socket *socket, const void *bytes, size_t len, void *context)
{
	struct world *world = context;
	size_t taken = len < world->takes ? len : world->takes;

	(void)socket;
	if (taken > sizeof(world->got) - 1 - world->got_len)
		taken = 0;
	memcpy(world->got + world->got_len, bytes, taken);
	world->got_len += taken;
	if (world->closes_in_callback)
		socket_close(&world->socket);
	return taken;
}

static void on_ended(const char *why, void *context)
{
	struct world *world = context;

	snprintf(world->why, sizeof(world->why), "%s", why);
	world->ends++;
	world->socket = NULL;
}

static void world_open(struct world *world)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	*world = (struct world){ .loop = loop_new(), .takes = SIZE_MAX };
	world->sockets = sockets_new(world->loop);
	world->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(world->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(world->listener, 4), 0);
	getsockname(world->listener, (struct sockaddr *)&address, &len);
	world->port = ntohs(address.sin_port);
}

static void world_close(struct world *world)
{
	socket_close(&world->socket);
	loop_turn(world->loop, false);
	sockets_free(&world->sockets);
	loop_free(&world->loop);
	close(world->listener);
}

static void dial(struct world *world, struct socket_options options)
{
	int ends = world->ends;

	options.port = options.port == 0 ? world->port : options.port;
	options.connected = on_connected;
	options.received = on_received;
	options.ended = on_ended;
	options.context = world;
	world->socket = socket_open(world->sockets, &options);
	cr_assert_not_null(world->socket);
	cr_assert_eq(world->ends, ends, "told before socket_open() returned");
}

#define UNTIL(world, condition)                                                                    \
	do {                                                                                       \
		while (!(condition))                                                               \
			loop_turn((world)->loop, true);                                            \
	} while (0)

Test(socket, bytes_both_ways_and_the_rest_is_shown_again)
{
	struct world world;
	char heard[8] = { 0 };
	int peer;

	world_open(&world);
	world.takes = 2;
	dial(&world, (struct socket_options){ .host = "127.0.0.1" });
	cr_assert_not(socket_write(world.socket, "early", 5));
	peer = accept(world.listener, NULL, NULL);
	UNTIL(&world, world.is_connected);
	cr_assert(socket_write(world.socket, "hello", 5));
	while (strlen(heard) < 5) {
		loop_turn(world.loop, false);
		recv(peer, heard + strlen(heard), 5 - strlen(heard), MSG_DONTWAIT);
	}
	cr_assert_str_eq(heard, "hello");
	cr_assert_eq(send(peer, "abcde", 5, 0), 5);
	UNTIL(&world, world.got_len == 5);
	cr_assert_str_eq(world.got, "abcde");
	close(peer);
	UNTIL(&world, world.ends == 1);
	cr_assert_str_eq(world.why, "the peer closed the connection");
	world_close(&world);
}

Test(socket, a_refused_connection_and_an_unknown_name_end)
{
	struct world world;

	world_open(&world);
	close(world.listener);
	world.listener = open("/dev/null", O_RDONLY);
	dial(&world, (struct socket_options){ .host = "127.0.0.1" });
	UNTIL(&world, world.ends == 1);
	cr_assert_str_eq(world.why, "Connection refused");
	dial(&world, (struct socket_options){ .host = "no such name" });
	UNTIL(&world, world.ends == 2);
	cr_assert_not(world.is_connected);
	cr_assert_neq(world.why[0], '\0');
	world_close(&world);
}

Test(socket, closing_within_a_callback_is_the_end)
{
	struct world world;
	int peer;

	world_open(&world);
	world.closes_in_callback = true;
	dial(&world, (struct socket_options){ .host = "127.0.0.1" });
	peer = accept(world.listener, NULL, NULL);
	UNTIL(&world, world.is_connected);
	cr_assert_null(world.socket);
	loop_turn(world.loop, false);
	cr_assert_eq(world.ends, 0);
	close(peer);
	world_close(&world);
}

Test(socket, what_nobody_takes_ends_it)
{
	struct world world;
	char flood[64] = { 0 };
	int peer;

	world_open(&world);
	world.takes = 0;
	dial(&world, (struct socket_options){ .host = "127.0.0.1", .input_max = sizeof(flood) });
	peer = accept(world.listener, NULL, NULL);
	cr_assert_eq(send(peer, flood, sizeof(flood), 0), sizeof(flood));
	UNTIL(&world, world.ends == 1);
	cr_assert_str_eq(world.why, "what came is longer than can be read");
	close(peer);
	world_close(&world);
}

Test(socket, too_much_that_waits_is_refused)
{
	struct world world;
	char *much = calloc(1, SOCKET_OUTPUT_MAX + 1);
	int peer;

	world_open(&world);
	dial(&world, (struct socket_options){ .host = "127.0.0.1" });
	peer = accept(world.listener, NULL, NULL);
	UNTIL(&world, world.is_connected);
	cr_assert_not(socket_write(world.socket, much, SOCKET_OUTPUT_MAX + 1));
	cr_assert(socket_write(world.socket, much, SOCKET_OUTPUT_MAX));
	cr_assert_not(socket_write(world.socket, much, SOCKET_OUTPUT_MAX));
	close(peer);
	world_close(&world);
	free(much);
}

Test(socket, a_peer_that_never_answers_is_left)
{
	struct world world;
	int peer;

	/* TLS to a peer that takes the connection and says nothing. */
	world_open(&world);
	dial(&world, (struct socket_options){ .host = "127.0.0.1", .tls = true, .timeout_ms = 50 });
	peer = accept(world.listener, NULL, NULL);
	UNTIL(&world, world.ends == 1);
	cr_assert_str_eq(world.why, "connecting took too long");
	/* One that can not be begun is told like the others, later. */
	dial(&world, (struct socket_options){
			     .host = "127.0.0.1", .tls = true, .ca_file = "/nonexistent.pem" });
	UNTIL(&world, world.ends == 2);
	cr_assert_str_eq(world.why, "reading the certificates of /nonexistent.pem");
	close(peer);
	world_close(&world);
}

/* ---- TLS ---- */

struct tls_peer {
	int listener;
	SSL_CTX *context;
	int accepted; /* handshakes that succeeded */
	int rounds;
};

static void *tls_serve(void *context)
{
	struct tls_peer *peer = context;

	for (int i = 0; i < peer->rounds; i++) {
		int fd = accept(peer->listener, NULL, NULL);
		SSL *ssl = SSL_new(peer->context);

		SSL_set_fd(ssl, fd);
		if (SSL_accept(ssl) == 1) {
			char bytes[16];
			int got = SSL_read(ssl, bytes, sizeof(bytes));

			peer->accepted++;
			if (got > 0)
				SSL_write(ssl, bytes, got);
			SSL_shutdown(ssl);
		}
		SSL_free(ssl);
		close(fd);
	}
	return NULL;
}

/* A certificate of its own for 127.0.0.1 and peer.test; its file is the CA. */
static SSL_CTX *tls_identity(char *ca_file)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_EXTENSION *names =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1,DNS:peer.test");
	X509_NAME *subject = X509_get_subject_name(cert);
	int fd = mkstemp(ca_file);
	FILE *file = fdopen(fd, "w");

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1,
				   -1, 0);
	X509_set_issuer_name(cert, subject);
	X509_add_ext(cert, names, -1);
	cr_assert_gt(X509_sign(cert, key, EVP_sha256()), 0);
	PEM_write_X509(file, cert);
	fclose(file);
	cr_assert_eq(SSL_CTX_use_certificate(context, cert), 1);
	cr_assert_eq(SSL_CTX_use_PrivateKey(context, key), 1);
	X509_EXTENSION_free(names);
	X509_free(cert);
	EVP_PKEY_free(key);
	return context;
}

Test(socket, the_certificate_and_its_name_are_checked)
{
	char ca_file[] = "/tmp/converge-socket-XXXXXX";
	struct tls_peer peer = { .rounds = 3 };
	struct world world;
	pthread_t thread;

	world_open(&world);
	peer.listener = world.listener;
	peer.context = tls_identity(ca_file);
	pthread_create(&thread, NULL, tls_serve, &peer);
	dial(&world,
	     (struct socket_options){ .host = "127.0.0.1", .tls = true, .ca_file = ca_file });
	UNTIL(&world, world.is_connected);
	cr_assert(socket_write(world.socket, "sealed", 6));
	UNTIL(&world, world.ends == 1);
	cr_assert_str_eq(world.got, "sealed");
	/* Nobody vouches for it. */
	world.is_connected = false;
	dial(&world, (struct socket_options){ .host = "127.0.0.1", .tls = true });
	UNTIL(&world, world.ends == 2);
	cr_assert(strstr(world.why, "self-signed") || strstr(world.why, "self signed"), "%s",
		  world.why);
	/* It is another's: localhost is not in it. */
	dial(&world,
	     (struct socket_options){ .host = "localhost", .tls = true, .ca_file = ca_file });
	UNTIL(&world, world.ends == 3);
	cr_assert_str_eq(world.why, "hostname mismatch");
	cr_assert_not(world.is_connected);
	pthread_join(thread, NULL);
	cr_assert_eq(peer.accepted, 1);
	SSL_CTX_free(peer.context);
	unlink(ca_file);
	world_close(&world);
}
