// SPDX-License-Identifier: MIT
//
// A card and a protocol for tests of OID requests that the card pends.
#pragma once

#include <array>
#include <cstring>
#include <vector>

#include "lab/core_test.h"

namespace undis::test {

class OidQueues : public CoreTest {
 protected:
  /// Three queries of one binding that the miniport pends. NDIS_OIDs that nobody answers but the miniport.
  struct Three {
    std::array<ULONG, 3> numbers{};
    std::array<NDIS_OID_REQUEST, 3> requests{};
  };
  static constexpr std::array<NDIS_OID, 3> kOids{OID_GEN_XMIT_OK, OID_GEN_RCV_OK, OID_GEN_XMIT_ERROR};
  void fill(Three& three) {
    for (std::size_t i = 0; i < 3; ++i)
      three.requests[i] = query_request(kOids[i], &three.numbers[i], sizeof(ULONG), &three.numbers[i]);
  }
  void pend_queries() {
    mp.on_request = [this](FakeAdapter& card, NDIS_OID oid, bool query) {
      if (!query) return NDIS_STATUS_SUCCESS;
      at_miniport.push_back(oid);
      under_way = card.asked;
      return NDIS_STATUS_PENDING;
    };
  }
  void answer(ULONG number, NDIS_STATUS status = NDIS_STATUS_SUCCESS) {
    const FakeAdapter::Asked asked = under_way;
    std::memcpy(asked.buffer, &number, sizeof(number));
    *asked.done = sizeof(number);
    complete(asked, status);
  }
  void complete(const FakeAdapter::Asked& asked, NDIS_STATUS status) {
    if (asked.request != nullptr) {
      NdisMOidRequestComplete(nic()->handle(), asked.request, status);
    } else if (asked.query) {
      NdisMQueryInformationComplete(nic()->handle(), status);
    } else {
      NdisMSetInformationComplete(nic()->handle(), status);
    }
  }
  NDIS_HANDLE handle() { return p.binding("nic")->handle; }
  NDIS_STATUS set(NDIS_HANDLE binding_handle, NDIS_OID oid, const void* data, UINT length,
                  NDIS_OID_REQUEST* left = nullptr) {
    NDIS_OID_REQUEST request = set_request(oid, const_cast<void*>(data), length);
    const NDIS_STATUS status = NdisOidRequest(binding_handle, &request);
    if (left != nullptr) *left = request;
    return status;
  }
  NDIS_STATUS set_filter(NDIS_HANDLE binding_handle, ULONG filter) {
    return set(binding_handle, OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
  }

  std::vector<NDIS_OID> at_miniport;
  FakeAdapter::Asked under_way;
};

}  // namespace undis::test
