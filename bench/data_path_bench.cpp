// SPDX-License-Identifier: MIT
//
// What NDIS adds to a chain of net buffer lists on its way, beside a bare model: the same number of indirect
// calls and of recycled objects, and nothing else. Untouched 64-byte frames; the lists are made once.
//
// send       a protocol sends a chain, the miniport completes it inside its send function
// receive    a miniport indicates a chain, the protocol returns it inside its receive function
// allocate   a list with its buffer and MDL from a pool, and back
// Each as Bare.../N and Ndis.../N for chains of N; items_per_second counts net buffer lists.
#include <array>
#include <cstddef>
#include <functional>
#include <vector>

#include <benchmark/benchmark.h>

#include "lab/net_buffers.h"
#include "lab/world.h"
#include "ndis/library.h"
#include "ndis/protocol_driver.h"

namespace {

using namespace undis;

constexpr std::size_t kFrame = 64;

// ---- the bare model ----

/// As much of a net buffer list as the model needs: a link, a status, what its owner recycles it by.
struct BareList {
  BareList* next = nullptr;
  NDIS_STATUS status = 0;
  std::array<std::byte, 112>
      rest{};  // a NET_BUFFER_LIST is about this large: the same cache lines are touched
};

struct BareStack {
  std::vector<BareList> lists;
  BareList* free = nullptr;
  void (*send)(BareStack&, BareList*) = nullptr;
  void (*complete)(BareStack&, BareList*) = nullptr;

  explicit BareStack(std::size_t count) : lists(count) {
    for (BareList& list : lists) {
      list.next = free;
      free = &list;
    }
  }
  BareList* take(std::size_t count) noexcept {
    BareList* const first = free;
    BareList* last = first;
    for (std::size_t i = 1; i < count; ++i) last = last->next;
    free = last->next;
    last->next = nullptr;
    return first;
  }
};

void bare_complete(BareStack& stack, BareList* chain) {
  BareList* last = chain;
  while (last->next != nullptr) last = last->next;
  last->next = stack.free;
  stack.free = chain;
}

void bare_send(BareStack& stack, BareList* chain) {
  for (BareList* list = chain; list != nullptr; list = list->next) list->status = NDIS_STATUS_SUCCESS;
  stack.complete(stack, chain);
}

/// Down and back: two indirect calls, or up and back: two as well.
void BareRound(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  BareStack stack(count);
  stack.send = &bare_send;
  stack.complete = &bare_complete;
  benchmark::DoNotOptimize(stack);
  for (auto _ : state) {
    BareList* const chain = stack.take(count);
    stack.send(stack, chain);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BareRound)->Arg(1)->Arg(32)->Arg(256);

// ---- the same through NDIS ----

constexpr ULONG kTag = lab::pool_tag("Bnch");

/// A miniport and a protocol on it, each with as little code as a driver can have.
class Stack {
 public:
  Stack() {
    current_ = this;
    world_.run("up", [this] {
      kernel::Driver& nic = world_.add("nic", true);
      world_.library().load(nic, &enter_nic);
      kernel::Driver& protocol = world_.add("protocol", true);
      world_.library().load(protocol, &enter_protocol);
      world_.plug(nic, "nic0");
    });
  }
  ~Stack() {
    world_.run("down", [this] {
      for (const Ref<Adapter>& adapter : world_.library().adapters()) world_.unplug(*adapter);
      NdisDeregisterProtocolDriver(protocol_);
      NdisMDeregisterMiniportDriver(miniport_);
    });
    current_ = nullptr;
  }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  /// Runs `body` on a kernel thread.
  void run(const std::function<void()>& body) { world_.run("bench", body); }
  bool is_up() const noexcept { return binding_ != nullptr; }

  NDIS_HANDLE adapter() const noexcept { return adapter_; }
  NDIS_HANDLE binding() const noexcept { return binding_; }
  NET_BUFFER_LIST* back = nullptr;  ///< what came back last

 private:
  static inline Stack* current_ = nullptr;

  static NTSTATUS NTAPI enter_nic(PDRIVER_OBJECT object, PUNICODE_STRING path) {
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS c{};
    c.Header = {NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
                NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
                NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2};
    c.MajorNdisVersion = 6;
    c.MinorNdisVersion = 30;
    c.InitializeHandlerEx = &initialize;
    c.HaltHandlerEx = [](NDIS_HANDLE, NDIS_HALT_ACTION) {};
    c.UnloadHandler = [](PDRIVER_OBJECT) {};
    c.PauseHandler = [](NDIS_HANDLE, PNDIS_MINIPORT_PAUSE_PARAMETERS) { return NDIS_STATUS_SUCCESS; };
    c.RestartHandler = [](NDIS_HANDLE, PNDIS_MINIPORT_RESTART_PARAMETERS) { return NDIS_STATUS_SUCCESS; };
    c.OidRequestHandler = [](NDIS_HANDLE, PNDIS_OID_REQUEST request) -> NDIS_STATUS {
      return request->RequestType == NdisRequestSetInformation ? NDIS_STATUS_SUCCESS
                                                               : NDIS_STATUS_NOT_SUPPORTED;
    };
    c.SendNetBufferListsHandler = [](NDIS_HANDLE, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER, ULONG) {
      for (NET_BUFFER_LIST* list = chain; list != nullptr; list = NET_BUFFER_LIST_NEXT_NBL(list))
        NET_BUFFER_LIST_STATUS(list) = NDIS_STATUS_SUCCESS;
      NdisMSendNetBufferListsComplete(current_->adapter_, chain, 0);
    };
    c.ReturnNetBufferListsHandler = [](NDIS_HANDLE, PNET_BUFFER_LIST chain, ULONG) {
      current_->back = chain;
    };
    c.CancelSendHandler = [](NDIS_HANDLE, PVOID) {};
    c.DevicePnPEventNotifyHandler = [](NDIS_HANDLE, PNET_DEVICE_PNP_EVENT) {};
    c.ShutdownHandlerEx = [](NDIS_HANDLE, NDIS_SHUTDOWN_ACTION) {};
    c.CancelOidRequestHandler = [](NDIS_HANDLE, PVOID) {};
    return NdisMRegisterMiniportDriver(object, path, nullptr, &c, &current_->miniport_);
  }

  static NDIS_STATUS initialize(NDIS_HANDLE handle, NDIS_HANDLE, PNDIS_MINIPORT_INIT_PARAMETERS) {
    NDIS_MINIPORT_ADAPTER_ATTRIBUTES attributes{};
    attributes.RegistrationAttributes.Header = {
        NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
        NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
        NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1};
    attributes.RegistrationAttributes.MiniportAdapterContext = current_;
    attributes.RegistrationAttributes.InterfaceType = NdisInterfaceInternal;
    if (const NDIS_STATUS status = NdisMSetMiniportAttributes(handle, &attributes);
        status != NDIS_STATUS_SUCCESS)
      return status;
    static NDIS_OID oids[] = {OID_GEN_CURRENT_PACKET_FILTER};
    attributes = {};
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES& general = attributes.GeneralAttributes;
    general.Header = {NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
                      NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
                      NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2};
    general.MediaType = NdisMedium802_3;
    general.MtuSize = 1500;
    general.MaxXmitLinkSpeed = general.XmitLinkSpeed = general.MaxRcvLinkSpeed = general.RcvLinkSpeed =
        1'000'000'000;
    general.MediaConnectState = MediaConnectStateConnected;
    general.LookaheadSize = 1500;
    general.SupportedPacketFilters = NDIS_PACKET_TYPE_PROMISCUOUS;
    general.MacAddressLength = 6;
    general.CurrentMacAddress[0] = general.PermanentMacAddress[0] = 2;
    general.SupportedOidList = oids;
    general.SupportedOidListLength = sizeof(oids);
    current_->adapter_ = handle;
    return NdisMSetMiniportAttributes(handle, &attributes);
  }

  static NTSTATUS NTAPI enter_protocol(PDRIVER_OBJECT, PUNICODE_STRING) {
    static WCHAR name[] = u"bench";
    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS c{};
    c.Header = {NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
                NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
                NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2};
    c.MajorNdisVersion = 6;
    c.MinorNdisVersion = 30;
    c.Name = {sizeof(name) - sizeof(WCHAR), sizeof(name), name};
    c.BindAdapterHandlerEx = &bind;
    c.UnbindAdapterHandlerEx = [](NDIS_HANDLE, NDIS_HANDLE) -> NDIS_STATUS {
      const NDIS_HANDLE binding = std::exchange(current_->binding_, nullptr);
      NdisCloseAdapterEx(binding);
      return NDIS_STATUS_SUCCESS;
    };
    c.OpenAdapterCompleteHandlerEx = [](NDIS_HANDLE, NDIS_STATUS) {};
    c.CloseAdapterCompleteHandlerEx = [](NDIS_HANDLE) {};
    c.NetPnPEventHandler = [](NDIS_HANDLE, PNET_PNP_EVENT_NOTIFICATION) -> NDIS_STATUS {
      return NDIS_STATUS_SUCCESS;
    };
    c.OidRequestCompleteHandler = [](NDIS_HANDLE, PNDIS_OID_REQUEST, NDIS_STATUS) {};
    c.StatusHandlerEx = [](NDIS_HANDLE, PNDIS_STATUS_INDICATION) {};
    c.ReceiveNetBufferListsHandler = [](NDIS_HANDLE, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER, ULONG, ULONG) {
      NdisReturnNetBufferLists(current_->binding_, chain, 0);
    };
    c.SendNetBufferListsCompleteHandler = [](NDIS_HANDLE, PNET_BUFFER_LIST chain, ULONG) {
      current_->back = chain;
    };
    return NdisRegisterProtocolDriver(nullptr, &c, &current_->protocol_);
  }

  static NDIS_STATUS bind(NDIS_HANDLE, NDIS_HANDLE context, PNDIS_BIND_PARAMETERS parameters) {
    NDIS_MEDIUM media[] = {NdisMedium802_3};
    UINT index = 0;
    NDIS_OPEN_PARAMETERS how{};
    how.Header = {NDIS_OBJECT_TYPE_OPEN_PARAMETERS, NDIS_OPEN_PARAMETERS_REVISION_1,
                  NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1};
    how.AdapterName = parameters->AdapterName;
    how.MediumArray = media;
    how.MediumArraySize = 1;
    how.SelectedMediumIndex = &index;
    if (const NDIS_STATUS status =
            NdisOpenAdapterEx(current_->protocol_, current_, &how, context, &current_->binding_);
        status != NDIS_STATUS_SUCCESS)
      return status;
    ULONG filter = NDIS_PACKET_TYPE_PROMISCUOUS;
    NDIS_OID_REQUEST request{};
    request.Header = {NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1,
                      NDIS_SIZEOF_OID_REQUEST_REVISION_1};
    request.RequestType = NdisRequestSetInformation;
    request.DATA.SET_INFORMATION.Oid = OID_GEN_CURRENT_PACKET_FILTER;
    request.DATA.SET_INFORMATION.InformationBuffer = &filter;
    request.DATA.SET_INFORMATION.InformationBufferLength = sizeof(filter);
    return NdisOidRequest(current_->binding_, &request);
  }

  lab::World world_;
  NDIS_HANDLE miniport_ = nullptr;
  NDIS_HANDLE protocol_ = nullptr;
  NDIS_HANDLE adapter_ = nullptr;
  NDIS_HANDLE binding_ = nullptr;
};

/// `count` lists of one frame each, in a chain, and what they are made of.
class Lists {
 public:
  Lists(NDIS_HANDLE owner, std::size_t count) : pool_(lab::make_pool(owner, kTag)) {
    const std::vector<std::uint8_t> frame(kFrame);
    const std::vector<FrameView> frames(count, frame);
    ULONG made = 0;
    chain = lab::make_chain(frames, made, [&](FrameView bytes) {
      NET_BUFFER_LIST* const list = lab::make_list(pool_, bytes, kTag);
      if (list != nullptr) list->SourceHandle = owner;
      return list;
    });
  }
  ~Lists() {
    lab::for_each_taken(chain, [](NET_BUFFER_LIST* list) { lab::free_list(list, kTag); });
    NdisFreeNetBufferListPool(pool_);
  }
  Lists(const Lists&) = delete;
  Lists& operator=(const Lists&) = delete;
  NET_BUFFER_LIST* chain = nullptr;

 private:
  NDIS_HANDLE pool_;
};

template <class Round>
void through_ndis(benchmark::State& state, bool from_above, Round round) {
  Stack stack;
  if (!stack.is_up()) return state.SkipWithError("the stack did not come up");
  stack.run([&] {
    Lists lists(from_above ? stack.binding() : stack.adapter(), static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
      round(stack, lists.chain);
      lists.chain = stack.back;
    }
  });
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void NdisSend(benchmark::State& state) {
  through_ndis(state, true, [](Stack& stack, NET_BUFFER_LIST* chain) {
    NdisSendNetBufferLists(stack.binding(), chain, NDIS_DEFAULT_PORT_NUMBER, 0);
  });
}
BENCHMARK(NdisSend)->Arg(1)->Arg(32)->Arg(256);

void NdisReceive(benchmark::State& state) {
  const auto count = static_cast<ULONG>(state.range(0));
  through_ndis(state, false, [count](Stack& stack, NET_BUFFER_LIST* chain) {
    NdisMIndicateReceiveNetBufferLists(stack.adapter(), chain, NDIS_DEFAULT_PORT_NUMBER, count, 0);
  });
}
BENCHMARK(NdisReceive)->Arg(1)->Arg(32)->Arg(256);

void NdisAllocate(benchmark::State& state) {
  Stack stack;
  if (!stack.is_up()) return state.SkipWithError("the stack did not come up");
  stack.run([&] {
    const NDIS_HANDLE pool = lab::make_pool(stack.binding(), kTag);
    for (auto _ : state)
      NdisFreeNetBufferList(NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, nullptr, 0, 0));
    NdisFreeNetBufferListPool(pool);
  });
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(NdisAllocate);

}  // namespace

BENCHMARK_MAIN();
