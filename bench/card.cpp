// SPDX-License-Identifier: MIT
//
// The cards: what is sent is completed inside the send function, what is indicated comes back to its row.
#include "frames.h"
#include "parts.h"

namespace undis::bench {
namespace {

Port& port_of(NDIS_HANDLE context) noexcept {
  return *static_cast<Port*>(context);
}

// ---- NDIS 6.30 ----

class Cards6 final : public Part {
 public:
  explicit Cards6(Stack& stack) : Part(stack, stack.world().add("nic", true)) {}
  NTSTATUS enter(PDRIVER_OBJECT object, PUNICODE_STRING path) override;
  void leave() override { NdisMDeregisterMiniportDriver(handle_); }

 private:
  static NDIS_STATUS initialize(NDIS_HANDLE handle, NDIS_HANDLE context, PNDIS_MINIPORT_INIT_PARAMETERS) {
    Stack& stack = static_cast<Cards6*>(context)->stack();
    Port& port = stack.new_port(handle);
    return set_attributes(handle, &port, 0);
  }
  static VOID send(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER, ULONG) {
    const Port& port = port_of(context);
    if (port.touched) read_chain(chain);
    for (NET_BUFFER_LIST* list = chain; list != nullptr; list = list->Next)
      list->Status = NDIS_STATUS_SUCCESS;
    NdisMSendNetBufferListsComplete(port.handle, chain, 0);
  }
  static NDIS_STATUS oid_request(NDIS_HANDLE, PNDIS_OID_REQUEST request) {
    if (request->RequestType == NdisRequestSetInformation) return NDIS_STATUS_SUCCESS;
    auto& query = request->DATA.QUERY_INFORMATION;
    if (query.Oid != OID_GEN_VENDOR_ID || query.InformationBufferLength < sizeof(ULONG))
      return NDIS_STATUS_NOT_SUPPORTED;
    *static_cast<ULONG*>(query.InformationBuffer) = 0xFFFFFF;  // it has none
    query.BytesWritten = sizeof(ULONG);
    return NDIS_STATUS_SUCCESS;
  }

  NDIS_HANDLE handle_ = nullptr;
};

NTSTATUS Cards6::enter(PDRIVER_OBJECT object, PUNICODE_STRING path) {
  NDIS_MINIPORT_DRIVER_CHARACTERISTICS c{};
  c.Header = {NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
              NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
              NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2};
  c.MajorNdisVersion = 6;
  c.MinorNdisVersion = 30;
  c.InitializeHandlerEx = &initialize;
  c.HaltHandlerEx = [](NDIS_HANDLE, NDIS_HALT_ACTION) {};
  c.UnloadHandler = &unload_part;
  c.PauseHandler = [](NDIS_HANDLE context, PNDIS_MINIPORT_PAUSE_PARAMETERS) {
    port_of(context).use.stop();
    return NDIS_STATUS_SUCCESS;
  };
  c.RestartHandler = [](NDIS_HANDLE context, PNDIS_MINIPORT_RESTART_PARAMETERS) {
    port_of(context).use.start();
    return NDIS_STATUS_SUCCESS;
  };
  c.OidRequestHandler = &oid_request;
  c.SendNetBufferListsHandler = &send;
  c.ReturnNetBufferListsHandler = [](NDIS_HANDLE, PNET_BUFFER_LIST chain, ULONG) {
    Lists::put_back(chain->MiniportReserved[0], chain);
  };
  c.CancelSendHandler = [](NDIS_HANDLE, PVOID) {};
  c.DevicePnPEventNotifyHandler = [](NDIS_HANDLE, PNET_DEVICE_PNP_EVENT) {};
  c.ShutdownHandlerEx = [](NDIS_HANDLE, NDIS_SHUTDOWN_ACTION) {};
  c.CancelOidRequestHandler = [](NDIS_HANDLE, PVOID) {};
  return NdisMRegisterMiniportDriver(object, path, this, &c, &handle_);
}

// ---- NDIS 5.1, deserialized ----

class Cards5 final : public Part {
 public:
  explicit Cards5(Stack& stack) : Part(stack, stack.world().add("nic", true)) { current_ = this; }
  ~Cards5() override { current_ = nullptr; }
  NTSTATUS enter(PDRIVER_OBJECT object, PUNICODE_STRING path) override;
  void leave() override {}

 private:
  static NDIS_STATUS NTAPI initialize(PNDIS_STATUS, PUINT index, PNDIS_MEDIUM media, UINT count,
                                      NDIS_HANDLE handle, NDIS_HANDLE) {
    Port& port = current_->stack().new_port(handle);
    for (*index = 0; *index < count; ++*index)
      if (media[*index] == NdisMedium802_3) break;
    if (*index == count) return NDIS_STATUS_UNSUPPORTED_MEDIA;
    NdisMSetAttributesEx(handle, &port, 0, NDIS_ATTRIBUTE_DESERIALIZE, NdisInterfaceInternal);
    return NDIS_STATUS_SUCCESS;
  }
  static NDIS_STATUS NTAPI query(NDIS_HANDLE, NDIS_OID oid, PVOID buffer, ULONG length, PULONG written,
                                 PULONG needed) {
    static constexpr UCHAR kAddress[6] = {2};
    ULONG number = 0;
    const void* data = &number;
    ULONG size = sizeof(number);
    switch (oid) {
    case OID_GEN_MAXIMUM_FRAME_SIZE:
    case OID_GEN_MAXIMUM_LOOKAHEAD:
      number = 1500;
      break;
    case OID_GEN_LINK_SPEED:
      number = 10'000'000;
      break;
    case OID_GEN_MEDIA_CONNECT_STATUS:
      number = NdisMediaStateConnected;
      break;
    case OID_GEN_MAC_OPTIONS:
    case OID_GEN_VENDOR_ID:
      break;
    case OID_802_3_PERMANENT_ADDRESS:
    case OID_802_3_CURRENT_ADDRESS:
      data = kAddress;
      size = sizeof(kAddress);
      break;
    default:
      return NDIS_STATUS_NOT_SUPPORTED;
    }
    *needed = size;
    if (length < size) return NDIS_STATUS_INVALID_LENGTH;
    std::memcpy(buffer, data, size);
    *written = size;
    return NDIS_STATUS_SUCCESS;
  }
  /// Nobody is told that the initialization is over: a card indicates once somebody has set a packet filter.
  static NDIS_STATUS NTAPI set(NDIS_HANDLE context, NDIS_OID oid, PVOID buffer, ULONG length, PULONG read,
                               PULONG) {
    ULONG filter = 0;
    if (length >= sizeof(filter)) std::memcpy(&filter, buffer, sizeof(filter));
    if (oid == OID_GEN_CURRENT_PACKET_FILTER && filter != 0) port_of(context).use.start();
    *read = length;
    return NDIS_STATUS_SUCCESS;
  }
  static VOID NTAPI send_packets(NDIS_HANDLE context, PPNDIS_PACKET packets, UINT count) {
    const Port& port = port_of(context);
    for (UINT i = 0; i < count; ++i) {
      if (port.touched) read_frame(packets[i]);
      NdisMSendComplete(port.handle, packets[i], NDIS_STATUS_SUCCESS);
    }
  }
  static VOID NTAPI return_packet(NDIS_HANDLE, PNDIS_PACKET packet) {
    Packets::put_back(Packets::row_of_indicated(packet), packet);
  }

  static inline Cards5* current_ = nullptr;  // MiniportInitialize has no context
};

NTSTATUS Cards5::enter(PDRIVER_OBJECT object, PUNICODE_STRING path) {
  NDIS_HANDLE wrapper = nullptr;
  NdisMInitializeWrapper(&wrapper, object, path, nullptr);
  NDIS51_MINIPORT_CHARACTERISTICS c{};
  c.MajorNdisVersion = 5;
  c.MinorNdisVersion = 1;
  c.InitializeHandler = &initialize;
  c.HaltHandler = [](NDIS_HANDLE context) { port_of(context).use.stop(); };
  c.QueryInformationHandler = &query;
  c.SetInformationHandler = &set;
  c.ResetHandler = [](PBOOLEAN, NDIS_HANDLE) -> NDIS_STATUS { return NDIS_STATUS_SUCCESS; };
  c.SendPacketsHandler = &send_packets;
  c.ReturnPacketHandler = &return_packet;
  return NdisMRegisterMiniport(wrapper, reinterpret_cast<PNDIS_MINIPORT_CHARACTERISTICS>(&c), sizeof(c));
}

}  // namespace

std::unique_ptr<Part> make_cards6(Stack& stack) {
  return std::make_unique<Cards6>(stack);
}
std::unique_ptr<Part> make_cards5(Stack& stack) {
  return std::make_unique<Cards5>(stack);
}

}  // namespace undis::bench
