// Keys on their way into the kernel: filled, handed over and wiped in one scope, for every cipher by one template.
#pragma once

#include <string.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

#include "uapi.h"

namespace ktls {

// One direction's keys as the caller has them; views of his memory.
struct TrafficKeys {
  const uint8_t* key;
  size_t key_size;
  const uint8_t* iv;
  size_t iv_size;
  uint64_t sequence_number;
};

// A kernel cipher struct that does not outlive its use in memory.
template <class Info>
class Wiped {
 public:
  Wiped() { memset(&info_, 0, sizeof info_); }
  ~Wiped() { explicit_bzero(&info_, sizeof info_); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  Info* operator->() { return &info_; }
  const Info* get() const { return &info_; }

 private:
  Info info_;
};

template <class Info>
int SetKeysAs(int fd, int direction, const TrafficKeys& keys) {
  if (keys.key_size != Info::key_size || keys.iv_size != Info::write_iv_size) return -EINVAL;
  Wiped<Info> info;
  info->version = kTls13;
  info->cipher_type = Info::type;
  memcpy(info->salt, keys.iv, Info::salt_size);
  memcpy(info->iv, keys.iv + Info::salt_size, Info::write_iv_size - Info::salt_size);
  memcpy(info->key, keys.key, Info::key_size);
  for (int i = 0; i < 8; i++) info->rec_seq[i] = static_cast<uint8_t>(keys.sequence_number >> (56 - 8 * i));
  return setsockopt(fd, kSolTls, direction, info.get(), sizeof(Info)) == 0 ? 0 : -errno;
}

// Sets first or next keys of a direction (kTlsTx, kTlsRx). Returns 0 or -errno.
inline int SetKeys(int fd, int direction, uint16_t cipher, const TrafficKeys& keys) {
  switch (cipher) {
    case kAesGcm128:
      return SetKeysAs<AesGcm128Info>(fd, direction, keys);
    case kAesGcm256:
      return SetKeysAs<AesGcm256Info>(fd, direction, keys);
    case kAesCcm128:
      return SetKeysAs<AesCcm128Info>(fd, direction, keys);
    case kChaCha20Poly1305:
      return SetKeysAs<ChaCha20Poly1305Info>(fd, direction, keys);
    default:
      return -EINVAL;
  }
}

}  // namespace ktls
