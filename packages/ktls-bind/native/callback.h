// Calls a method of an object from the event loop, as a turn of its own.
#pragma once

#include <napi.h>

namespace ktls {

// Calls `callback.call(self, ...arguments)` if it is a function; what it throws becomes an uncaught exception. In plain
// Node-API: a worker that is being terminated refuses calls without an exception that could be thrown on.
template <size_t count>
void CallBack(napi_env env, napi_async_context context, napi_value self, napi_value callback,
              const napi_value (&arguments)[count]) {
  if (callback == nullptr) return;
  napi_valuetype type;
  if (napi_typeof(env, callback, &type) != napi_ok || type != napi_function) return;
  if (napi_make_callback(env, context, self, callback, count, arguments, nullptr) != napi_pending_exception) return;
  bool pending = false;
  napi_value exception;
  if (napi_is_exception_pending(env, &pending) != napi_ok || !pending) return;
  if (napi_get_and_clear_last_exception(env, &exception) == napi_ok) napi_fatal_exception(env, exception);
}

// Calls `self[name](...arguments)` likewise.
template <size_t count>
void CallBack(napi_env env, napi_async_context context, napi_value self, const char* name,
              const napi_value (&arguments)[count]) {
  napi_value callback;
  if (napi_get_named_property(env, self, name, &callback) == napi_ok) CallBack(env, context, self, callback, arguments);
}

}  // namespace ktls
