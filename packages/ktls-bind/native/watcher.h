// Readiness of descriptors on the event loop of a Node environment (main thread or worker), by uv_poll.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <memory>
#include <unordered_set>

namespace ktls {

class Watcher;

// All watchers of one environment. When the environment goes, it closes those that are left and keeps the environment's
// loop running until libuv has let go of each.
class Watchers : public std::enable_shared_from_this<Watchers> {
 public:
  // Null where the environment has no loop.
  static std::shared_ptr<Watchers> Create(napi_env env);

 private:
  friend class Watcher;
  explicit Watchers(uv_loop_t* loop) : loop_(loop) {}
  static void OnCleanup(napi_async_cleanup_hook_handle hook, void* data);
  void Finish();

  uv_loop_t* loop_;
  std::unordered_set<Watcher*> active_;
  // Closed, but libuv has not called back yet.
  size_t closing_ = 0;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool cleaning_ = false;
};

// One uv_poll handle. It lives until libuv lets go of it, which is later than Close.
class Watcher {
 public:
  // `status` is 0 or a negative libuv error, `events` a set of UV_READABLE and UV_WRITABLE.
  using Callback = void (*)(void* data, int status, int events);

  // Puts the watcher into `owner`, where it stays until Close (which the environment's end may call, too), or returns
  // libuv's negative reason to refuse the descriptor.
  static int Open(const std::shared_ptr<Watchers>& all, int fd, Callback callback, void* data, Watcher*& owner);

  // Level-triggered; 0 stops. Returns 0 or a negative libuv error.
  int Watch(int events);
  void Ref(bool on);
  // Stops at once, so that the descriptor may be closed; the callback is not called again, the owner holds null.
  void Close();

 private:
  Watcher(std::shared_ptr<Watchers> all, Callback callback, void* data, Watcher*& owner);
  static void OnPoll(uv_poll_t* poll, int status, int events);
  static void OnClosed(uv_handle_t* handle);

  // Allocated by uv_handle_size: its size is the running libuv's, not that of the headers.
  std::unique_ptr<char[]> memory_;
  uv_poll_t* poll_;
  std::shared_ptr<Watchers> all_;
  Callback callback_;
  void* data_;
  Watcher*& owner_;
  int events_ = 0;
};

}  // namespace ktls
