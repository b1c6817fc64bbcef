// Signing with a private key that is read once (§4.5.2): what OpenSSL prepares for a signature is kept between signatures,
// which costs it more than half of an ECDSA signature each time. The digest is taken by OpenSSL's older functions, which
// need no look-up.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common.h"

#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <climits>
#include <iterator>

namespace tls13 {

namespace {

struct Scheme {
  const char* name;
  const EVP_MD* (*digest)();
  unsigned char* (*hash)(const unsigned char* data, size_t length, unsigned char* out);
  size_t digest_length;
  bool pss;
};

constexpr Scheme kSchemes[] = {
    {"ecdsa_secp256r1_sha256", EVP_sha256, SHA256, SHA256_DIGEST_LENGTH, false},
    {"ecdsa_secp384r1_sha384", EVP_sha384, SHA384, SHA384_DIGEST_LENGTH, false},
    {"ecdsa_secp521r1_sha512", EVP_sha512, SHA512, SHA512_DIGEST_LENGTH, false},
    {"rsa_pss_rsae_sha256", EVP_sha256, SHA256, SHA256_DIGEST_LENGTH, true},
    {"rsa_pss_rsae_sha384", EVP_sha384, SHA384, SHA384_DIGEST_LENGTH, true},
    {"rsa_pss_rsae_sha512", EVP_sha512, SHA512, SHA512_DIGEST_LENGTH, true},
    {"rsa_pss_pss_sha256", EVP_sha256, SHA256, SHA256_DIGEST_LENGTH, true},
    {"rsa_pss_pss_sha384", EVP_sha384, SHA384, SHA384_DIGEST_LENGTH, true},
    {"rsa_pss_pss_sha512", EVP_sha512, SHA512, SHA512_DIGEST_LENGTH, true},
};

class SigningKey : public Napi::ObjectWrap<SigningKey> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "SigningKey", {InstanceMethod<&SigningKey::Sign>("sign")});
  }

  // (pkcs8)
  explicit SigningKey(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SigningKey>(info) {
    const Bytes pkcs8 = BytesOf(info[0], "pkcs8");
    const uint8_t* next = pkcs8.data;
    ErrorMark mark;
    if (pkcs8.length <= LONG_MAX) {
      key_.reset(d2i_AutoPrivateKey_ex(nullptr, &next, static_cast<long>(pkcs8.length), nullptr, nullptr));
    }
    if (!key_) throw Napi::TypeError::New(info.Env(), "the private key is not readable as PKCS#8 DER");
  }

 private:
  // (scheme, message, out): the length of the signature, which begins `out`
  Napi::Value Sign(const Napi::CallbackInfo& info) {
    const std::string name = TextOf(info[0], "scheme");
    const Bytes message = BytesOf(info[1], "message");
    const Bytes out = BytesOf(info[2], "out");
    for (size_t i = 0; i < std::size(kSchemes); ++i) {
      if (name != kSchemes[i].name) continue;
      ErrorMark mark;
      const size_t length = SignWith(kSchemes[i], contexts_[i], message, out);
      if (length == 0) throw OpensslError(info.Env(), "signing");
      return Napi::Number::New(info.Env(), static_cast<double>(length));
    }
    throw Napi::RangeError::New(info.Env(), "there is no signing with " + name);
  }

  // 0 when it fails.
  size_t SignWith(const Scheme& scheme, KeyContext& context, Bytes message, Bytes out) {
    if (!context) context = Prepared(scheme);
    uint8_t digest[EVP_MAX_MD_SIZE];
    scheme.hash(message.data, message.length, digest);
    size_t length = out.length;
    const bool done =
        context && EVP_PKEY_sign(context.get(), out.data, &length, digest, scheme.digest_length) == 1;
    return done ? length : 0;
  }

  // §4.3.3: the salt of RSA-PSS is as long as the digest.
  KeyContext Prepared(const Scheme& scheme) {
    KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    EVP_PKEY_CTX* raw = context.get();
    const bool ready = raw != nullptr && EVP_PKEY_sign_init(raw) == 1 &&
                       (!scheme.pss || EVP_PKEY_CTX_set_rsa_padding(raw, RSA_PKCS1_PSS_PADDING) == 1) &&
                       EVP_PKEY_CTX_set_signature_md(raw, scheme.digest()) == 1 &&
                       (!scheme.pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(raw, RSA_PSS_SALTLEN_DIGEST) == 1);
    return ready ? std::move(context) : nullptr;
  }

  // OpenSSL wipes a private key when it frees it.
  Key key_;
  KeyContext contexts_[std::size(kSchemes)];
};

}  // namespace

void DefineSigningKey(Napi::Env env, Napi::Object exports) { exports.Set("SigningKey", SigningKey::Define(env)); }

}  // namespace tls13
