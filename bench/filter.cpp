// SPDX-License-Identifier: MIT
//
// A filter that passes everything on, or has no data handler at all.
#include <deque>
#include <string>

#include "parts.h"

namespace undis::bench {
namespace {

/// The FilterModuleContext.
struct Module {
  NDIS_HANDLE handle = nullptr;
  Use use;
};
Module& module_of(NDIS_HANDLE context) noexcept {
  return *static_cast<Module*>(context);
}
NDIS_HANDLE handle_of(NDIS_HANDLE context) noexcept {
  return static_cast<Module*>(context)->handle;
}

// ---- with an eye on pauses: what comes while the module is paused goes back at once ----

VOID guarded_send(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER port, ULONG flags) {
  Module& module = module_of(context);
  if (!module.use.enter()) {
    for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next) list->Status = NDIS_STATUS_PAUSED;
    return NdisFSendNetBufferListsComplete(module.handle, chain, 0);
  }
  NdisFSendNetBufferLists(module.handle, chain, port, flags);
  module.use.leave();
}
VOID guarded_receive(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER port, ULONG count,
                     ULONG flags) {
  Module& module = module_of(context);
  if (!module.use.enter()) {
    if (!NDIS_TEST_RECEIVE_CANNOT_PEND(flags)) NdisFReturnNetBufferLists(module.handle, chain, 0);
    return;
  }
  NdisFIndicateReceiveNetBufferLists(module.handle, chain, port, count, flags);
  module.use.leave();
}

class Filter final : public Part {
 public:
  Filter(Stack& stack, unsigned number, bool carries)
      : Part(stack, stack.world().add("filter" + std::to_string(number), true)),
        name_(numbered(u"filter", number)), unique_(u"{" + name_ + u"}"), carries_(carries) {}

  NTSTATUS enter(PDRIVER_OBJECT object, PUNICODE_STRING) override;
  void leave() override { NdisFDeregisterFilterDriver(handle_); }

 private:
  static NDIS_STATUS attach(NDIS_HANDLE handle, NDIS_HANDLE context, PNDIS_FILTER_ATTACH_PARAMETERS) {
    Module& module = static_cast<Filter*>(context)->modules_.emplace_back();
    module.handle = handle;
    NDIS_FILTER_ATTRIBUTES attributes{};
    attributes.Header = {NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES, NDIS_FILTER_ATTRIBUTES_REVISION_1,
                         NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1};
    return NdisFSetAttributes(handle, &module, &attributes);
  }

  std::u16string name_;
  std::u16string unique_;
  const bool carries_;
  NDIS_HANDLE handle_ = nullptr;
  std::deque<Module> modules_;
};

NTSTATUS Filter::enter(PDRIVER_OBJECT object, PUNICODE_STRING) {
  NDIS_FILTER_DRIVER_CHARACTERISTICS c{};
  c.Header = {NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS, NDIS_FILTER_CHARACTERISTICS_REVISION_2,
              NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2};
  c.MajorNdisVersion = 6;
  c.MinorNdisVersion = 30;
  c.FriendlyName = c.ServiceName = counted(name_);
  c.UniqueName = counted(unique_);
  c.AttachHandler = &attach;
  c.DetachHandler = [](NDIS_HANDLE) {};
  c.RestartHandler = [](NDIS_HANDLE context, PNDIS_FILTER_RESTART_PARAMETERS) {
    module_of(context).use.start();
    return NDIS_STATUS_SUCCESS;
  };
  c.PauseHandler = [](NDIS_HANDLE context, PNDIS_FILTER_PAUSE_PARAMETERS) {
    module_of(context).use.stop();
    return NDIS_STATUS_SUCCESS;
  };
  if (carries_) {
    c.SendNetBufferListsHandler = [](NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER port,
                                     ULONG flags) {
      NdisFSendNetBufferLists(handle_of(context), chain, port, flags);
      stay();
    };
    c.SendNetBufferListsCompleteHandler = [](NDIS_HANDLE context, PNET_BUFFER_LIST chain, ULONG flags) {
      NdisFSendNetBufferListsComplete(handle_of(context), chain, flags);
      stay();
    };
    c.CancelSendNetBufferListsHandler = [](NDIS_HANDLE context, PVOID id) {
      NdisFCancelSendNetBufferLists(handle_of(context), id);
    };
    c.ReceiveNetBufferListsHandler = [](NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER port,
                                        ULONG count, ULONG flags) {
      NdisFIndicateReceiveNetBufferLists(handle_of(context), chain, port, count, flags);
      stay();
    };
    c.ReturnNetBufferListsHandler = [](NDIS_HANDLE context, PNET_BUFFER_LIST chain, ULONG flags) {
      NdisFReturnNetBufferLists(handle_of(context), chain, flags);
      stay();
    };
  }
  if (carries_ && stack_.options().guarded) {
    c.SendNetBufferListsHandler = &guarded_send;
    c.ReceiveNetBufferListsHandler = &guarded_receive;
  }
  c.StatusHandler = [](NDIS_HANDLE context, PNDIS_STATUS_INDICATION status) {
    NdisFIndicateStatus(handle_of(context), status);
  };
  set_unload(object);
  return NdisFRegisterFilterDriver(object, this, &c, &handle_);
}

}  // namespace

std::unique_ptr<Part> make_filter(Stack& stack, unsigned number, bool carries) {
  return std::make_unique<Filter>(stack, number, carries);
}

}  // namespace undis::bench
