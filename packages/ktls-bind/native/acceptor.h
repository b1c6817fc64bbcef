// Takes the connections that come to a listening socket, many at a time, as objects of class Socket.
#pragma once

#include <napi.h>

#include <memory>

#include "descriptor.h"
#include "watcher.h"

namespace ktls {

class Acceptor : public Napi::ObjectWrap<Acceptor> {
 public:
  static Napi::Function Define(Napi::Env env);

  // (fd, burst): works on a duplicate of the descriptor, and takes at most `burst` connections in a turn of the loop.
  // Failure is told by `error`: 0 or -errno.
  explicit Acceptor(const Napi::CallbackInfo& info);
  ~Acceptor() override { Release(); }

 private:
  Napi::Value Error(const Napi::CallbackInfo& info);
  Napi::Value SetOption(const Napi::CallbackInfo& info);
  Napi::Value Watch(const Napi::CallbackInfo& info);
  Napi::Value Ref(const Napi::CallbackInfo& info);
  Napi::Value HandBack(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  static void OnReady(void* data, int events);
  void Accept();
  void Hold(bool on);
  void Release();

  Descriptor descriptor_;
  uint32_t burst_;
  int error_ = 0;
  Watcher watcher_;
  std::unique_ptr<Napi::AsyncContext> context_;
  bool held_ = false;
};

}  // namespace ktls
