// The addon's face to JavaScript: the classes Socket and Acceptor, and loopbackPair. Results are numbers: what the system call
// returned, or -errno; src/socket.ts dresses them. Argument types are checked there, too.
#include <napi.h>

#include <netinet/in.h>
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "acceptor.h"
#include "callback.h"
#include "crypto_info.h"
#include "descriptor.h"
#include "diagnostics.h"
#include "instance.h"
#include "record_io.h"
#include "watcher.h"

namespace ktls {

namespace {

struct Bytes {
  uint8_t* data;
  size_t length;
};

// The bytes of a Uint8Array, by one call; valid until JavaScript runs again.
Bytes BytesOf(const Napi::Value& value) {
  void* data = nullptr;
  size_t length = 0;
  if (napi_get_typedarray_info(value.Env(), value, nullptr, &length, &data, nullptr, nullptr) != napi_ok) return {};
  return {static_cast<uint8_t*>(data), length};
}

Napi::Value Number(Napi::Env env, int64_t value) { return Napi::Number::New(env, static_cast<double>(value)); }

// "address port family", the form that costs no object; empty when there is no address.
Napi::Value Printed(Napi::Env env, const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.size == 0) return env.Undefined();
  if (address.storage.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address.storage);
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    return Napi::String::New(env, std::string(text) + " " + std::to_string(ntohs(in.sin_port)) + " IPv4");
  }
  if (address.storage.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
    inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text);
    return Napi::String::New(env, std::string(text) + " " + std::to_string(ntohs(in6.sin6_port)) + " IPv6");
  }
  return env.Undefined();
}

class Socket : public Napi::ObjectWrap<Socket> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Socket",
                       {
                           InstanceAccessor<&Socket::Error>("error"),
                           InstanceMethod<&Socket::Fd>("fd"),
                           InstanceMethod<&Socket::Read>("read"),
                           InstanceMethod<&Socket::Peek>("peek"),
                           InstanceMethod<&Socket::ReadRecord>("readRecord"),
                           InstanceMethod<&Socket::Write>("write"),
                           InstanceMethod<&Socket::WriteRecord>("writeRecord"),
                           InstanceMethod<&Socket::SendFile>("sendFile"),
                           InstanceMethod<&Socket::UlpAttached>("ulpAttached"),
                           InstanceMethod<&Socket::AttachUlp>("attachUlp"),
                           InstanceMethod<&Socket::CipherInUse>("cipherInUse"),
                           InstanceMethod<&Socket::SetKeys>("setKeys"),
                           InstanceMethod<&Socket::SetOption>("setOption"),
                           InstanceMethod<&Socket::KnowsOption>("knowsOption"),
                           InstanceMethod<&Socket::Watch>("watch"),
                           InstanceMethod<&Socket::Ref>("ref"),
                           InstanceMethod<&Socket::Shutdown>("shutdown"),
                           InstanceMethod<&Socket::Close>("close"),
                           InstanceMethod<&Socket::TakeError>("takeError"),
                           InstanceMethod<&Socket::Unacknowledged>("unacknowledged"),
                           InstanceMethod<&Socket::LocalAddress>("localAddress"),
                           InstanceMethod<&Socket::RemoteAddress>("remoteAddress"),
                           InstanceMethod<&Socket::Diagnose>("diagnose"),
                       });
  }

  // (fd, adopt, accepted): one that was accepted here is known to be what it must be. Failure is told by `error`: 0 or
  // -errno.
  explicit Socket(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Socket>(info), watcher_(info.Env().GetInstanceData<Instance>()->watchers, OnReady, this) {
    const int given = info[0].As<Napi::Number>().Int32Value();
    const int fd = info[2].ToBoolean() ? given : OpenSocket(given, info[1].As<Napi::Boolean>().Value());
    if (fd >= 0) descriptor_ = Descriptor(fd);
    error_ = std::min(fd, 0);
  }

  ~Socket() override { Release(); }

 private:
  Napi::Value Error(const Napi::CallbackInfo& info) { return Number(info.Env(), error_); }

  Napi::Value Fd(const Napi::CallbackInfo& info) { return Number(info.Env(), descriptor_.get()); }

  Napi::Value Read(const Napi::CallbackInfo& info) {
    const Bytes into = BytesOf(info[0]);
    return Number(info.Env(), ktls::Read(descriptor_.get(), into.data, into.length));
  }

  Napi::Value Peek(const Napi::CallbackInfo& info) {
    const Bytes into = BytesOf(info[0]);
    return Number(info.Env(), ktls::Peek(descriptor_.get(), into.data, into.length));
  }

  // contentType * 2^32 + length, or negative.
  Napi::Value ReadRecord(const Napi::CallbackInfo& info) {
    const Bytes into = BytesOf(info[0]);
    const Record record = ktls::ReadRecord(descriptor_.get(), into.data, into.length);
    if (record.length < 0) return Number(info.Env(), record.length);
    return Number(info.Env(), (static_cast<int64_t>(record.content_type) << 32) + record.length);
  }

  Napi::Value Write(const Napi::CallbackInfo& info) {
    const auto chunks = info[0].As<Napi::Array>();
    const bool more = info[1].As<Napi::Boolean>().Value();
    // As many as the kernel takes at once (IOV_MAX).
    std::array<iovec, 1024> vector;
    const uint32_t count = chunks.Length();
    int64_t accepted = 0;
    for (uint32_t start = 0; start < count;) {
      size_t filled = 0;
      size_t bytes = 0;
      for (; start < count && filled < vector.size(); start++) {
        const Bytes chunk = BytesOf(chunks.Get(start));
        if (chunk.length == 0) continue;
        vector[filled++] = {chunk.data, chunk.length};
        bytes += chunk.length;
      }
      if (filled == 0) break;
      const int64_t n = ktls::Write(descriptor_.get(), vector.data(), filled, more || start < count);
      if (n < 0) return Number(info.Env(), accepted > 0 ? accepted : n);
      accepted += n;
      if (static_cast<size_t>(n) < bytes) break;
    }
    return Number(info.Env(), accepted);
  }

  Napi::Value WriteRecord(const Napi::CallbackInfo& info) {
    const auto type = static_cast<uint8_t>(info[0].As<Napi::Number>().Uint32Value());
    const Bytes fragment = BytesOf(info[1]);
    return Number(info.Env(), ktls::WriteRecord(descriptor_.get(), type, fragment.data, fragment.length));
  }

  // bytes * 4 + blocked + 2 * endOfFile, or negative.
  Napi::Value SendFile(const Napi::CallbackInfo& info) {
    const int file = info[0].As<Napi::Number>().Int32Value();
    const int64_t offset = info[1].As<Napi::Number>().Int64Value();
    const int64_t length = info[2].As<Napi::Number>().Int64Value();
    const FileProgress progress = ktls::SendFile(descriptor_.get(), file, offset, static_cast<uint64_t>(length));
    if (progress.bytes < 0) return Number(info.Env(), progress.bytes);
    return Number(info.Env(), progress.bytes * 4 + (progress.blocked ? 1 : 0) + (progress.end_of_file ? 2 : 0));
  }

  Napi::Value UlpAttached(const Napi::CallbackInfo& info) {
    return Number(info.Env(), ktls::UlpAttached(descriptor_.get()));
  }

  Napi::Value AttachUlp(const Napi::CallbackInfo& info) {
    return Number(info.Env(), ktls::AttachUlp(descriptor_.get()));
  }

  Napi::Value CipherInUse(const Napi::CallbackInfo& info) {
    return Number(info.Env(), ktls::CipherInUse(descriptor_.get(), info[0].As<Napi::Number>().Int32Value()));
  }

  // (direction, cipher, key, iv, sequenceNumber)
  Napi::Value SetKeys(const Napi::CallbackInfo& info) {
    auto key = info[2].As<Napi::Uint8Array>();
    auto iv = info[3].As<Napi::Uint8Array>();
    bool lossless = false;
    const uint64_t sequence_number = info[4].As<Napi::BigInt>().Uint64Value(&lossless);
    if (!lossless) return Number(info.Env(), -ERANGE);
    const TrafficKeys keys = {key.Data(), key.ByteLength(), iv.Data(), iv.ByteLength(), sequence_number};
    const auto cipher = static_cast<uint16_t>(info[1].As<Napi::Number>().Uint32Value());
    return Number(info.Env(), ktls::SetKeys(descriptor_.get(), info[0].As<Napi::Number>().Int32Value(), cipher, keys));
  }

  Napi::Value SetOption(const Napi::CallbackInfo& info) {
    const auto option = static_cast<Option>(info[0].As<Napi::Number>().Int32Value());
    return Number(info.Env(), ktls::SetOption(descriptor_.get(), option, info[1].As<Napi::Number>().Int32Value()));
  }

  Napi::Value KnowsOption(const Napi::CallbackInfo& info) {
    const auto option = static_cast<Option>(info[0].As<Napi::Number>().Int32Value());
    return Napi::Boolean::New(info.Env(), ktls::KnowsOption(descriptor_.get(), option));
  }

  Napi::Value Watch(const Napi::CallbackInfo& info) {
    const int events = info[0].As<Napi::Number>().Int32Value();
    if (!descriptor_.open()) return Number(info.Env(), events == 0 ? 0 : -EBADF);
    if (context_ == nullptr) context_ = std::make_unique<Napi::AsyncContext>(info.Env(), "KtlsSocket", info.This().As<Napi::Object>());
    const int result = watcher_.Watch(descriptor_.get(), events);
    Hold(result == 0 && events != 0);
    return Number(info.Env(), result);
  }

  Napi::Value Ref(const Napi::CallbackInfo& info) {
    watcher_.Ref(info[0].As<Napi::Boolean>().Value());
    return info.Env().Undefined();
  }

  Napi::Value Shutdown(const Napi::CallbackInfo& info) {
    return Number(info.Env(), shutdown(descriptor_.get(), SHUT_WR) == 0 ? 0 : -errno);
  }

  // (reset)
  Napi::Value Close(const Napi::CallbackInfo& info) {
    int result = 0;
    if (descriptor_.open() && info[0].As<Napi::Boolean>().Value()) result = ResetOnClose(descriptor_.get());
    Release();
    Hold(false);
    return Number(info.Env(), result);
  }

  Napi::Value TakeError(const Napi::CallbackInfo& info) {
    return Number(info.Env(), -ktls::TakeError(descriptor_.get()));
  }

  Napi::Value Unacknowledged(const Napi::CallbackInfo& info) {
    return Number(info.Env(), ktls::Unacknowledged(descriptor_.get()));
  }

  Napi::Value LocalAddress(const Napi::CallbackInfo& info) {
    return Printed(info.Env(), ktls::LocalAddress(descriptor_.get()));
  }

  Napi::Value RemoteAddress(const Napi::CallbackInfo& info) {
    return Printed(info.Env(), ktls::RemoteAddress(descriptor_.get()));
  }

  // [version, cipher, txConf, rxConf], or a negative number.
  Napi::Value Diagnose(const Napi::CallbackInfo& info) {
    UlpInfo ulp = {};
    const int result = ktls::Diagnose(descriptor_.get(), ulp);
    if (result != 0) return Number(info.Env(), result);
    auto list = Napi::Array::New(info.Env(), 4);
    list.Set(0U, Number(info.Env(), ulp.version));
    list.Set(1U, Number(info.Env(), ulp.cipher));
    list.Set(2U, Number(info.Env(), ulp.tx_conf));
    list.Set(3U, Number(info.Env(), ulp.rx_conf));
    return list;
  }

  static void OnReady(void* data, int events) { static_cast<Socket*>(data)->Ready(events); }

  // Calls `onReady(events)` of the object, as it was when watching began.
  void Ready(int events) {
    if (on_ready_.IsEmpty()) return;
    const napi_env env = Env();
    const Napi::HandleScope scope(env);
    napi_value arguments[1];
    if (napi_create_int32(env, events, &arguments[0]) != napi_ok) return;
    CallBack(env, *context_, Value(), on_ready_.Value(), arguments);
  }

  // A socket that is watched is not garbage, whoever still knows it.
  void Hold(bool on) {
    if (on == held_) return;
    held_ = on;
    if (on) {
      Napi::ObjectWrap<Socket>::Ref();
      const Napi::Value on_ready = Value().Get("onReady");
      if (on_ready.IsFunction()) on_ready_ = Napi::Persistent(on_ready.As<Napi::Function>());
    } else {
      on_ready_.Reset();
      Unref();
    }
  }

  void Release() {
    watcher_.Close();
    descriptor_.Close();
  }

  Descriptor descriptor_;
  int error_ = 0;
  Watcher watcher_;
  std::unique_ptr<Napi::AsyncContext> context_;
  bool held_ = false;
  // The property, looked up when watching begins and not at each event.
  Napi::FunctionReference on_ready_;
};

// [first, second] descriptors of a connection with itself, which are the caller's to close; or -errno.
Napi::Value LoopbackPairOf(const Napi::CallbackInfo& info) {
  Descriptor first;
  Descriptor second;
  const int result = LoopbackPair(first, second);
  if (result != 0) return Number(info.Env(), result);
  auto pair = Napi::Array::New(info.Env(), 2);
  pair.Set(0U, Number(info.Env(), first.Release()));
  pair.Set(1U, Number(info.Env(), second.Release()));
  return pair;
}

// (file, into, offset): bytes read, or -errno.
Napi::Value ReadCachedOf(const Napi::CallbackInfo& info) {
  const int file = info[0].As<Napi::Number>().Int32Value();
  const Bytes into = BytesOf(info[1]);
  return Number(info.Env(), ReadCached(file, into.data, into.length, info[2].As<Napi::Number>().Int64Value()));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto watchers = Watchers::Create(env);
  if (watchers == nullptr) throw Napi::Error::New(env, "no libuv event loop here, or no descriptor left for its watchers");
  auto instance = std::make_unique<Instance>();
  instance->watchers = std::move(watchers);
  const Napi::Function socket = Socket::Define(env);
  instance->socket = Napi::Persistent(socket);
  env.SetInstanceData(instance.release());
  exports.Set("Socket", socket);
  exports.Set("Acceptor", Acceptor::Define(env));
  exports.Set("loopbackPair", Napi::Function::New(env, LoopbackPairOf, "loopbackPair"));
  exports.Set("readCached", Napi::Function::New(env, ReadCachedOf, "readCached"));
  return exports;
}

}  // namespace

}  // namespace ktls

static Napi::Object InitAddon(Napi::Env env, Napi::Object exports) { return ktls::Init(env, exports); }

NODE_API_MODULE(NODE_GYP_MODULE_NAME, InitAddon)
