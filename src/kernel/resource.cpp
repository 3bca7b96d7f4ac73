// SPDX-License-Identifier: MIT
//
// ERESOURCE: a recursive lock for one writer or many readers, which knows its owners.
//
// Pages   wdm/nf-wdm-exinitializeresourcelite, -exacquireresourceexclusivelite, -exacquireresourcesharedlite,
// -exreleaseresourcelite,
//         -exdeleteresourcelite, -exconvertexclusivetosharedlite
// IRQL    acquire, delete <= APC_LEVEL, with normal kernel APCs disabled; initialise, release <=
// DISPATCH_LEVEL Beyond  Reserved2 points at the list of owners, which Windows keeps in OwnerTable. Who waits
// is served in no particular order.
#include <algorithm>
#include <new>
#include <vector>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/region.h"
#include "kernel/scheduling.h"
#include "kernel/system.h"

using namespace undis::kernel;

namespace {

constexpr USHORT kExclusive = 0x80;  // in ERESOURCE::Flag, as Windows has it: owned by a writer

struct Owner {
  ERESOURCE_THREAD thread;
  ULONG count;
};

/// What stands behind an initialised ERESOURCE.
struct Owners {
  const ERESOURCE* of;  // tells a copied or overwritten structure from the initialised one
  std::vector<Owner> list;

  Owner* find(ERESOURCE_THREAD thread) {
    const auto found = std::find_if(list.begin(), list.end(),
                                    [thread](const Owner& owner) { return owner.thread == thread; });
    return found != list.end() ? &*found : nullptr;
  }
};

KeyedWaits& waits() {
  return System::current().scheduling().keyed;
}

ERESOURCE_THREAD current_owner() {
  return reinterpret_cast<ERESOURCE_THREAD>(KeGetCurrentThread());
}

/// nullptr after the report that the resource was never initialised.
Owners* owners_of(PERESOURCE resource, const char* function) {
  // The list links to itself in an initialised resource, which garbage does not.
  if (resource->SystemResourcesList.Flink == &resource->SystemResourcesList) {
    auto* const owners = static_cast<Owners*>(resource->Reserved2);
    if (owners != nullptr && owners->of == resource) return owners;
  }
  report_misuse(
      Misuse::ObjectNotInitialized, function, resource,
      fmt::format(
          "{} was given a resource that ExInitializeResourceLite has not initialised, or that was deleted",
          function));
  return nullptr;
}

bool is_exclusive(const ERESOURCE* resource) {
  return (resource->Flag & kExclusive) != 0;
}

bool try_take(PERESOURCE resource, Owners& owners, bool exclusive) {
  const ERESOURCE_THREAD self = current_owner();
  Owner* const own = owners.find(self);
  if (exclusive) {
    if (!owners.list.empty() && !(own != nullptr && is_exclusive(resource))) return false;
    resource->Flag = static_cast<USHORT>(resource->Flag | kExclusive);
  } else if (own == nullptr && is_exclusive(resource)) {
    return false;
  }
  if (own != nullptr) {
    ++own->count;
  } else {
    owners.list.push_back({self, 1});
  }
  resource->ActiveEntries = static_cast<ULONG>(owners.list.size());
  resource->ActiveCount = static_cast<SHORT>(owners.list.size());
  return true;
}

BOOLEAN acquire(PERESOURCE resource, bool exclusive, bool wait, const char* function) {
  Owners* const owners = owners_of(resource, function);
  if (owners == nullptr) return FALSE;
  check_apcs_disabled(function, resource);
  if (!wait) return waits().attempt([&] { return try_take(resource, *owners, exclusive); }) ? TRUE : FALSE;
  if (exclusive && !is_exclusive(resource) && owners->find(current_owner()) != nullptr) {
    report_misuse(
        Misuse::LockRecursion, function, resource,
        fmt::format("{} acquires for exclusive access a resource that this thread holds for shared access",
                    function));
  }
  ULONG& waiting = exclusive ? resource->NumberOfExclusiveWaiters : resource->NumberOfSharedWaiters;
  ++waiting;
  waits().wait_until(resource, function, "of a resource",
                     [&] { return try_take(resource, *owners, exclusive); });
  --waiting;
  return TRUE;
}

void release(PERESOURCE resource, ERESOURCE_THREAD thread, const char* function) {
  Owners* const owners = owners_of(resource, function);
  if (owners == nullptr) return;
  const bool held = waits().change(resource, [&] {
    Owner* const own = owners->find(thread);
    if (own == nullptr) return false;
    if (--own->count == 0) owners->list.erase(owners->list.begin() + (own - owners->list.data()));
    if (owners->list.empty()) resource->Flag = static_cast<USHORT>(resource->Flag & ~kExclusive);
    resource->ActiveEntries = static_cast<ULONG>(owners->list.size());
    resource->ActiveCount = static_cast<SHORT>(owners->list.size());
    return true;
  });
  if (held) return;
  report_misuse(Misuse::LockNotHeld, function, resource,
                fmt::format("{} releases a resource that the thread does not hold", function));
}

}  // namespace

NTSTATUS ExInitializeResourceLite(PERESOURCE Resource) {
  const KernelCall call("ExInitializeResourceLite", DISPATCH_LEVEL);
  *Resource = {};
  InitializeListHead(&Resource->SystemResourcesList);
  Resource->Reserved2 = new Owners{Resource, {}};
  return STATUS_SUCCESS;
}

NTSTATUS ExReinitializeResourceLite(PERESOURCE Resource) {
  const KernelCall call("ExReinitializeResourceLite", APC_LEVEL);
  if (Owners* const owners = owners_of(Resource, call.name())) owners->list.clear();
  Resource->Flag = 0;
  Resource->ActiveEntries = 0;
  Resource->ActiveCount = 0;
  return STATUS_SUCCESS;
}

NTSTATUS ExDeleteResourceLite(PERESOURCE Resource) {
  const KernelCall call("ExDeleteResourceLite", APC_LEVEL);
  Owners* const owners = owners_of(Resource, call.name());
  if (owners == nullptr) return STATUS_INVALID_PARAMETER;
  if (!owners->list.empty()) {
    report_misuse(Misuse::BadParameter, call.name(), Resource,
                  "ExDeleteResourceLite deletes a resource that is still held");
  }
  Resource->SystemResourcesList = {};
  Resource->Reserved2 = nullptr;
  delete owners;
  return STATUS_SUCCESS;
}

BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait) {
  const KernelCall call("ExAcquireResourceExclusiveLite", APC_LEVEL);
  return acquire(Resource, true, Wait != FALSE, call.name());
}

BOOLEAN ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait) {
  const KernelCall call("ExAcquireResourceSharedLite", APC_LEVEL);
  return acquire(Resource, false, Wait != FALSE, call.name());
}

BOOLEAN ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait) {
  const KernelCall call("ExAcquireSharedStarveExclusive", APC_LEVEL);
  return acquire(Resource, false, Wait != FALSE, call.name());
}

BOOLEAN ExAcquireSharedWaitForExclusive(PERESOURCE Resource, BOOLEAN Wait) {
  const KernelCall call("ExAcquireSharedWaitForExclusive", APC_LEVEL);
  return acquire(Resource, false, Wait != FALSE, call.name());
}

VOID ExReleaseResourceLite(PERESOURCE Resource) {
  const KernelCall call("ExReleaseResourceLite", DISPATCH_LEVEL);
  release(Resource, current_owner(), call.name());
}

VOID ExReleaseResourceForThreadLite(PERESOURCE Resource, ERESOURCE_THREAD ResourceThreadId) {
  const KernelCall call("ExReleaseResourceForThreadLite", DISPATCH_LEVEL);
  release(Resource, ResourceThreadId, call.name());
}

VOID ExConvertExclusiveToSharedLite(PERESOURCE Resource) {
  const KernelCall call("ExConvertExclusiveToSharedLite", DISPATCH_LEVEL);
  if (owners_of(Resource, call.name()) == nullptr) return;
  if (!is_exclusive(Resource)) {
    report_misuse(Misuse::LockNotHeld, call.name(), Resource,
                  "ExConvertExclusiveToSharedLite is given a resource that has no writer");
    return;
  }
  waits().change(Resource, [&] {
    Resource->Flag = static_cast<USHORT>(Resource->Flag & ~kExclusive);
    return true;
  });
}

BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource) {
  const KernelCall call("ExIsResourceAcquiredExclusiveLite", DISPATCH_LEVEL);
  Owners* const owners = owners_of(Resource, call.name());
  return owners != nullptr && is_exclusive(Resource) && owners->find(current_owner()) != nullptr ? TRUE
                                                                                                 : FALSE;
}

ULONG ExIsResourceAcquiredSharedLite(PERESOURCE Resource) {
  const KernelCall call("ExIsResourceAcquiredSharedLite", DISPATCH_LEVEL);
  Owners* const owners = owners_of(Resource, call.name());
  const Owner* const own = owners != nullptr ? owners->find(current_owner()) : nullptr;
  return own != nullptr ? own->count : 0;
}

ULONG ExGetExclusiveWaiterCount(PERESOURCE Resource) {
  const KernelCall call("ExGetExclusiveWaiterCount", DISPATCH_LEVEL);
  return Resource->NumberOfExclusiveWaiters;
}

ULONG ExGetSharedWaiterCount(PERESOURCE Resource) {
  const KernelCall call("ExGetSharedWaiterCount", DISPATCH_LEVEL);
  return Resource->NumberOfSharedWaiters;
}

PVOID ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource) {
  KeEnterCriticalRegion();
  ExAcquireResourceExclusiveLite(Resource, TRUE);
  return nullptr;
}

PVOID ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource) {
  KeEnterCriticalRegion();
  ExAcquireResourceSharedLite(Resource, TRUE);
  return nullptr;
}

VOID ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource) {
  ExReleaseResourceLite(Resource);
  KeLeaveCriticalRegion();
}
