// SPDX-License-Identifier: MIT
//
// How closely drivers are watched. Fixed for the life of a System; read at each call, so it is one byte.
#pragma once

#include <cstdint>

namespace undis::kernel {

enum class Watch : std::uint8_t {
  Nothing,  ///< calls are not checked and not traced; misuse that is found on the way is still told
  Holder,   ///< the same, and of each chain of lists on its way: who got it last
  All,      ///< every call is checked and traced, every packet has one holder at a time
};

namespace detail {
[[gnu::visibility("hidden")]] extern constinit Watch watch;
}

inline Watch watch() noexcept {
  return detail::watch;
}
inline bool watches_all() noexcept {
  return detail::watch == Watch::All;
}

}  // namespace undis::kernel
