// SPDX-License-Identifier: MIT
//
// The list of restart attributes, made and freed.
#include "ndis/restart_attributes.h"

#include <cstring>

#include "kernel/pool.h"
#include "ndis/filter_module.h"

namespace undis {
namespace {

constexpr ULONG kTag = 0x7352644E;  // 'NdRs'

kernel::Pool& pool() {
  return kernel::System::current().pool();
}

}  // namespace

RestartAttributes::RestartAttributes(const Adapter& adapter) : oids_(adapter.traits().supported_oids) {
  kernel::Pool::Request request;
  request.size = offsetof(NDIS_RESTART_ATTRIBUTES, Data) + sizeof(NDIS_RESTART_GENERAL_ATTRIBUTES);
  request.tag = kTag;
  request.zero = true;
  first_ = static_cast<PNDIS_RESTART_ATTRIBUTES>(pool().allocate(request));
  if (first_ == nullptr) return;
  first_->Oid = OID_GEN_MINIPORT_RESTART_ATTRIBUTES;
  first_->DataLength = sizeof(NDIS_RESTART_GENERAL_ATTRIBUTES);

  const AdapterTraits& traits = adapter.traits();
  NDIS_RESTART_GENERAL_ATTRIBUTES general{};
  general.Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_RESTART_GENERAL_ATTRIBUTES_REVISION_2,
                    NDIS_SIZEOF_RESTART_GENERAL_ATTRIBUTES_REVISION_2};
  general.MtuSize = traits.mtu;
  general.MaxXmitLinkSpeed = traits.max_transmit_speed;
  general.MaxRcvLinkSpeed = traits.max_receive_speed;
  general.LookaheadSize = traits.lookahead;
  general.MacOptions = traits.mac_options;
  general.SupportedPacketFilters = traits.supported_packet_filters;
  general.MaxMulticastListSize = traits.max_multicast_list;
  general.AccessType = NET_IF_ACCESS_BROADCAST;
  general.ConnectionType = NET_IF_CONNECTION_DEDICATED;
  general.SupportedOidList = oids_.data();
  general.SupportedOidListLength = static_cast<ULONG>(oids_.size() * sizeof(NDIS_OID));
  std::memcpy(first_->Data, &general, sizeof(general));
}

RestartAttributes::~RestartAttributes() {
  while (first_ != nullptr) {
    const PNDIS_RESTART_ATTRIBUTES next = first_->Next;
    // What a filter put in is a pool block like any other; a pointer to anything else is told and left.
    if (pool().free(first_, 0, "FilterRestart", nullptr) == kernel::Pool::Freed::NotOurs) return;
    first_ = next;
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
