#include "services/socket_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

static bool is_address(const char *host)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static SSL_CTX *context_new(const char *ca_file, struct error *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context == NULL) {
		error_set(err, ERROR_TEMPORARY, "setting up TLS");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (ca_file != NULL ? SSL_CTX_load_verify_locations(context, ca_file, NULL) == 1
			    : SSL_CTX_set_default_verify_paths(context) == 1)
		return context;
	error_set(err, ERROR_MISUSE, "reading the certificates of %s",
		  ca_file == NULL ? "the system" : ca_file);
	SSL_CTX_free(context);
	return NULL;
}

/* OpenSSL's macro takes the const away. */
static bool name_send(SSL *ssl, const char *host)
{
	char *name = memory_text(host);
	bool ok = SSL_set_tlsext_host_name(ssl, name) == 1;

	free(name);
	return ok;
}

struct ssl_st *socket_tls_new(const char *host, const char *ca_file, struct error *err)
{
	SSL_CTX *context;
	SSL *ssl;
	bool ok;

	ERR_clear_error();
	context = context_new(ca_file, err);
	if (context == NULL)
		return NULL;
	ssl = SSL_new(context);
	SSL_CTX_free(context); /* ssl holds a reference of its own */
	if (ssl == NULL) {
		error_set(err, ERROR_TEMPORARY, "setting up TLS");
		return NULL;
	}
	/* An address is looked for among the certificate's addresses, and is not sent as a name. */
	if (is_address(host))
		ok = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	else
		ok = SSL_set1_host(ssl, host) == 1 && name_send(ssl, host);
	if (ok)
		return ssl;
	SSL_free(ssl);
	error_set(err, ERROR_MISUSE, "\"%s\" is no name that a certificate could have", host);
	return NULL;
}

void socket_tls_free(struct ssl_st **ssl)
{
	SSL_free(*ssl);
	*ssl = NULL;
}

const char *socket_tls_why(const struct ssl_st *ssl, unsigned long code)
{
	long verdict = SSL_get_verify_result(ssl);

	if (verdict != X509_V_OK)
		return X509_verify_cert_error_string(verdict);
	return code == 0 ? NULL : ERR_reason_error_string(code);
}
