// SPDX-License-Identifier: MIT
//
// Traffic through filters, for tests: the filters, and lists of their own.
#pragma once

#include "lab/fake_filter.h"
#include "ndis/filter_module.h"
#include "ndis/traffic_testing.h"

namespace undis::test {

using lab::FakeFilter;
using lab::FakeModule;

inline constexpr auto kSuccess = static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);
inline constexpr auto kPaused = static_cast<NDIS_STATUS>(NDIS_STATUS_PAUSED);

inline std::vector<Bytes> some_frames(std::size_t count = 3) {
  std::vector<Bytes> frames;
  for (std::size_t i = 0; i < count; ++i) frames.push_back(frame(1, 46 + i * 101, static_cast<unsigned>(i)));
  return frames;
}

class FilteredTraffic : public Traffic {
 protected:
  /// To be loaded by load(): in between a test may turn something.
  FakeFilter& filter(std::string name) {
    filters.push_back(std::make_unique<FakeFilter>(*system, *library, std::move(name)));
    return *filters.back();
  }
  FakeFilter& load(FakeFilter& made) {
    EXPECT_TRUE(NT_SUCCESS(made.load()));
    settle();
    return made;
  }
  void TearDown() override {
    Traffic::TearDown();
    for (auto each = filters.rbegin(); each != filters.rend(); ++each) {
      if ((*each)->driver().phase() == kernel::DriverPhase::Loaded) {
        EXPECT_TRUE((*each)->unload());
      }
      EXPECT_EQ((*each)->complaints, Lines{});
    }
    settle();
    EXPECT_EQ(seen.told, expected);
    filters.clear();
  }
  Ref<FilterModule> module(FakeFilter& of) {
    return library->handles().find<FilterModule>(of.module().handle);
  }

  /// A list of the filter's own with that frame, out of a pool that it frees at detach.
  NET_BUFFER_LIST* own_list(FakeFilter& of, const Bytes& bytes) {
    NET_BUFFER_LIST* list = nullptr;
    as(of.driver(), [&] {
      if (pool == nullptr) {
        NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
        parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                             NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
        parameters.fAllocateNetBuffer = TRUE;
        parameters.PoolTag = 0x6F6F50;
        pool = NdisAllocateNetBufferListPool(of.module().handle, &parameters);
      }
      auto* const data = static_cast<std::uint8_t*>(ExAllocatePoolWithTag(NonPagedPool, bytes.size(), kTag));
      std::copy(bytes.begin(), bytes.end(), data);
      MDL* const mdl = NdisAllocateMdl(of.module().handle, data, static_cast<UINT>(bytes.size()));
      list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, mdl, 0, bytes.size());
      list->SourceHandle = of.module().handle;
    });
    return list;
  }
  static void free_list(NET_BUFFER_LIST* list) {
    MDL* const mdl = list->FirstNetBuffer->MdlChain;
    void* const data = MmGetMdlVirtualAddress(mdl);
    NdisFreeNetBufferList(list);
    NdisFreeMdl(mdl);
    ExFreePoolWithTag(data, kTag);
  }
  void free_pool(FakeFilter& of) {
    as(of.driver(), [&] { NdisFreeNetBufferListPool(std::exchange(pool, nullptr)); });
  }

  static constexpr ULONG kTag = 0x746C46;
  NDIS_HANDLE pool = nullptr;
  std::vector<std::unique_ptr<FakeFilter>> filters;
};

}  // namespace undis::test
