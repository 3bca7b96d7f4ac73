// SPDX-License-Identifier: MIT
//
// The base of every NDIS object: counted references, and a heap that knows how much NDIS keeps.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace undis {

/// Bytes and blocks that NDIS objects occupy right now. Registration followed by deregistration brings both
/// back.
struct HeapUse {
  std::size_t bytes = 0;
  std::size_t blocks = 0;
  bool operator==(const HeapUse&) const = default;
};
HeapUse ndis_heap() noexcept;

class Object {
 public:
  Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  void acquire() const noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() const noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  static void* operator new(std::size_t size);
  static void operator delete(void* p, std::size_t size) noexcept;

 protected:
  virtual ~Object() = default;

 private:
  mutable std::atomic<int> references_{0};
};

/// A counted reference to an Object.
template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  explicit Ref(T* object) noexcept : object_(object) {
    if (object_) object_->acquire();
  }
  explicit Ref(T& object) noexcept : Ref(&object) {}
  Ref(const Ref& other) noexcept : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_) object_->release();
  }

  T* get() const noexcept { return object_; }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  friend bool operator==(const Ref& a, const Ref& b) noexcept { return a.object_ == b.object_; }
  friend bool operator==(const Ref& a, const T* b) noexcept { return a.object_ == b; }

 private:
  T* object_ = nullptr;
};

}  // namespace undis
