// SPDX-License-Identifier: MIT
//
// NDIS versions that a driver may register with. Pages: network/version-information-requirements-for-ndis,
// network/overview-of-ndis-versions.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>

namespace undis {

struct Version {
  std::uint8_t major = 0;
  std::uint8_t minor = 0;
  auto operator<=>(const Version&) const = default;
};

/// Every 6.x minor version that Windows has had; NDIS 6.89 is the newest that undis speaks.
inline constexpr std::array<std::uint8_t, 19> kMinorVersions6{0,  1,  20, 30, 40, 50, 51, 60, 70, 80,
                                                              81, 82, 83, 84, 85, 86, 87, 88, 89};
inline constexpr Version kNewestVersion{6, 89};

constexpr bool is_known_version6(Version version) noexcept {
  return version.major == 6 &&
         std::find(kMinorVersions6.begin(), kMinorVersions6.end(), version.minor) != kMinorVersions6.end();
}

}  // namespace undis
