/* TLS of the connections that we open: TLS 1.2 or newer, the peer's chain and name checked. */
#pragma once

struct ssl_st;
struct error;

/* For bufferevent_openssl_socket_new(), which owns it then. NULL with err. */
struct ssl_st *socket_tls_new(const char *host, const char *ca_file, struct error *err);
void socket_tls_free(struct ssl_st **ssl);
/* Why the handshake failed, in a phrase that lives until the next call; NULL: no reason of TLS. */
const char *socket_tls_why(const struct ssl_st *ssl, unsigned long code);
