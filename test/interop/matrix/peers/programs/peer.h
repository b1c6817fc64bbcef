/* What peer.c, which is the same for all TLS libraries in C, wants of the file that is over one of them. */
#include <stddef.h>

/* The value of `name=value` among the program's words; NULL without it. */
const char *wish(const char *name);

/* Says why, and ends the program. */
void fail(const char *what, int code);

/* The numbers of a wish like `23,29`; returns how many there were. */
int wished_numbers(const char *name, int *numbers, int most);

/* The bytes of a wish in hexadecimal digits. */
size_t wished_bytes(const char *name, unsigned char *bytes, size_t most);

/* What an operation that moves bytes returns beside a count of them. */
enum { ended = 0, wants_more = -1, failed = -2 };

struct connection;

/* Of the library itself. */
const char *library_version(void);
/* Once, before anything else. */
void library_setup(int is_client);
/* A server that makes its ECH configurations itself says them: ` ech=BASE64`. */
void library_announce(void);
/* A handshake, complete, over a socket that blocks; NULL where it failed, which it has said. */
struct connection *library_handshake(int is_client, int socket);
/* Prints ` name=value` for what is known of the connection. */
void library_say(struct connection *connection);
int library_read(struct connection *connection, unsigned char *bytes, size_t most);
int library_write(struct connection *connection, const unsigned char *bytes, size_t count);
/* Keeps what the next connection resumes. */
void library_keep_session(struct connection *connection);
/* `k`, `K` or `c`. */
void library_command(struct connection *connection, char command);
/* Sends a close_notify and frees. */
void library_close(struct connection *connection);
