#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "services/http_server_internal.h"

static int tls_error(struct error *err, const char *doing, const char *path)
{
	unsigned long code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);
	char text[160];

	ERR_error_string_n(code, text, sizeof(text));
	ERR_clear_error();
	return error_set(err, ERROR_MISUSE, "%s %s: %s", doing, path,
			 reason == NULL ? text : reason);
}

static int on_alpn(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len,
		   const unsigned char *offered, unsigned offered_len, void *context)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *name;

	(void)ssl;
	(void)context;
	if (SSL_select_next_proto(&name, ret_len, ours, sizeof(ours) - 1, offered, offered_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*ret_name = name;
	return SSL_TLSEXT_ERR_OK;
}

struct ssl_ctx_st *http_tls_load(const char *cert, const char *key, struct error *err)
{
	SSL_CTX *tls;

	ERR_clear_error();
	tls = SSL_CTX_new(TLS_server_method());
	if (tls == NULL) {
		tls_error(err, "setting up", "TLS");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
	SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(tls, on_alpn, NULL);
	if (SSL_CTX_use_certificate_chain_file(tls, cert) != 1)
		tls_error(err, "reading certificate", cert);
	else if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
		tls_error(err, "reading key", key);
	else if (SSL_CTX_check_private_key(tls) != 1)
		tls_error(err, "the certificate does not match", key);
	else
		return tls;
	SSL_CTX_free(tls);
	return NULL;
}

void http_tls_free(struct ssl_ctx_st **tls)
{
	SSL_CTX_free(*tls);
	*tls = NULL;
}

struct ssl_st *http_tls_accept(struct ssl_ctx_st *tls, int fd)
{
	SSL *ssl = SSL_new(tls);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
		abort();
	SSL_set_accept_state(ssl);
	return ssl;
}

void http_tls_close(struct ssl_st **ssl)
{
	SSL_free(*ssl);
	*ssl = NULL;
}

void http_tls_end(struct ssl_st *ssl)
{
	ERR_clear_error();
	if (SSL_is_init_finished(ssl))
		SSL_shutdown(ssl);
	ERR_clear_error();
}

static ssize_t outcome(struct ssl_st *ssl, int result, bool *ret_wants_write)
{
	int error = SSL_get_error(ssl, result);

	ERR_clear_error();
	*ret_wants_write = error == SSL_ERROR_WANT_WRITE;
	if (error == SSL_ERROR_ZERO_RETURN)
		return 0;
	errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
	return -1;
}

ssize_t http_tls_read(struct ssl_st *ssl, void *bytes, size_t len, bool *ret_wants_write)
{
	char *at = bytes;
	size_t got = 0;

	ERR_clear_error();
	*ret_wants_write = false;
	/* Records that OpenSSL has taken off the socket raise no event later. */
	do {
		size_t piece = 0;
		int result = SSL_read_ex(ssl, at + got, len - got, &piece);

		if (result <= 0)
			return got > 0 ? (ssize_t)got : outcome(ssl, result, ret_wants_write);
		got += piece;
	} while (got < len && SSL_pending(ssl) > 0);
	return (ssize_t)got;
}

ssize_t http_tls_write(struct ssl_st *ssl, const void *bytes, size_t len)
{
	size_t sent = 0;
	bool wants_write;
	int result;

	ERR_clear_error();
	result = SSL_write_ex(ssl, bytes, len, &sent);

	return result > 0 ? (ssize_t)sent : outcome(ssl, result, &wants_write);
}
