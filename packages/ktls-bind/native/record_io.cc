#include "record_io.h"

#include <signal.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "uapi.h"

namespace ktls {

namespace {

// A connection gets this much of the event loop at a time.
constexpr uint64_t kFileBytesPerCall = 1 << 20;

// sendfile has no MSG_NOSIGNAL, and the process may not ignore SIGPIPE (libuv restores the default action when the last
// listener for it goes). Keeps the signal from this thread for the duration of a call, and takes it away if it came.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    masked_ = pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_) == 0;
  }
  ~WithoutSigpipe() {
    if (masked_) pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

  void TakeSignal() {
    if (!masked_ || sigismember(&before_, SIGPIPE) == 1) return;
    const timespec now = {0, 0};
    while (sigtimedwait(&sigpipe_, nullptr, &now) < 0 && errno == EINTR) continue;
  }

 private:
  sigset_t sigpipe_;
  sigset_t before_;
  bool masked_;
};

int64_t Receive(int fd, uint8_t* into, size_t size, int flags) {
  for (;;) {
    const ssize_t n = recv(fd, into, size, MSG_DONTWAIT | flags);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace

int64_t Read(int fd, uint8_t* into, size_t size) { return Receive(fd, into, size, 0); }

int64_t Peek(int fd, uint8_t* into, size_t size) { return Receive(fd, into, size, MSG_PEEK); }

Record ReadRecord(int fd, uint8_t* into, size_t size) {
  for (;;) {
    // Everything recvmsg writes is set anew each time: it leaves msg_controllen as it found the record.
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(uint8_t))];
    iovec content = {into, size};
    msghdr message = {};
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;

    const ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);
    if (n < 0) {
      if (errno == EINTR) continue;
      return {-errno, 0};
    }
    if (message.msg_flags & MSG_CTRUNC) return {-kControlTruncated, 0};
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_level != kSolTls || header->cmsg_type != kGetRecordType) {
      return n == 0 ? Record{0, 0} : Record{-kRecordTypeMissing, 0};
    }
    uint8_t content_type;
    memcpy(&content_type, CMSG_DATA(header), sizeof content_type);
    constexpr uint8_t application_data = 23;
    if (content_type != application_data && !(message.msg_flags & MSG_EOR)) return {-kRecordIncomplete, content_type};
    return {n, content_type};
  }
}

int64_t Write(int fd, iovec* chunks, size_t count, bool more) {
  msghdr message = {};
  message.msg_iov = chunks;
  message.msg_iovlen = count;
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0);
  for (;;) {
    // A single chunk spares the kernel the copying of two structures.
    const ssize_t n = count == 1 ? send(fd, chunks->iov_base, chunks->iov_len, flags) : sendmsg(fd, &message, flags);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

int64_t WriteRecord(int fd, uint8_t content_type, const uint8_t* fragment, size_t size) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(uint8_t))] = {};
  iovec content = {const_cast<uint8_t*>(fragment), size};
  msghdr message = {};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = kSolTls;
  header->cmsg_type = kSetRecordType;
  header->cmsg_len = CMSG_LEN(sizeof content_type);
  memcpy(CMSG_DATA(header), &content_type, sizeof content_type);
  for (;;) {
    const ssize_t n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

FileProgress SendFile(int fd, int file, int64_t offset, uint64_t length) {
  WithoutSigpipe guard;
  const uint64_t wanted = std::min(length, kFileBytesPerCall);
  uint64_t sent = 0;
  while (sent < wanted) {
    // The kernel moves `position` by what it took, also when it reports EINTR or EAGAIN after a part.
    off_t position = static_cast<off_t>(offset) + static_cast<off_t>(sent);
    const off_t before = position;
    const ssize_t n = sendfile(fd, file, &position, wanted - sent);
    const int error = n < 0 ? errno : 0;
    sent += static_cast<uint64_t>(position - before);
    if (n == 0) return {static_cast<int64_t>(sent), false, true};
    if (error == EINTR || error == 0) continue;
    if (error == EPIPE) guard.TakeSignal();
    if (error == EAGAIN) return {static_cast<int64_t>(sent), true, false};
    // What went out counts; the error will be there at the next call.
    return {sent > 0 ? static_cast<int64_t>(sent) : -error, false, false};
  }
  return {static_cast<int64_t>(sent), false, false};
}

int64_t ReadCached(int file, uint8_t* into, size_t size, int64_t offset) {
  const iovec content = {into, size};
  // Not every musl declares it. The two halves of an offset are words of the machine.
  const long low = static_cast<long>(offset);
  const long high = sizeof(long) < sizeof(offset) ? static_cast<long>(offset >> 32) : 0;
  for (;;) {
    const ssize_t n = syscall(SYS_preadv2, file, &content, 1L, low, high, kReadNoWait);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace ktls
