// SHA-256 and SHA-384 in one call, and HMAC over them (RFC 2104, §7.1).
#include "common.h"

#include <algorithm>
#include <cstring>

namespace tls13 {

namespace {

using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using Algorithm = Owned<EVP_MD, EVP_MD_free>;

constexpr size_t kMaxBlock = 128;

class Hash : public Napi::ObjectWrap<Hash> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Hash", {InstanceMethod<&Hash::Digest>("digest"), InstanceMethod<&Hash::Hmac>("hmac")});
  }

  // (name): sha256 or sha384
  explicit Hash(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Hash>(info) {
    const std::string name = TextOf(info[0], "hash");
    ErrorMark mark;
    algorithm_.reset(EVP_MD_fetch(nullptr, name.c_str(), nullptr));
    context_.reset(EVP_MD_CTX_new());
    if (!algorithm_ || !context_) throw OpensslError(info.Env(), name.c_str());
    length_ = static_cast<size_t>(EVP_MD_get_size(algorithm_.get()));
    block_ = static_cast<size_t>(EVP_MD_get_block_size(algorithm_.get()));
    if (block_ > kMaxBlock) throw Napi::RangeError::New(info.Env(), "only SHA-2 is used here");
  }

 private:
  // (data, out)
  void Digest(const Napi::CallbackInfo& info) {
    const Bytes data = BytesOf(info[0], "data");
    const Bytes out = Room(info[1]);
    ErrorMark mark;
    if (!(Start() && Add(data) && Finish(out.data))) throw OpensslError(info.Env(), "hashing");
  }

  // (key, data, out)
  void Hmac(const Napi::CallbackInfo& info) {
    const Bytes key = BytesOf(info[0], "key");
    const Bytes data = BytesOf(info[1], "data");
    const Bytes out = Room(info[2]);
    ErrorMark mark;
    uint8_t pad[kMaxBlock] = {};
    const bool done = KeyBlock(key, pad) && Mac(pad, data, out.data);
    OPENSSL_cleanse(pad, sizeof pad);
    // Starting again overwrites what the last round left of the key.
    if (!Start() || !done) throw OpensslError(info.Env(), "HMAC");
  }

  bool KeyBlock(Bytes key, uint8_t* pad) {
    if (key.length > block_) return Start() && Add(key) && Finish(pad);
    std::memcpy(pad, key.data, key.length);
    return true;
  }

  bool Mac(uint8_t* pad, Bytes data, uint8_t* out) {
    const Bytes block = {pad, block_};
    std::for_each(pad, pad + block_, [](uint8_t& byte) { byte ^= 0x36; });
    if (!(Start() && Add(block) && Add(data) && Finish(out))) return false;
    std::for_each(pad, pad + block_, [](uint8_t& byte) { byte ^= 0x36 ^ 0x5c; });
    return Start() && Add(block) && Add({out, length_}) && Finish(out);
  }

  bool Start() { return EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1; }
  bool Add(Bytes data) { return EVP_DigestUpdate(context_.get(), data.data, data.length) == 1; }
  bool Finish(uint8_t* out) { return EVP_DigestFinal_ex(context_.get(), out, nullptr) == 1; }

  Bytes Room(Napi::Value value) const {
    const Bytes out = BytesOf(value, "out");
    if (out.length != length_) throw Napi::RangeError::New(value.Env(), "the output must have the length of the hash");
    return out;
  }

  Algorithm algorithm_;
  DigestContext context_;
  size_t length_ = 0;
  size_t block_ = 0;
};

}  // namespace

void DefineHash(Napi::Env env, Napi::Object exports) { exports.Set("Hash", Hash::Define(env)); }

}  // namespace tls13
