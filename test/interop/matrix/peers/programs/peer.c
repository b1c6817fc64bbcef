/* A TLS peer for the interop matrix (own-program.ts says how it is talked to) over a library in C (peer.h). */
#include "peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int word_count;
static char **words;

static void client(void);
static void server(void);
static struct connection *dialled(int *socket);
static void pump(struct connection *connection, int socket);
static int obey(struct connection *connection, unsigned char *waiting, size_t *length, size_t most);
static void end(struct connection *connection, int socket);

int main(int count, char **given) {
  word_count = count;
  words = given;
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IONBF, 0);
  if (count > 1 && strcmp(given[1], "version") == 0) {
    printf("%s\n", library_version());
    return 0;
  }
  int is_client = count > 1 && strcmp(given[1], "client") == 0;
  library_setup(is_client);
  if (is_client) client();
  else server();
  return 0;
}

const char *wish(const char *name) {
  size_t length = strlen(name);
  for (int index = 2; index < word_count; index++) {
    if (strncmp(words[index], name, length) == 0 && words[index][length] == '=') return words[index] + length + 1;
  }
  return NULL;
}

void fail(const char *what, int code) {
  printf("failed: %s: %d\n", what, code);
  exit(1);
}

int wished_numbers(const char *name, int *numbers, int most) {
  const char *rest = wish(name);
  int count = 0;
  while (rest != NULL && count < most) {
    numbers[count++] = atoi(rest);
    rest = strchr(rest, ',');
    if (rest != NULL) rest++;
  }
  return count;
}

size_t wished_bytes(const char *name, unsigned char *bytes, size_t most) {
  const char *digits = wish(name);
  size_t count = 0;
  for (; digits != NULL && digits[0] != '\0' && count < most; digits += 2) sscanf(digits, "%2hhx", &bytes[count++]);
  return count;
}

static void client(void) {
  int socket;
  if (wish("resume") != NULL) {
    struct connection *first = dialled(&socket);
    unsigned char byte;
    int outcome;
    /* Tickets come before the byte. */
    while ((outcome = library_read(first, &byte, 1)) == wants_more) {
    }
    if (outcome == failed) fail("the first connection", outcome);
    library_keep_session(first);
    end(first, socket);
  }
  struct connection *connection = dialled(&socket);
  printf("connected");
  library_say(connection);
  printf("\n");
  pump(connection, socket);
}

static void server(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 5) != 0) fail("listen", 0);
  getsockname(listener, (struct sockaddr *)&address, &length);
  library_announce();
  printf("port %d\n", ntohs(address.sin_port));
  for (;;) {
    int accepted = accept(listener, NULL, NULL);
    struct connection *connection = library_handshake(0, accepted);
    if (connection == NULL) {
      close(accepted);
      continue;
    }
    printf("connected");
    library_say(connection);
    printf("\n");
    pump(connection, accepted);
  }
}

static struct connection *dialled(int *made) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  address.sin_port = htons((uint16_t)atoi(wish("port")));
  *made = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(*made, (struct sockaddr *)&address, sizeof address) != 0) fail("connect", 0);
  struct connection *connection = library_handshake(1, *made);
  if (connection == NULL) exit(1);
  return connection;
}

/* Passes data and commands on until the connection ends. */
static void pump(struct connection *connection, int socket) {
  static unsigned char waiting[1 << 20], bytes[1 << 16];
  size_t length = 0;
  fcntl(socket, F_SETFL, O_NONBLOCK);
  for (;;) {
    struct pollfd polled[] = {
        {.fd = socket, .events = (short)(POLLIN | (length > 0 ? POLLOUT : 0))},
        {.fd = 0, .events = (short)(length < sizeof waiting / 2 ? POLLIN : 0)},
    };
    poll(polled, 2, -1);
    if ((polled[1].revents & POLLIN) != 0 && obey(connection, waiting, &length, sizeof waiting)) break;
    while (length > 0) {
      int written = library_write(connection, waiting, length);
      if (written <= 0) break;
      length -= (size_t)written;
      memmove(waiting, waiting + written, length);
    }
    int count;
    while ((count = library_read(connection, bytes, sizeof bytes)) > 0) fwrite(bytes, 1, (size_t)count, stdout);
    if (count != wants_more) break;
  }
  end(connection, socket);
}

/* Takes what standard input has; returns whether it is to end. */
static int obey(struct connection *connection, unsigned char *waiting, size_t *length, size_t most) {
  unsigned char input[1 << 16];
  ssize_t count = read(0, input, sizeof input);
  int ends = 0;
  for (ssize_t index = 0; index < count && *length < most; index++) {
    if (input[index] >= 0x80) waiting[(*length)++] = input[index];
    else if (input[index] == 'q') ends = 1;
    else library_command(connection, (char)input[index]);
  }
  return ends;
}

static void end(struct connection *connection, int socket) {
  library_close(connection);
  /* What the other sends last must not be answered with a reset. */
  unsigned char rest[4096];
  struct timeval patience = {.tv_sec = 2};
  shutdown(socket, SHUT_WR);
  fcntl(socket, F_SETFL, 0);
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  while (read(socket, rest, sizeof rest) > 0) {
  }
  close(socket);
}
