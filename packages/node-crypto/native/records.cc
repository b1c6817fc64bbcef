// Record protection in batches (§5.2 to §5.4): one call seals all records of a content, or opens all records of a buffer.
#include "aead.h"
#include "hash.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <optional>

namespace tls13 {

namespace {

constexpr size_t kHeaderLength = 5;
constexpr size_t kMaxContent = 1 << 14;
constexpr size_t kMaxCiphertext = kMaxContent + 256;

enum ContentType : uint8_t { kAlert = 21, kHandshake = 22, kApplicationData = 23 };

// What `open` writes into its Int32Array; `failures` in native-provider.ts gives the names.
enum Failure : int32_t { kNone = 0, kBadRecordMac = 1, kRecordOverflow = 2, kUnexpectedMessage = 3 };
struct Results {
  int32_t count, consumed, application_length, last_type, last_length, failure;
};

// The key, the static nonce part and the number of the next record.
class Direction {
 public:
  Direction(Napi::Env env, const AeadAlgorithm& aead, Bytes key, Bytes iv, uint64_t sequence_number,
            AeadKey::Direction direction)
      : key_(env, aead, key, direction), sequence_number_(sequence_number) {
    if (iv.length != kNonceLength) throw Napi::RangeError::New(env, "an iv has 12 bytes");
    std::memcpy(iv_, iv.data, kNonceLength);
  }
  ~Direction() { OPENSSL_cleanse(iv_, sizeof iv_); }
  Direction(const Direction&) = delete;
  Direction& operator=(const Direction&) = delete;

  AeadKey& key() { return key_; }
  void Advance() { ++sequence_number_; }

  // §5.3
  void Nonce(uint8_t* nonce) const {
    std::memcpy(nonce, iv_, kNonceLength);
    for (size_t i = 0; i < 8; ++i) nonce[kNonceLength - 1 - i] ^= static_cast<uint8_t>(sequence_number_ >> (8 * i));
  }

 private:
  AeadKey key_;
  uint8_t iv_[kNonceLength];
  uint64_t sequence_number_;
};

// (aead, key, iv, sequenceNumber)
void StartWithKeys(const Napi::CallbackInfo& info, AeadKey::Direction direction, std::optional<Direction>& started) {
  bool lossless = false;
  if (!info[3].IsBigInt()) throw Napi::TypeError::New(info.Env(), "sequenceNumber must be a bigint");
  const uint64_t sequence_number = info[3].As<Napi::BigInt>().Uint64Value(&lossless);
  if (!lossless) throw Napi::RangeError::New(info.Env(), "a sequence number has at most 64 bits");
  started.emplace(info.Env(), FindAead(info[0]), BytesOf(info[1], "key"), BytesOf(info[2], "iv"), sequence_number,
                  direction);
}

// (aead, hash, secret): the keys of the first record under a traffic secret (§7.3)
void StartWithSecret(const Napi::CallbackInfo& info, AeadKey::Direction direction, std::optional<Direction>& started) {
  const AeadAlgorithm& aead = FindAead(info[0]);
  const HashName hash = FindHash(info[1]);
  const Bytes secret = BytesOf(info[2], "secret");
  struct Material {
    uint8_t key[EVP_MAX_KEY_LENGTH], iv[kNonceLength];
    ~Material() { OPENSSL_cleanse(this, sizeof *this); }
  } material;
  const Bytes key = {material.key, aead.key_length};
  const Bytes iv = {material.iv, kNonceLength};
  if (!HkdfExpandLabel(hash, secret, "key", key) || !HkdfExpandLabel(hash, secret, "iv", iv)) {
    throw OpensslError(info.Env(), "deriving traffic keys");
  }
  started.emplace(info.Env(), aead, key, iv, 0, direction);
}

// A sealer and an opener are started, used, destroyed, and may then be started again: a pair of them for every key of
// every connection would cost more than the keys do.
class RecordSealer : public Napi::ObjectWrap<RecordSealer> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(
        env, "RecordSealer",
        {InstanceMethod<&RecordSealer::Start>("start"), InstanceMethod<&RecordSealer::StartOfSecret>("startOfSecret"),
         InstanceMethod<&RecordSealer::Seal>("seal"), InstanceMethod<&RecordSealer::Destroy>("destroy")});
  }

  explicit RecordSealer(const Napi::CallbackInfo& info) : Napi::ObjectWrap<RecordSealer>(info) {}

 private:
  void Start(const Napi::CallbackInfo& info) { StartWithKeys(info, AeadKey::Direction::kSeal, direction_); }

  void StartOfSecret(const Napi::CallbackInfo& info) {
    StartWithSecret(info, AeadKey::Direction::kSeal, direction_);
  }

  // (contentType, content, maxFragment, out): `out` is filled to its end
  void Seal(const Napi::CallbackInfo& info) {
    if (!direction_) throw Napi::TypeError::New(info.Env(), "this sealer has been destroyed");
    const uint32_t type = NumberOf(info[0], "contentType");
    const Bytes content = BytesOf(info[1], "content");
    const size_t max_fragment = NumberOf(info[2], "maxFragment");
    const Bytes out = BytesOf(info[3], "out");
    if (type == 0 || type > 255) throw Napi::RangeError::New(info.Env(), "a content type is 1 to 255");
    if (max_fragment == 0 || max_fragment > kMaxContent) {
      throw Napi::RangeError::New(info.Env(), "maxFragment is 1 to 16384 bytes");
    }
    const size_t count = content.length == 0 ? 1 : (content.length + max_fragment - 1) / max_fragment;
    const size_t expansion = kHeaderLength + 1 + direction_->key().tag_length();
    if (out.length != content.length + count * expansion) {
      throw Napi::RangeError::New(info.Env(), "the output must have exactly the room that the records take");
    }
    ErrorMark mark;
    const uint8_t content_type = static_cast<uint8_t>(type);
    uint8_t* record = out.data;
    for (size_t done = 0, i = 0; i < count; ++i) {
      const size_t length = std::min(max_fragment, content.length - done);
      if (!SealOne(content_type, {content.data + done, length}, record)) throw OpensslError(info.Env(), "sealing");
      done += length;
      record += length + expansion;
    }
  }

  bool SealOne(uint8_t type, Bytes fragment, uint8_t* record) {
    const size_t length = fragment.length + 1 + direction_->key().tag_length();
    const uint8_t header[kHeaderLength] = {kApplicationData, 3, 3, static_cast<uint8_t>(length >> 8),
                                           static_cast<uint8_t>(length)};
    std::memcpy(record, header, kHeaderLength);
    uint8_t nonce[kNonceLength];
    direction_->Nonce(nonce);
    // Whatever becomes of this record, its nonce is used up.
    direction_->Advance();
    return direction_->key().Seal(nonce, {record, kHeaderLength}, fragment, &type, record + kHeaderLength);
  }

  void Destroy(const Napi::CallbackInfo&) { direction_.reset(); }

  std::optional<Direction> direction_;
};

class RecordOpener : public Napi::ObjectWrap<RecordOpener> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(
        env, "RecordOpener",
        {InstanceMethod<&RecordOpener::Start>("start"), InstanceMethod<&RecordOpener::StartOfSecret>("startOfSecret"),
         InstanceMethod<&RecordOpener::Open>("open"), InstanceMethod<&RecordOpener::Destroy>("destroy")});
  }

  explicit RecordOpener(const Napi::CallbackInfo& info) : Napi::ObjectWrap<RecordOpener>(info) {}

 private:
  void Start(const Napi::CallbackInfo& info) { StartWithKeys(info, AeadKey::Direction::kOpen, direction_); }

  void StartOfSecret(const Napi::CallbackInfo& info) {
    StartWithSecret(info, AeadKey::Direction::kOpen, direction_);
  }

  // (records, out, results): `out` at least as long as `records`; `results` an Int32Array as `Results` says. Application
  // data is merged at the front of `out`, the content of a last record of another type follows it. Bytes that are no
  // whole record are left alone.
  void Open(const Napi::CallbackInfo& info) {
    if (!direction_) throw Napi::TypeError::New(info.Env(), "this opener has been destroyed");
    const Bytes records = BytesOf(info[0], "records");
    const Bytes out = BytesOf(info[1], "out");
    if (records.length > INT_MAX || out.length < records.length) {
      throw Napi::RangeError::New(info.Env(), "the output must have the room that the records take, at most 2 GiB");
    }
    Results& results = ResultsOf(info[2]);
    results = {};
    ErrorMark mark;
    size_t consumed = 0;
    size_t filled = 0;
    while (results.last_type == 0 && records.length - consumed >= kHeaderLength) {
      const uint8_t* record = records.data + consumed;
      const size_t length = static_cast<size_t>(record[3]) << 8 | record[4];
      if (records.length - consumed - kHeaderLength < length) break;
      results.failure = HeaderFailure(record[0], length);
      if (results.failure != kNone) break;
      size_t opened;
      results.failure = OpenOne({records.data + consumed, kHeaderLength + length}, out.data + filled, &opened);
      if (results.failure != kNone) break;
      ++results.count;
      consumed += kHeaderLength + length;
      const uint8_t type = out.data[filled + opened];
      if (type == kApplicationData) {
        filled += opened;
      } else {
        results.last_type = type;
        results.last_length = static_cast<int32_t>(opened);
      }
    }
    results.consumed = static_cast<int32_t>(consumed);
    results.application_length = static_cast<int32_t>(filled);
  }

  static Failure HeaderFailure(uint8_t type, size_t length) {
    if (type != kApplicationData) return kUnexpectedMessage;
    return length > kMaxCiphertext ? kRecordOverflow : kNone;
  }

  // Leaves the content, then its type, at `out`; `opened` is the length of the content.
  Failure OpenOne(Bytes record, uint8_t* out, size_t* opened) {
    const Bytes sealed = {record.data + kHeaderLength, record.length - kHeaderLength};
    uint8_t nonce[kNonceLength];
    direction_->Nonce(nonce);
    if (!direction_->key().Open(nonce, {record.data, kHeaderLength}, sealed, out)) return kBadRecordMac;
    direction_->Advance();
    const size_t inner = sealed.length - direction_->key().tag_length();
    const Failure failure = InnerFailure(out, inner, opened);
    if (failure != kNone) OPENSSL_cleanse(out, inner);
    return failure;
  }

  // §5.4: the last byte that is not zero is the content type.
  static Failure InnerFailure(const uint8_t* out, size_t inner, size_t* opened) {
    if (inner > kMaxContent + 1) return kRecordOverflow;
    size_t end = inner;
    while (end > 0 && out[end - 1] == 0) --end;
    if (end == 0) return kUnexpectedMessage;
    *opened = end - 1;
    const uint8_t type = out[end - 1];
    if (type == kApplicationData) return kNone;
    // A protected change_cipher_spec, an unknown type or an empty handshake or alert record (§5, §5.4).
    return (type == kHandshake || type == kAlert) && *opened > 0 ? kNone : kUnexpectedMessage;
  }

  static Results& ResultsOf(Napi::Value value) {
    napi_typedarray_type type;
    size_t length;
    void* data;
    napi_status status = napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr);
    if (status != napi_ok || type != napi_int32_array || length * sizeof(int32_t) < sizeof(Results)) {
      throw Napi::TypeError::New(value.Env(), "results must be an Int32Array of 6");
    }
    return *static_cast<Results*>(data);
  }

  void Destroy(const Napi::CallbackInfo&) { direction_.reset(); }

  std::optional<Direction> direction_;
};

}  // namespace

void DefineRecords(Napi::Env env, Napi::Object exports) {
  exports.Set("RecordSealer", RecordSealer::Define(env));
  exports.Set("RecordOpener", RecordOpener::Define(env));
}

}  // namespace tls13
