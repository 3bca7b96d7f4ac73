// SPDX-License-Identifier: MIT
//
// The period of check-for-hang, and one reset from its start to its announced end.
#include "ndis/reset.h"

#include <fmt/format.h>

#include "kernel/call.h"
#include "kernel/time.h"
#include "ndis/binding.h"
#include "ndis/callbacks.h"
#include "ndis/data_path.h"
#include "ndis/data_path_parts.h"
#include "ndis/library.h"

namespace undis {

using kernel::call_driver;

namespace {

constexpr std::uint32_t kMillisecondsPerSecond = 1000;

bool is_documented(NDIS_STATUS status, bool version6) {
  switch (status) {
  case NDIS_STATUS_SUCCESS:
  case NDIS_STATUS_RESET_IN_PROGRESS:
  case NDIS_STATUS_SOFT_ERRORS:
  case NDIS_STATUS_HARD_ERRORS:
    return true;
  case NDIS_STATUS_NOT_RESETTABLE:
  case NDIS_STATUS_FAILURE:
    return !version6;
  default:
    return false;
  }
}

}  // namespace

ResetControl::ResetControl(Adapter& adapter)
    : adapter_(adapter), timer_([this] { tick(); }), work_("check-for-hang and reset under way"),
      done_("NdisMResetComplete") {
  work_.close();  // open from start() to stop()
}

ResetControl::~ResetControl() = default;

void ResetControl::start(UINT seconds) {
  work_.open();
  const MiniportDriver& driver = adapter_.driver();
  const bool asks = driver.is_version6() ? static_cast<bool>(driver.handlers6().CheckForHang)
                                         : static_cast<bool>(driver.handlers5().CheckForHang);
  if (!asks) return;
  const std::uint32_t period = period_of(seconds) * kMillisecondsPerSecond;
  timer_.set(period * kernel::kTicksPerMillisecond, period);
}

void ResetControl::stop() {
  timer_.cancel();
  work_.close();
  work_.wait_empty();
}

bool ResetControl::in_progress() const noexcept {
  const kernel::Hold hold(lock_);
  return in_progress_;
}

bool ResetControl::announced() const noexcept {
  const kernel::Hold hold(lock_);
  return announced_;
}

void ResetControl::tick() {
  {
    const kernel::Hold hold(lock_);
    if (asking_ || in_progress_) return;
    asking_ = true;
  }
  if (!work_.enter()) return;
  const Ref<Adapter> alive(adapter_);
  kernel::queue_work("check an adapter for a hang", [alive] {
    alive->reset.check();
    alive->reset.work_.leave();
  });
}

void ResetControl::check() {
  const MiniportDriver& driver = adapter_.driver();
  bool hangs = false;
  if (driver.is_version6()) {
    hangs = call_driver(&driver.driver(), callbacks::kMiniportCheckForHangEx, &adapter_, nullptr,
                        driver.handlers6().CheckForHang, adapter_.context()) != FALSE;
  } else {
    const kernel::RaiseIrql raised(DISPATCH_LEVEL);
    hangs = call_driver(&driver.driver(), callbacks::kMiniportCheckForHang, &adapter_, nullptr,
                        driver.handlers5().CheckForHang, adapter_.context()) != FALSE;
  }
  // The page: a request that two calls have found pending may be a reason as well.
  const bool request_hangs = adapter_.oids.survives_check();
  {
    const kernel::Hold hold(lock_);
    asking_ = false;
  }
  if (hangs || request_hangs) run(nullptr);
}

bool ResetControl::request(Binding* asker) {
  if (!work_.enter()) return false;
  const Ref<Adapter> alive(adapter_);
  const Ref<Binding> by(asker);
  kernel::queue_work("reset an adapter", [alive, by] {
    alive->reset.run(by.get());
    alive->reset.work_.leave();
  });
  return true;
}

NDIS_STATUS ResetControl::call_reset(BOOLEAN& addressing) {
  const MiniportDriver& driver = adapter_.driver();
  if (driver.is_version6()) {
    if (!driver.handlers6().Reset) return NDIS_STATUS_NOT_RESETTABLE;
    return call_driver(&driver.driver(), callbacks::kMiniportResetEx, &adapter_, nullptr,
                       driver.handlers6().Reset, adapter_.context(), &addressing);
  }
  if (!driver.handlers5().Reset) return NDIS_STATUS_NOT_RESETTABLE;
  const kernel::RaiseIrql raised(DISPATCH_LEVEL);
  return call_driver(&driver.driver(), callbacks::kMiniportReset, &adapter_, nullptr,
                     driver.handlers5().Reset, &addressing, adapter_.context());
}

void ResetControl::run(Binding* asker) {
  {
    const kernel::Hold hold(lock_);
    if (in_progress_) return;
    in_progress_ = true;
    owed_ = true;  // before the call: the driver may complete it from inside
    done_.reset();
  }
  adapter_.attend(true);
  sends_before_ = adapter_.sends.inside();
  BOOLEAN addressing = FALSE;
  NDIS_STATUS status = call_reset(addressing);
  const bool has_function = adapter_.is_version6() ? static_cast<bool>(adapter_.driver().handlers6().Reset)
                                                   : static_cast<bool>(adapter_.driver().handlers5().Reset);
  if (status == NDIS_STATUS_PENDING) {
    announce(NDIS_STATUS_RESET_START);
    done_.wait();
    const kernel::Hold hold(lock_);
    status = status_;
    addressing = addressing_ ? TRUE : FALSE;
  } else {
    judge_outstanding();
  }
  if (has_function && !is_documented(status, adapter_.is_version6())) {
    Library::current().observer().on(
        BadStatus{&adapter_.driver().driver(),
                  adapter_.is_version6() ? "MiniportResetEx" : "MiniportReset",
                  &adapter_,
                  adapter_.name(),
                  status,
                  "NDIS_STATUS_SUCCESS, _PENDING, _RESET_IN_PROGRESS, _SOFT_ERRORS or _HARD_ERRORS",
                  {}});
  }
  bool told = false;
  {
    const kernel::Hold hold(lock_);
    told = announced_;
    in_progress_ = announced_ = owed_ = false;
  }
  adapter_.attend(false);
  if (told) announce(NDIS_STATUS_RESET_END);
  if (addressing != FALSE && (status == NDIS_STATUS_SUCCESS || status == NDIS_STATUS_SOFT_ERRORS))
    adapter_.restore_settings();
  if (asker != nullptr) {
    call_driver(&asker->driver(), callbacks::kProtocolResetComplete, asker, nullptr,
                asker->protocol().handlers5().ResetComplete, asker->context(), status);
  }
}

void ResetControl::judge_outstanding() {
  const MiniportDriver& driver = adapter_.driver();
  if (driver.version() < Version{6, 30}) return;
  if (adapter_.oids.at_miniport())
    tell_breach(
        "LIFE-181", driver.driver(), "MiniportResetEx", adapter_.name(),
        "the reset is complete while an OID request is pended: from NDIS 6.30 on it is completed before");
  if (sends_before_ != 0 && adapter_.sends.inside() != 0)
    tell_breach(
        "LIFE-181", driver.driver(), "MiniportResetEx", adapter_.name(),
        fmt::format(
            "the reset is complete while {} sends are pended: from NDIS 6.30 on they are completed before",
            adapter_.sends.inside()));
}

bool ResetControl::complete(NDIS_STATUS status, bool addressing_reset) {
  {
    const kernel::Hold hold(lock_);
    if (!owed_) return false;
    owed_ = false;
    status_ = status;
    addressing_ = addressing_reset;
  }
  judge_outstanding();
  done_.set();
  return true;
}

void ResetControl::announce(NDIS_STATUS code) {
  if (code == NDIS_STATUS_RESET_START) {
    const kernel::Hold hold(lock_);
    announced_ = true;
  }
  NDIS_STATUS_INDICATION indication{};
  indication.Header = {NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_STATUS_INDICATION_REVISION_1,
                       NDIS_SIZEOF_STATUS_INDICATION_REVISION_1};
  indication.SourceHandle = adapter_.handle();
  indication.StatusCode = code;
  indicate_status6(adapter_, indication);
}

}  // namespace undis
