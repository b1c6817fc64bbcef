// Memory for opened records that goes to the application as it is, and comes back when V8 has collected it. As memory of
// V8's own it would be taken from the system and given back for every few megabytes of data, page by page, and its growth
// would have the whole heap marked again and again.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "common.h"

namespace tls13 {

namespace {

// Sizes of blocks are multiples of this: from one full record on, up to what is read at once.
constexpr size_t kStep = 1 << 14;
constexpr size_t kSizes = 8;
// Elements of 8 bytes. V8 collects its young generation when that is full, and Buffers fill it slowly: their memory is
// elsewhere. With some more on the heap for each, they are back after some megabytes instead of some tens, and what V8
// believes to be in use stays within the bounds that have it mark the whole heap.
constexpr size_t kLitterLength = 2048;
// It collects it, too, when that has so much memory outside of the heap, but looks only when it allocates such memory
// itself.
constexpr size_t kCollectedBytes = 32 << 20;
// All blocks together, lent and free.
constexpr size_t kMostBytes = 48 << 20;
// What one call of `Trim` frees at most: wiping it takes about a millisecond.
constexpr size_t kTrimmedAtOnce = 1 << 23;

class Blocks;

// In front of its memory. While it is lent, it holds the pool that it goes back to.
struct Block {
  size_t size;
  size_t lent;
  std::shared_ptr<Blocks> pool;

  uint8_t* data() { return reinterpret_cast<uint8_t*>(this + 1); }

  static Block* Create(size_t size) {
    void* memory = std::malloc(sizeof(Block) + size);
    return memory == nullptr ? nullptr : new (memory) Block{size, 0, nullptr};
  }

  // What it held was confidential on the wire.
  static void Destroy(Block* block) {
    OPENSSL_cleanse(block->data(), block->size);
    block->~Block();
    std::free(block);
  }
};

class Blocks {
 public:
  Blocks() = default;
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;
  ~Blocks() {
    for (Size& size : sizes_) {
      for (Block* block : size.free) Block::Destroy(block);
    }
  }

  size_t total() const { return total_; }
  size_t lent() const { return lent_; }

  // Null when the pool has none of that length, and may not grow.
  Block* Take(size_t length) {
    const size_t index = IndexOf(length);
    if (index >= kSizes) return nullptr;
    Size& size = sizes_[index];
    Block* block = size.free.empty() ? Grow((index + 1) * kStep) : size.free.back();
    if (block == nullptr) return nullptr;
    if (!size.free.empty()) size.free.pop_back();
    size.unused = std::min(size.unused, size.free.size());
    block->lent = length;
    lent_ += length;
    return block;
  }

  void Return(Block* block) {
    lent_ -= block->lent;
    sizes_[IndexOf(block->size)].free.push_back(block);
  }

  // Frees blocks that were not needed since the last call.
  void Trim() {
    size_t room = kTrimmedAtOnce;
    for (Size& size : sizes_) {
      size_t count = 0;
      for (; count < size.unused && size.free[count]->size <= room; ++count) {
        room -= size.free[count]->size;
        total_ -= size.free[count]->size;
        Block::Destroy(size.free[count]);
      }
      size.free.erase(size.free.begin(), size.free.begin() + static_cast<std::ptrdiff_t>(count));
      size.unused = size.free.size();
    }
  }

 private:
  struct Size {
    // The one that came back last is taken first.
    std::vector<Block*> free;
    // The fewest that were free since the last `Trim`.
    size_t unused = 0;
  };

  static size_t IndexOf(size_t length) { return length == 0 ? 0 : (length - 1) / kStep; }

  Block* Grow(size_t size) {
    if (total_ + size > kMostBytes) return nullptr;
    Block* block = Block::Create(size);
    if (block != nullptr) total_ += size;
    return block;
  }

  std::array<Size, kSizes> sizes_;
  size_t total_ = 0;
  size_t lent_ = 0;
};

void GiveBack(napi_env, void*, void* hint) {
  Block* block = static_cast<Block*>(hint);
  const std::shared_ptr<Blocks> pool = std::move(block->pool);
  pool->Return(block);
}

class BlockPool : public Napi::ObjectWrap<BlockPool> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "BlockPool",
                       {InstanceMethod<&BlockPool::Take>("take"), InstanceMethod<&BlockPool::Trim>("trim")});
  }

  explicit BlockPool(const Napi::CallbackInfo& info) : Napi::ObjectWrap<BlockPool>(info) {}

 private:
  // (length): a Buffer of that length that is not initialised, or undefined
  Napi::Value Take(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const size_t length = NumberOf(info[0], "length");
    Block* block = blocks_->Take(length);
    if (block == nullptr) return env.Undefined();
    napi_value buffer;
    // A runtime that keeps all memory in a cage takes none from outside.
    if (napi_create_external_buffer(env, length, block->data(), GiveBack, block, &buffer) != napi_ok) {
      blocks_->Return(block);
      return env.Undefined();
    }
    block->pool = blocks_;
    Napi::Array::New(env, kLitterLength);
    if (blocks_->lent() >= kCollectedBytes) Napi::ArrayBuffer::New(env, 1);
    return Napi::Value(env, buffer);
  }

  // (): the bytes that are left
  Napi::Value Trim(const Napi::CallbackInfo& info) {
    blocks_->Trim();
    return Napi::Number::New(info.Env(), static_cast<double>(blocks_->total()));
  }

  std::shared_ptr<Blocks> blocks_ = std::make_shared<Blocks>();
};

}  // namespace

void DefineBlockPool(Napi::Env env, Napi::Object exports) { exports.Set("BlockPool", BlockPool::Define(env)); }

}  // namespace tls13
