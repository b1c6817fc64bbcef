// Readiness of descriptors on the event loop of a Node environment (main thread or worker).
#pragma once

#include <node_api.h>
#include <sys/epoll.h>
#include <uv.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "descriptor.h"

namespace ktls {

class Watcher;

// All watchers of one environment, on an epoll descriptor of their own, which is all that libuv knows of them: a uv_poll
// handle for each would cost six more system calls a connection.
class Watchers {
 public:
  // Null where the environment has no loop, or the process no descriptor left.
  static std::shared_ptr<Watchers> Create(napi_env env);

 private:
  friend class Watcher;
  Watchers();
  static void OnCleanup(napi_async_cleanup_hook_handle hook, void* data);
  static void OnReady(uv_poll_t* poll, int status, int events);
  static void OnClosed(uv_handle_t* handle);

  void Dispatch();
  // `watcher` is gone: what is still to be dispatched has nobody to go to.
  void Forget(const Watcher* watcher);
  // The loop lives as long as one is counted.
  void Count(bool on);

  // Allocated by uv_handle_size: its size is the running libuv's, not that of the headers.
  std::unique_ptr<char[]> memory_;
  uv_poll_t* poll_;
  Descriptor epoll_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool closed_ = false;
  size_t counted_ = 0;
  // The others have the next turn of the event loop, behind timers and whatever else waits: what this many sockets bring
  // must not hold them up.
  std::array<epoll_event, 64> ready_;
  size_t next_ = 0;
  size_t end_ = 0;
};

// One descriptor.
class Watcher {
 public:
  // `events` is a set of kReadable and kWritable, both of them ones that are watched.
  using Callback = void (*)(void* data, int events);
  static constexpr int kReadable = 1;
  static constexpr int kWritable = 2;

  Watcher(std::shared_ptr<Watchers> all, Callback callback, void* data);
  ~Watcher() { Close(); }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Level-triggered; the same descriptor until Close. Nothing is reported for 0. Returns 0 or a negative errno.
  int Watch(int fd, int events);
  // Whether it keeps the loop alive while it watches.
  void Ref(bool on);
  // Before the descriptor is closed: a duplicate of it would go on being reported.
  void Close();

 private:
  friend class Watchers;
  int Register(int events);
  void Ready(uint32_t events);
  void UpdateCount();

  std::shared_ptr<Watchers> all_;
  Callback callback_;
  void* data_;
  int fd_ = -1;
  int wanted_ = 0;
  // What the kernel reports: more than is wanted, until it reports that. A pause in reading costs no system call.
  int registered_ = 0;
  bool referenced_ = true;
  bool counted_ = false;
};

}  // namespace ktls
