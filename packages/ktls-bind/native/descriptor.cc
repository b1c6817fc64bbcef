#include "descriptor.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <cerrno>
#include <utility>

#include "uapi.h"

namespace ktls {

namespace {

struct OptionName {
  int level;
  int name;
};

OptionName NameOf(Option option) {
  switch (option) {
    case Option::kZeroCopy:
      return {kSolTls, kTlsTxZeroCopyRo};
    case Option::kExpectNoPad:
      return {kSolTls, kTlsRxExpectNoPad};
    case Option::kMaxPayload:
      return {kSolTls, kTlsTxMaxPayloadLen};
    case Option::kKeepAlive:
      return {SOL_SOCKET, SO_KEEPALIVE};
    case Option::kKeepAliveDelay:
      return {IPPROTO_TCP, TCP_KEEPIDLE};
    case Option::kReceiveLowWater:
      return {SOL_SOCKET, SO_RCVLOWAT};
    case Option::kNoDelay:
      break;
  }
  return {IPPROTO_TCP, TCP_NODELAY};
}

bool Same(const Address& a, const Address& b) {
  return a.size == b.size && memcmp(&a.storage, &b.storage, a.size) == 0;
}

int LoopbackPairOf(int family, Descriptor& first, Descriptor& second) {
  Address at = {};
  at.storage.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET) {
    auto* in = reinterpret_cast<sockaddr_in*>(&at.storage);
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.size = sizeof *in;
  } else {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&at.storage);
    in6->sin6_addr = in6addr_loopback;
    at.size = sizeof *in6;
  }
  Descriptor listener(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener.open()) return -errno;
  auto* address = reinterpret_cast<sockaddr*>(&at.storage);
  if (bind(listener.get(), address, at.size) < 0 || listen(listener.get(), 1) < 0) return -errno;
  at = LocalAddress(listener.get());
  Descriptor client(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!client.open()) return -errno;
  if (connect(client.get(), address, at.size) < 0) return -errno;
  const Address own = LocalAddress(client.get());
  // Somebody else on this machine may have been quicker to connect.
  for (int attempt = 0; attempt < 8; attempt++) {
    Descriptor accepted(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!accepted.open()) return -errno;
    if (!Same(RemoteAddress(accepted.get()), own)) continue;
    first = std::move(client);
    second = std::move(accepted);
    return 0;
  }
  return -ECONNABORTED;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.Release();
  }
  return *this;
}

int Descriptor::Release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

void Descriptor::Close() {
  // After EINTR the descriptor is gone all the same.
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

int OpenSocket(int fd, bool adopt) {
  int type = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0) return -errno;
  if (type != SOCK_STREAM) return -EPROTOTYPE;
  const int own = adopt ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return -errno;
  const int flags = fcntl(own, F_GETFL);
  if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(own, F_SETFL, flags | O_NONBLOCK) < 0)) {
    const int error = errno;
    if (!adopt) close(own);
    return -error;
  }
  return own;
}

int UlpAttached(int fd) {
  char name[16] = {};
  socklen_t size = sizeof name - 1;
  if (getsockopt(fd, IPPROTO_TCP, kTcpUlp, name, &size) < 0 || size == 0 || name[0] == '\0') return 0;
  return strcmp(name, "tls") == 0 ? 1 : -EEXIST;
}

int AttachUlp(int fd) {
  static constexpr char name[] = "tls";
  return setsockopt(fd, IPPROTO_TCP, kTcpUlp, name, sizeof name) == 0 ? 0 : -errno;
}

int CipherInUse(int fd, int direction) {
  // Four bytes: with room for more the kernel would copy out the key.
  struct {
    uint16_t version;
    uint16_t cipher_type;
  } info = {0, 0};
  socklen_t size = sizeof info;
  return getsockopt(fd, kSolTls, direction, &info, &size) == 0 ? info.cipher_type : 0;
}

int SetOption(int fd, Option option, int value) {
  const OptionName name = NameOf(option);
  // The payload length alone is 16 bits wide, and the kernel insists on the exact size.
  const uint16_t narrow = static_cast<uint16_t>(value);
  const void* data = option == Option::kMaxPayload ? static_cast<const void*>(&narrow) : &value;
  const socklen_t size = option == Option::kMaxPayload ? sizeof narrow : sizeof value;
  return setsockopt(fd, name.level, name.name, data, size) == 0 ? 0 : -errno;
}

bool KnowsOption(int fd, Option option) {
  const OptionName name = NameOf(option);
  int value = 0;
  socklen_t size = option == Option::kMaxPayload ? sizeof(uint16_t) : sizeof value;
  return getsockopt(fd, name.level, name.name, &value, &size) == 0 || (errno != ENOPROTOOPT && errno != EOPNOTSUPP);
}

int TakeError(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

int ResetOnClose(int fd) {
  const linger at_once = {1, 0};
  return setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0 ? 0 : -errno;
}

int Unacknowledged(int fd) {
  int bytes = 0;
  return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : -errno;
}

Address LocalAddress(int fd) {
  Address address = {};
  address.size = sizeof address.storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size) < 0) address.size = 0;
  return address;
}

Address RemoteAddress(int fd) {
  Address address = {};
  address.size = sizeof address.storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size) < 0) address.size = 0;
  return address;
}

int LoopbackPair(Descriptor& first, Descriptor& second) {
  const int result = LoopbackPairOf(AF_INET, first, second);
  return result == 0 ? 0 : LoopbackPairOf(AF_INET6, first, second) == 0 ? 0 : result;
}

}  // namespace ktls
