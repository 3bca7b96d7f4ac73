// SPDX-License-Identifier: MIT
//
// The open of a binding: NdisOpenAdapter(Ex) and NdisCloseAdapter(Ex), each done at once or pended as the
// schedule says.
#include <span>

#include <fmt/format.h>

#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/library.h"

namespace undis {

using kernel::call_driver;

namespace {

/// From here on nothing new is let in, and the miniport is told that this binding wants nothing.
void shut(Binding& binding) {
  binding.sends.close();
  binding.receives.close();
  binding.requests.close();
  binding.set_packet_filter(0);
  binding.multicast_list.set({});
  binding.lookahead = 0;
  binding.adapter().apply_filters();
}

}  // namespace

NDIS_STATUS Binding::open(void* context, const NDIS_MEDIUM* media, UINT media_count, NDIS_HANDLE* handle_out,
                          UINT* medium_index_out) {
  UINT medium_index = media_count;
  for (UINT i = 0; i < media_count && medium_index == media_count; ++i)
    if (media[i] == adapter_->traits().medium) medium_index = i;
  if (medium_index == media_count) return NDIS_STATUS_UNSUPPORTED_MEDIA;

  const bool pends = kernel::choose("the open is pended");
  {
    const kernel::Hold hold(lock_);
    if (open_ || opening_) return NDIS_STATUS_OPEN_FAILED;  // one open a binding
    if (state_ != BindingState::Opening) return NDIS_STATUS_CLOSING;
    opening_ = true;
    close_called_ = false;
  }
  open_origin_ = kernel::Stack::capture(1);
  if (!pends) return finish_open(context, handle_out, medium_index_out, medium_index);

  opened_.reset();
  const Ref<Binding> alive(this);
  kernel::queue_work("complete a pended open", [=] {
    alive->complete_open(context, alive->finish_open(context, handle_out, medium_index_out, medium_index));
    alive->opened_.set();
  });
  return NDIS_STATUS_PENDING;
}

void Binding::complete_open(void* context, NDIS_STATUS status) {
  if (is_version6()) {
    call_driver(&driver(), callbacks::kProtocolOpenAdapterCompleteEx, this, nullptr,
                protocol_->handlers6().OpenAdapterComplete, context, status);
  } else {
    call_driver(&driver(), callbacks::kProtocolOpenAdapterComplete, this, nullptr,
                protocol_->handlers5().OpenAdapterComplete, context, status, status);
  }
}

NDIS_STATUS Binding::finish_open(void* context, NDIS_HANDLE* handle_out, UINT* medium_index_out,
                                 UINT medium_index) {
  const NDIS_HANDLE handle = Library::current().handles().open(HandleKind::Binding, this, &adapter_->passage);
  const kernel::Hold hold(lock_);
  opening_ = false;
  if (handle == nullptr) return NDIS_STATUS_RESOURCES;
  open_ = true;
  handle_ = handle;
  context_ = context;
  closed_.reset();
  sends.open();
  receives.open();
  requests.open();
  families.open();
  calls.open();
  *handle_out = handle;
  *medium_index_out = medium_index;
  protocol_->ever_bound_ = true;
  advance_locked(BindingEvent::BindComplete);  // the page: Paused once the driver has opened the adapter
  return NDIS_STATUS_SUCCESS;
}

// ---- opened and closed outside a bind ----

NDIS_STATUS Binding::open_outside_bind(void* context, const NDIS_MEDIUM* media, UINT media_count,
                                       NDIS_HANDLE* handle_out, UINT* medium_index_out) {
  UINT medium_index = 0;
  while (medium_index < media_count && media[medium_index] != adapter_->traits().medium) ++medium_index;
  if (medium_index == media_count) return NDIS_STATUS_UNSUPPORTED_MEDIA;
  open_origin_ = kernel::Stack::capture(1);
  if (!kernel::choose("the open is pended"))
    return finish_own_open(context, handle_out, medium_index_out, medium_index);
  kernel::queue_work("complete a pended open", [=, alive = Ref<Binding>(this)] {
    alive->complete_open(context,
                         alive->finish_own_open(context, handle_out, medium_index_out, medium_index));
  });
  return NDIS_STATUS_PENDING;
}

NDIS_STATUS Binding::finish_own_open(void* context, NDIS_HANDLE* handle_out, UINT* medium_index_out,
                                     UINT medium_index) {
  const Ref<Binding> alive(this);
  const Claimed stack(adapter_->stack);  // the stack does not change meanwhile, so that the binding comes to
                                         // the adapter's own state
  const Claimed claimed(claim_);
  if (!adapter_->initialized() || adapter_->removing) return NDIS_STATUS_ADAPTER_NOT_FOUND;
  if (!protocol_->add(*this)) return NDIS_STATUS_CLOSING;
  adapter_->add(*this);
  advance(BindingEvent::ProtocolBindAdapterEx);
  const NDIS_STATUS status = finish_open(context, handle_out, medium_index_out, medium_index);
  if (status != NDIS_STATUS_SUCCESS) {
    advance(BindingEvent::BindFailed);
    vanish();
    return status;
  }
  if (adapter_->state() == AdapterState::Running) restart();
  return status;
}

/// Outside an unbind: pause, close and the end of the binding in one, as far as they wait on a worker.
NDIS_STATUS Binding::close_own() {
  const Ref<Binding> alive(this);
  shut(*this);
  const bool outstanding = sends.inside() + receives.inside() + requests.inside() + calls.inside() != 0;
  if (!outstanding && !kernel::choose("the close is pended")) {
    calls.close();
    end_own(false);
    return NDIS_STATUS_SUCCESS;
  }
  kernel::queue_work("complete a pended close", [alive] {
    alive->sends.wait_empty();
    alive->receives.wait_empty();
    alive->requests.wait_empty();
    alive->calls.close();
    alive->calls.wait_empty();
    alive->end_own(true);
  });
  return NDIS_STATUS_PENDING;
}

void Binding::end_own(bool tell) {
  const Claimed claimed(claim_);
  if (state() == BindingState::Running) {
    advance(BindingEvent::PnpPause);
    advance(BindingEvent::PauseComplete);
  }
  advance(BindingEvent::ProtocolUnbindAdapterEx);
  finish_close(tell);
  advance(BindingEvent::UnbindComplete);
  vanish();
}

bool Binding::close_called() const noexcept {
  const kernel::Hold hold(lock_);
  return close_called_;
}

NDIS_STATUS Binding::close() {
  const Ref<Binding> alive(this);
  {
    const kernel::Hold hold(lock_);
    if (!open_ || close_called_) return NDIS_STATUS_SUCCESS;
    close_called_ = true;
    note_carries_locked();
    closes_itself_ = own_ && !unbind_begun_;
  }
  if (closes_itself()) return close_own();
  {
    const kernel::Hold hold(lock_);
    // A close inside a bind that is about to fail takes the way of an unbind
    // (docs/decisions.md#close-in-bind).
    if (state_ == BindingState::Paused) advance_locked(BindingEvent::ProtocolUnbindAdapterEx);
  }
  if (is_version6() && !driver().harness() && (packet_filter != 0 || !multicast_list.empty()))
    tell_breach("LIFE-241", driver(), "NdisCloseAdapterEx", name_,
                "the adapter is closed with a packet filter or a multicast list still set");
  adapter_->co->end_of(*this, is_version6() ? "NdisCloseAdapterEx" : "NdisCloseAdapter");
  families.close();
  shut(*this);

  const bool outstanding =
      sends.inside() + receives.inside() + requests.inside() + families.inside() + calls.inside() != 0 ||
      adapter_->passage.busy();
  if (!outstanding && !kernel::choose("the close is pended")) {
    calls.close();
    finish_close(false);
    return NDIS_STATUS_SUCCESS;
  }
  kernel::queue_work("complete a pended close", [alive] {
    alive->adapter_->ways.settle();
    alive->sends.wait_empty();
    alive->receives.wait_empty();
    alive->requests.wait_empty();
    alive->families.wait_empty();
    alive->calls.close();  // what was sent or held has come back: no more calls but those that run
    alive->calls.wait_empty();
    alive->adapter_->ways.settle();
    alive->finish_close(true);
  });
  return NDIS_STATUS_PENDING;
}

void Binding::finish_close(bool tell) {
  {
    const kernel::Hold hold(lock_);
    open_ = false;
  }
  if (tell && is_version6()) {
    call_driver(&driver(), callbacks::kProtocolCloseAdapterCompleteEx, this, nullptr,
                protocol_->handlers6().CloseAdapterComplete, context_);
  } else if (tell) {
    call_driver(&driver(), callbacks::kProtocolCloseAdapterComplete, this, nullptr,
                protocol_->handlers5().CloseAdapterComplete, context_, NDIS_STATUS_SUCCESS);
  }
  Library::current().handles().close(handle_);
  closed_.set();
}

void Binding::require_closed(bool after_unbind) {
  {
    const kernel::Hold hold(lock_);
    if (!open_ || close_called_) return;
  }
  Library::current().observer().on(NotClosed{&driver(), name_, after_unbind, is_version6(), open_origin_});
  close();  // so that the run can go on: what the driver left open is closed for it
}

}  // namespace undis
