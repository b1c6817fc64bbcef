// The addon's entry. Its OpenSSL is the one inside the running node: every symbol is resolved when the addon is loaded
// (the linker is told -z now), so on a runtime without them loading fails and nothing fails later.
#include "common.h"

#include <openssl/opensslv.h>

namespace tls13 {

Bytes BytesOf(Napi::Value value, const char* name) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  napi_status status = napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr);
  if (status != napi_ok || type != napi_uint8_array) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a Uint8Array");
  }
  // An empty array may have no memory; OpenSSL reads a null pointer as a different request.
  static uint8_t nothing;
  return {length == 0 ? &nothing : static_cast<uint8_t*>(data), length};
}

std::string TextOf(Napi::Value value, const char* name) {
  if (!value.IsString()) throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a string");
  return value.As<Napi::String>().Utf8Value();
}

uint32_t NumberOf(Napi::Value value, const char* name) {
  uint32_t number;
  if (napi_get_value_uint32(value.Env(), value, &number) != napi_ok) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a number");
  }
  return number;
}

Napi::Error OpensslError(Napi::Env env, const char* step) {
  char reason[256] = "no reason given";
  unsigned long code = ERR_peek_last_error();
  if (code != 0) ERR_error_string_n(code, reason, sizeof reason);
  return Napi::Error::New(env, std::string(step) + ": " + reason);
}

}  // namespace tls13

static Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  if (OPENSSL_version_major() != OPENSSL_VERSION_MAJOR) {
    throw Napi::Error::New(env, "this node has OpenSSL " + std::to_string(OPENSSL_version_major()) +
                                    ", the addon was built for OpenSSL " + std::to_string(OPENSSL_VERSION_MAJOR));
  }
  tls13::ErrorMark mark;
  exports.Set("opensslVersion", OpenSSL_version(OPENSSL_FULL_VERSION_STRING));
  tls13::DefineAead(env, exports);
  tls13::DefineRecords(env, exports);
  tls13::DefineBlockPool(env, exports);
  tls13::DefineHash(env, exports);
  tls13::DefineKeyExchange(env, exports);
  tls13::DefineSigningKey(env, exports);
  tls13::DefineX509(env, exports);
  return exports;
}

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Initialize)
