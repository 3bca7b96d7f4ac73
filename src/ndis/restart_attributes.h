// SPDX-License-Identifier: MIT
//
// What the drivers below say of the stack when it restarts: the list that filters may change and protocols
// are given.
//
// Page    ndis/ns-ndis-_ndis_restart_attributes, ndis/nc-ndis-filter_restart
// Memory  Pool blocks: a filter may free an entry with NdisFreeMemory and put one of its own in its place;
// what is in the list in the
//         end is freed here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ndis.h>

namespace undis {

class Adapter;

class RestartAttributes {
 public:
  /// The general attributes, as the miniport has set them. Without memory the list is empty.
  explicit RestartAttributes(const Adapter& adapter);
  ~RestartAttributes();
  RestartAttributes(const RestartAttributes&) = delete;
  RestartAttributes& operator=(const RestartAttributes&) = delete;

  PNDIS_RESTART_ATTRIBUTES* list() noexcept { return &first_; }

 private:
  std::vector<NDIS_OID> oids_;
  PNDIS_RESTART_ATTRIBUTES first_ = nullptr;
};

/// Equal for lists that say the same.
std::uint64_t fingerprint(const NDIS_RESTART_ATTRIBUTES* list) noexcept;

/// The names of the adapter's filter modules as a restarting protocol gets them: each a USHORT length in
/// bytes and the text, the uppermost first.
std::vector<UCHAR> filter_module_names(const Adapter& adapter);

}  // namespace undis
