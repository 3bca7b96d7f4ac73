// SPDX-License-Identifier: MIT
//
// The host's own protocol.
#include "lab/harness_protocol.h"

#include <cassert>

#include "kernel/unicode.h"
#include "lab/net_buffers.h"

namespace undis::lab {
namespace {

constexpr ULONG kTag = pool_tag("Hrot");

}  // namespace

HarnessProtocol* HarnessProtocol::loading_ = nullptr;

/// One open adapter.
struct HarnessProtocol::Open {
  Open(HarnessProtocol& protocol_, std::string adapter_)
      : protocol(protocol_), adapter(std::move(adapter_)) {}

  HarnessProtocol& protocol;
  const std::string adapter;
  NDIS_HANDLE handle = nullptr;
  NDIS_HANDLE pool = nullptr;
  UINT medium_index = 0;
  bool running = false;
  bool open = false;
  std::uint32_t sending = 0;  ///< lists sent and not completed
  std::uint32_t held = 0;     ///< received lists not returned yet
  NET_PNP_EVENT_NOTIFICATION* pended_pause = nullptr;
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  std::uint64_t received = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  kernel::Event opened{"harness protocol: open complete"};
  kernel::Event closed{"harness protocol: close complete"};
  kernel::Event asked{"harness protocol: request complete"};

  NDIS_STATUS set_filter(ULONG filter);
  void finish_pause_if_idle();
  void give_back(NET_BUFFER_LIST* chain, ULONG count);
};

HarnessProtocol::HarnessProtocol(World& world, std::string service)
    : world_(world), driver_(world.add(std::move(service), true)) {
  loading_ = this;
  [[maybe_unused]] const NTSTATUS status = world_.library().load(driver_, &driver_entry);
  loading_ = nullptr;
  assert(NT_SUCCESS(status));
}

HarnessProtocol::~HarnessProtocol() = default;

NTSTATUS NTAPI HarnessProtocol::driver_entry(PDRIVER_OBJECT object, PUNICODE_STRING path) {
  UNREFERENCED_PARAMETER(path);
  const std::u16string name = kernel::to_utf16(loading_->driver_.name());
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS c{};
  c.Header = {NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
              NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
              NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2};
  c.MajorNdisVersion = 6;
  c.MinorNdisVersion = 30;
  c.Name = kernel::counted(name);
  c.BindAdapterHandlerEx = &bind;
  c.UnbindAdapterHandlerEx = &unbind;
  c.OpenAdapterCompleteHandlerEx = &open_complete;
  c.CloseAdapterCompleteHandlerEx = &close_complete;
  c.NetPnPEventHandler = &pnp_event;
  c.OidRequestCompleteHandler = &oid_complete;
  c.StatusHandlerEx = &status;
  c.ReceiveNetBufferListsHandler = &receive;
  c.SendNetBufferListsCompleteHandler = &send_complete;
  object->DriverUnload = &unload_driver;
  return NdisRegisterProtocolDriver(loading_, &c, &loading_->handle_);
}

VOID NTAPI HarnessProtocol::unload_driver(PDRIVER_OBJECT object) {
  for (const Ref<ProtocolDriver>& protocol :
       Library::current().protocols_of(*kernel::Driver::from_object(object)))
    NdisDeregisterProtocolDriver(protocol->handle());
}

void HarnessProtocol::unload() {
  world_.library().unload(driver_);
}

// ---- bind and unbind ----

NDIS_STATUS HarnessProtocol::bind(NDIS_HANDLE driver_context, NDIS_HANDLE bind_context,
                                  PNDIS_BIND_PARAMETERS parameters) {
  auto& self = *static_cast<HarnessProtocol*>(driver_context);
  const Ref<Adapter> adapter =
      Library::current().adapter_by_device_name(kernel::view(parameters->AdapterName));
  const auto open = std::make_shared<Open>(self, adapter->name());
  self.opens_[open->adapter] = open;

  NDIS_MEDIUM media[] = {NdisMedium802_3};
  NDIS_OPEN_PARAMETERS how{};
  how.Header = {NDIS_OBJECT_TYPE_OPEN_PARAMETERS, NDIS_OPEN_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1};
  how.AdapterName = parameters->AdapterName;
  how.MediumArray = media;
  how.MediumArraySize = 1;
  how.SelectedMediumIndex = &open->medium_index;
  NDIS_STATUS status = NdisOpenAdapterEx(self.handle_, open.get(), &how, bind_context, &open->handle);
  if (status == NDIS_STATUS_PENDING) {
    open->opened.wait();
    status = open->status;
  }
  if (status != NDIS_STATUS_SUCCESS) {
    self.opens_.erase(open->adapter);
    return status;
  }
  open->open = true;
  open->pool = make_pool(open->handle, kTag);
  assert(open->pool != nullptr);
  open->set_filter(NDIS_PACKET_TYPE_PROMISCUOUS);

  if (!kernel::choose("the protocol pends its bind")) return NDIS_STATUS_SUCCESS;
  kernel::queue_work("protocol: complete the bind",
                     [bind_context] { NdisCompleteBindAdapterEx(bind_context, NDIS_STATUS_SUCCESS); });
  return NDIS_STATUS_PENDING;
}

VOID HarnessProtocol::open_complete(NDIS_HANDLE context, NDIS_STATUS status) {
  auto& open = *static_cast<Open*>(context);
  open.status = status;
  open.opened.set();
}

NDIS_STATUS HarnessProtocol::unbind(NDIS_HANDLE unbind_context, NDIS_HANDLE context) {
  UNREFERENCED_PARAMETER(unbind_context);
  auto& self = static_cast<Open*>(context)->protocol;
  const std::shared_ptr<Open> open = self.opens_.at(static_cast<Open*>(context)->adapter);
  open->set_filter(0);
  open->open = false;
  if (NdisCloseAdapterEx(open->handle) == NDIS_STATUS_PENDING) open->closed.wait();
  NdisFreeNetBufferListPool(open->pool);
  open->pool = nullptr;
  open->handle = nullptr;
  return NDIS_STATUS_SUCCESS;
}

VOID HarnessProtocol::close_complete(NDIS_HANDLE context) {
  static_cast<Open*>(context)->closed.set();
}

// ---- events ----

NDIS_STATUS HarnessProtocol::pnp_event(NDIS_HANDLE context, PNET_PNP_EVENT_NOTIFICATION event) {
  if (context == nullptr) return NDIS_STATUS_SUCCESS;
  auto& open = *static_cast<Open*>(context);
  switch (event->NetPnPEvent.NetEvent) {
  case NetEventRestart:
    open.running = true;
    return NDIS_STATUS_SUCCESS;
  case NetEventPause:
    open.running = false;
    if (open.sending == 0 && open.held == 0) return NDIS_STATUS_SUCCESS;
    open.pended_pause = event;
    return NDIS_STATUS_PENDING;
  default:
    return NDIS_STATUS_SUCCESS;
  }
}

void HarnessProtocol::Open::finish_pause_if_idle() {
  if (pended_pause == nullptr || sending != 0 || held != 0) return;
  NET_PNP_EVENT_NOTIFICATION* const event = pended_pause;
  pended_pause = nullptr;
  if (kernel::irql() == PASSIVE_LEVEL) {
    NdisCompleteNetPnPEvent(handle, event, NDIS_STATUS_SUCCESS);
  } else {
    kernel::queue_work("protocol: complete the pause",
                       [this, event] { NdisCompleteNetPnPEvent(handle, event, NDIS_STATUS_SUCCESS); });
  }
}

NDIS_STATUS HarnessProtocol::Open::set_filter(ULONG filter) {
  NDIS_OID_REQUEST request{};
  request.Header = {NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1,
                    NDIS_SIZEOF_OID_REQUEST_REVISION_1};
  request.RequestType = NdisRequestSetInformation;
  request.DATA.SET_INFORMATION.Oid = OID_GEN_CURRENT_PACKET_FILTER;
  request.DATA.SET_INFORMATION.InformationBuffer = &filter;
  request.DATA.SET_INFORMATION.InformationBufferLength = sizeof(filter);
  asked.reset();
  NDIS_STATUS result = NdisOidRequest(handle, &request);
  if (result == NDIS_STATUS_PENDING) {
    asked.wait();
    result = status;
  }
  return result;
}

VOID HarnessProtocol::oid_complete(NDIS_HANDLE context, PNDIS_OID_REQUEST request, NDIS_STATUS status) {
  UNREFERENCED_PARAMETER(request);
  auto& open = *static_cast<Open*>(context);
  open.status = status;
  open.asked.set();
}

VOID HarnessProtocol::status(NDIS_HANDLE context, PNDIS_STATUS_INDICATION indication) {
  UNREFERENCED_PARAMETER(context);
  UNREFERENCED_PARAMETER(indication);
}

// ---- data ----

bool HarnessProtocol::send(const std::string& adapter, const std::vector<FrameView>& frames) {
  const auto found = opens_.find(adapter);
  if (found == opens_.end() || !found->second->running || frames.empty()) return false;
  const std::shared_ptr<Open> open = found->second;
  // Counted from here on, so that a pause, and so an unbind, waits until the lists are made and sent.
  const auto reserved = static_cast<std::uint32_t>(frames.size());
  open->sending += reserved;
  ULONG count = 0;
  NET_BUFFER_LIST* const chain = make_chain(frames, count, [&](FrameView frame) {
    NET_BUFFER_LIST* const list = make_list(open->pool, frame, kTag);
    if (list != nullptr) list->SourceHandle = open->handle;
    return list;
  });
  const bool sends = count != 0 && open->running;
  if (!sends) {
    for_each_taken(chain, [](NET_BUFFER_LIST* list) { free_list(list, kTag); });
    count = 0;
  }
  open->sending -= reserved - count;
  if (sends) totals_.sent += count;
  if (sends && kernel::choose("the protocol cancels its sends")) {
    void* const id = open.get();
    for (NET_BUFFER_LIST* list = chain; list != nullptr; list = NET_BUFFER_LIST_NEXT_NBL(list))
      NDIS_SET_NET_BUFFER_LIST_CANCEL_ID(list, id);
    ++open->sending;  // the binding stays open until the cancel has returned
    NdisSendNetBufferLists(open->handle, chain, NDIS_DEFAULT_PORT_NUMBER, 0);
    NdisCancelSendNetBufferLists(open->handle, id);
    --open->sending;
    open->finish_pause_if_idle();
  } else if (sends) {
    NdisSendNetBufferLists(open->handle, chain, NDIS_DEFAULT_PORT_NUMBER, 0);
  } else {
    open->finish_pause_if_idle();
  }
  return sends;
}

VOID HarnessProtocol::send_complete(NDIS_HANDLE context, PNET_BUFFER_LIST chain, ULONG flags) {
  UNREFERENCED_PARAMETER(flags);
  auto& open = *static_cast<Open*>(context);
  const std::shared_ptr<Open> keep = open.protocol.opens_.at(open.adapter);
  for_each_taken(chain, [&](NET_BUFFER_LIST* list) {
    ++(NET_BUFFER_LIST_STATUS(list) == NDIS_STATUS_SUCCESS ? open.completed : open.failed);
    ++open.protocol.totals_.completed;
    free_list(list, kTag);
    --open.sending;
  });
  open.finish_pause_if_idle();
}

VOID HarnessProtocol::receive(NDIS_HANDLE context, PNET_BUFFER_LIST chain, NDIS_PORT_NUMBER port, ULONG count,
                              ULONG flags) {
  UNREFERENCED_PARAMETER(port);
  auto& open = *static_cast<Open*>(context);
  for (NET_BUFFER_LIST* list = chain; list != nullptr; list = NET_BUFFER_LIST_NEXT_NBL(list)) {
    for (NET_BUFFER* buffer = NET_BUFFER_LIST_FIRST_NB(list); buffer != nullptr;
         buffer = NET_BUFFER_NEXT_NB(buffer)) {
      ++open.received;
      if (open.protocol.on_receive) open.protocol.on_receive(open.adapter, bytes_of(buffer));
    }
  }
  Totals& totals = open.protocol.totals_;
  if (NDIS_TEST_RECEIVE_FLAG(flags, NDIS_RECEIVE_FLAGS_RESOURCES)) {
    totals.lent += count;
    return;  // the data is the miniport's again when this returns
  }
  totals.received += count;
  if (!kernel::choose("the protocol returns received lists later")) {
    totals.returned += count;
    NdisReturnNetBufferLists(open.handle, chain,
                             NDIS_TEST_RECEIVE_FLAG(flags, NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL)
                                 ? NDIS_RETURN_FLAGS_DISPATCH_LEVEL
                                 : 0);
    return;
  }
  open.held += count;
  const std::shared_ptr<Open> keep = open.protocol.opens_.at(open.adapter);
  kernel::queue_work("protocol: return received lists",
                     [keep, chain, count] { keep->give_back(chain, count); });
}

void HarnessProtocol::Open::give_back(NET_BUFFER_LIST* chain, ULONG count) {
  protocol.totals_.returned += count;
  NdisReturnNetBufferLists(handle, chain, 0);
  held -= count;
  finish_pause_if_idle();
}

// ---- figures ----

std::vector<std::string> HarnessProtocol::running() const {
  std::vector<std::string> names;
  for (const auto& [name, open] : opens_)
    if (open->running) names.push_back(name);
  return names;
}

bool HarnessProtocol::is_bound_to(const std::string& adapter) const {
  const auto open = opens_.find(adapter);
  return open != opens_.end() && open->second->open;
}

std::uint64_t HarnessProtocol::received(const std::string& adapter) const {
  const auto open = opens_.find(adapter);
  return open == opens_.end() ? 0 : open->second->received;
}

std::uint64_t HarnessProtocol::completed(const std::string& adapter) const {
  const auto open = opens_.find(adapter);
  return open == opens_.end() ? 0 : open->second->completed;
}

std::uint64_t HarnessProtocol::failed(const std::string& adapter) const {
  const auto open = opens_.find(adapter);
  return open == opens_.end() ? 0 : open->second->failed;
}

}  // namespace undis::lab
