// SPDX-License-Identifier: MIT
//
// The book of pools: making, freeing and sweeping them.
#include "ndis/items.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "kernel/pool.h"
#include "kernel/thread.h"
#include "ndis/adapter.h"
#include "ndis/buffer_pool.h"
#include "ndis/callbacks.h"
#include "ndis/library.h"
#include "ndis/nbl_pool.h"
#include "ndis/packet_pool.h"

namespace undis {
namespace {

constexpr ULONG kNdisTag = 0x7369644E;  // 'Ndis'

/// The innermost frame of a Miniport callback of this thread, or nullptr.
const kernel::CallFrame* innermost_miniport_callback() noexcept {
  const kernel::Thread* const thread = kernel::Thread::current_or_null();
  for (const kernel::CallFrame* frame = thread != nullptr ? thread->calls : nullptr; frame != nullptr;
       frame = frame->up)
    if (frame->kind == kernel::CallFrame::Kind::Callback &&
        std::string_view(frame->name).starts_with("Miniport"))
      return frame;
  return nullptr;
}

/// The adapter at that address, if one is there.
Ref<Adapter> adapter_at(const void* object) {
  if (object == nullptr) return {};
  return Library::current().find_adapter([object](const Adapter& adapter) { return &adapter == object; });
}

const char* pool_word(HandleKind kind) noexcept {
  switch (kind) {
  case HandleKind::NblPool:
    return "net buffer list pool";
  case HandleKind::NetBufferPool:
    return "net buffer pool";
  case HandleKind::PacketPool:
    return "packet pool";
  default:
    return "buffer pool";
  }
}

}  // namespace

// ---- one pool ----

DriverPool::DriverPool(HandleKind kind, ItemKind items, kernel::Driver* owner, ULONG tag)
    : kind_(kind), items_(items), owner_(owner), tag_(tag), origin_(kernel::Stack::capture(2)) {
  if (owner == nullptr) return;
  if (const kernel::CallFrame* const callback = kernel::current_callback();
      callback != nullptr && std::string_view(callback->name) == callbacks::kFilterAttach.name)
    made_in_attach_of_ = callback->object;
  const kernel::CallFrame* const frame = innermost_miniport_callback();
  if (const Ref<Adapter> adapter = adapter_at(frame != nullptr ? frame->object : nullptr); adapter) {
    made_for_ = adapter.get();
    made_for_name_ = adapter->name();
  }
}

std::string DriverPool::name() const {
  if (tag_ == 0) return pool_word(kind_);
  return fmt::format("{} '{}'", pool_word(kind_), kernel::pool_tag_text(tag_).text);
}

ItemPool& DriverPool::add_blocks(std::size_t header, std::size_t body, std::size_t poisoned,
                                 std::uint32_t limit) {
  blocks_.push_back(std::make_unique<ItemPool>(items_, header, body, poisoned, limit));
  blocks_.back()->of = this;
  blocks_.back()->serve_quickly(owner_);
  return *blocks_.back();
}

std::uint32_t DriverPool::live() const noexcept {
  std::uint32_t sum = 0;
  for (const auto& blocks : blocks_) sum += blocks->live();
  return sum;
}

std::vector<Item*> DriverPool::live_items() {
  std::vector<Item*> found;
  for (const auto& blocks : blocks_) {
    const std::vector<Item*> some = blocks->live_items();
    found.insert(found.end(), some.begin(), some.end());
  }
  return found;
}

void DriverPool::block_returned() noexcept {
  if (!open_ && live() == 0) ItemBook::current().drop(*this);
}

// ---- the book ----

ItemBook::ItemBook()
    : lists_(new NblPool(nullptr, NblPool::Parameters{.tag = kNdisTag, .with_buffer = true})),
      buffers_(new NbPool(nullptr, kNdisTag, 0)),
      packets_(new PacketPool(nullptr, ItemPool::kNoLimit, PROTOCOL_RESERVED_SIZE_IN_PACKET)),
      mdls_(new BufferPool(nullptr)) {
  go_quickly(!kernel::watches_all() && !kernel::System::current().machine().single_threaded());
}

ItemBook::~ItemBook() {
  go_quickly(false);
  pools_.clear();
  lists_ = {};
  buffers_ = {};
  packets_ = {};
  mdls_ = {};
  end_item_quarantine();
}

std::vector<DriverPool*> ItemBook::own() const {
  return {lists_.get(), buffers_.get(), packets_.get(), mdls_.get()};
}

std::uint32_t ItemBook::own_live() const noexcept {
  return lists_->live() + buffers_->live() + packets_->live() + mdls_->live();
}

ItemBook& ItemBook::current() noexcept {
  return Library::current().items();
}

NDIS_HANDLE ItemBook::add(const Ref<DriverPool>& pool) {
  pool->handle_ = Library::current().handles().open(pool->kind(), static_cast<void*>(pool.get()));
  if (pool->handle_ == nullptr) return nullptr;
  const kernel::Hold hold(lock_);
  pools_.push_back(pool);
  return pool->handle_;
}

void ItemBook::free(DriverPool& pool) {
  const Ref<DriverPool> alive(pool);
  const kernel::CallFrame* const frame = innermost_miniport_callback();
  const std::string_view callback = frame != nullptr ? frame->name : "";
  if ((callback == "MiniportHalt" || callback == "MiniportHaltEx") && pool.made_for_ != nullptr &&
      pool.made_for_ != frame->object) {
    const Caller who = caller();
    const Ref<Adapter> halted = adapter_at(frame->object);
    Library::current().observer().on(WrongPlace{
        WrongPlace::Kind::OtherInstance, who.driver, who.function, &pool,
        fmt::format(
            "{} of {} frees the {} that was made for {}: it may touch only what belongs to its own adapter",
            callback, halted ? halted->name() : "one adapter", pool.name(), pool.made_for_name_),
        kernel::Stack::capture(1)});
  }
  Library::current().handles().close(pool.handle_);
  pool.open_ = false;
  for (const auto& blocks : pool.blocks_) blocks->end_quick_service();
  const std::vector<Item*> out = pool.live_items();
  if (out.empty()) {
    drop(pool);
    return;
  }
  tell_item_misuse(pool.items(), &pool, false,
                   fmt::format("the {} is freed while {} {}{} of it {} not", pool.name(), out.size(),
                               to_text(pool.items()), out.size() == 1 ? "" : "s",
                               out.size() == 1 ? "is" : "are"),
                   out.front()->origin);
}

void ItemBook::drop(DriverPool& pool) noexcept {
  Ref<DriverPool> gone;
  const kernel::Hold hold(lock_);
  const auto at = std::ranges::find_if(pools_, [&](const Ref<DriverPool>& p) { return p == &pool; });
  if (at == pools_.end()) return;
  gone = std::move(*at);
  pools_.erase(at);
}

std::vector<Ref<DriverPool>> ItemBook::pools_of(const kernel::Driver& driver) const {
  std::vector<Ref<DriverPool>> found;
  const kernel::Hold hold(lock_);
  for (const Ref<DriverPool>& pool : pools_)
    if (pool->owner() == &driver) found.push_back(pool);
  return found;
}

// ---- what is left ----

void tell_pools_left(kernel::Driver& driver, const FilterModule* module, const char* function,
                     const std::string& name) {
  for (const Ref<DriverPool>& pool : ItemBook::current().pools_of(driver)) {
    if (pool->made_in_attach_of_ != module || !pool->open() || pool->told_) continue;
    pool->told_ = true;
    Library::current().observer().on(FilterMisuse{
        &driver, "LIFE-287", function, name,
        fmt::format("{} is over and the {} that was made for the module in FilterAttach is not freed",
                    function, pool->name()),
        pool->origin()});
  }
}

void sweep_items(kernel::Driver& driver, LeftBehind::When when) {
  ItemBook& book = ItemBook::current();
  Observer& observer = Library::current().observer();
  const auto tell_out = [&](const DriverPool& pool, const std::vector<Item*>& out) {
    if (driver.harness() || out.empty()) return;
    const bool unload = when == LeftBehind::When::Unload;
    observer.on(
        ItemsOut{&driver, pool.items(), pool.name(),
                 unload ? "not freed when the driver was unloaded" : "not freed when DriverEntry failed",
                 out.size(), out.front()->origin});
  };
  for (const Ref<DriverPool>& pool : book.pools_of(driver)) {
    tell_out(*pool, pool->live_items());
    if (!driver.harness() && pool->open() && !pool->told_)
      observer.on(LeftBehind{when, &driver, pool->kind(), pool->name(), false, false, pool->origin()});
    if (pool->open()) Library::current().handles().close(pool->handle());
    book.drop(*pool);
  }
  // What came out of NDIS' own pools: clones without a pool, buffers without one.
  for (DriverPool* const pool : book.own()) {
    std::vector<Item*> out = pool->live_items();
    std::erase_if(out, [&driver](const Item* item) { return item->owner != &driver; });
    tell_out(*pool, out);
    for (Item* const item : out) item->pool->give(item);
  }
}

}  // namespace undis
