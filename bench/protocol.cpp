// SPDX-License-Identifier: MIT
//
// The protocols: what is received is returned at once, what was sent goes back to its row.
#include <string>

#include "frames.h"

#include "parts.h"

namespace undis::bench {
namespace {

Open& open_of(NDIS_HANDLE context) noexcept {
  return *static_cast<Open*>(context);
}

// ---- NDIS 6.30 ----

class Protocol6 final : public Part {
 public:
  Protocol6(Stack& stack, unsigned number)
      : Part(stack, stack.world().add("protocol" + std::to_string(number), true)),
        name_(numbered(u"protocol", number)), listens_(number < stack.options().listeners) {}
  NTSTATUS enter(PDRIVER_OBJECT object, PUNICODE_STRING path) override;
  void leave() override { NdisDeregisterProtocolDriver(handle_); }

 private:
  static NDIS_STATUS bind(NDIS_HANDLE context, NDIS_HANDLE bind_context, PNDIS_BIND_PARAMETERS parameters) {
    auto& self = *static_cast<Protocol6*>(context);
    Open& open = self.stack().new_open(self.listens_);
    const NDIS_STATUS status =
        open_adapter6(self.handle_, open, bind_context, parameters->AdapterName, open.listens, &open.handle);
    if (self.stack().on_bound) self.stack().on_bound();
    return status;
  }
  static NDIS_STATUS unbind(NDIS_HANDLE, NDIS_HANDLE context) {
    Open& open = open_of(context);
    if (open.listens) set_filter6(open.handle, 0);
    close_adapter6(open, &open.handle);
    if (open.stack->on_unbound) open.stack->on_unbound();
    return NDIS_STATUS_SUCCESS;
  }
  static NDIS_STATUS event(NDIS_HANDLE context, PNET_PNP_EVENT_NOTIFICATION event) {
    if (context == nullptr) return NDIS_STATUS_SUCCESS;
    Open& open = open_of(context);
    if (event->NetPnPEvent.NetEvent == NetEventPause) {
      if (open.stack->on_pause) open.stack->on_pause();
      open.use.stop();
    }
    if (event->NetPnPEvent.NetEvent == NetEventRestart) {
      open.use.start();
      if (open.stack->on_restart) open.stack->on_restart();
    }
    return NDIS_STATUS_SUCCESS;
  }
  static VOID receive(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER, ULONG, ULONG flags) {
    const Open& open = open_of(context);
    if (open.touched) read_chain(chain);
    if (!NDIS_TEST_RECEIVE_CANNOT_PEND(flags)) NdisReturnNetBufferLists(open.handle, chain, 0);
  }

  std::u16string name_;
  const bool listens_;
  NDIS_HANDLE handle_ = nullptr;
};

NTSTATUS Protocol6::enter(PDRIVER_OBJECT object, PUNICODE_STRING) {
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
  c.NetPnPEventHandler = &event;
  c.OidRequestCompleteHandler = &answered6;
  c.StatusHandlerEx = [](NDIS_HANDLE, PNDIS_STATUS_INDICATION) {};
  c.ReceiveNetBufferListsHandler = &receive;
  c.SendNetBufferListsCompleteHandler = [](NDIS_HANDLE, PNET_BUFFER_LIST chain, ULONG) {
    Lists::put_back(chain->ProtocolReserved[0], chain);
  };
  set_unload(object);
  return NdisRegisterProtocolDriver(this, &c, &handle_);
}

// ---- NDIS 5 ----

class Protocol5 final : public Part {
 public:
  Protocol5(Stack& stack, unsigned number)
      : Part(stack, stack.world().add("protocol" + std::to_string(number), true)),
        name_(numbered(u"protocol", number)), listens_(number < stack.options().listeners) {
    current_ = this;
  }
  ~Protocol5() override { current_ = nullptr; }
  NTSTATUS enter(PDRIVER_OBJECT object, PUNICODE_STRING path) override;
  void leave() override {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    NdisDeregisterProtocol(&status, handle_);
  }

 private:
  /// A request and who waits for it.
  struct Asked {
    NDIS_REQUEST request{};  // first: what is answered is this
    kernel::Event done{"an answer"};
  };
  static void set_filter(const Open& open, ULONG filter) {
    Asked asked;
    asked.request.RequestType = NdisRequestSetInformation;
    asked.request.DATA.SET_INFORMATION.Oid = OID_GEN_CURRENT_PACKET_FILTER;
    asked.request.DATA.SET_INFORMATION.InformationBuffer = &filter;
    asked.request.DATA.SET_INFORMATION.InformationBufferLength = sizeof(filter);
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    NdisRequest(&status, open.handle, &asked.request);
    if (status == NDIS_STATUS_PENDING) asked.done.wait();
  }
  static VOID NTAPI answered(NDIS_HANDLE, PNDIS_REQUEST request, NDIS_STATUS) {
    reinterpret_cast<Asked*>(request)->done.set();
  }
  static VOID NTAPI bind(PNDIS_STATUS status, NDIS_HANDLE, PNDIS_STRING device, PVOID, PVOID) {
    Open& open = current_->stack().new_open(current_->listens_);
    NDIS_MEDIUM media[] = {NdisMedium802_3};
    UINT index = 0;
    NDIS_STATUS error = NDIS_STATUS_SUCCESS;
    NdisOpenAdapter(status, &error, &open.handle, &index, media, 1, current_->handle_, &open, device, 0,
                    nullptr);
    if (*status == NDIS_STATUS_PENDING) {
      open.opened.wait();
      *status = open.open_status;
    }
    if (*status != NDIS_STATUS_SUCCESS) return;
    if (open.listens) set_filter(open, NDIS_PACKET_TYPE_PROMISCUOUS);
    open.use.start();
  }
  static VOID NTAPI unbind(PNDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE) {
    Open& open = open_of(context);
    open.use.stop();
    if (open.listens) set_filter(open, 0);
    NdisCloseAdapter(status, open.handle);
    if (*status == NDIS_STATUS_PENDING) open.closed.wait();
    open.handle = nullptr;
    *status = NDIS_STATUS_SUCCESS;
  }
  static INT NTAPI receive_packet(NDIS_HANDLE context, PNDIS_PACKET packet) {
    Open& open = open_of(context);
    if (open.touched) read_frame(packet);
    if (NDIS_GET_PACKET_STATUS(packet) == NDIS_STATUS_RESOURCES) return 0;
    open.kept.push_back(packet);
    return 1;
  }
  static VOID NTAPI receive_complete(NDIS_HANDLE context) {
    Open& open = open_of(context);
    if (open.kept.empty()) return;
    NdisReturnPackets(open.kept.data(), static_cast<UINT>(open.kept.size()));
    open.kept.clear();
  }

  static inline Protocol5* current_ = nullptr;  // ProtocolBindAdapter has no context of the driver's
  std::u16string name_;
  const bool listens_;
  NDIS_HANDLE handle_ = nullptr;
};

NTSTATUS Protocol5::enter(PDRIVER_OBJECT object, PUNICODE_STRING) {
  NDIS50_PROTOCOL_CHARACTERISTICS c{};
  c.MajorNdisVersion = 5;
  c.Name = counted(name_);
  c.OpenAdapterCompleteHandler = [](NDIS_HANDLE context, NDIS_STATUS status, NDIS_STATUS) {
    opened6(context, status);
  };
  c.CloseAdapterCompleteHandler = [](NDIS_HANDLE context, NDIS_STATUS) { closed6(context); };
  c.SendCompleteHandler = [](NDIS_HANDLE, PNDIS_PACKET packet, NDIS_STATUS) {
    Packets::put_back(Packets::row_of_sent(packet), packet);
  };
  c.TransferDataCompleteHandler = [](NDIS_HANDLE, PNDIS_PACKET, NDIS_STATUS, UINT) {};
  c.ResetCompleteHandler = [](NDIS_HANDLE, NDIS_STATUS) {};
  c.RequestCompleteHandler = &answered;
  c.ReceiveHandler = [](NDIS_HANDLE, NDIS_HANDLE, PVOID, UINT, PVOID, UINT, UINT) -> NDIS_STATUS {
    return NDIS_STATUS_NOT_ACCEPTED;
  };
  c.ReceiveCompleteHandler = &receive_complete;
  c.StatusHandler = [](NDIS_HANDLE, NDIS_STATUS, PVOID, UINT) {};
  c.StatusCompleteHandler = [](NDIS_HANDLE) {};
  c.ReceivePacketHandler = &receive_packet;
  c.BindAdapterHandler = &bind;
  c.UnbindAdapterHandler = &unbind;
  c.PnPEventHandler = [](NDIS_HANDLE, PNET_PNP_EVENT) -> NDIS_STATUS { return NDIS_STATUS_SUCCESS; };
  set_unload(object);
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  NdisRegisterProtocol(&status, &handle_, reinterpret_cast<PNDIS_PROTOCOL_CHARACTERISTICS>(&c), sizeof(c));
  return status;
}

}  // namespace

std::unique_ptr<Part> make_protocol6(Stack& stack, unsigned number) {
  return std::make_unique<Protocol6>(stack, number);
}
std::unique_ptr<Part> make_protocol5(Stack& stack, unsigned number) {
  return std::make_unique<Protocol5>(stack, number);
}

}  // namespace undis::bench
