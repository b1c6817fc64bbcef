// What every part of the addon shares: owners of OpenSSL objects, and bytes in and out of JavaScript.
#pragma once

#include <napi.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace tls13 {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};

template <typename T, auto Free>
using Owned = std::unique_ptr<T, Deleter<Free>>;

using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

// The thread's error queue is shared with node:crypto: what fails here must leave nothing behind in it.
class ErrorMark {
 public:
  ErrorMark() { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
};

struct Bytes {
  uint8_t* data;
  size_t length;
};

// The bytes of a Uint8Array; valid until JavaScript runs again.
Bytes BytesOf(Napi::Value value, const char* name);
std::string TextOf(Napi::Value value, const char* name);
uint32_t NumberOf(Napi::Value value, const char* name);

// An error that says which step failed and what OpenSSL says about it.
Napi::Error OpensslError(Napi::Env env, const char* step);

void DefineBlockPool(Napi::Env env, Napi::Object exports);
void DefineAead(Napi::Env env, Napi::Object exports);
void DefineRecords(Napi::Env env, Napi::Object exports);
void DefineHash(Napi::Env env, Napi::Object exports);
void DefineKeyExchange(Napi::Env env, Napi::Object exports);
void DefineSigningKey(Napi::Env env, Napi::Object exports);
void DefineX509(Napi::Env env, Napi::Object exports);

}  // namespace tls13
