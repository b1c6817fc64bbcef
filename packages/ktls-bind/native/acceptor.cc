#include "acceptor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "callback.h"
#include "instance.h"

namespace ktls {

namespace {

// Of one connection, which is gone (accept(2)): the next may be well.
bool IsOfPeer(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

// Costs a tenth of an accept4 in vain, which makes a socket first.
bool IsReadable(int fd) {
  pollfd asked = {fd, POLLIN, 0};
  return poll(&asked, 1, 0) > 0;
}

}  // namespace

Napi::Function Acceptor::Define(Napi::Env env) {
  return DefineClass(env, "Acceptor",
                     {
                         InstanceAccessor<&Acceptor::Error>("error"),
                         InstanceMethod<&Acceptor::SetOption>("setOption"),
                         InstanceMethod<&Acceptor::Watch>("watch"),
                         InstanceMethod<&Acceptor::Ref>("ref"),
                         InstanceMethod<&Acceptor::HandBack>("handBack"),
                         InstanceMethod<&Acceptor::Close>("close"),
                     });
}

Acceptor::Acceptor(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Acceptor>(info),
      burst_(info[1].As<Napi::Number>().Uint32Value()),
      watcher_(info.Env().GetInstanceData<Instance>()->watchers, OnReady, this) {
  const int fd = fcntl(info[0].As<Napi::Number>().Int32Value(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) {
    error_ = -errno;
    return;
  }
  descriptor_ = Descriptor(fd);
  int listening = 0;
  socklen_t size = sizeof listening;
  const int flags = fcntl(fd, F_GETFL);
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0) {
    error_ = -errno;
  } else if (listening == 0) {
    error_ = -EINVAL;
  } else if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
    error_ = -errno;
  } else {
    context_ = std::make_unique<Napi::AsyncContext>(info.Env(), "KtlsAcceptor");
  }
}

Napi::Value Acceptor::Error(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), error_); }

// Linux gives what is set here to every connection that is accepted.
Napi::Value Acceptor::SetOption(const Napi::CallbackInfo& info) {
  const auto option = static_cast<Option>(info[0].As<Napi::Number>().Int32Value());
  const int value = info[1].As<Napi::Number>().Int32Value();
  return Napi::Number::New(info.Env(), ktls::SetOption(descriptor_.get(), option, value));
}

Napi::Value Acceptor::Watch(const Napi::CallbackInfo& info) {
  if (!descriptor_.open()) return Napi::Number::New(info.Env(), -EBADF);
  const bool on = info[0].As<Napi::Boolean>().Value();
  const int result = watcher_.Watch(descriptor_.get(), on ? Watcher::kReadable : 0);
  Hold(result == 0 && on);
  return Napi::Number::New(info.Env(), result);
}

Napi::Value Acceptor::Ref(const Napi::CallbackInfo& info) {
  watcher_.Ref(info[0].As<Napi::Boolean>().Value());
  return info.Env().Undefined();
}

// The descriptor, which is the caller's from now on.
Napi::Value Acceptor::HandBack(const Napi::CallbackInfo& info) {
  watcher_.Close();
  Hold(false);
  return Napi::Number::New(info.Env(), descriptor_.Release());
}

Napi::Value Acceptor::Close(const Napi::CallbackInfo& info) {
  Release();
  Hold(false);
  return info.Env().Undefined();
}

void Acceptor::OnReady(void* data, int) { static_cast<Acceptor*>(data)->Accept(); }

// Calls `onAccepted(error, sockets)` once for all; the error, 0 or -errno, is one that the next call would meet again.
void Acceptor::Accept() {
  const Napi::Env env = Env();
  const Napi::HandleScope scope(env);
  const auto& constructor = env.GetInstanceData<Instance>()->socket;
  napi_value sockets;
  if (napi_create_array(env, &sockets) != napi_ok) return;
  int error = 0;
  uint32_t count = 0;
  for (uint32_t attempts = 0; attempts < burst_; attempts++) {
    if (attempts > 0 && !IsReadable(descriptor_.get())) break;
    Descriptor accepted(accept4(descriptor_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!accepted.open()) {
      if (errno == EAGAIN) break;
      if (IsOfPeer(errno)) continue;
      error = -errno;
      break;
    }
    napi_value arguments[3];
    napi_value socket;
    if (napi_create_int32(env, accepted.get(), &arguments[0]) != napi_ok) return;
    if (napi_get_boolean(env, true, &arguments[1]) != napi_ok) return;
    arguments[2] = arguments[1];
    if (napi_new_instance(env, constructor.Value(), 3, arguments, &socket) != napi_ok) return;
    // It is the object's now.
    accepted.Release();
    if (napi_set_element(env, sockets, count++, socket) != napi_ok) return;
  }
  napi_value status;
  if ((count == 0 && error == 0) || napi_create_int32(env, error, &status) != napi_ok) return;
  CallBack(env, *context_, Value(), "onAccepted", {status, sockets});
}

// One that listens is not garbage, whoever still knows it.
void Acceptor::Hold(bool on) {
  if (on == held_) return;
  held_ = on;
  if (on) {
    Napi::ObjectWrap<Acceptor>::Ref();
  } else {
    Unref();
  }
}

void Acceptor::Release() {
  watcher_.Close();
  descriptor_.Close();
}

}  // namespace ktls
