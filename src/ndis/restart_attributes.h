// SPDX-License-Identifier: MIT
//
// The list of attributes that goes up a stack while it restarts: the miniport first, then what is above it.
// Pages: ndis/ns-ndis-_ndis_restart_attributes, ndis/nc-ndis-miniport_restart.
//
// Each entry is a block of the pool: drivers may add entries of their own, and NDIS frees them all when the
// drivers above were told.
#pragma once

#include <cstdint>
#include <vector>

#include <ndis.h>

namespace undis {

class Adapter;
struct AdapterTraits;

class RestartAttributes {
 public:
  RestartAttributes() = default;
  ~RestartAttributes();
  RestartAttributes(const RestartAttributes&) = delete;
  RestartAttributes& operator=(const RestartAttributes&) = delete;

  /// One entry, OID_GEN_MINIPORT_RESTART_ATTRIBUTES, from the traits. Stays empty where there is no memory.
  void make(const AdapterTraits& traits);
  NDIS_RESTART_ATTRIBUTES* first() const noexcept { return first_; }
  /// For a filter, which may free an entry with NdisFreeMemory and put one of its own in its place.
  NDIS_RESTART_ATTRIBUTES** list() noexcept { return &first_; }
  /// What a driver has made of the list (it may have put entries before the first one).
  void take(NDIS_RESTART_ATTRIBUTES* first) noexcept { first_ = first; }
  /// Writes what the general entry says now into the traits. True: something is different.
  bool apply(AdapterTraits& traits) const;
  void free() noexcept;

 private:
  NDIS_RESTART_ATTRIBUTES* first_ = nullptr;
};

/// Equal for lists that say the same.
std::uint64_t fingerprint(const NDIS_RESTART_ATTRIBUTES* list) noexcept;

/// The names of the adapter's filter modules as a restarting protocol gets them: each a USHORT length in
/// bytes and the text, the uppermost first.
std::vector<UCHAR> filter_module_names(const Adapter& adapter);

}  // namespace undis
