// SPDX-License-Identifier: MIT
//
// Read/write locks: many readers or one writer, spinning at DISPATCH_LEVEL. Shared by NDIS_RW_LOCK_EX and the
// older NDIS_RW_LOCK.
//
// The word is that of an EX_SPIN_LOCK: the number of readers, or kWriter. Who holds it is noted with the
// thread; reading and writing may each be nested by who holds the lock for just that, and a writer may read.
#pragma once

#include <wdm.h>

#include "ndis/service.h"

namespace undis {

namespace rw_lock {

inline constexpr LONG kWriter = static_cast<LONG>(0x80000000);
enum class Access : UCHAR { Read = 1, Write = 2 };

/// At DISPATCH_LEVEL. A write by who reads is reported, then hangs, as it would.
void acquire(volatile LONG* word, Access access, const char* function, const void* return_address) noexcept;
/// False: the current thread does not hold it for `access`; nothing is changed.
bool release(volatile LONG* word, Access access) noexcept;

}  // namespace rw_lock

/// What an NDIS_RW_LOCK_EX pointer is a handle to.
class RwLock final : public Service {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::RwLock};
  explicit RwLock(kernel::Driver& driver) : Service(HandleKind::RwLock, driver, "read/write lock") {}

  volatile LONG word = 0;
};

}  // namespace undis
