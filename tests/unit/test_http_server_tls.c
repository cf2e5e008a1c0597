#include "http_client.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#define H " HTTP/1.1\r\nHost: a\r\n"

TestSuite(http_tls, .timeout = 60);

struct files {
	char dir[32];
	char cert[64];
	char key[64];
};

static void files_make(struct files *files)
{
	snprintf(files->dir, sizeof(files->dir), "%s", "/tmp/converge-tls-XXXXXX");
	cr_assert_not_null(mkdtemp(files->dir));
	snprintf(files->cert, sizeof(files->cert), "%s/cert.pem", files->dir);
	snprintf(files->key, sizeof(files->key), "%s/key.pem", files->dir);
}

static void files_remove(struct files *files)
{
	unlink(files->cert);
	unlink(files->key);
	rmdir(files->dir);
}

static void write_certificate(struct files *files, const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *subject;
	FILE *file;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	subject = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(cert, subject);
	cr_assert_gt(X509_sign(cert, key, EVP_sha256()), 0);
	file = fopen(files->cert, "w");
	PEM_write_X509(file, cert);
	fclose(file);
	file = fopen(files->key, "w");
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	X509_free(cert);
	EVP_PKEY_free(key);
}

struct tls_client {
	struct client *client;
	SSL_CTX *context;
	SSL *ssl;
	bool failed;
};

static void tls_open(struct tls_client *tls, struct world *world, int version)
{
	tls->client = client_new(world);
	tls->failed = false;
	tls->context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(tls->context, version);
	SSL_CTX_set_max_proto_version(tls->context, version);
	SSL_CTX_set_security_level(tls->context, 0);
	tls->ssl = SSL_new(tls->context);
	fcntl(tls->client->fd, F_SETFL, O_NONBLOCK);
	SSL_set_fd(tls->ssl, tls->client->fd);
	SSL_set_connect_state(tls->ssl);
}

static void tls_shut(struct tls_client *tls)
{
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->context);
	client_free(tls->client);
}

/* True: go on after a turn of the server. */
static bool tls_again(struct tls_client *tls, int result)
{
	int error = SSL_get_error(tls->ssl, result);

	loop_turn(tls->client->world->loop, false);
	tls->failed = error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
	return !tls->failed;
}

static bool tls_handshake(struct tls_client *tls)
{
	int result;

	while ((result = SSL_connect(tls->ssl)) != 1)
		if (!tls_again(tls, result))
			return false;
	return true;
}

static void tls_ask(struct tls_client *tls, const char *text, size_t len)
{
	int result;

	while (len > 0) {
		result = SSL_write(tls->ssl, text, (int)(len > 16000 ? 16000 : len));
		if (result > 0) {
			text += result;
			len -= (size_t)result;
			loop_turn(tls->client->world->loop, false);
		} else {
			cr_assert(tls_again(tls, result));
		}
	}
}

static void tls_expect(struct tls_client *tls, const char *text)
{
	struct buf *in = &tls->client->in;
	char bytes[16384];

	while (strstr(buf_string(in), text) == NULL) {
		int result = SSL_read(tls->ssl, bytes, sizeof(bytes));

		if (result > 0)
			buf_add(in, bytes, (size_t)result);
		else
			cr_assert(tls_again(tls, result), "closed before %s", text);
	}
}

static void expect_name(struct tls_client *tls, const char *name)
{
	X509 *cert = SSL_get1_peer_certificate(tls->ssl);
	char found[64] = "";

	cr_assert_not_null(cert);
	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, found,
				  sizeof(found));
	cr_expect_str_eq(found, name);
	X509_free(cert);
}

static struct world *tls_world(struct files *files)
{
	struct world *world = world_new();

	files_make(files);
	write_certificate(files, "first");
	world->options.tls_cert = files->cert;
	world->options.tls_key = files->key;
	world_start(world);
	return world;
}

Test(http_tls, serves_requests_bodies_and_streams)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct files files;
	struct world *world = tls_world(&files);
	struct buf text = { 0 };

	buf_format(&text, "POST /echo" H "Content-Length: 100000\r\n\r\n");
	for (int i = 0; i < 100000; i++)
		buf_byte(&text, i == 99999 ? 'z' : 'y');
	for (size_t i = 0; i < COUNT_OF(versions); i++) {
		struct tls_client tls;

		tls_open(&tls, world, versions[i]);
		cr_assert(tls_handshake(&tls));
		expect_name(&tls, "first");
		tls_ask(&tls, text.data, text.len);
		tls_expect(&tls, "yyz");
		tls_ask(&tls, "GET /events" H "\r\n", 11 + sizeof(H) - 1 + 2);
		tls_expect(&tls, "text/event-stream");
		http_stream_write(world->stream, "data: x\n\n", 9);
		tls_expect(&tls, "data: x\n\n");
		http_stream_end(&world->stream);
		tls_shut(&tls);
	}
	cr_assert_not_null(strstr(buf_string(&world->seen), "POST /echo 127.0.0.1 1 100000\n"));
	buf_clear(&text);
	world_free(world);
	files_remove(&files);
}

Test(http_tls, refuses_old_versions_and_plain_text)
{
	struct files files;
	struct world *world = tls_world(&files);
	struct tls_client tls;
	struct client *plain;

	tls_open(&tls, world, TLS1_1_VERSION);
	cr_assert_not(tls_handshake(&tls));
	tls_shut(&tls);
	plain = client_new(world);
	client_send(plain, "GET /" H "\r\n");
	client_expect_close(plain);
	cr_assert_eq(world->handled, 0);
	client_free(plain);
	TURN_UNTIL(world, http_server_stats(world->server).connections == 0);
	world_free(world);
	files_remove(&files);
}

Test(http_tls, a_reload_takes_other_paths_and_does_not_switch_tls_off)
{
	struct files files;
	struct files others;
	struct world *world = tls_world(&files);
	struct tls_client after;

	files_make(&others);
	write_certificate(&others, "elsewhere");
	cr_assert_eq(http_server_reload_tls(world->server, others.cert, others.key, &world->err),
		     0);
	tls_open(&after, world, TLS1_3_VERSION);
	cr_assert(tls_handshake(&after));
	expect_name(&after, "elsewhere");
	tls_shut(&after);
	cr_assert_eq(http_server_reload_tls(world->server, NULL, NULL, &world->err), -1);
	cr_assert_not_null(strstr(world->err.text, "by a restart"));
	cr_assert_eq(http_server_check_tls(others.cert, files.key, &world->err), -1);
	cr_assert_eq(http_server_check_tls(others.cert, others.key, &world->err), 0);
	world_free(world);
	files_remove(&others);
	files_remove(&files);
}

Test(http_tls, a_reload_takes_the_new_certificate_and_keeps_the_old_on_error)
{
	struct files files;
	struct world *world = tls_world(&files);
	struct tls_client before;
	struct tls_client after;
	FILE *broken;

	tls_open(&before, world, TLS1_3_VERSION);
	cr_assert(tls_handshake(&before));
	write_certificate(&files, "second");
	cr_assert_eq(http_server_reload_tls(world->server, files.cert, files.key, &world->err), 0);
	tls_open(&after, world, TLS1_3_VERSION);
	cr_assert(tls_handshake(&after));
	expect_name(&after, "second");
	tls_ask(&before, "GET /old" H "\r\n", 8 + sizeof(H) - 1 + 2);
	tls_expect(&before, "\r\n\r\n/old");
	tls_shut(&after);
	broken = fopen(files.cert, "w");
	fputs("not a certificate\n", broken);
	fclose(broken);
	cr_assert_eq(http_server_reload_tls(world->server, files.cert, files.key, &world->err), -1);
	cr_assert_not_null(strstr(world->err.text, "reading certificate"));
	tls_open(&after, world, TLS1_3_VERSION);
	cr_assert(tls_handshake(&after));
	expect_name(&after, "second");
	tls_shut(&after);
	tls_shut(&before);
	world_free(world);
	files_remove(&files);
}

Test(http_tls, a_handshake_that_stalls_is_cut_off)
{
	struct files files;
	struct world *world = tls_world(&files);
	struct client *client;

	world->server->options.header_ms = 20;
	client = client_new(world);
	client_send(client, "\x16\x03\x01");
	client_expect_close(client);
	client_end_world(client);
	files_remove(&files);
}

Test(http_tls, files_that_do_not_fit_are_an_error_at_start)
{
	struct files one;
	struct files two;
	struct world *world = world_new();

	files_make(&one);
	files_make(&two);
	write_certificate(&one, "one");
	write_certificate(&two, "two");
	world->options.tls_cert = one.cert;
	world->options.tls_key = two.key;
	cr_assert_not(world_try(world));
	world->options.tls_key = "/nonexistent";
	cr_assert_not(world_try(world));
	cr_assert_not_null(strstr(world->err.text, "/nonexistent"));
	world_free(world);
	files_remove(&one);
	files_remove(&two);
}
