// SPDX-License-Identifier: MIT
//
// Writing records, and making lines of them.
#include "verifier/trace.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "kernel/system.h"
#include "kernel/thread.h"
#include "machine/per_thread.h"
#include "machine/processor.h"

namespace undis::verifier {
namespace {

constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15U;

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * kSpread;
  return hash ^ (hash >> 32);
}

std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = mix(kSpread, text.size());
  for (; text.size() >= sizeof(std::uint64_t); text.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof(word));
    hash = mix(hash, word);
  }
  for (const char c : text) hash = mix(hash, static_cast<unsigned char>(c));
  return hash;
}

/// The hash of what stands at an address, which is the same text each time: worked out once.
class Known {
 public:
  template <class Text>
  std::uint64_t of(const void* address, Text text) {
    Entry& entry = entries_[reinterpret_cast<std::uintptr_t>(address) * kSpread >> kShift];
    if (entry.address != address) [[unlikely]]
      work_out(entry, address, text);
    return entry.hash;
  }

 private:
  struct Entry {
    const void* address = nullptr;
    std::uint64_t hash = 0;
  };
  template <class Text>
  [[gnu::noinline]] static void work_out(Entry& entry, const void* address, Text text) {
    entry = {address, hash_of(text())};
  }
  static constexpr unsigned kShift = 64 - 8;  // of 256 places
  std::array<Entry, 256> entries_{};
};

std::string_view name_of(const kernel::Driver* driver) noexcept {
  return driver == nullptr ? std::string_view("host") : std::string_view(driver->name());
}

/// Held only where another processor may read or write the same ring.
class SCOPED_CAPABILITY HoldIf {
 public:
  HoldIf(kernel::Lock& lock, bool really) noexcept ACQUIRE(lock) : lock_(really ? &lock : nullptr) { take(); }
  ~HoldIf() RELEASE() { drop(); }
  HoldIf(const HoldIf&) = delete;
  HoldIf& operator=(const HoldIf&) = delete;

 private:
  void take() noexcept NO_THREAD_SAFETY_ANALYSIS {
    if (lock_ != nullptr) lock_->lock();
  }
  void drop() noexcept NO_THREAD_SAFETY_ANALYSIS {
    if (lock_ != nullptr) lock_->unlock();
  }
  kernel::Lock* const lock_;
};

}  // namespace

struct Trace::Ring {
  mutable kernel::Lock lock;
  std::vector<Record> records GUARDED_BY(lock);  ///< once `keep` are there, a circle
  std::size_t next GUARDED_BY(lock) = 0;         ///< in a full circle: the oldest, which is written over next
  std::deque<std::string> texts GUARDED_BY(lock);     ///< of the records of kind Text, oldest first
  std::vector<std::string> strands GUARDED_BY(lock);  ///< names by number, of those that were seen
  std::uint64_t hash GUARDED_BY(lock) = 0;
  Known drivers GUARDED_BY(lock);

  void put(const Record& record, std::size_t keep) REQUIRES(lock) {
    if (records.size() < keep) {
      records.push_back(record);
      return;
    }
    if (records[next].kind == Kind::Text) texts.pop_front();
    records[next] = record;
    next = next + 1 == keep ? 0 : next + 1;
  }

  [[gnu::noinline, gnu::cold]] void name_strand(std::uint32_t number, const kernel::Thread* thread)
      REQUIRES(lock) {
    if (strands.size() <= number) strands.resize(number + 1);
    strands[number] = thread == nullptr ? "host" : thread->name();
  }

  /// Oldest first, at most `count`.
  void read(std::size_t count, std::vector<Line>& lines) const REQUIRES(lock) {
    const std::size_t size = records.size();
    const std::size_t skip = size > count ? size - count : 0;
    auto text = texts.begin();
    for (std::size_t i = 0; i < size; ++i) {
      const Record& record = records[(next + i) % size];
      const bool is_text = record.kind == Kind::Text;
      if (i >= skip)
        lines.push_back(
            {is_text ? *text : text_of(record), {record.time, strands[record.strand], record.irql}});
      if (is_text) ++text;
    }
  }

  static std::string text_of(const Record& record) {
    const std::string_view driver = name_of(record.driver);
    switch (record.kind) {
    case Kind::Enter:
      return fmt::format("> {}!{}", driver, record.name);
    case Kind::Leave:
      return fmt::format("< {}!{}", driver, record.name);
    case Kind::Call:
      return fmt::format("  {} calls {}", driver, record.name);
    case Kind::Text:
      break;
    }
    return {};
  }
};

Trace::Trace(std::size_t keep, std::size_t rings) : keep_(keep), shared_(rings > 1) {
  for (std::size_t i = 0; i < rings; ++i) {
    rings_.push_back(std::make_unique<Ring>());
    const HoldIf hold(rings_.back()->lock, shared_);
    if (keep != kAll) rings_.back()->records.reserve(keep);
  }
}

Trace::~Trace() = default;

Trace::Ring& Trace::here() const noexcept {
  return *rings_[shared_ && machine::processor_here != nullptr ? machine::processor_here->index : 0];
}

inline Trace::Record Trace::stamp(Ring& ring, Kind kind) NO_THREAD_SAFETY_ANALYSIS {
  Record record{kernel::now(), nullptr, nullptr, 0, kind, 0};
  const kernel::Thread* const thread = kernel::Thread::current_or_null();
  if (thread != nullptr) {
    record.strand = thread->id();
    record.irql = kernel::irql();
  }
  if (ring.strands.size() <= record.strand || ring.strands[record.strand].empty()) [[unlikely]]
    ring.name_strand(record.strand, thread);
  return record;
}

void Trace::add(Kind kind, const kernel::Driver* driver, const char* name) {
  Ring& ring = here();
  const HoldIf hold(ring.lock, shared_);
  ring.hash = mix(ring.hash, static_cast<std::uint64_t>(kind));
  ring.hash = mix(ring.hash, ring.drivers.of(driver, [driver] { return name_of(driver); }));
  // Names live for ever, and come again in each trace.
  ring.hash =
      mix(ring.hash, machine::per_thread<Known>().of(name, [name] { return std::string_view(name); }));
  if (keep_ == 0) return;
  Record record = stamp(ring, kind);
  record.driver = driver;
  record.name = name;
  ring.put(record, keep_);
}

void Trace::add(std::initializer_list<std::string_view> line) {
  fmt::basic_memory_buffer<char, 256> text;
  for (const std::string_view part : line) text.append(part);
  Ring& ring = here();
  const HoldIf hold(ring.lock, shared_);
  ring.hash = mix(ring.hash, hash_of({text.data(), text.size()}));
  if (keep_ == 0) return;
  ring.texts.emplace_back(text.data(), text.size());
  ring.put(stamp(ring, Kind::Text), keep_);
}

std::vector<Trace::Line> Trace::lines() const {
  return last(static_cast<std::size_t>(-1));
}

std::vector<Trace::Line> Trace::last(std::size_t count) const {
  std::vector<Line> found;
  for (const auto& ring : rings_) {
    const HoldIf hold(ring->lock, shared_);
    ring->read(count, found);
  }
  if (!shared_) return found;
  std::ranges::stable_sort(found, {}, [](const Line& line) { return line.place.time; });
  if (found.size() > count) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(count));
  return found;
}

std::uint64_t Trace::hash() const {
  std::uint64_t all = 0;
  for (const auto& ring : rings_) {
    const HoldIf hold(ring->lock, shared_);
    all = rings_.size() == 1 ? ring->hash : mix(all, ring->hash);
  }
  return all;
}

}  // namespace undis::verifier
