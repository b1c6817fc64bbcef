#include "watcher.h"

#include <algorithm>
#include <cerrno>
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
  std::shared_ptr<Watchers> all(new Watchers());
  if (!all->epoll_.open()) return nullptr;
  auto hold = std::make_unique<Hold>(Hold{all});
  if (napi_add_async_cleanup_hook(env, OnCleanup, hold.get(), &all->hook_) != napi_ok) return nullptr;
  if (uv_poll_init(loop, all->poll_, all->epoll_.get()) != 0) {
    napi_remove_async_cleanup_hook(all->hook_);
    return nullptr;
  }
  hold.release();
  all->poll_->data = all.get();
  uv_poll_start(all->poll_, UV_READABLE, OnReady);
  uv_unref(AsHandle(all->poll_));
  return all;
}

Watchers::Watchers()
    : memory_(std::make_unique<char[]>(uv_handle_size(UV_POLL))),
      poll_(reinterpret_cast<uv_poll_t*>(memory_.get())),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

// The environment goes, but not before libuv has let go of the handle.
void Watchers::OnCleanup(napi_async_cleanup_hook_handle, void* data) {
  auto* hold = static_cast<Hold*>(data);
  hold->all->closed_ = true;
  hold->all->poll_->data = hold;
  uv_close(AsHandle(hold->all->poll_), OnClosed);
}

void Watchers::OnClosed(uv_handle_t* handle) {
  const std::unique_ptr<Hold> hold(static_cast<Hold*>(handle->data));
  hold->all->epoll_.Close();
  napi_remove_async_cleanup_hook(hold->all->hook_);
}

void Watchers::OnReady(uv_poll_t* poll, int, int) { static_cast<Watchers*>(poll->data)->Dispatch(); }

void Watchers::Dispatch() {
  const int count = epoll_wait(epoll_.get(), ready_.data(), static_cast<int>(ready_.size()), 0);
  end_ = static_cast<size_t>(std::max(count, 0));
  for (next_ = 0; next_ < end_;) {
    const epoll_event event = ready_[next_++];
    if (event.data.ptr != nullptr) static_cast<Watcher*>(event.data.ptr)->Ready(event.events);
  }
}

void Watchers::Forget(const Watcher* watcher) {
  for (size_t index = next_; index < end_; index++) {
    if (ready_[index].data.ptr == watcher) ready_[index].data.ptr = nullptr;
  }
}

void Watchers::Count(bool on) {
  if (on ? counted_++ == 0 : --counted_ == 0) (on ? uv_ref : uv_unref)(AsHandle(poll_));
}

Watcher::Watcher(std::shared_ptr<Watchers> all, Callback callback, void* data)
    : all_(std::move(all)), callback_(callback), data_(data) {}

int Watcher::Watch(int fd, int events) {
  if ((events & ~registered_) != 0) {
    fd_ = fd;
    const int error = Register(events);
    if (error != 0) return error;
  }
  wanted_ = events;
  UpdateCount();
  return 0;
}

void Watcher::Ref(bool on) {
  referenced_ = on;
  UpdateCount();
}

void Watcher::Close() {
  wanted_ = 0;
  UpdateCount();
  if (registered_ == 0) return;
  Register(0);
  all_->Forget(this);
}

int Watcher::Register(int events) {
  if (all_->closed_) return -ECANCELED;
  epoll_event event = {};
  event.events = ((events & kReadable) != 0 ? EPOLLIN : 0U) | ((events & kWritable) != 0 ? EPOLLOUT : 0U);
  event.data.ptr = this;
  const int operation = registered_ == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  if (epoll_ctl(all_->epoll_.get(), operation, fd_, &event) != 0) return -errno;
  registered_ = events;
  return 0;
}

void Watcher::Ready(uint32_t events) {
  int ready = 0;
  // What has gone wrong with the connection is what reading and writing will tell.
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  if (broken || (events & EPOLLIN) != 0) ready |= kReadable;
  if (broken || (events & EPOLLOUT) != 0) ready |= kWritable;
  ready &= wanted_;
  if (ready == 0) {
    Register(wanted_);
  } else {
    callback_(data_, ready);
  }
}

void Watcher::UpdateCount() {
  const bool count = referenced_ && wanted_ != 0;
  if (count == counted_) return;
  counted_ = count;
  all_->Count(count);
}

}  // namespace ktls
