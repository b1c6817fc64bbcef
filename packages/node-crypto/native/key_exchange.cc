// Key exchange (§4.3.8, §7.4): each half is one call. Elliptic curves everywhere, the hybrids with ML-KEM where this
// node's OpenSSL has it (3.5 and later).
#include "common.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

namespace tls13 {

namespace {

struct Group {
  enum class Kind { kMontgomery, kWeierstrass, kEncapsulation };
  const char* name;
  const char* openssl_name;
  Kind kind;
  // Of the key_exchange field of a client and of a server, and of the shared secret.
  size_t client_length, server_length, secret_length;
};

constexpr Group kGroups[] = {
    {"x25519", "X25519", Group::Kind::kMontgomery, 32, 32, 32},
    {"secp256r1", "P-256", Group::Kind::kWeierstrass, 65, 65, 32},
    {"secp384r1", "P-384", Group::Kind::kWeierstrass, 97, 97, 48},
    {"secp521r1", "P-521", Group::Kind::kWeierstrass, 133, 133, 66},
    {"x448", "X448", Group::Kind::kMontgomery, 56, 56, 56},
    {"X25519MLKEM768", "X25519MLKEM768", Group::Kind::kEncapsulation, 1216, 1120, 64},
    {"MLKEM768", "ML-KEM-768", Group::Kind::kEncapsulation, 1184, 1088, 32},
    {"MLKEM1024", "ML-KEM-1024", Group::Kind::kEncapsulation, 1568, 1568, 32},
    {"SecP256r1MLKEM768", "SecP256r1MLKEM768", Group::Kind::kEncapsulation, 1249, 1153, 64},
    {"SecP384r1MLKEM1024", "SecP384r1MLKEM1024", Group::Kind::kEncapsulation, 1665, 1665, 80},
};

const Group& FindGroup(Napi::Value name) {
  const std::string wanted = TextOf(name, "group");
  for (const Group& group : kGroups) {
    if (wanted == group.name) return group;
  }
  throw Napi::RangeError::New(name.Env(), "there is no group called " + wanted);
}

Bytes RoomOf(Napi::Value value, size_t length, const char* name) {
  const Bytes room = BytesOf(value, name);
  if (room.length != length) {
    throw Napi::RangeError::New(value.Env(), std::string(name) + " must have " + std::to_string(length) + " bytes");
  }
  return room;
}

const char* KeyType(const Group& group) {
  return group.kind == Group::Kind::kWeierstrass ? "EC" : group.openssl_name;
}

// What a thread keeps of a group: making these contexts costs as much as a good part of the mathematics.
struct Contexts {
  KeyContext generation, reading;
};

Contexts& ContextsOf(const Group& group) {
  thread_local Contexts contexts[std::size(kGroups)];
  return contexts[&group - kGroups];
}

KeyContext GenerationContext(const Group& group) {
  KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, KeyType(group), nullptr));
  const bool ready = context && EVP_PKEY_keygen_init(context.get()) == 1 &&
                     (group.kind != Group::Kind::kWeierstrass ||
                      EVP_PKEY_CTX_set_group_name(context.get(), group.openssl_name) == 1);
  return ready ? std::move(context) : nullptr;
}

Key Generate(const Group& group) {
  KeyContext& context = ContextsOf(group).generation;
  if (!context) context = GenerationContext(group);
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_generate(context.get(), &key) != 1) return nullptr;
  return Key(key);
}

// An ECPrivateKey (RFC 5915) of a scalar: reading one computes its public half.
std::vector<uint8_t> EcPrivateKey(const Group& group, Bytes scalar) {
  const int nid = EC_curve_nist2nid(group.openssl_name);
  const ASN1_OBJECT* object = OBJ_nid2obj(nid);
  const uint8_t* name = OBJ_get0_data(object);
  const uint8_t name_length = static_cast<uint8_t>(OBJ_length(object));
  const uint8_t length = static_cast<uint8_t>(scalar.length);
  std::vector<uint8_t> fields = {2, 1, 1, 4, length};
  fields.insert(fields.end(), scalar.data, scalar.data + scalar.length);
  fields.insert(fields.end(), {0xa0, static_cast<uint8_t>(name_length + 2), 6, name_length});
  fields.insert(fields.end(), name, name + name_length);
  std::vector<uint8_t> der = {0x30, static_cast<uint8_t>(fields.size())};
  der.insert(der.end(), fields.begin(), fields.end());
  OPENSSL_cleanse(fields.data(), fields.size());
  return der;
}

// The key pair of a private key, or null: X25519 takes any 32 bytes, a NIST curve a scalar as long as its field.
Key Import(const Group& group, Bytes private_key) {
  // Of both kinds the shared secret is as long as the field.
  if (group.kind == Group::Kind::kEncapsulation || private_key.length != group.secret_length) return nullptr;
  if (group.kind == Group::Kind::kMontgomery) {
    return Key(EVP_PKEY_new_raw_private_key_ex(nullptr, group.openssl_name, nullptr, private_key.data,
                                               private_key.length));
  }
  std::vector<uint8_t> der = EcPrivateKey(group, private_key);
  const uint8_t* next = der.data();
  Key key(d2i_PrivateKey_ex(EVP_PKEY_EC, nullptr, &next, static_cast<long>(der.size()), nullptr, nullptr));
  OPENSSL_cleanse(der.data(), der.size());
  const KeyContext context(key ? EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr) : nullptr);
  if (!context || EVP_PKEY_private_check(context.get()) != 1) return nullptr;
  return key;
}

bool WritePublicKey(EVP_PKEY* key, Bytes out) {
  unsigned char* encoded = nullptr;
  const size_t length = EVP_PKEY_get1_encoded_public_key(key, &encoded);
  const bool fits = length == out.length;
  if (fits) std::memcpy(out.data, encoded, length);
  OPENSSL_free(encoded);
  return fits;
}

// The public key that a peer sent, or null. OpenSSL checks that a point is on its curve (§4.3.8.2), which with these
// curves' cofactor of one is all there is to check, and that an encapsulation key is reduced.
Key ReadPublicKey(const Group& group, Bytes encoded) {
  const bool weierstrass = group.kind == Group::Kind::kWeierstrass;
  // Only the uncompressed form exists in TLS 1.3.
  if (weierstrass && encoded.data[0] != 4) return nullptr;
  KeyContext& context = ContextsOf(group).reading;
  if (!context) {
    context.reset(EVP_PKEY_CTX_new_from_name(nullptr, KeyType(group), nullptr));
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1) {
      context.reset();
      return nullptr;
    }
  }
  OSSL_PARAM parameters[3];
  OSSL_PARAM* next = parameters;
  if (weierstrass) {
    *next++ = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(group.openssl_name), 0);
  }
  *next++ = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded.data, encoded.length);
  *next = OSSL_PARAM_construct_end();
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) return nullptr;
  return Key(key);
}

// §7.4.2: an all-zero result of X25519 or X448 is refused. OpenSSL does, and so do we.
bool IsZero(Bytes secret) {
  uint8_t seen = 0;
  for (size_t i = 0; i < secret.length; ++i) seen |= secret.data[i];
  return seen == 0;
}

bool Agree(EVP_PKEY* own, EVP_PKEY* peer, Bytes secret) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
  size_t length = secret.length;
  // ReadPublicKey has validated the peer's key; OpenSSL's own full check would cost another multiplication.
  return context && EVP_PKEY_derive_init(context.get()) == 1 &&
         EVP_PKEY_derive_set_peer_ex(context.get(), peer, 0) == 1 &&
         EVP_PKEY_derive(context.get(), secret.data, &length) == 1 && length == secret.length && !IsZero(secret);
}

bool Encapsulate(EVP_PKEY* peer, Bytes ciphertext, Bytes secret) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, peer, nullptr));
  size_t ciphertext_length = ciphertext.length;
  size_t secret_length = secret.length;
  return context && EVP_PKEY_encapsulate_init(context.get(), nullptr) == 1 &&
         EVP_PKEY_encapsulate(context.get(), ciphertext.data, &ciphertext_length, secret.data, &secret_length) == 1 &&
         ciphertext_length == ciphertext.length && secret_length == secret.length;
}

bool Decapsulate(EVP_PKEY* own, Bytes ciphertext, Bytes secret) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
  size_t length = secret.length;
  return context && EVP_PKEY_decapsulate_init(context.get(), nullptr) == 1 &&
         EVP_PKEY_decapsulate(context.get(), secret.data, &length, ciphertext.data, ciphertext.length) == 1 &&
         length == secret.length;
}

// A client's half.
class EphemeralKey : public Napi::ObjectWrap<EphemeralKey> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(
        env, "EphemeralKey",
        {InstanceMethod<&EphemeralKey::Derive>("derive"), InstanceMethod<&EphemeralKey::Destroy>("destroy")});
  }

  // (group, keyExchange, privateKey?): fills keyExchange
  explicit EphemeralKey(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<EphemeralKey>(info), group_(FindGroup(info[0])) {
    const Bytes key_exchange = RoomOf(info[1], group_.client_length, "keyExchange");
    ErrorMark mark;
    if (info.Length() > 2) {
      key_ = Import(group_, BytesOf(info[2], "privateKey"));
      if (!key_) throw Napi::TypeError::New(info.Env(), std::string("not a private key of ") + group_.name);
    } else {
      key_ = Generate(group_);
    }
    if (!key_ || !WritePublicKey(key_.get(), key_exchange)) throw OpensslError(info.Env(), "key generation");
  }

 private:
  // (peerKeyExchange, secret): fills secret; whether the peer's share is valid
  Napi::Value Derive(const Napi::CallbackInfo& info) {
    if (!key_) throw Napi::TypeError::New(info.Env(), "this key has been destroyed");
    const Bytes share = BytesOf(info[0], "peerKeyExchange");
    const Bytes secret = RoomOf(info[1], group_.secret_length, "secret");
    ErrorMark mark;
    return Napi::Boolean::New(info.Env(), Derive(share, secret));
  }

  bool Derive(Bytes share, Bytes secret) {
    if (share.length != group_.server_length) return false;
    if (group_.kind == Group::Kind::kEncapsulation) return Decapsulate(key_.get(), share, secret);
    const Key peer = ReadPublicKey(group_, share);
    return peer && Agree(key_.get(), peer.get(), secret);
  }

  // OpenSSL wipes a private key when it frees it.
  void Destroy(const Napi::CallbackInfo&) { key_.reset(); }

  const Group& group_;
  Key key_;
};

bool ServerHalf(Napi::Env env, const Group& group, Bytes share, Bytes key_exchange, Bytes secret) {
  if (share.length != group.client_length) return false;
  const Key peer = ReadPublicKey(group, share);
  if (!peer) return false;
  if (group.kind == Group::Kind::kEncapsulation) return Encapsulate(peer.get(), key_exchange, secret);
  const Key own = Generate(group);
  if (!own || !WritePublicKey(own.get(), key_exchange)) throw OpensslError(env, "key generation");
  return Agree(own.get(), peer.get(), secret);
}

// (group, peerKeyExchange, keyExchange, secret): fills the last two; whether the peer's share is valid
Napi::Value RunServerHalf(const Napi::CallbackInfo& info) {
  const Group& group = FindGroup(info[0]);
  const Bytes share = BytesOf(info[1], "peerKeyExchange");
  const Bytes key_exchange = RoomOf(info[2], group.server_length, "keyExchange");
  const Bytes secret = RoomOf(info[3], group.secret_length, "secret");
  ErrorMark mark;
  return Napi::Boolean::New(info.Env(), ServerHalf(info.Env(), group, share, key_exchange, secret));
}

bool IsAvailable(const Group& group) {
  if (group.kind != Group::Kind::kEncapsulation) return true;
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, group.openssl_name, nullptr));
  return context != nullptr;
}

}  // namespace

void DefineKeyExchange(Napi::Env env, Napi::Object exports) {
  Napi::Array groups = Napi::Array::New(env);
  for (const Group& group : kGroups) {
    if (IsAvailable(group)) groups.Set(groups.Length(), group.name);
  }
  exports.Set("groups", groups);
  exports.Set("EphemeralKey", EphemeralKey::Define(env));
  exports.Set("encapsulate", Napi::Function::New<RunServerHalf>(env, "encapsulate"));
}

}  // namespace tls13
