// The kernel's TLS interface (uapi/linux/tls.h and inet_diag.h), and what else is spelled out here because the headers of
// a build machine may be older than the kernel the program meets. Documentation/networking/tls.rst is the reference.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ktls {

constexpr int kSolTls = 282;
constexpr int kTcpUlp = 31;

constexpr int kTlsTx = 1;
constexpr int kTlsRx = 2;
constexpr int kTlsTxZeroCopyRo = 3;
constexpr int kTlsRxExpectNoPad = 4;
constexpr int kTlsTxMaxPayloadLen = 5;

constexpr int kSetRecordType = 1;
constexpr int kGetRecordType = 2;

constexpr uint16_t kTls13 = 0x0304;

constexpr uint16_t kAesGcm128 = 51;
constexpr uint16_t kAesGcm256 = 52;
constexpr uint16_t kAesCcm128 = 53;
constexpr uint16_t kChaCha20Poly1305 = 54;

// Socket diagnostics: attributes of a TCP socket's upper layer protocol.
constexpr uint16_t kDiagUlpInfo = 19;
constexpr uint16_t kUlpInfoTls = 2;
constexpr uint16_t kTlsInfoVersion = 1;
constexpr uint16_t kTlsInfoCipher = 2;
constexpr uint16_t kTlsInfoTxConf = 3;
constexpr uint16_t kTlsInfoRxConf = 4;

// RWF_NOWAIT of preadv2 (uapi/linux/fs.h).
constexpr int kReadNoWait = 8;

// What setsockopt(TLS_TX | TLS_RX) reads. The field order is the kernel's; its salt followed by its iv is the 12-byte
// write_iv of TLS 1.3 (ChaCha20-Poly1305 has no salt).
template <uint16_t Type, size_t KeySize, size_t SaltSize>
struct CipherInfo {
  static constexpr uint16_t type = Type;
  static constexpr size_t key_size = KeySize;
  static constexpr size_t salt_size = SaltSize;
  static constexpr size_t write_iv_size = 12;

  uint16_t version;
  uint16_t cipher_type;
  uint8_t iv[write_iv_size - SaltSize];
  uint8_t key[KeySize];
  uint8_t salt[SaltSize];
  uint8_t rec_seq[8];
};

using AesGcm128Info = CipherInfo<kAesGcm128, 16, 4>;
using AesGcm256Info = CipherInfo<kAesGcm256, 32, 4>;
using AesCcm128Info = CipherInfo<kAesCcm128, 16, 4>;
using ChaCha20Poly1305Info = CipherInfo<kChaCha20Poly1305, 32, 0>;

static_assert(sizeof(AesGcm128Info) == 40 && sizeof(AesCcm128Info) == 40);
static_assert(sizeof(AesGcm256Info) == 56 && sizeof(ChaCha20Poly1305Info) == 56);

}  // namespace ktls
