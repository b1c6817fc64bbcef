/* A TLS peer over wolfSSL, for the interop matrix. */
#include <wolfssl/options.h>
/* The options come first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wolfssl/ssl.h>

#include "peer.h"

struct connection {
  WOLFSSL *ssl;
  int is_client;
};

static WOLFSSL_CTX *context;
static WOLFSSL_SESSION *session;

static unsigned int psk_of_client(WOLFSSL *, const char *, char *, unsigned int, unsigned char *, unsigned int,
                                  const char **);
static unsigned int psk_of_server(WOLFSSL *, const char *, unsigned char *, unsigned int, const char **);
#ifdef HAVE_RPK
static void set_raw_keys(int is_client);
static int accept_raw_key(int verified, WOLFSSL_X509_STORE_CTX *store);
#endif
static void prepare_client(WOLFSSL *ssl);
static int outcome_of(WOLFSSL *ssl, int result);

const char *library_version(void) {
  return wolfSSL_lib_version();
}

void library_setup(int is_client) {
  wolfSSL_Init();
  context = wolfSSL_CTX_new(is_client ? wolfTLSv1_3_client_method() : wolfTLSv1_3_server_method());
  const char *suite = wish("suite"), *certificate = wish("cert");
  if (wolfSSL_CTX_load_verify_locations(context, wish("ca"), NULL) != WOLFSSL_SUCCESS) fail("ca", 0);
  if (suite != NULL && wolfSSL_CTX_set_cipher_list(context, suite) != WOLFSSL_SUCCESS) fail("suite", 0);
  if (certificate != NULL && wish("rawKey") == NULL) {
    int loaded = wolfSSL_CTX_use_certificate_chain_file(context, certificate);
    if (loaded != WOLFSSL_SUCCESS) fail("certificate", loaded);
    loaded = wolfSSL_CTX_use_PrivateKey_file(context, wish("key"), WOLFSSL_FILETYPE_PEM);
    if (loaded != WOLFSSL_SUCCESS) fail("key", loaded);
  }
  int groups[8];
  int count = wished_numbers("groups", groups, 8);
  if (count > 0 && wolfSSL_CTX_set_groups(context, groups, count) != WOLFSSL_SUCCESS) fail("groups", groups[0]);
  if (wish("pskAlone") != NULL) wolfSSL_CTX_no_dhe_psk(context);
  if (wish("postHandshakeAuth") != NULL && is_client) wolfSSL_CTX_allow_post_handshake_auth(context);
  int peer = is_client || wish("requestCert") != NULL;
  int verify = peer ? WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  /* Otherwise its request waits for something to go with. */
#if LIBWOLFSSL_VERSION_HEX > 0x05005004
  if (wish("postHandshakeAuth") != NULL) wolfSSL_CTX_clear_group_messages(context);
#endif
  if (wish("postHandshakeAuth") != NULL && !is_client) verify = WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_POST_HANDSHAKE;
  wolfSSL_CTX_set_verify(context, verify, NULL);
  if (!is_client && peer) wolfSSL_CTX_set_client_CA_list(context, wolfSSL_load_client_CA_file(wish("ca")));
#ifdef HAVE_RPK
  set_raw_keys(is_client);
#endif
  if (wish("psk") != NULL) {
    if (is_client) wolfSSL_CTX_set_psk_client_tls13_callback(context, psk_of_client);
    else wolfSSL_CTX_set_psk_server_tls13_callback(context, psk_of_server);
  }
#ifdef HAVE_ECH
  if (wish("echKeys") != NULL) {
    int made = wolfSSL_CTX_GenerateEchConfig(context, wish("echName"), 0, 0, 0);
    if (made != WOLFSSL_SUCCESS) fail("ECH", made);
  }
#endif
}

#ifdef HAVE_RPK
/* `rawKey` is the program's own key; without it the other side's is to be raw. */
static void set_raw_keys(int is_client) {
  const char *whose = wish("rawPublicKey"), *own = wish("rawKey");
  char type = WOLFSSL_CERT_TYPE_RPK;
  if (whose == NULL) return;
  if (strcmp(whose, "client") == 0) wolfSSL_CTX_set_client_cert_type(context, &type, 1);
  else wolfSSL_CTX_set_server_cert_type(context, &type, 1);
  if (own != NULL) {
    int loaded = wolfSSL_CTX_use_certificate_file(context, own, WOLFSSL_FILETYPE_ASN1);
    if (loaded != WOLFSSL_SUCCESS) fail("raw key", loaded);
    loaded = wolfSSL_CTX_use_PrivateKey_file(context, wish("key"), WOLFSSL_FILETYPE_PEM);
    if (loaded != WOLFSSL_SUCCESS) fail("key", loaded);
  } else {
    int peer = is_client || wish("requestCert") != NULL;
    wolfSSL_CTX_set_verify(context, peer ? WOLFSSL_VERIFY_PEER : 0, accept_raw_key);
  }
}

/* It has been told of none: which one it is, is for this side to test. */
static int accept_raw_key(int verified, WOLFSSL_X509_STORE_CTX *store) {
  (void)verified;
  (void)store;
  return 1;
}
#endif

void library_announce(void) {
#ifdef HAVE_ECH
  unsigned char configs[1024];
  char text[2048];
  word32 length = sizeof configs, textLength = sizeof text;
  if (wish("echKeys") == NULL) return;
  if (wolfSSL_CTX_GetEchConfigs(context, configs, &length) != WOLFSSL_SUCCESS) fail("ECH", 0);
  Base64_Encode_NoNl(configs, length, (byte *)text, &textLength);
  printf("ech %.*s\n", (int)textLength, text);
#endif
}

#if LIBWOLFSSL_VERSION_HEX > 0x05005004
/* The names of the authorities whose certificates the server wants. */
static void say_authorities(WOLFSSL *ssl) {
  WOLF_STACK_OF(WOLFSSL_X509_NAME) *names = wolfSSL_get_client_CA_list(ssl);
  for (int index = 0; names != NULL && index < wolfSSL_sk_X509_NAME_num(names); index++) {
    char text[256];
    printf("authority %s\n", wolfSSL_X509_NAME_oneline(wolfSSL_sk_X509_NAME_value(names, index), text, sizeof text));
  }
}
#endif

struct connection *library_handshake(int is_client, int socket) {
  struct connection *made = malloc(sizeof *made);
  made->is_client = is_client;
  made->ssl = wolfSSL_new(context);
  wolfSSL_set_fd(made->ssl, socket);
  const char *alpn = wish("alpn");
  if (alpn != NULL) {
    char names[256];
    snprintf(names, sizeof names, "%s", alpn);
    wolfSSL_UseALPN(made->ssl, names, (unsigned int)strlen(names), WOLFSSL_ALPN_CONTINUE_ON_MISMATCH);
  }
  if (is_client) prepare_client(made->ssl);
  int result = is_client ? wolfSSL_connect(made->ssl) : wolfSSL_accept(made->ssl);
#if LIBWOLFSSL_VERSION_HEX > 0x05005004
  if (is_client) say_authorities(made->ssl);
#endif
  if (result == WOLFSSL_SUCCESS) return made;
  printf("failed: handshake: %d\n", wolfSSL_get_error(made->ssl, result));
  wolfSSL_free(made->ssl);
  free(made);
  return NULL;
}

static void prepare_client(WOLFSSL *ssl) {
  const char *name = wish("servername"), *scheme = wish("scheme");
  /* Of the context they would take its suites away, in wolfSSL 5.9. */
  if (scheme != NULL && wolfSSL_set1_sigalgs_list(ssl, scheme) != WOLFSSL_SUCCESS) fail("scheme", 0);
  wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, name, (unsigned short)strlen(name));
  if (wish("psk") == NULL && wish("rawPublicKey") == NULL) wolfSSL_check_domain_name(ssl, name);
  int groups[8];
  if (wished_numbers("groups", groups, 8) > 0) wolfSSL_UseKeyShare(ssl, (word16)groups[0]);
  if (session != NULL && wolfSSL_set_session(ssl, session) != WOLFSSL_SUCCESS) fail("session", 0);
#ifdef HAVE_ECH
  const char *configs = wish("ech");
  if (configs != NULL) {
    int set = wolfSSL_SetEchConfigsBase64(ssl, (char *)configs, (word32)strlen(configs));
    if (set != WOLFSSL_SUCCESS) fail("ECH", set);
  } else if (wish("echGrease") == NULL) {
    wolfSSL_SetEchEnable(ssl, 0);
  }
#endif
}

void library_say(struct connection *connection) {
  WOLFSSL *ssl = connection->ssl;
  const char *group = wolfSSL_get_curve_name(ssl);
  printf(" suite=%s resumed=%d", wolfSSL_get_cipher_name(ssl), wolfSSL_session_reused(ssl));
  if (group != NULL) printf(" group=%s", group);
  char *protocol;
  unsigned short length;
  if (wolfSSL_ALPN_GetProtocol(ssl, &protocol, &length) == WOLFSSL_SUCCESS) printf(" alpn=%.*s", length, protocol);
  void *name;
  if (!connection->is_client && wolfSSL_SNI_GetRequest(ssl, WOLFSSL_SNI_HOST_NAME, &name) > 0)
    printf(" servername=%s", (char *)name);
  /* A certificate is demanded then: without one there is no connection. */
  if (connection->is_client || wish("requestCert") != NULL)
    printf(" verified=%d", wolfSSL_get_verify_result(ssl) == 0);
  const char *label = wish("exporter");
  if (label != NULL) {
    unsigned char bytes[32];
    wolfSSL_export_keying_material(ssl, bytes, sizeof bytes, label, strlen(label), NULL, 0, 0);
    printf(" exported=");
    for (size_t index = 0; index < sizeof bytes; index++) printf("%02x", bytes[index]);
  }
#ifdef HAVE_ECH
  if (wish("ech") != NULL || wish("echKeys") != NULL)
    printf(" ech=%d", wolfSSL_GetEchStatus(ssl) == WOLFSSL_ECH_STATUS_ACCEPTED);
#endif
}

int library_read(struct connection *connection, unsigned char *bytes, size_t most) {
  return outcome_of(connection->ssl, wolfSSL_read(connection->ssl, bytes, (int)most));
}

int library_write(struct connection *connection, const unsigned char *bytes, size_t count) {
  return outcome_of(connection->ssl, wolfSSL_write(connection->ssl, bytes, (int)count));
}

static int outcome_of(WOLFSSL *ssl, int result) {
  if (result > 0) return result;
  int error = wolfSSL_get_error(ssl, result);
  if (error == WOLFSSL_ERROR_WANT_READ || error == WOLFSSL_ERROR_WANT_WRITE) return wants_more;
  if (error == WOLFSSL_ERROR_ZERO_RETURN) return ended;
  printf("failed: %d\n", error);
  return failed;
}

void library_keep_session(struct connection *connection) {
  session = wolfSSL_get1_session(connection->ssl);
}

void library_command(struct connection *connection, char command) {
  /* It always asks for ours. */
  if (command == 'K') wolfSSL_update_keys(connection->ssl);
  if (command == 'c') {
    int asked = wolfSSL_request_certificate(connection->ssl);
    if (asked != WOLFSSL_SUCCESS) printf("failed: to ask for a certificate: %d\n", asked);
  }
}

void library_close(struct connection *connection) {
  wolfSSL_shutdown(connection->ssl);
  wolfSSL_free(connection->ssl);
  free(connection);
}

static unsigned int psk_of_client(WOLFSSL *ssl, const char *hint, char *identity, unsigned int identityMost,
                                  unsigned char *key, unsigned int keyMost, const char **suite) {
  (void)ssl;
  (void)hint;
  snprintf(identity, identityMost, "%s", wish("pskIdentity"));
  *suite = wish("suite");
  return (unsigned int)wished_bytes("psk", key, keyMost);
}

static unsigned int psk_of_server(WOLFSSL *ssl, const char *identity, unsigned char *key, unsigned int keyMost,
                                  const char **suite) {
  (void)ssl;
  if (strcmp(identity, wish("pskIdentity")) != 0) return 0;
  *suite = wish("suite");
  return (unsigned int)wished_bytes("psk", key, keyMost);
}
