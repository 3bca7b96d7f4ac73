// SPDX-License-Identifier: MIT
//
// An intermediate driver over each card that forwards lists as they are, or clones of them.
//
// Forwards   the original's SourceHandle is noted in context space of the list, as
//            network/sending-network-data asks for, and restored when the list is back.
#include "middle.h"

#include <atomic>
#include <deque>
#include <string>
#include <utility>

#include "lab/net_buffers.h"
#include "parts.h"

namespace undis::bench {
namespace {

class Intermediate;

/// The binding below and the virtual miniport above: the context of both.
struct Between : Bound {
  Intermediate* part = nullptr;
  NDIS_HANDLE binding = nullptr;
  NDIS_HANDLE miniport = nullptr;
  NDIS_HANDLE pool = nullptr;  // of the clones
  ULONG clone_flags = 0;
  bool guarded = false;
  Use below;  // of the binding
  Use above;  // of the virtual miniport
  std::u16string name;
  std::atomic<bool> awaited{false};  // the virtual miniport was asked for, and is not there yet
  kernel::Event initialized{"the virtual miniport's initialize"};
  kernel::Event halted{"the virtual miniport's halt"};
};
Between& between(NDIS_HANDLE context) noexcept {
  return *static_cast<Between*>(context);
}

/// Whether `use` may be used: as long as it lives, if so. A stack that is never paused does not ask.
class Inside {
 public:
  Inside(const Between& at, Use& use) noexcept
      : use_(at.guarded ? &use : nullptr), may_(!at.guarded || use.enter()) {}
  ~Inside() {
    if (use_ != nullptr && may_) use_->leave();
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  explicit operator bool() const noexcept { return may_; }

 private:
  Use* const use_;
  const bool may_;
};

void refuse(NDIS_HANDLE miniport, NET_BUFFER_LIST* chain, NDIS_STATUS status) {
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) list->Status = status;
  NdisMSendNetBufferListsComplete(miniport, chain, 0);
}
void drop(const Between& at, NET_BUFFER_LIST* chain, ULONG flags) {
  if (chain != nullptr && !NDIS_TEST_RECEIVE_CANNOT_PEND(flags))
    NdisReturnNetBufferLists(at.binding, chain, 0);
}

// ---- forwarded ----

/// False: no memory for the note.
bool pass_on(NET_BUFFER_LIST* list, NDIS_HANDLE source) noexcept {
  if (NdisAllocateNetBufferListContext(list, kNote, 0, 0) != NDIS_STATUS_SUCCESS) return false;
  note_of(list).source = std::exchange(list->SourceHandle, source);
  return true;
}
/// A chain of which each list has another source now, and what is cut off it: from where there was no memory.
struct Passed {
  NET_BUFFER_LIST* first;
  ULONG count;
  NET_BUFFER_LIST* rest;
};
Passed pass_chain_on(NET_BUFFER_LIST* chain, NDIS_HANDLE source) noexcept {
  Passed passed{chain, 0, nullptr};
  NET_BUFFER_LIST* last = nullptr;
  for (NET_BUFFER_LIST* list = chain; list != nullptr; last = list, list = list->Next, ++passed.count) {
    if (pass_on(list, source)) continue;
    passed.rest = list;
    (last != nullptr ? last->Next : passed.first) = nullptr;
    break;
  }
  return passed;
}
void restore(NET_BUFFER_LIST* chain) noexcept {
  for (; chain != nullptr; chain = chain->Next) {
    chain->SourceHandle = note_of(chain).source;
    NdisFreeNetBufferListContext(chain, kNote);
  }
}

VOID forward_send(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER port, ULONG flags) {
  Between& at = between(context);
  const Inside inside(at, at.below);
  if (!inside) return refuse(at.miniport, chain, NDIS_STATUS_PAUSED);
  const Passed passed = pass_chain_on(chain, at.binding);
  if (passed.first != nullptr) NdisSendNetBufferLists(at.binding, passed.first, port, flags);
  if (passed.rest != nullptr) refuse(at.miniport, passed.rest, NDIS_STATUS_RESOURCES);
}
VOID forward_complete(NDIS_HANDLE context, PNET_BUFFER_LIST chain, ULONG flags) {
  restore(chain);
  NdisMSendNetBufferListsComplete(between(context).miniport, chain, flags);
}
VOID forward_receive(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER port, ULONG, ULONG flags) {
  Between& at = between(context);
  const Inside inside(at, at.above);
  if (!inside) return drop(at, chain, flags);
  const Passed passed = pass_chain_on(chain, at.miniport);
  if (passed.first != nullptr)
    NdisMIndicateReceiveNetBufferLists(at.miniport, passed.first, port, passed.count, flags);
  if (NDIS_TEST_RECEIVE_CANNOT_PEND(flags)) restore(passed.first);
  drop(at, passed.rest, flags);
}
VOID forward_return(NDIS_HANDLE context, PNET_BUFFER_LIST chain, ULONG flags) {
  restore(chain);
  NdisReturnNetBufferLists(between(context).binding, chain, flags);
}

// ---- cloned ----

/// Clones of a chain's lists. The lists without one.
Chain clone_chain(const Between& at, NET_BUFFER_LIST* chain, NDIS_HANDLE source, Chain& clones) noexcept {
  Chain refused;
  while (chain != nullptr) {
    NET_BUFFER_LIST* const next = chain->Next;
    NET_BUFFER_LIST* const clone = NdisAllocateCloneNetBufferList(chain, at.pool, nullptr, at.clone_flags);
    if (clone == nullptr) {
      refused.append(chain);
    } else {
      clone->SourceHandle = source;
      clone->ParentNetBufferList = chain;
      clones.append(clone);
    }
    chain = next;
  }
  clones.end();
  refused.end();
  return refused;
}
/// Frees clones. The chain of their originals.
NET_BUFFER_LIST* originals_of(const Between& at, NET_BUFFER_LIST* clones) noexcept {
  Chain originals;
  while (clones != nullptr) {
    NET_BUFFER_LIST* const next = clones->Next;
    NET_BUFFER_LIST* const original = clones->ParentNetBufferList;
    clones->Next = nullptr;
    original->Status = clones->Status;
    NdisFreeCloneNetBufferList(clones, at.clone_flags);
    originals.append(original);
    clones = next;
  }
  return originals.end();
}

VOID clone_send(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER port, ULONG flags) {
  Between& at = between(context);
  const Inside inside(at, at.below);
  if (!inside) return refuse(at.miniport, chain, NDIS_STATUS_PAUSED);
  Chain clones;
  const Chain refused = clone_chain(at, chain, at.binding, clones);
  if (clones.first != nullptr) NdisSendNetBufferLists(at.binding, clones.first, port, flags);
  if (refused.first != nullptr) refuse(at.miniport, refused.first, NDIS_STATUS_RESOURCES);
}
VOID clone_complete(NDIS_HANDLE context, PNET_BUFFER_LIST chain, ULONG flags) {
  const Between& at = between(context);
  NdisMSendNetBufferListsComplete(at.miniport, originals_of(at, chain), flags);
}
VOID clone_receive(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER port, ULONG, ULONG flags) {
  Between& at = between(context);
  const Inside inside(at, at.above);
  if (!inside) return drop(at, chain, flags);
  Chain clones;
  const Chain lost = clone_chain(at, chain, at.miniport, clones);
  if (clones.first != nullptr)
    NdisMIndicateReceiveNetBufferLists(at.miniport, clones.first, port, clones.count, flags);
  if (NDIS_TEST_RECEIVE_CANNOT_PEND(flags)) originals_of(at, clones.first);
  drop(at, lost.first, flags);
}
VOID clone_return(NDIS_HANDLE context, PNET_BUFFER_LIST chain, ULONG flags) {
  const Between& at = between(context);
  NdisReturnNetBufferLists(at.binding, originals_of(at, chain), flags);
}

// ---- the driver ----

class Intermediate final : public Part {
 public:
  explicit Intermediate(Stack& stack)
      : Part(stack, stack.world().add("middle", true)), kind_(stack.options().middle) {}
  NTSTATUS enter(PDRIVER_OBJECT object, PUNICODE_STRING path) override;
  void leave() override {
    NdisDeregisterProtocolDriver(protocol_);
    NdisMDeregisterMiniportDriver(driver_handle_);
  }

 private:
  bool forwards() const noexcept { return kind_ == Middle::Forwards; }
  NDIS_STATUS register_miniport(PDRIVER_OBJECT object, PUNICODE_STRING path);
  NDIS_STATUS register_protocol();
  static NDIS_STATUS initialize(NDIS_HANDLE handle, NDIS_HANDLE, PNDIS_MINIPORT_INIT_PARAMETERS parameters) {
    Between& at = between(parameters->IMDeviceInstanceContext);
    const NDIS_STATUS status = set_attributes(handle, &at, NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND);
    at.miniport = status == NDIS_STATUS_SUCCESS ? handle : nullptr;
    at.awaited = false;
    at.initialized.set();
    return status;
  }
  static VOID halt(NDIS_HANDLE context, NDIS_HALT_ACTION) {
    between(context).miniport = nullptr;
    between(context).halted.set();
  }
  void remove_miniport(Between& at);
  static NDIS_STATUS bind(NDIS_HANDLE context, NDIS_HANDLE bind_context, PNDIS_BIND_PARAMETERS parameters);
  static NDIS_STATUS unbind(NDIS_HANDLE, NDIS_HANDLE context);

  const Middle kind_;
  std::u16string name_ = u"middle";
  NDIS_HANDLE driver_handle_ = nullptr;
  NDIS_HANDLE protocol_ = nullptr;
  std::deque<Between> betweens_;
};

NDIS_STATUS Intermediate::bind(NDIS_HANDLE context, NDIS_HANDLE bind_context,
                               PNDIS_BIND_PARAMETERS parameters) {
  auto& self = *static_cast<Intermediate*>(context);
  const auto number = static_cast<unsigned>(self.betweens_.size());
  Between& at = self.betweens_.emplace_back();
  at.part = &self;
  at.guarded = self.stack().options().guarded;
  if (self.kind_ == Middle::ClonesOfMdls) at.clone_flags = NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS;
  NDIS_STATUS status =
      open_adapter6(self.protocol_, at, bind_context, parameters->AdapterName, true, &at.binding);
  if (status != NDIS_STATUS_SUCCESS) return status;
  NET_BUFFER_LIST_POOL_PARAMETERS pool{};
  pool.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                 NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
  pool.fAllocateNetBuffer = TRUE;
  pool.PoolTag = lab::pool_tag("Bmid");
  at.pool = NdisAllocateNetBufferListPool(at.binding, &pool);
  at.name = numbered(u"\\Device\\{middle", number) + u"}";
  UNICODE_STRING device = counted(at.name);
  at.awaited = true;
  status = NdisIMInitializeDeviceInstanceEx(self.driver_handle_, &device, &at);
  if (status != NDIS_STATUS_SUCCESS) {
    NdisFreeNetBufferListPool(std::exchange(at.pool, nullptr));
    close_adapter6(at, &at.binding);
  }
  return status;
}

/// Takes the virtual miniport down, in whatever state it is.
void Intermediate::remove_miniport(Between& at) {
  if (at.awaited) {
    UNICODE_STRING device = counted(at.name);
    if (NdisIMCancelInitializeDeviceInstance(driver_handle_, &device) == NDIS_STATUS_SUCCESS) return;
    at.initialized.wait();
  }
  if (at.miniport == nullptr) return;
  NdisIMDeInitializeDeviceInstance(at.miniport);
  at.halted.wait();
}

NDIS_STATUS Intermediate::unbind(NDIS_HANDLE, NDIS_HANDLE context) {
  Between& at = between(context);
  at.part->remove_miniport(at);
  set_filter6(at.binding, 0);
  NdisFreeNetBufferListPool(std::exchange(at.pool, nullptr));
  close_adapter6(at, &at.binding);
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS Intermediate::register_miniport(PDRIVER_OBJECT object, PUNICODE_STRING path) {
  NDIS_MINIPORT_DRIVER_CHARACTERISTICS c{};
  c.Header = {NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
              NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
              NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2};
  c.MajorNdisVersion = 6;
  c.MinorNdisVersion = 30;
  c.Flags = NDIS_INTERMEDIATE_DRIVER;
  c.InitializeHandlerEx = &initialize;
  c.HaltHandlerEx = &halt;
  c.UnloadHandler = &unload_part;
  c.PauseHandler = [](NDIS_HANDLE context, PNDIS_MINIPORT_PAUSE_PARAMETERS) {
    between(context).above.stop();
    return NDIS_STATUS_SUCCESS;
  };
  c.RestartHandler = [](NDIS_HANDLE context, PNDIS_MINIPORT_RESTART_PARAMETERS) {
    between(context).above.start();
    return NDIS_STATUS_SUCCESS;
  };
  c.OidRequestHandler = [](NDIS_HANDLE, PNDIS_OID_REQUEST request) -> NDIS_STATUS {
    return request->RequestType == NdisRequestSetInformation ? NDIS_STATUS_SUCCESS
                                                             : NDIS_STATUS_NOT_SUPPORTED;
  };
  c.SendNetBufferListsHandler = forwards() ? &forward_send : &clone_send;
  c.ReturnNetBufferListsHandler = forwards() ? &forward_return : &clone_return;
  c.CancelSendHandler = [](NDIS_HANDLE context, PVOID id) {
    NdisCancelSendNetBufferLists(between(context).binding, id);
  };
  c.DevicePnPEventNotifyHandler = [](NDIS_HANDLE, PNET_DEVICE_PNP_EVENT) {};
  c.ShutdownHandlerEx = [](NDIS_HANDLE, NDIS_SHUTDOWN_ACTION) {};
  c.CancelOidRequestHandler = [](NDIS_HANDLE, PVOID) {};
  return NdisMRegisterMiniportDriver(object, path, this, &c, &driver_handle_);
}

NDIS_STATUS Intermediate::register_protocol() {
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS c{};
  c.Header = {NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
              NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
              NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2};
  c.MajorNdisVersion = 6;
  c.MinorNdisVersion = 30;
  c.Name = counted(name_);
  c.BindAdapterHandlerEx = &bind;
  c.UnbindAdapterHandlerEx = &unbind;
  c.OpenAdapterCompleteHandlerEx = &opened6;
  c.CloseAdapterCompleteHandlerEx = &closed6;
  c.NetPnPEventHandler = [](NDIS_HANDLE context, PNET_PNP_EVENT_NOTIFICATION event) -> NDIS_STATUS {
    if (context == nullptr) return NDIS_STATUS_SUCCESS;
    if (event->NetPnPEvent.NetEvent == NetEventPause) between(context).below.stop();
    if (event->NetPnPEvent.NetEvent == NetEventRestart) between(context).below.start();
    return NDIS_STATUS_SUCCESS;
  };
  c.OidRequestCompleteHandler = &answered6;
  c.StatusHandlerEx = [](NDIS_HANDLE, PNDIS_STATUS_INDICATION) {};
  c.ReceiveNetBufferListsHandler = forwards() ? &forward_receive : &clone_receive;
  c.SendNetBufferListsCompleteHandler = forwards() ? &forward_complete : &clone_complete;
  return NdisRegisterProtocolDriver(this, &c, &protocol_);
}

NTSTATUS Intermediate::enter(PDRIVER_OBJECT object, PUNICODE_STRING path) {
  if (const NDIS_STATUS status = register_miniport(object, path); status != NDIS_STATUS_SUCCESS)
    return status;
  if (const NDIS_STATUS status = register_protocol(); status != NDIS_STATUS_SUCCESS) {
    NdisMDeregisterMiniportDriver(driver_handle_);
    return status;
  }
  NdisIMAssociateMiniport(driver_handle_, protocol_);
  return STATUS_SUCCESS;
}

}  // namespace

std::unique_ptr<Part> make_middle(Stack& stack) {
  return std::make_unique<Intermediate>(stack);
}

}  // namespace undis::bench
