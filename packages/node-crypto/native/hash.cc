// SHA-256 and SHA-384 (§7.1): in one call, as HMAC (RFC 2104), and running. A running hash's state is a plain array of
// JavaScript's, so that a transcript is copied as bytes are and leaves nothing to finalize. That needs OpenSSL's older
// interface, in which the state has a size; on the stack it is also wiped without leaving a context behind.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "hash.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

namespace tls13 {

namespace {

struct Sha256 {
  using Context = SHA256_CTX;
  static constexpr size_t kLength = SHA256_DIGEST_LENGTH;
  static constexpr size_t kBlock = SHA256_CBLOCK;
  static bool Init(Context* context) { return SHA256_Init(context) == 1; }
  static bool Update(Context* context, Bytes data) { return SHA256_Update(context, data.data, data.length) == 1; }
  static bool Final(uint8_t* out, Context* context) { return SHA256_Final(out, context) == 1; }
};

struct Sha384 {
  using Context = SHA512_CTX;
  static constexpr size_t kLength = SHA384_DIGEST_LENGTH;
  static constexpr size_t kBlock = SHA512_CBLOCK;
  static bool Init(Context* context) { return SHA384_Init(context) == 1; }
  static bool Update(Context* context, Bytes data) { return SHA384_Update(context, data.data, data.length) == 1; }
  static bool Final(uint8_t* out, Context* context) { return SHA384_Final(out, context) == 1; }
};

// The state of a running hash, wiped when it goes.
template <typename Algorithm>
class Running {
 public:
  Running() : good_(Algorithm::Init(&context_)) {}
  explicit Running(Bytes state) {
    std::memcpy(&context_, state.data, sizeof context_);
    // An index into the context's own block: nobody else writes a state, yet memory must not hang on that.
    good_ = context_.num < Algorithm::kBlock;
  }
  ~Running() { OPENSSL_cleanse(&context_, sizeof context_); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  Running& Add(Bytes data) {
    good_ = good_ && Algorithm::Update(&context_, data);
    return *this;
  }
  bool Finish(uint8_t* out) { return good_ && Algorithm::Final(out, &context_); }
  bool Save(Bytes state) const {
    std::memcpy(state.data, &context_, sizeof context_);
    return good_;
  }

 private:
  typename Algorithm::Context context_;
  bool good_;
};

Bytes RoomOf(Napi::Value value, size_t length, const char* name) {
  const Bytes room = BytesOf(value, name);
  if (room.length == length) return room;
  throw Napi::RangeError::New(value.Env(), std::string(name) + " must have " + std::to_string(length) + " bytes");
}

void Require(bool done, Napi::Env env, const char* step) {
  if (!done) throw OpensslError(env, step);
}

// (data, out)
template <typename Algorithm>
void Digest(const Napi::CallbackInfo& info) {
  const Bytes data = BytesOf(info[0], "data");
  const Bytes out = RoomOf(info[1], Algorithm::kLength, "out");
  Require(Running<Algorithm>().Add(data).Finish(out.data), info.Env(), "hashing");
}

template <typename Algorithm>
bool Mac(Bytes key, Bytes data, uint8_t* pad, uint8_t* out) {
  if (key.length <= Algorithm::kBlock) {
    std::memcpy(pad, key.data, key.length);
  } else if (!Running<Algorithm>().Add(key).Finish(pad)) {
    return false;
  }
  const Bytes block = {pad, Algorithm::kBlock};
  std::for_each(pad, pad + block.length, [](uint8_t& byte) { byte ^= 0x36; });
  if (!Running<Algorithm>().Add(block).Add(data).Finish(out)) return false;
  std::for_each(pad, pad + block.length, [](uint8_t& byte) { byte ^= 0x36 ^ 0x5c; });
  return Running<Algorithm>().Add(block).Add({out, Algorithm::kLength}).Finish(out);
}

// HKDF-Expand-Label(Secret, Label, "", Length) (§7.1) of one round, which is enough for the keys of records.
template <typename Algorithm>
bool ExpandLabel(Bytes secret, std::string_view label, Bytes out) {
  constexpr std::string_view kPrefix = "tls13 ";
  uint8_t info[64];
  size_t length = 0;
  info[length++] = static_cast<uint8_t>(out.length >> 8);
  info[length++] = static_cast<uint8_t>(out.length);
  info[length++] = static_cast<uint8_t>(kPrefix.size() + label.size());
  length += kPrefix.copy(reinterpret_cast<char*>(info + length), kPrefix.size());
  length += label.copy(reinterpret_cast<char*>(info + length), label.size());
  info[length++] = 0;  // no context
  info[length++] = 1;  // the first round
  uint8_t pad[Algorithm::kBlock] = {};
  uint8_t block[Algorithm::kLength];
  const bool done = out.length <= sizeof block && Mac<Algorithm>(secret, {info, length}, pad, block);
  if (done) std::memcpy(out.data, block, out.length);
  OPENSSL_cleanse(pad, sizeof pad);
  OPENSSL_cleanse(block, sizeof block);
  return done;
}

// (key, data, out)
template <typename Algorithm>
void Hmac(const Napi::CallbackInfo& info) {
  const Bytes key = BytesOf(info[0], "key");
  const Bytes data = BytesOf(info[1], "data");
  const Bytes out = RoomOf(info[2], Algorithm::kLength, "out");
  uint8_t pad[Algorithm::kBlock] = {};
  const bool done = Mac<Algorithm>(key, data, pad, out.data);
  OPENSSL_cleanse(pad, sizeof pad);
  Require(done, info.Env(), "HMAC");
}

// (state): fills it with that of no data
template <typename Algorithm>
void Start(const Napi::CallbackInfo& info) {
  const Bytes state = RoomOf(info[0], sizeof(typename Algorithm::Context), "state");
  Require(Running<Algorithm>().Save(state), info.Env(), "hashing");
}

// (state, data): changes state
template <typename Algorithm>
void Update(const Napi::CallbackInfo& info) {
  const Bytes state = RoomOf(info[0], sizeof(typename Algorithm::Context), "state");
  Require(Running<Algorithm>(state).Add(BytesOf(info[1], "data")).Save(state), info.Env(), "hashing");
}

// (state, out): leaves state as it is
template <typename Algorithm>
void Finish(const Napi::CallbackInfo& info) {
  const Bytes state = RoomOf(info[0], sizeof(typename Algorithm::Context), "state");
  const Bytes out = RoomOf(info[1], Algorithm::kLength, "out");
  Require(Running<Algorithm>(state).Finish(out.data), info.Env(), "hashing");
}

template <typename Algorithm>
Napi::Object Define(Napi::Env env) {
  const Napi::Object hash = Napi::Object::New(env);
  hash.Set("length", static_cast<double>(Algorithm::kLength));
  hash.Set("stateLength", static_cast<double>(sizeof(typename Algorithm::Context)));
  hash.Set("digest", Napi::Function::New<Digest<Algorithm>>(env, "digest"));
  hash.Set("hmac", Napi::Function::New<Hmac<Algorithm>>(env, "hmac"));
  hash.Set("start", Napi::Function::New<Start<Algorithm>>(env, "start"));
  hash.Set("update", Napi::Function::New<Update<Algorithm>>(env, "update"));
  hash.Set("finish", Napi::Function::New<Finish<Algorithm>>(env, "finish"));
  return hash;
}

}  // namespace

bool HkdfExpandLabel(HashName hash, Bytes secret, std::string_view label, Bytes out) {
  return hash == HashName::kSha256 ? ExpandLabel<Sha256>(secret, label, out) : ExpandLabel<Sha384>(secret, label, out);
}

HashName FindHash(Napi::Value name) {
  const std::string wanted = TextOf(name, "hash");
  if (wanted == "sha256") return HashName::kSha256;
  if (wanted == "sha384") return HashName::kSha384;
  throw Napi::RangeError::New(name.Env(), "there is no hash called " + wanted);
}

void DefineHash(Napi::Env env, Napi::Object exports) {
  exports.Set("sha256", Define<Sha256>(env));
  exports.Set("sha384", Define<Sha384>(env));
}

}  // namespace tls13
