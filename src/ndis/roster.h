// SPDX-License-Identifier: MIT
//
// Objects in the order of their arrival, each of them found and taken out by its address in a time that does
// not depend on how many there are.
//
// Entry   Ref<T> where the list keeps its objects alive, T* where somebody else does
// Order   visits go from the oldest to the newest, whatever the addresses are: runs repeat
// Lock    the owner's
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ndis/object.h"

namespace undis {

template <class T, class Entry = Ref<T>>
class Roster {
 public:
  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }

  /// Behind all others. Nothing happens to one that is there.
  void add(T& object) {
    const auto [place, fresh] = places_.try_emplace(&object);
    if (!fresh) return;
    entries_.emplace_back(&object);
    place->second = std::prev(entries_.end());
  }
  /// What was in the list, so that a last reference is dropped where the caller wants it; empty: it was not
  /// there.
  Entry take_out(const T& object) noexcept {
    const auto place = places_.find(&object);
    if (place == places_.end()) return {};
    Entry taken = std::move(*place->second);
    entries_.erase(place->second);
    places_.erase(place);
    return taken;
  }
  /// A reference to each.
  std::vector<Ref<T>> all() const {
    std::vector<Ref<T>> found;
    found.reserve(entries_.size());
    for (const Entry& entry : entries_) found.emplace_back(&*entry);
    return found;
  }

 private:
  std::list<Entry> entries_;
  std::unordered_map<const T*, typename std::list<Entry>::iterator> places_;  ///< looked up only
};

}  // namespace undis
