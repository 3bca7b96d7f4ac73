// SPDX-License-Identifier: MIT
//
// Objects in the order of their arrival. Each holds its own place in the list: to come and to go allocates
// nothing, and touches the object and its neighbours however many there are.
//
// Owner   whose list it is; an object is Listed<Owner> once for each kind of owner
// Entry   Ref<T> where the list keeps its objects alive, T* where somebody else does
// Order   visits go from the oldest to the newest, whatever the addresses are: runs repeat
// Lock    the owner's
#pragma once

#include <type_traits>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "ndis/object.h"

namespace undis {

/// Base of what stands in a Roster of an Owner's.
template <class Owner>
using Listed = boost::intrusive::list_base_hook<boost::intrusive::tag<Owner>>;

template <class T, class Owner, class Entry = Ref<T>>
class Roster {
 public:
  Roster() = default;
  ~Roster() {
    while (!objects_.empty()) take_out(objects_.front());
  }
  Roster(const Roster&) = delete;
  Roster& operator=(const Roster&) = delete;

  bool empty() const noexcept { return objects_.empty(); }
  auto begin() const noexcept { return objects_.begin(); }
  auto end() const noexcept { return objects_.end(); }

  /// Behind all others. Nothing happens to one that is there.
  void add(T& object) noexcept {
    if (is_listed(object)) return;
    objects_.push_back(object);
    if constexpr (kKeeps) object.acquire();
  }
  /// What was in the list, so that a last reference is dropped where the caller wants it; empty: it was not
  /// there.
  Entry take_out(T& object) noexcept {
    if (!is_listed(object)) return {};
    objects_.erase(objects_.iterator_to(object));
    Entry taken(&object);
    if constexpr (kKeeps) object.release();
    return taken;
  }
  /// A reference to each.
  std::vector<Ref<T>> all() const {
    std::vector<Ref<T>> found;
    found.reserve(objects_.size());
    for (T& object : objects_) found.emplace_back(object);
    return found;
  }

 private:
  static constexpr bool kKeeps = !std::is_pointer_v<Entry>;
  static bool is_listed(const T& object) noexcept {
    return static_cast<const Listed<Owner>&>(object).is_linked();
  }
  /// Who may only look at the list may change what stands in it.
  mutable boost::intrusive::list<T, boost::intrusive::base_hook<Listed<Owner>>> objects_;
};

}  // namespace undis
