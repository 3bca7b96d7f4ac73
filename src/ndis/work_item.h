// SPDX-License-Identifier: MIT
//
// I/O work items of NDIS 6.
#pragma once

#include <ndis.h>

#include "ndis/service.h"

namespace undis {

class IoWorkItem final : public Service {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::IoWorkItem};
  /// `owner`: the driver, adapter or device whose handle was given.
  IoWorkItem(kernel::Driver& driver, Ref<Object> owner)
      : Service(HandleKind::IoWorkItem, driver, "I/O work item"), owner_(std::move(owner)) {
    made_for(owner_.get());
  }

  /// Calls `routine` on a system worker thread. False: it is queued already.
  bool queue(NDIS_IO_WORKITEM_ROUTINE routine, void* context);
  bool is_queued() const noexcept { return queued_; }

 private:
  const Ref<Object> owner_;
  bool queued_ = false;  ///< until its routine begins
};

}  // namespace undis
