// SPDX-License-Identifier: MIT
//
// Objects by their device names, upper and lower case being the same. Each holds its own place in the index,
// which finds it by one look at a bucket; whoever owns the objects keeps them alive.
//
// Owner   whose index it is; what is in it is NamedIn<Owner> and tells its name by device_name()
// Lock    the owner's
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <boost/container_hash/hash.hpp>
#include <boost/intrusive/unordered_set.hpp>

#include "kernel/unicode.h"

namespace undis {

/// Base of what stands in a NameIndex of an Owner's.
template <class Owner>
using NamedIn = boost::intrusive::unordered_set_base_hook<boost::intrusive::tag<Owner>,
                                                          boost::intrusive::store_hash<true>>;

template <class T, class Owner>
class NameIndex {
 public:
  /// False: another one has that name.
  bool add(T& object) {
    if (2 * (objects_.size() + 1) > buckets_.size()) grow();
    return objects_.insert(object).second;
  }
  /// Nothing happens to one that is not there.
  void remove(T& object) noexcept {
    if (static_cast<const NamedIn<Owner>&>(object).is_linked()) objects_.erase(objects_.iterator_to(object));
  }
  T* find(std::u16string_view name) const noexcept {
    const auto found = objects_.find(name, Hash{}, Equal{});
    return found == objects_.end() ? nullptr : &*found;
  }

 private:
  struct Name {
    using type = std::u16string_view;
    type operator()(const T& object) const noexcept { return object.device_name(); }
  };
  struct Hash {
    std::size_t operator()(std::u16string_view name) const noexcept {
      std::size_t hash = 0;
      for (const char16_t unit : name) boost::hash_combine(hash, kernel::upcase(unit));
      return hash;
    }
  };
  struct Equal {
    bool operator()(std::u16string_view a, std::u16string_view b) const noexcept {
      return kernel::equal_ignore_case(a, b);
    }
  };
  using Set =
      boost::intrusive::unordered_set<T, boost::intrusive::base_hook<NamedIn<Owner>>,
                                      boost::intrusive::key_of_value<Name>, boost::intrusive::hash<Hash>,
                                      boost::intrusive::equal<Equal>, boost::intrusive::compare_hash<true>,
                                      boost::intrusive::power_2_buckets<true>>;
  using Buckets = std::vector<typename Set::bucket_type>;

  void grow() {
    Buckets more(2 * buckets_.size());
    objects_.rehash({more.data(), more.size()});
    buckets_.swap(more);
  }

  static constexpr std::size_t kFirstBuckets = 16;
  Buckets buckets_{kFirstBuckets};
  mutable Set objects_{{buckets_.data(), buckets_.size()}};
};

}  // namespace undis
