// AEAD keys over EVP_CIPHER_CTX, and the class `Aead` that JavaScript sees: tickets, cookies, single messages.
#include "aead.h"

#include <climits>
#include <cstring>
#include <iterator>
#include <mutex>
#include <optional>
#include <vector>

namespace tls13 {

namespace {

constexpr AeadAlgorithm kAlgorithms[] = {
    {"aes-128-gcm", "AES-128-GCM", 16, 16, false},
    {"aes-256-gcm", "AES-256-GCM", 32, 16, false},
    {"chacha20-poly1305", "ChaCha20-Poly1305", 32, 16, false},
    {"aes-128-ccm", "AES-128-CCM", 16, 16, true},
    {"aes-128-ccm-8", "AES-128-CCM", 16, 8, true},
};

// Looked up once: the look-up costs as much as the key schedule. It lives as long as the process.
const EVP_CIPHER* CipherOf(const AeadAlgorithm& algorithm) {
  static const EVP_CIPHER* ciphers[std::size(kAlgorithms)];
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  const EVP_CIPHER*& cipher = ciphers[&algorithm - kAlgorithms];
  if (cipher == nullptr) cipher = EVP_CIPHER_fetch(nullptr, algorithm.cipher_name, nullptr);
  return cipher;
}

int Length(size_t length) { return static_cast<int>(length); }

// Contexts of OpenSSL with key schedules: more than a kilobyte each, so that keys share them. A key that is in use finds
// its own again; one that was idle while many others were used sets itself anew, which costs less than a small record.
class Contexts {
 public:
  // Of this thread.
  static Contexts& Get() {
    static thread_local Contexts contexts;
    return contexts;
  }

  // The context at `slot` if it still is the owner's, or null.
  EVP_CIPHER_CTX* Find(const void* owner, uint16_t slot) const {
    return slot < slots_.size() && slots_[slot].owner == owner ? slots_[slot].context.get() : nullptr;
  }

  // A context without a key for this owner: nobody's, or that of whoever has had his the longest.
  EVP_CIPHER_CTX* Take(const void* owner, uint16_t& slot) {
    if (!free_.empty()) {
      slot = free_.back();
      free_.pop_back();
    } else if (slots_.size() < kMost) {
      slot = static_cast<uint16_t>(slots_.size());
      slots_.push_back({CipherContext(EVP_CIPHER_CTX_new()), nullptr});
    } else {
      slot = static_cast<uint16_t>(eldest_);
      eldest_ = (eldest_ + 1) % kMost;
    }
    slots_[slot].owner = owner;
    EVP_CIPHER_CTX* context = slots_[slot].context.get();
    EVP_CIPHER_CTX_reset(context);
    return context;
  }

  // Wipes the key schedule if it still is the owner's.
  void GiveBack(const void* owner, uint16_t slot) {
    if (slot >= slots_.size() || slots_[slot].owner != owner) return;
    EVP_CIPHER_CTX_reset(slots_[slot].context.get());
    slots_[slot].owner = nullptr;
    free_.push_back(slot);
  }

 private:
  static constexpr size_t kMost = 256;
  struct Slot {
    CipherContext context;
    const void* owner;
  };
  std::vector<Slot> slots_;
  std::vector<uint16_t> free_;
  size_t eldest_ = 0;
};

}  // namespace

const AeadAlgorithm& FindAead(Napi::Value name) {
  const std::string wanted = TextOf(name, "aead");
  for (const AeadAlgorithm& algorithm : kAlgorithms) {
    if (wanted == algorithm.name) return algorithm;
  }
  throw Napi::RangeError::New(name.Env(), "there is no AEAD called " + wanted);
}

AeadKey::AeadKey(Napi::Env env, const AeadAlgorithm& algorithm, Bytes key, Direction direction)
    : algorithm_(algorithm), direction_(direction) {
  if (key.length != algorithm.key_length) {
    throw Napi::RangeError::New(env, std::string("a key of ") + algorithm.name + " has " +
                                         std::to_string(algorithm.key_length) + " bytes, this one has " +
                                         std::to_string(key.length));
  }
  std::memcpy(key_, key.data, key.length);
  ErrorMark mark;
  if (Context() == nullptr) {
    OPENSSL_cleanse(key_, sizeof key_);
    throw OpensslError(env, algorithm.cipher_name);
  }
}

AeadKey::~AeadKey() {
  Contexts::Get().GiveBack(this, slot_);
  OPENSSL_cleanse(key_, sizeof key_);
}

EVP_CIPHER_CTX* AeadKey::Context() {
  Contexts& contexts = Contexts::Get();
  if (EVP_CIPHER_CTX* own = contexts.Find(this, slot_)) return own;
  EVP_CIPHER_CTX* context = contexts.Take(this, slot_);
  const EVP_CIPHER* cipher = CipherOf(algorithm_);
  const int encrypt = direction_ == Direction::kSeal ? 1 : 0;
  const bool ready =
      cipher && context && EVP_CipherInit_ex2(context, cipher, nullptr, nullptr, encrypt, nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, kNonceLength, nullptr) == 1 &&
      (!algorithm_.ccm ||
       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Length(algorithm_.tag_length), nullptr) == 1) &&
      EVP_CipherInit_ex2(context, nullptr, key_, nullptr, encrypt, nullptr) == 1;
  if (ready) return context;
  // Nobody may find it without its key.
  contexts.GiveBack(this, slot_);
  return nullptr;
}

bool AeadKey::Seal(const uint8_t* nonce, Bytes associated_data, Bytes plaintext, const uint8_t* last, uint8_t* out) {
  EVP_CIPHER_CTX* context = Context();
  if (context == nullptr) return false;
  size_t length = plaintext.length;
  int written;
  if (EVP_CipherInit_ex2(context, nullptr, nullptr, nonce, 1, nullptr) != 1) return false;
  if (algorithm_.ccm) {
    std::memcpy(out, plaintext.data, length);
    if (last != nullptr) out[length++] = *last;
    plaintext = {out, length};
    if (EVP_EncryptUpdate(context, nullptr, &written, nullptr, Length(length)) != 1) return false;
    last = nullptr;
  }
  if (associated_data.length > 0 &&
      EVP_EncryptUpdate(context, nullptr, &written, associated_data.data, Length(associated_data.length)) != 1) {
    return false;
  }
  if ((algorithm_.ccm || plaintext.length > 0) &&
      EVP_EncryptUpdate(context, out, &written, plaintext.data, Length(plaintext.length)) != 1) {
    return false;
  }
  if (last != nullptr && EVP_EncryptUpdate(context, out + length++, &written, last, 1) != 1) return false;
  return EVP_EncryptFinal_ex(context, out + length, &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Length(algorithm_.tag_length), out + length) == 1;
}

bool AeadKey::Open(const uint8_t* nonce, Bytes associated_data, Bytes sealed, uint8_t* out) {
  if (sealed.length < algorithm_.tag_length) return false;
  const Bytes ciphertext = {sealed.data, sealed.length - algorithm_.tag_length};
  if (Decrypt(nonce, associated_data, ciphertext, sealed.data + ciphertext.length, out)) return true;
  // GCM and ChaCha20 have decrypted before they see that the tag is wrong.
  OPENSSL_cleanse(out, ciphertext.length);
  return false;
}

bool AeadKey::Decrypt(const uint8_t* nonce, Bytes associated_data, Bytes ciphertext, uint8_t* tag, uint8_t* out) {
  EVP_CIPHER_CTX* context = Context();
  if (context == nullptr) return false;
  int written;
  if (EVP_CipherInit_ex2(context, nullptr, nullptr, nonce, 0, nullptr) != 1 ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Length(algorithm_.tag_length), tag) != 1) {
    return false;
  }
  if (algorithm_.ccm && EVP_DecryptUpdate(context, nullptr, &written, nullptr, Length(ciphertext.length)) != 1) {
    return false;
  }
  if (associated_data.length > 0 &&
      EVP_DecryptUpdate(context, nullptr, &written, associated_data.data, Length(associated_data.length)) != 1) {
    return false;
  }
  // CCM checks its tag here.
  if ((algorithm_.ccm || ciphertext.length > 0) &&
      EVP_DecryptUpdate(context, out, &written, ciphertext.data, Length(ciphertext.length)) != 1) {
    return false;
  }
  return algorithm_.ccm || EVP_DecryptFinal_ex(context, out + ciphertext.length, &written) == 1;
}

namespace {

class Aead : public Napi::ObjectWrap<Aead> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Aead",
                       {InstanceMethod<&Aead::Seal>("seal"), InstanceMethod<&Aead::Open>("open"),
                        InstanceMethod<&Aead::Destroy>("destroy")});
  }

  // (aead, key)
  explicit Aead(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Aead>(info) {
    const AeadAlgorithm& algorithm = FindAead(info[0]);
    const Bytes key = BytesOf(info[1], "key");
    seal_.emplace(info.Env(), algorithm, key, AeadKey::Direction::kSeal);
    open_.emplace(info.Env(), algorithm, key, AeadKey::Direction::kOpen);
  }

 private:
  struct Message {
    Bytes nonce, associated_data, input, out;
  };

  // (nonce, associatedData, plaintext, out)
  Napi::Value Seal(const Napi::CallbackInfo& info) {
    const Message message = Arguments(info);
    if (message.out.length != message.input.length + seal_->tag_length()) throw WrongRoom(info.Env());
    ErrorMark mark;
    if (!seal_->Seal(message.nonce.data, message.associated_data, message.input, nullptr, message.out.data)) {
      throw OpensslError(info.Env(), "sealing");
    }
    return info.Env().Undefined();
  }

  // (nonce, associatedData, sealed, out): whether it is authentic
  Napi::Value Open(const Napi::CallbackInfo& info) {
    const Message message = Arguments(info);
    if (message.out.length + open_->tag_length() != message.input.length) throw WrongRoom(info.Env());
    ErrorMark mark;
    return Napi::Boolean::New(
        info.Env(), open_->Open(message.nonce.data, message.associated_data, message.input, message.out.data));
  }

  void Destroy(const Napi::CallbackInfo&) {
    seal_.reset();
    open_.reset();
  }

  Message Arguments(const Napi::CallbackInfo& info) {
    if (!seal_) throw Napi::TypeError::New(info.Env(), "this key has been destroyed");
    const Message message = {BytesOf(info[0], "nonce"), BytesOf(info[1], "associatedData"), BytesOf(info[2], "input"),
                             BytesOf(info[3], "out")};
    if (message.nonce.length != kNonceLength) throw Napi::RangeError::New(info.Env(), "a nonce has 12 bytes");
    if (message.associated_data.length > INT_MAX || message.input.length > INT_MAX - EVP_MAX_BLOCK_LENGTH) {
      throw Napi::RangeError::New(info.Env(), "a message has less than 2 GiB");
    }
    return message;
  }

  static Napi::Error WrongRoom(Napi::Env env) {
    return Napi::RangeError::New(env, "the output differs from the input by the length of the tag");
  }

  std::optional<AeadKey> seal_;
  std::optional<AeadKey> open_;
};

}  // namespace

void DefineAead(Napi::Env env, Napi::Object exports) { exports.Set("Aead", Aead::Define(env)); }

}  // namespace tls13
