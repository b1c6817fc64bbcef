// Certificate chains, judged by OpenSSL's X509_verify_cert: purpose, name or address, time, signatures, constraints,
// and revocation where lists are given. Nothing of RFC 5280 is decided here.
#include "common.h"
#include "verdict_names.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <climits>
#include <utility>
#include <vector>

namespace tls13 {

namespace {

using Certificate = Owned<X509, X509_free>;
using RevocationList = Owned<X509_CRL, X509_CRL_free>;
using Store = Owned<X509_STORE, X509_STORE_free>;
using StoreContext = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;

// It does not own the certificates in it.
struct StackDeleter {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using Stack = std::unique_ptr<STACK_OF(X509), StackDeleter>;

// One DER object and nothing behind it, or null.
Certificate DecodeCertificate(Bytes der) {
  if (der.length > LONG_MAX) return nullptr;
  const unsigned char* end = der.data;
  Certificate certificate(d2i_X509(nullptr, &end, static_cast<long>(der.length)));
  if (end != der.data + der.length) certificate.reset();
  return certificate;
}

RevocationList DecodeList(Bytes der) {
  if (der.length > LONG_MAX) return nullptr;
  const unsigned char* end = der.data;
  RevocationList list(d2i_X509_CRL(nullptr, &end, static_cast<long>(der.length)));
  if (end != der.data + der.length) list.reset();
  return list;
}

Napi::Value Encode(Napi::Env env, X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509(certificate, &der);
  if (length < 0) throw OpensslError(env, "encoding a certificate");
  auto bytes = Napi::Uint8Array::New(env, static_cast<size_t>(length));
  std::copy(der, der + length, bytes.Data());
  OPENSSL_free(der);
  return bytes;
}

// What the caller wants of the chain; `host` and `address` may be empty.
struct Wanted {
  bool client;
  std::string host, address;
  // Seconds since 1970, or below zero for now.
  int64_t time;
  int depth;
  int security_level;
};

class RootStore : public Napi::ObjectWrap<RootStore> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "RootStore", {InstanceMethod<&RootStore::Verify>("verify")});
  }

  // (roots, revocationLists): arrays of DER
  explicit RootStore(const Napi::CallbackInfo& info) : Napi::ObjectWrap<RootStore>(info), store_(X509_STORE_new()) {
    const Napi::Env env = info.Env();
    ErrorMark mark;
    if (!store_) throw OpensslError(env, "a store for roots");
    const Napi::Array roots = info[0].As<Napi::Array>();
    for (uint32_t i = 0; i < roots.Length(); ++i) {
      const Certificate root = DecodeCertificate(BytesOf(roots.Get(i), "a root"));
      if (!root || X509_STORE_add_cert(store_.get(), root.get()) != 1) throw NotReadable(env, "root", i);
    }
    const Napi::Array lists = info[1].As<Napi::Array>();
    for (uint32_t i = 0; i < lists.Length(); ++i) {
      const RevocationList list = DecodeList(BytesOf(lists.Get(i), "a revocation list"));
      if (!list || X509_STORE_add_crl(store_.get(), list.get()) != 1) throw NotReadable(env, "revocation list", i);
    }
    checks_revocation_ = lists.Length() > 0;
  }

 private:
  // (chain, purpose, host, address, time, depth, securityLevel): { code, lastCode, reason, depth, chain }: code is
  // OpenSSL's name of the first fault, OK, or MALFORMED; lastCode of the last one, if it goes on; depth 0 is the leaf;
  // chain is the one built, DER, empty unless OK.
  Napi::Value Verify(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const Napi::Array given = info[0].As<Napi::Array>();
    const Wanted wanted = {TextOf(info[1], "purpose") == "client",
                           TextOf(info[2], "host"),
                           TextOf(info[3], "address"),
                           info[4].As<Napi::Number>().Int64Value(),
                           static_cast<int>(NumberOf(info[5], "depth")),
                           static_cast<int>(NumberOf(info[6], "securityLevel"))};
    ErrorMark mark;
    const Stack untrusted(sk_X509_new_null());
    Certificate leaf;
    std::vector<Certificate> intermediates;
    for (uint32_t i = 0; i < given.Length(); ++i) {
      Certificate certificate = DecodeCertificate(BytesOf(given.Get(i), "a certificate"));
      if (!certificate) return Verdict(env, "MALFORMED", "it is not one DER certificate", static_cast<int>(i));
      if (i == 0) {
        leaf = std::move(certificate);
      } else {
        sk_X509_push(untrusted.get(), certificate.get());
        intermediates.push_back(std::move(certificate));
      }
    }
    if (!leaf) throw Napi::RangeError::New(env, "a chain has at least one certificate");

    const StoreContext context = Prepare(env, leaf.get(), untrusted.get(), wanted);
    if (X509_verify_cert(context.get()) == 1) return Judgement(env, context.get(), leaf.get());
    const int error = X509_STORE_CTX_get_error(context.get());
    const int code = error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
    const int depth = X509_STORE_CTX_get_error_depth(context.get());
    const Napi::Object verdict = Verdict(env, NameOfVerdict(code), X509_verify_cert_error_string(code), depth);
    const int last = LastFault(env, leaf.get(), untrusted.get(), wanted);
    verdict.Set("lastCode", NameOfVerdict(last == X509_V_OK ? code : last));
    return verdict;
  }

  StoreContext Prepare(Napi::Env env, X509* leaf, STACK_OF(X509) * untrusted, const Wanted& wanted) const {
    StoreContext context(X509_STORE_CTX_new());
    if (!context || X509_STORE_CTX_init(context.get(), store_.get(), leaf, untrusted) != 1 ||
        !Configure(context.get(), wanted)) {
      throw OpensslError(env, "preparing the verification of a chain");
    }
    return context;
  }

  // What node shows of a chain that was refused already: it lets OpenSSL go on behind every fault, and the last one
  // remains. The name is not OpenSSL's to check there.
  int LastFault(Napi::Env env, X509* leaf, STACK_OF(X509) * untrusted, Wanted wanted) const {
    wanted.host.clear();
    wanted.address.clear();
    const StoreContext context = Prepare(env, leaf, untrusted, wanted);
    X509_STORE_CTX_set_verify_cb(context.get(), [](int, X509_STORE_CTX*) { return 1; });
    X509_verify_cert(context.get());
    return X509_STORE_CTX_get_error(context.get());
  }

  bool Configure(X509_STORE_CTX* context, const Wanted& wanted) const {
    // The defaults that libssl itself starts from: purpose and trust of a TLS server or client.
    if (X509_STORE_CTX_set_default(context, wanted.client ? "ssl_client" : "ssl_server") != 1) return false;
    X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_depth(param, wanted.depth);
    X509_VERIFY_PARAM_set_auth_level(param, wanted.security_level);
    if (wanted.time >= 0) X509_VERIFY_PARAM_set_time(param, static_cast<time_t>(wanted.time));
    if (checks_revocation_) X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    // A name is in subjectAltName or it is not in the certificate (RFC 9525 §6.3); `f*.example` is no wildcard.
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return (wanted.host.empty() || X509_VERIFY_PARAM_set1_host(param, wanted.host.data(), wanted.host.size()) == 1) &&
           (wanted.address.empty() || X509_VERIFY_PARAM_set1_ip_asc(param, wanted.address.c_str()) == 1);
  }

  static Napi::Value Judgement(Napi::Env env, X509_STORE_CTX* context, X509* leaf) {
    // §4.5.1.2: OpenSSL's purposes still allow keys that only TLS 1.2 could use.
    if ((X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0) {
      return Verdict(env, NameOfVerdict(X509_V_ERR_INVALID_PURPOSE), "its key usage does not allow digital signatures", 0);
    }
    const Napi::Object verdict = Verdict(env, NameOfVerdict(X509_V_OK), "ok", 0);
    const Napi::Array chain = Napi::Array::New(env);
    STACK_OF(X509)* built = X509_STORE_CTX_get0_chain(context);
    for (int i = 0; i < sk_X509_num(built); ++i) {
      chain.Set(static_cast<uint32_t>(i), Encode(env, sk_X509_value(built, i)));
    }
    verdict.Set("chain", chain);
    return verdict;
  }

  static Napi::Object Verdict(Napi::Env env, const std::string& code, const char* reason, int depth) {
    const Napi::Object verdict = Napi::Object::New(env);
    verdict.Set("code", code);
    verdict.Set("lastCode", code);
    verdict.Set("reason", reason);
    verdict.Set("depth", depth);
    verdict.Set("chain", Napi::Array::New(env));
    return verdict;
  }

  static Napi::Error NotReadable(Napi::Env env, const char* what, uint32_t index) {
    return Napi::TypeError::New(env, std::string(what) + " " + std::to_string(index + 1) + " is not readable as DER");
  }

  // Verifications share it; OpenSSL locks what it caches in it.
  Store store_;
  bool checks_revocation_ = false;
};

}  // namespace

void DefineX509(Napi::Env env, Napi::Object exports) { exports.Set("RootStore", RootStore::Define(env)); }

}  // namespace tls13
