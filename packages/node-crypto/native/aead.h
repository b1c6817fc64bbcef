// One AEAD key in one direction (§5.2). Its key schedule is kept between messages while there are few keys in use.
#pragma once

#include "common.h"

namespace tls13 {

constexpr size_t kNonceLength = 12;

struct AeadAlgorithm {
  const char* name;
  const char* cipher_name;
  size_t key_length;
  size_t tag_length;
  // CCM takes a message in one piece, its length and tag beforehand.
  bool ccm;
};

// Throws a RangeError for a name that is none of §B.4's.
const AeadAlgorithm& FindAead(Napi::Value name);

class AeadKey {
 public:
  enum class Direction { kSeal, kOpen };

  // Throws a RangeError on a key of the wrong length.
  AeadKey(Napi::Env env, const AeadAlgorithm& algorithm, Bytes key, Direction direction);
  // Wipes the key.
  ~AeadKey();
  // Who holds a key schedule is known by his address.
  AeadKey(const AeadKey&) = delete;
  AeadKey& operator=(const AeadKey&) = delete;

  size_t tag_length() const { return algorithm_.tag_length; }

  // Writes ciphertext and tag of `plaintext` followed by `last` (if not null) to `out`, which must not overlap it.
  bool Seal(const uint8_t* nonce, Bytes associated_data, Bytes plaintext, const uint8_t* last, uint8_t* out);

  // Writes the plaintext of `sealed` (tag included, at least as long as it) to `out`. False if it is not authentic;
  // then `out` has been wiped.
  bool Open(const uint8_t* nonce, Bytes associated_data, Bytes sealed, uint8_t* out);

 private:
  bool Decrypt(const uint8_t* nonce, Bytes associated_data, Bytes ciphertext, uint8_t* tag, uint8_t* out);
  // With the key set; valid until another key asks for its own. Null when OpenSSL refuses.
  EVP_CIPHER_CTX* Context();

  const AeadAlgorithm& algorithm_;
  const Direction direction_;
  // Where the key schedule is, if it still is.
  uint16_t slot_ = 0;
  uint8_t key_[EVP_MAX_KEY_LENGTH];
};

}  // namespace tls13
