// SPDX-License-Identifier: MIT
//
// Bringing a stack up and down, and what its drivers share.
#include "stack.h"

#include <algorithm>
#include <string>

#include "kernel/driver.h"
#include "kernel/unicode.h"
#include "parts.h"

namespace undis::bench {

bool is_optimized() noexcept {
#ifdef __OPTIMIZE__
  return true;
#else
  return false;
#endif
}

namespace {

/// The parts that there are: what DriverEntry and Unload are told is a DRIVER_OBJECT.
std::vector<Part*>& all_parts() {
  static std::vector<Part*> parts;
  return parts;
}
Part& part_of(const DRIVER_OBJECT* object) {
  const kernel::Driver* const driver = kernel::Driver::from_object(object);
  return **std::ranges::find_if(all_parts(), [driver](Part* part) { return &part->driver() == driver; });
}

NTSTATUS NTAPI enter_part(PDRIVER_OBJECT object, PUNICODE_STRING path) {
  return part_of(object).enter(object, path);
}

lab::WorldOptions world_options(const StackOptions& options) {
  lab::WorldOptions world;
  world.engine = options.engine;
  world.watch = options.watch;
  world.processors = options.processors;
  return world;
}

}  // namespace

VOID NTAPI unload_part(PDRIVER_OBJECT object) {
  part_of(object).leave();
}

void set_unload(PDRIVER_OBJECT object) {
  object->DriverUnload = &unload_part;
}

// ---- up ----

Stack::Stack(const StackOptions& options) : options_(options), world_(world_options(options)) {
  run([this] {
    cards_ = &add(options_.cards5 ? make_cards5(*this) : make_cards6(*this));
    for (unsigned i = 0; i < options_.filters + options_.bypassed; ++i)
      filters_.push_back(&add(make_filter(*this, i, i < options_.filters)));
    if (options_.middle != Middle::None) {
      middle_ = &add(make_middle(*this));
      // The intermediate driver is on the cards, the protocols are on its virtual miniports.
      world_.library().policy.binds = [this](const ProtocolDriver& protocol, const Adapter& adapter) {
        return (&protocol.driver() == &middle_->driver()) != adapter.is_virtual();
      };
      world_.library().policy.filters = [](const FilterDriver&, const Adapter& adapter) {
        return adapter.is_virtual();
      };
    }
    for (unsigned i = 0; i < options_.protocols; ++i) load_protocol();
    for (unsigned i = 0; i < options_.cards; ++i) plug();
  });
}

Part& Stack::add(std::unique_ptr<Part> part) {
  parts_.push_back(std::move(part));
  Part& added = *parts_.back();
  all_parts().push_back(&added);
  world_.library().load(added.driver(), &enter_part);
  return added;
}

bool Stack::is_up() noexcept {
  const auto opened = std::ranges::count_if(opens, [](const Open& open) { return open.handle != nullptr; });
  return ports.size() == options_.cards &&
         opened == static_cast<std::ptrdiff_t>(options_.cards) * options_.protocols && is_clean();
}

std::string Stack::complaint() {
  return is_clean() ? "not everything is there" : world_.verifier().violations().front().text;
}

Ref<Adapter> Stack::plug() {
  return world_.plug(cards_->driver(), "nic" + std::to_string(plugged_++));
}

void Stack::load_protocol() {
  const unsigned number = loaded_++;
  protocols_.push_back(
      &add(options_.protocols5 ? make_protocol5(*this, number) : make_protocol6(*this, number)));
}

Port& Stack::new_port(NDIS_HANDLE handle) {
  const std::lock_guard hold(growing_);
  Port& port = ports.emplace_back();
  port.handle = handle;
  port.touched = options_.touched;
  return port;
}
Open& Stack::new_open(bool listens) {
  const std::lock_guard hold(growing_);
  Open& open = opens.emplace_back();
  open.stack = this;
  open.listens = listens;
  open.touched = options_.touched;
  return open;
}
std::vector<Port*> Stack::ports_now() {
  const std::lock_guard hold(growing_);
  std::vector<Port*> now;
  for (Port& port : ports) now.push_back(&port);
  return now;
}
std::vector<Open*> Stack::opens_now() {
  const std::lock_guard hold(growing_);
  std::vector<Open*> now;
  for (Open& open : opens) now.push_back(&open);
  return now;
}

// ---- down ----

void Stack::unload(std::vector<Part*>& parts) {
  for (; !parts.empty(); parts.pop_back()) world_.library().unload(parts.back()->driver());
}

void Stack::unload_protocol() {
  world_.library().unload(protocols_.back()->driver());
  protocols_.pop_back();
}

void Stack::take_down() {
  if (cards_ == nullptr) return;
  unload(protocols_);
  if (middle_ != nullptr) world_.library().unload(middle_->driver());
  for (const Ref<Adapter>& adapter : world_.library().adapters())
    if (!adapter->is_virtual()) world_.unplug(*adapter);
  unload(filters_);
  world_.library().unload(cards_->driver());
  cards_ = middle_ = nullptr;
}

Stack::~Stack() {
  run([this] { take_down(); });
  all_parts().clear();
}

// ---- what the drivers share ----

std::u16string numbered(const char16_t* name, unsigned number) {
  return name + kernel::to_utf16(std::to_string(number));
}

UNICODE_STRING counted(std::u16string& text) noexcept {
  const auto bytes = static_cast<USHORT>(text.size() * sizeof(WCHAR));
  return {bytes, bytes, text.data()};
}

NDIS_STATUS set_attributes(NDIS_HANDLE adapter, NDIS_HANDLE context, ULONG flags) {
  NDIS_MINIPORT_ADAPTER_ATTRIBUTES attributes{};
  attributes.RegistrationAttributes.Header = {
      NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
      NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
      NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1};
  attributes.RegistrationAttributes.MiniportAdapterContext = context;
  attributes.RegistrationAttributes.AttributeFlags = flags;
  attributes.RegistrationAttributes.InterfaceType = NdisInterfaceInternal;
  if (const NDIS_STATUS status = NdisMSetMiniportAttributes(adapter, &attributes);
      status != NDIS_STATUS_SUCCESS)
    return status;
  static NDIS_OID oids[] = {OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_VENDOR_ID};
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
  return NdisMSetMiniportAttributes(adapter, &attributes);
}

NDIS_OID_REQUEST request6(NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer, ULONG length) noexcept {
  NDIS_OID_REQUEST request{};
  request.Header = {NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1,
                    NDIS_SIZEOF_OID_REQUEST_REVISION_1};
  request.RequestType = type;
  request.DATA.QUERY_INFORMATION.Oid = oid;
  request.DATA.QUERY_INFORMATION.InformationBuffer = buffer;
  request.DATA.QUERY_INFORMATION.InformationBufferLength = length;
  return request;
}

namespace {

/// A request and who waits for it.
struct Asked {
  NDIS_OID_REQUEST request;  // first: what is answered is this
  kernel::Event done{"an answer"};
  NDIS_STATUS status = NDIS_STATUS_PENDING;
};

}  // namespace

NDIS_STATUS ask6(NDIS_HANDLE binding, NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer, ULONG length) {
  Asked asked{request6(type, oid, buffer, length)};
  const NDIS_STATUS status = NdisOidRequest(binding, &asked.request);
  if (status != NDIS_STATUS_PENDING) return status;
  asked.done.wait();
  return asked.status;
}
VOID answered6(NDIS_HANDLE, PNDIS_OID_REQUEST request, NDIS_STATUS status) {
  auto& asked = *reinterpret_cast<Asked*>(request);
  asked.status = status;
  asked.done.set();
}
NDIS_STATUS set_filter6(NDIS_HANDLE binding, ULONG filter) {
  return ask6(binding, NdisRequestSetInformation, OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
}

NDIS_STATUS open_adapter6(NDIS_HANDLE protocol, Bound& context, NDIS_HANDLE bind_context, PNDIS_STRING name,
                          bool listens, NDIS_HANDLE* handle) {
  NDIS_MEDIUM media[] = {NdisMedium802_3};
  UINT index = 0;
  NDIS_OPEN_PARAMETERS how{};
  how.Header = {NDIS_OBJECT_TYPE_OPEN_PARAMETERS, NDIS_OPEN_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1};
  how.AdapterName = name;
  how.MediumArray = media;
  how.MediumArraySize = 1;
  how.SelectedMediumIndex = &index;
  NDIS_STATUS status = NdisOpenAdapterEx(protocol, &context, &how, bind_context, handle);
  if (status == NDIS_STATUS_PENDING) {
    context.opened.wait();
    status = context.open_status;
  }
  if (status != NDIS_STATUS_SUCCESS || !listens) return status;
  return set_filter6(*handle, NDIS_PACKET_TYPE_PROMISCUOUS);
}

void close_adapter6(Bound& context, NDIS_HANDLE* handle) {
  if (NdisCloseAdapterEx(*handle) == NDIS_STATUS_PENDING) context.closed.wait();
  *handle = nullptr;  // not before: what was received may still be returned with it
}
VOID opened6(NDIS_HANDLE context, NDIS_STATUS status) {
  static_cast<Bound*>(context)->open_status = status;
  static_cast<Bound*>(context)->opened.set();
}
VOID closed6(NDIS_HANDLE context) {
  static_cast<Bound*>(context)->closed.set();
}

}  // namespace undis::bench
