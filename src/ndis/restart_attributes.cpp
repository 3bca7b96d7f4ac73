// SPDX-License-Identifier: MIT
//
// Making, reading and freeing the list of restart attributes.
#include "ndis/restart_attributes.h"

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "kernel/pool.h"
#include "kernel/system.h"
#include "ndis/filter_module.h"

namespace undis {
namespace {

constexpr ULONG kTag = 0x7452444E;  // 'NDRt'

const NDIS_RESTART_GENERAL_ATTRIBUTES* general_of(const NDIS_RESTART_ATTRIBUTES* first) {
  for (const NDIS_RESTART_ATTRIBUTES* entry = first; entry != nullptr; entry = entry->Next)
    if (entry->Oid == OID_GEN_MINIPORT_RESTART_ATTRIBUTES &&
        entry->DataLength >= NDIS_SIZEOF_RESTART_GENERAL_ATTRIBUTES_REVISION_1)
      return reinterpret_cast<const NDIS_RESTART_GENERAL_ATTRIBUTES*>(entry->Data);
  return nullptr;
}

}  // namespace

RestartAttributes::~RestartAttributes() {
  if (kernel::System::current_or_null() != nullptr) free();
}

void RestartAttributes::make(const AdapterTraits& traits) {
  free();
  kernel::Pool::Request request;
  request.size = offsetof(NDIS_RESTART_ATTRIBUTES, Data) + sizeof(NDIS_RESTART_GENERAL_ATTRIBUTES);
  request.tag = kTag;
  request.zero = true;
  request.owner = &kernel::System::current().host_driver();
  auto* const entry =
      static_cast<NDIS_RESTART_ATTRIBUTES*>(kernel::System::current().pool().allocate(request));
  if (entry == nullptr) return;
  entry->Oid = OID_GEN_MINIPORT_RESTART_ATTRIBUTES;
  entry->DataLength = sizeof(NDIS_RESTART_GENERAL_ATTRIBUTES);
  NDIS_RESTART_GENERAL_ATTRIBUTES general{};
  general.Header = {NDIS_OBJECT_TYPE_RESTART_GENERAL_ATTRIBUTES, NDIS_RESTART_GENERAL_ATTRIBUTES_REVISION_2,
                    NDIS_SIZEOF_RESTART_GENERAL_ATTRIBUTES_REVISION_2};
  general.MtuSize = traits.mtu;
  general.MaxXmitLinkSpeed = traits.max_transmit_speed;
  general.MaxRcvLinkSpeed = traits.max_receive_speed;
  general.LookaheadSize = traits.lookahead;
  general.MacOptions = traits.mac_options;
  general.SupportedPacketFilters = traits.supported_packet_filters;
  general.MaxMulticastListSize = traits.max_multicast_list;
  general.RecvScaleCapabilities = traits.rss_capabilities.empty()
                                      ? nullptr
                                      : reinterpret_cast<PNDIS_RECEIVE_SCALE_CAPABILITIES>(
                                            const_cast<std::uint8_t*>(traits.rss_capabilities.data()));
  general.AccessType = traits.access_type;
  general.ConnectionType = traits.connection_type;
  general.SupportedStatistics = traits.supported_statistics;
  general.DataBackFillSize = traits.data_backfill;
  general.ContextBackFillSize = traits.context_backfill;
  general.SupportedOidList = const_cast<NDIS_OID*>(traits.supported_oids.data());
  general.SupportedOidListLength = static_cast<ULONG>(traits.supported_oids.size() * sizeof(NDIS_OID));
  std::memcpy(entry->Data, &general, sizeof(general));
  first_ = entry;
}

bool RestartAttributes::apply(AdapterTraits& traits) const {
  const NDIS_RESTART_GENERAL_ATTRIBUTES* const general = general_of(first_);
  if (general == nullptr) return false;
  bool changed = false;
  const auto set = [&changed](auto& trait, auto value) {
    const auto now = static_cast<std::remove_reference_t<decltype(trait)>>(value);
    if (trait == now) return;
    trait = now;
    changed = true;
  };
  set(traits.mtu, general->MtuSize);
  set(traits.max_transmit_speed, general->MaxXmitLinkSpeed);
  set(traits.max_receive_speed, general->MaxRcvLinkSpeed);
  set(traits.lookahead, general->LookaheadSize);
  set(traits.mac_options, general->MacOptions);
  set(traits.supported_packet_filters, general->SupportedPacketFilters);
  set(traits.max_multicast_list, general->MaxMulticastListSize);
  set(traits.access_type, general->AccessType);
  set(traits.connection_type, general->ConnectionType);
  set(traits.supported_statistics, general->SupportedStatistics);
  set(traits.data_backfill, general->DataBackFillSize);
  set(traits.context_backfill, general->ContextBackFillSize);
  if (general->SupportedOidList != nullptr || general->SupportedOidListLength == 0) {
    const std::vector<NDIS_OID> oids(general->SupportedOidList,
                                     general->SupportedOidList +
                                         general->SupportedOidListLength / sizeof(NDIS_OID));
    if (oids != traits.supported_oids) {
      traits.supported_oids = oids;
      changed = true;
    }
  }
  return changed;
}

void RestartAttributes::free() noexcept {
  kernel::Pool& pool = kernel::System::current().pool();
  while (first_ != nullptr) {
    NDIS_RESTART_ATTRIBUTES* const entry = first_;
    first_ = entry->Next;
    // What a driver put in is a pool block like any other; a pointer to anything else is told and left.
    if (pool.free(entry, 0, "the end of a restart", &kernel::System::current().host_driver()) ==
        kernel::Pool::Freed::NotOurs)
      return;
  }
}

std::uint64_t fingerprint(const NDIS_RESTART_ATTRIBUTES* list) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto mix = [&hash](const void* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      hash = (hash ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3U;
  };
  for (; list != nullptr; list = list->Next) {
    mix(&list->Oid, sizeof(list->Oid));
    mix(list->Data, list->DataLength);
  }
  return hash;
}

std::vector<UCHAR> filter_module_names(const Adapter& adapter) {
  std::vector<UCHAR> names;
  const std::vector<Ref<FilterModule>> modules = adapter.filters.modules();
  for (auto module = modules.rbegin(); module != modules.rend(); ++module) {
    const std::u16string& name = (*module)->guid_name();
    const auto bytes = static_cast<USHORT>(name.size() * sizeof(char16_t));
    const std::size_t at = names.size();
    names.resize(at + sizeof(bytes) + bytes);
    std::memcpy(&names[at], &bytes, sizeof(bytes));
    std::memcpy(&names[at + sizeof(bytes)], name.data(), bytes);
  }
  return names;
}

}  // namespace undis
