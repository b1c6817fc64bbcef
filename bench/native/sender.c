// The least that sends a file as TLS 1.3 records: one connection at a time, keys of its own making, no handshake, no HTTP.
//   sender MODE FILE    prints its port; each byte that a client sends asks for the whole file once more
// Modes: the kernel seals (sendfile; send, from memory), or user space does and hands the records over by write, by
// MSG_ZEROCOPY, or by vmsplice. AES-128-GCM, records of 16 KiB. Whoever receives is expected to count, not to open.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/tls.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { kContent = 16384, kHeader = 5, kTag = 16, kRecord = kHeader + kContent + 1 + kTag };
// Sixteen records a call; between a batch's sending and its memory's next use lie 64 others.
enum { kBatchRecords = 16, kBatches = 64 };
static const size_t kBatch = (size_t)kBatchRecords * kRecord;

static int file;
static off_t file_size;
static uint8_t* ring;

static void Fail(const char* what) {
  perror(what);
  exit(1);
}

static void Must(int holds, const char* what) {
  if (!holds) Fail(what);
}

static void WriteAll(int fd, const uint8_t* bytes, size_t length) {
  while (length > 0) {
    const ssize_t n = write(fd, bytes, length);
    Must(n > 0, "write");
    bytes += n;
    length -= (size_t)n;
  }
}

// The kernel seals.

static void UseKernel(int fd) {
  struct tls12_crypto_info_aes_gcm_128 keys = {.info = {TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128}};
  Must(getrandom(keys.key, sizeof keys.key, 0) == sizeof keys.key, "getrandom");
  Must(setsockopt(fd, SOL_TCP, TCP_ULP, "tls", sizeof "tls") == 0, "TCP_ULP");
  Must(setsockopt(fd, SOL_TLS, TLS_TX, &keys, sizeof keys) == 0, "TLS_TX");
}

static void BySendfile(int fd) {
  for (off_t offset = 0; offset < file_size;) Must(sendfile(fd, file, &offset, (size_t)(file_size - offset)) > 0, "sendfile");
}

static void BySend(int fd) {
  for (off_t offset = 0; offset < file_size;) {
    const ssize_t n = pread(file, ring, (size_t)kBatchRecords * kContent, offset);
    Must(n > 0, "pread");
    WriteAll(fd, ring, (size_t)n);
    offset += n;
  }
}

// User space seals: a batch is read to where its records' contents belong, and sealed in place.

static EVP_CIPHER_CTX* cipher;
static uint8_t iv[12];
static uint64_t sequence_number;

static void UseCipher(int fd) {
  (void)fd;
  uint8_t key[16];
  Must(getrandom(key, sizeof key, 0) == sizeof key && getrandom(iv, sizeof iv, 0) == sizeof iv, "getrandom");
  if (cipher == NULL) cipher = EVP_CIPHER_CTX_new();
  Must(EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), NULL, key, NULL) == 1, "EVP_EncryptInit_ex");
  sequence_number = 0;
}

static void Seal(uint8_t* record, int content) {
  const int length = content + 1 + kTag;
  const uint8_t header[kHeader] = {23, 3, 3, (uint8_t)(length >> 8), (uint8_t)length};
  memcpy(record, header, kHeader);
  record[kHeader + content] = 23;
  uint8_t nonce[12];
  memcpy(nonce, iv, sizeof nonce);
  for (int i = 0; i < 8; i += 1) nonce[11 - i] ^= (uint8_t)(sequence_number >> (8 * i));
  sequence_number += 1;
  int n;
  uint8_t* inner = record + kHeader;
  Must(EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, nonce) == 1 && EVP_EncryptUpdate(cipher, NULL, &n, header, kHeader) == 1 &&
           EVP_EncryptUpdate(cipher, inner, &n, inner, content + 1) == 1 && EVP_EncryptFinal_ex(cipher, inner, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, kTag, inner + content + 1) == 1,
       "sealing");
}

// @returns the bytes of the file that are now in `batch`, sealed; *length is that of the records.
static off_t SealBatch(uint8_t* batch, off_t offset, size_t* length) {
  struct iovec contents[kBatchRecords];
  for (int i = 0; i < kBatchRecords; i += 1) contents[i] = (struct iovec){batch + (size_t)i * kRecord + kHeader, kContent};
  const ssize_t n = preadv(file, contents, kBatchRecords, offset);
  Must(n > 0, "preadv");
  *length = 0;
  for (ssize_t left = n; left > 0; left -= kContent) {
    const int content = left < kContent ? (int)left : kContent;
    Seal(batch + *length, content);
    *length += (size_t)(kHeader + content + 1 + kTag);
  }
  return n;
}

static void ByWrite(int fd) {
  size_t length;
  for (off_t offset = 0; offset < file_size;) {
    offset += SealBatch(ring, offset, &length);
    WriteAll(fd, ring, length);
  }
}

// Numbers of MSG_ZEROCOPY calls (Documentation/networking/msg_zerocopy.rst): made, and up to where the kernel is through.
static uint32_t calls_made, calls_done;

static void UseZeroCopy(int fd) {
  UseCipher(fd);
  const int on = 1;
  Must(setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) == 0, "SO_ZEROCOPY");
  calls_made = calls_done = 0;
}

static void AwaitCompletion(int fd) {
  struct pollfd errors = {.fd = fd, .events = 0};
  Must(poll(&errors, 1, -1) >= 0, "poll");
  char control[128];
  struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
    Must(errno == EAGAIN, "MSG_ERRQUEUE");
    return;
  }
  const struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  Must(header != NULL, "no completion");
  const struct sock_extended_err* error = (const struct sock_extended_err*)CMSG_DATA(header);
  Must(error->ee_origin == SO_EE_ORIGIN_ZEROCOPY, "no completion");
  calls_done = error->ee_data + 1;
}

static void ByZeroCopy(int fd) {
  uint32_t last_call[kBatches] = {0};
  int turn = 0;
  for (off_t offset = 0; offset < file_size; turn = (turn + 1) % kBatches) {
    while ((int32_t)(calls_done - last_call[turn]) < 0) AwaitCompletion(fd);
    const uint8_t* bytes = ring + (size_t)turn * kBatch;
    size_t length;
    offset += SealBatch(ring + (size_t)turn * kBatch, offset, &length);
    while (length > 0) {
      const ssize_t n = send(fd, bytes, length, MSG_ZEROCOPY);
      if (n < 0 && errno == ENOBUFS) {
        AwaitCompletion(fd);
        continue;
      }
      Must(n > 0, "send");
      calls_made += 1;
      bytes += n;
      length -= (size_t)n;
    }
    last_call[turn] = calls_made;
  }
  while ((int32_t)(calls_done - calls_made) < 0) AwaitCompletion(fd);
}

// Nothing says when the kernel is through with memory that was spliced. The ring is longer than what a connection holds
// under way by default; a server could not rely on that.
static void BySplice(int fd) {
  static int ends[2] = {-1, -1};
  if (ends[0] < 0) {
    Must(pipe(ends) == 0, "pipe");
    Must(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) > 0, "F_SETPIPE_SZ");
  }
  int turn = 0;
  for (off_t offset = 0; offset < file_size; turn = (turn + 1) % kBatches) {
    struct iovec records = {ring + (size_t)turn * kBatch, 0};
    offset += SealBatch(records.iov_base, offset, &records.iov_len);
    while (records.iov_len > 0) {
      const ssize_t put = vmsplice(ends[1], &records, 1, 0);
      Must(put > 0, "vmsplice");
      records.iov_base = (uint8_t*)records.iov_base + put;
      records.iov_len -= (size_t)put;
      for (ssize_t left = put; left > 0;) {
        const ssize_t n = splice(ends[0], NULL, fd, NULL, (size_t)left, 0);
        Must(n > 0, "splice");
        left -= n;
      }
    }
  }
}

static const struct {
  const char* name;
  void (*use)(int fd);
  void (*send_file)(int fd);
} modes[] = {
    {"sendfile", UseKernel, BySendfile}, {"send", UseKernel, BySend},          {"write", UseCipher, ByWrite},
    {"zerocopy", UseZeroCopy, ByZeroCopy}, {"vmsplice", UseCipher, BySplice},
};

static void Serve(int mode) {
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  Must(bind(server, (struct sockaddr*)&address, length) == 0 && listen(server, 16) == 0, "listen");
  Must(getsockname(server, (struct sockaddr*)&address, &length) == 0, "getsockname");
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    const int fd = accept(server, NULL, NULL);
    Must(fd >= 0, "accept");
    const int on = 1;
    Must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
    modes[mode].use(fd);
    for (uint8_t byte; read(fd, &byte, 1) == 1;) modes[mode].send_file(fd);
    close(fd);
  }
}

int main(int count, char** words) {
  if (count == 3) {
    file = open(words[2], O_RDONLY);
    struct stat stats;
    Must(file >= 0 && fstat(file, &stats) == 0, words[2]);
    file_size = stats.st_size;
    ring = mmap(NULL, kBatches * kBatch, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    Must(ring != MAP_FAILED, "mmap");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i += 1) {
      if (strcmp(words[1], modes[i].name) == 0) Serve((int)i);
    }
  }
  fprintf(stderr, "usage: sender sendfile|send|write|zerocopy|vmsplice FILE\n");
  return 2;
}
