// SPDX-License-Identifier: MIT
//
// Protocol driver registrations and their deregistration.
#include "ndis/protocol_driver.h"

#include <algorithm>

#include "kernel/unicode.h"
#include "ndis/adapter.h"
#include "ndis/binding.h"
#include "ndis/library.h"

namespace undis {

ProtocolHandlers5::ProtocolHandlers5(const C& c)
    : OpenAdapterComplete(c.OpenAdapterCompleteHandler), CloseAdapterComplete(c.CloseAdapterCompleteHandler),
      SendComplete(c.SendCompleteHandler), TransferDataComplete(c.TransferDataCompleteHandler),
      ResetComplete(c.ResetCompleteHandler), RequestComplete(c.RequestCompleteHandler),
      Receive(c.ReceiveHandler), ReceiveComplete(c.ReceiveCompleteHandler), Status(c.StatusHandler),
      StatusComplete(c.StatusCompleteHandler), ReceivePacket(c.ReceivePacketHandler),
      BindAdapter(c.BindAdapterHandler), UnbindAdapter(c.UnbindAdapterHandler), PnPEvent(c.PnPEventHandler),
      Unload(c.UnloadHandler) {}

ProtocolHandlers6::ProtocolHandlers6(const C& c)
    : SetOptions(c.SetOptionsHandler), BindAdapter(c.BindAdapterHandlerEx),
      UnbindAdapter(c.UnbindAdapterHandlerEx), OpenAdapterComplete(c.OpenAdapterCompleteHandlerEx),
      CloseAdapterComplete(c.CloseAdapterCompleteHandlerEx), NetPnPEvent(c.NetPnPEventHandler),
      Uninstall(c.UninstallHandler), OidRequestComplete(c.OidRequestCompleteHandler),
      Status(c.StatusHandlerEx), ReceiveNetBufferLists(c.ReceiveNetBufferListsHandler),
      SendNetBufferListsComplete(c.SendNetBufferListsCompleteHandler),
      DirectOidRequestComplete(c.DirectOidRequestCompleteHandler) {}

ProtocolDriver::ProtocolDriver(kernel::Driver& driver, std::u16string name,
                               const NDIS50_PROTOCOL_CHARACTERISTICS& characteristics)
    : driver_(driver), version_{characteristics.MajorNdisVersion, characteristics.MinorNdisVersion},
      registered_name_(std::move(name)), context_(nullptr), handlers5_(characteristics),
      handlers6_(NDIS_PROTOCOL_DRIVER_CHARACTERISTICS{}), origin_(kernel::Stack::capture()) {}

ProtocolDriver::ProtocolDriver(kernel::Driver& driver, std::u16string name,
                               const NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& characteristics, void* context)
    : driver_(driver), version_{characteristics.MajorNdisVersion, characteristics.MinorNdisVersion},
      registered_name_(std::move(name)), context_(context), handlers5_(NDIS50_PROTOCOL_CHARACTERISTICS{}),
      handlers6_(characteristics), origin_(kernel::Stack::capture()) {}

ProtocolDriver::~ProtocolDriver() = default;

std::string ProtocolDriver::name() const {
  return kernel::to_utf8(registered_name_);
}

std::vector<Ref<Binding>> ProtocolDriver::bindings() const {
  const kernel::Hold hold(lock_);
  return bindings_.all();
}

bool ProtocolDriver::deregistering() const noexcept {
  const kernel::Hold hold(lock_);
  return deregistering_;
}

void ProtocolDriver::set_ready() {
  const kernel::Hold hold(lock_);
  ready_ = true;
}

bool ProtocolDriver::bindable() const noexcept {
  const kernel::Hold hold(lock_);
  return ready_ && !deregistering_;
}

bool ProtocolDriver::add(Binding& binding) {
  const kernel::Hold hold(lock_);
  if (!ready_ || deregistering_) return false;
  bindings_.add(binding);
  return true;
}

void ProtocolDriver::remove(Binding& binding) {
  bool release = false;
  const char* function = nullptr;
  {
    const kernel::Hold hold(lock_);
    bindings_.take_out(binding);
    function = deregistered_by_;
    release = release_when_unbound_ && bindings_.empty();
    if (release) release_when_unbound_ = false;
  }
  if (release) Library::current().remove(*this, function);
}

void ProtocolDriver::forget(Binding& binding) {
  const kernel::Hold hold(lock_);
  bindings_.take_out(binding);
}

bool ProtocolDriver::deregister(const char* function) {
  {
    const kernel::Hold hold(lock_);
    if (deregistering_) return false;
    deregistering_ = true;  // from here no new binding
    deregistered_by_ = function;
  }
  const Ref<ProtocolDriver> alive(this);

  // Callbacks out, oldest binding first; each waits until its open is closed. A binding in whose callback
  // this thread is cannot be unbound from here: its open is waited for if the driver has closed it, else its
  // own end does the rest.
  for (const Ref<Binding>& binding : bindings()) binding->unbind_for_deregistration();

  {
    const kernel::Hold hold(lock_);
    const bool all_closed =
        std::ranges::none_of(bindings_, [](const Binding& binding) { return binding.is_open(); });
    if (!all_closed) {
      release_when_unbound_ = true;
      return true;
    }
  }
  Library::current().remove(*this, function);
  return true;
}

bool ProtocolDriver::begin_event(void* event) {
  events_.take();
  {
    const kernel::Hold hold(lock_);
    if (!deregistering_) {
      event_ = event;
      event_answered_.reset();
      return true;
    }
  }
  events_.give_back();
  return false;
}

NDIS_STATUS ProtocolDriver::end_event(NDIS_STATUS status) {
  if (status == NDIS_STATUS_PENDING) {
    event_answered_.wait();
    const kernel::Hold hold(lock_);
    status = event_answer_;
  }
  {
    const kernel::Hold hold(lock_);
    event_ = nullptr;
  }
  events_.give_back();
  return status;
}

bool ProtocolDriver::complete_event(const void* event, NDIS_STATUS status) {
  const kernel::Hold hold(lock_);
  if (event_ == nullptr || event_ != event) return false;
  event_ = nullptr;
  event_answer_ = status;
  event_answered_.set();
  return true;
}

}  // namespace undis
