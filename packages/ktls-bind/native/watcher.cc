#include "watcher.h"

#include <utility>

namespace ktls {

namespace {

// What the cleanup hook holds on to until it is done.
struct Hold {
  std::shared_ptr<Watchers> all;
};

uv_handle_t* AsHandle(uv_poll_t* poll) { return reinterpret_cast<uv_handle_t*>(poll); }

}  // namespace

std::shared_ptr<Watchers> Watchers::Create(napi_env env) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok || loop == nullptr) return nullptr;
  std::shared_ptr<Watchers> all(new Watchers(loop));
  auto hold = std::make_unique<Hold>(Hold{all});
  if (napi_add_async_cleanup_hook(env, OnCleanup, hold.get(), &all->hook_) != napi_ok) return nullptr;
  hold.release();
  return all;
}

void Watchers::OnCleanup(napi_async_cleanup_hook_handle, void* data) {
  const std::unique_ptr<Hold> hold(static_cast<Hold*>(data));
  hold->all->cleaning_ = true;
  while (!hold->all->active_.empty()) (*hold->all->active_.begin())->Close();
  hold->all->Finish();
}

void Watchers::Finish() {
  if (!cleaning_ || closing_ > 0 || hook_ == nullptr) return;
  napi_remove_async_cleanup_hook(hook_);
  hook_ = nullptr;
}

Watcher::Watcher(std::shared_ptr<Watchers> all, Callback callback, void* data, Watcher*& owner)
    : memory_(std::make_unique<char[]>(uv_handle_size(UV_POLL))),
      poll_(reinterpret_cast<uv_poll_t*>(memory_.get())),
      all_(std::move(all)),
      callback_(callback),
      data_(data),
      owner_(owner) {}

int Watcher::Open(const std::shared_ptr<Watchers>& all, int fd, Callback callback, void* data, Watcher*& owner) {
  if (all->cleaning_) return UV_ECANCELED;
  std::unique_ptr<Watcher> watcher(new Watcher(all, callback, data, owner));
  const int error = uv_poll_init_socket(all->loop_, watcher->poll_, fd);
  if (error != 0) return error;
  watcher->poll_->data = watcher.get();
  all->active_.insert(watcher.get());
  owner = watcher.release();
  return 0;
}

int Watcher::Watch(int events) {
  events_ = events;
  return events == 0 ? uv_poll_stop(poll_) : uv_poll_start(poll_, events, OnPoll);
}

void Watcher::Ref(bool on) {
  if (on) {
    uv_ref(AsHandle(poll_));
  } else {
    uv_unref(AsHandle(poll_));
  }
}

void Watcher::Close() {
  owner_ = nullptr;
  callback_ = nullptr;
  all_->active_.erase(this);
  all_->closing_++;
  uv_close(AsHandle(poll_), OnClosed);
}

void Watcher::OnPoll(uv_poll_t* poll, int status, int events) {
  auto* self = static_cast<Watcher*>(poll->data);
  if (self->callback_ == nullptr) return;
  // libuv stops a handle whose descriptor has an error; here an error is one more thing that reading reveals.
  if (status < 0 && self->events_ != 0) uv_poll_start(poll, self->events_, OnPoll);
  self->callback_(self->data_, status, events);
}

void Watcher::OnClosed(uv_handle_t* handle) {
  const std::unique_ptr<Watcher> self(static_cast<Watcher*>(handle->data));
  self->all_->closing_--;
  self->all_->Finish();
}

}  // namespace ktls
