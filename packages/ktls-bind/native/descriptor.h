// A socket's descriptor and the options of it: duplication, the tls ULP, addresses, errors, a loopback pair for probing.
#pragma once

#include <sys/socket.h>

#include <cstdint>

namespace ktls {

// Owns a descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  int Release();
  void Close();

 private:
  int fd_ = -1;
};

// A non-blocking, close-on-exec duplicate (or, adopted, the descriptor itself) of a stream socket; -errno on failure.
int OpenSocket(int fd, bool adopt);

// 1 when the tls ULP is attached, 0 when none is, -EEXIST when another one is.
int UlpAttached(int fd);
int AttachUlp(int fd);

// The cipher that a direction (kTlsTx, kTlsRx) has keys for, 0 when it has none. Never asks for the key itself.
int CipherInUse(int fd, int direction);

// The numbers are known to src/load.ts. The delay is in seconds.
enum class Option { kNoDelay, kZeroCopy, kExpectNoPad, kMaxPayload, kKeepAlive, kKeepAliveDelay, kReceiveLowWater };
int SetOption(int fd, Option option, int value);
// Whether this kernel knows the option at all.
bool KnowsOption(int fd, Option option);

// The pending socket error, which is thereby cleared; 0 when there is none.
int TakeError(int fd);
// Makes the last close a reset.
int ResetOnClose(int fd);
// Bytes not yet acknowledged, or -errno.
int Unacknowledged(int fd);

struct Address {
  sockaddr_storage storage;
  // 0 when there is no such address.
  socklen_t size;
};
Address LocalAddress(int fd);
Address RemoteAddress(int fd);

// Two connected TCP sockets over the loopback interface. Returns 0 or -errno.
int LoopbackPair(Descriptor& first, Descriptor& second);

}  // namespace ktls
