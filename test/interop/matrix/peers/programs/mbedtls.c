/* A TLS peer over Mbed TLS, for the interop matrix. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

struct connection {
  mbedtls_ssl_context ssl;
  mbedtls_net_context net;
  int is_client;
};

static mbedtls_ssl_config config;
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context drbg;
static mbedtls_x509_crt authority, certificate;
static mbedtls_pk_context key;
static mbedtls_ssl_ticket_context tickets;
static mbedtls_ssl_session session;
static int has_session;
static char asked_name[256];

static void set_lists(void);
static void set_psk(void);
static int keep_name(void *nothing, mbedtls_ssl_context *ssl, const unsigned char *name, size_t length);
static int outcome_of(int result);

const char *library_version(void) {
  return MBEDTLS_VERSION_STRING;
}

void library_setup(int is_client) {
  psa_crypto_init();
  mbedtls_entropy_init(&entropy);
  mbedtls_ctr_drbg_init(&drbg);
  mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0);
  mbedtls_ssl_config_init(&config);
  mbedtls_ssl_config_defaults(&config, is_client ? MBEDTLS_SSL_IS_CLIENT : MBEDTLS_SSL_IS_SERVER,
                              MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
  mbedtls_ssl_conf_min_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &drbg);
  mbedtls_x509_crt_init(&authority);
  mbedtls_x509_crt_init(&certificate);
  mbedtls_pk_init(&key);
  mbedtls_x509_crt_parse_file(&authority, wish("ca"));
  mbedtls_ssl_conf_ca_chain(&config, &authority, NULL);
  int peer = is_client || wish("requestCert") != NULL;
  mbedtls_ssl_conf_authmode(&config, peer ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
  if (wish("cert") != NULL) {
    int loaded = mbedtls_x509_crt_parse_file(&certificate, wish("cert"));
    if (loaded != 0) fail("certificate", loaded);
    loaded = mbedtls_pk_parse_keyfile(&key, wish("key"), NULL, mbedtls_ctr_drbg_random, &drbg);
    if (loaded != 0) fail("key", loaded);
    mbedtls_ssl_conf_own_cert(&config, &certificate, &key);
  }
  set_lists();
  set_psk();
  if (is_client) {
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(&config,
                                                             MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
  } else {
    mbedtls_ssl_ticket_init(&tickets);
    mbedtls_ssl_ticket_setup(&tickets, mbedtls_ctr_drbg_random, &drbg, MBEDTLS_CIPHER_AES_256_GCM, 3600);
    mbedtls_ssl_conf_session_tickets_cb(&config, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &tickets);
    mbedtls_ssl_conf_sni(&config, keep_name, NULL);
  }
  if (wish("fragment") != NULL) mbedtls_ssl_conf_max_frag_len(&config, MBEDTLS_SSL_MAX_FRAG_LEN_512);
}

/* Each ends with a zero, and is read for as long as there are connections. */
static void set_lists(void) {
  static int suites[8], numbers[8];
  static uint16_t groups[8], schemes[8];
  static char names[256];
  static const char *protocols[8];
  if (wished_numbers("suite", suites, 7) > 0) mbedtls_ssl_conf_ciphersuites(&config, suites);
  int count = wished_numbers("groups", numbers, 7);
  for (int index = 0; index < count; index++) groups[index] = (uint16_t)numbers[index];
  if (count > 0) mbedtls_ssl_conf_groups(&config, groups);
  count = wished_numbers("scheme", numbers, 7);
  for (int index = 0; index < count; index++) schemes[index] = (uint16_t)numbers[index];
  if (count > 0) mbedtls_ssl_conf_sig_algs(&config, schemes);
  if (wish("alpn") == NULL) return;
  snprintf(names, sizeof names, "%s", wish("alpn"));
  count = 0;
  for (char *name = strtok(names, ","); name != NULL && count < 7; name = strtok(NULL, ",")) protocols[count++] = name;
  mbedtls_ssl_conf_alpn_protocols(&config, protocols);
}

static void set_psk(void) {
  unsigned char bytes[64];
  const char *identity = wish("pskIdentity");
  if (identity == NULL) return;
  size_t length = wished_bytes("psk", bytes, sizeof bytes);
  mbedtls_ssl_conf_psk(&config, bytes, length, (const unsigned char *)identity, strlen(identity));
  mbedtls_ssl_conf_tls13_key_exchange_modes(&config, wish("pskAlone") != NULL
                                                         ? MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK
                                                         : MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL);
}

void library_announce(void) {}

struct connection *library_handshake(int is_client, int socket) {
  struct connection *made = calloc(1, sizeof *made);
  made->is_client = is_client;
  made->net.fd = socket;
  mbedtls_ssl_init(&made->ssl);
  mbedtls_ssl_setup(&made->ssl, &config);
  mbedtls_ssl_set_bio(&made->ssl, &made->net, mbedtls_net_send, mbedtls_net_recv, NULL);
  if (is_client) {
    mbedtls_ssl_set_hostname(&made->ssl, wish("servername"));
    if (has_session) {
      int set = mbedtls_ssl_set_session(&made->ssl, &session);
      if (set != 0) fail("session", set);
    }
  }
  int result = mbedtls_ssl_handshake(&made->ssl);
  if (result == 0) return made;
  printf("failed: handshake: -0x%x\n", (unsigned int)-result);
  mbedtls_ssl_free(&made->ssl);
  free(made);
  return NULL;
}

static int keep_name(void *nothing, mbedtls_ssl_context *ssl, const unsigned char *name, size_t length) {
  (void)nothing;
  (void)ssl;
  snprintf(asked_name, sizeof asked_name, "%.*s", (int)length, (const char *)name);
  return 0;
}

void library_say(struct connection *connection) {
  mbedtls_ssl_context *ssl = &connection->ssl;
  const char *protocol = mbedtls_ssl_get_alpn_protocol(ssl), *label = wish("exporter");
  printf(" suite=%d", mbedtls_ssl_get_ciphersuite_id_from_ssl(ssl));
  if (protocol != NULL) printf(" alpn=%s", protocol);
  if (!connection->is_client && asked_name[0] != '\0') printf(" servername=%s", asked_name);
  /* A certificate is demanded then: without one there is no connection. */
  if (connection->is_client || wish("requestCert") != NULL)
    printf(" verified=%d", mbedtls_ssl_get_verify_result(ssl) == 0);
  if (label == NULL) return;
  unsigned char bytes[32];
  mbedtls_ssl_export_keying_material(ssl, bytes, sizeof bytes, label, strlen(label), NULL, 0, 0);
  printf(" exported=");
  for (size_t index = 0; index < sizeof bytes; index++) printf("%02x", bytes[index]);
}

int library_read(struct connection *connection, unsigned char *bytes, size_t most) {
  for (;;) {
    int result = mbedtls_ssl_read(&connection->ssl, bytes, most);
    if (result != MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) return outcome_of(result);
    mbedtls_ssl_session_free(&session);
    mbedtls_ssl_session_init(&session);
    has_session = mbedtls_ssl_get_session(&connection->ssl, &session) == 0;
  }
}

int library_write(struct connection *connection, const unsigned char *bytes, size_t count) {
  return outcome_of(mbedtls_ssl_write(&connection->ssl, bytes, count));
}

static int outcome_of(int result) {
  if (result > 0) return result;
  if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE) return wants_more;
  if (result == 0 || result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) return ended;
  printf("failed: -0x%x\n", (unsigned int)-result);
  return failed;
}

/* It is kept when a ticket comes. */
void library_keep_session(struct connection *connection) {
  (void)connection;
  if (!has_session) fail("no ticket came", 0);
}

/* There is no KeyUpdate, and no certificate after the handshake. */
void library_command(struct connection *connection, char command) {
  (void)connection;
  printf("failed: no command %c\n", command);
}

void library_close(struct connection *connection) {
  mbedtls_ssl_close_notify(&connection->ssl);
  mbedtls_ssl_free(&connection->ssl);
  free(connection);
}
