// SPDX-License-Identifier: MIT
//
// Taking and giving back the right to operate on an object.
#include "ndis/claim.h"

#include "kernel/thread.h"

namespace undis {

void Claim::take() noexcept {
  const void* const me = kernel::Thread::current_or_null();
  for (;;) {
    {
      const kernel::Hold hold(lock_);
      if (owner_ == nullptr || owner_ == me) {
        owner_ = me;
        ++depth_;
        free_.reset();
        return;
      }
    }
    free_.wait();
  }
}

void Claim::give_back() noexcept {
  const kernel::Hold hold(lock_);
  if (--depth_ > 0) return;
  owner_ = nullptr;
  free_.set();
}

bool Claim::is_mine() const noexcept {
  const kernel::Hold hold(lock_);
  return owner_ == kernel::Thread::current_or_null();
}

}  // namespace undis
