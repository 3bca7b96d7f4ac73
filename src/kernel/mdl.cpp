// SPDX-License-Identifier: MIT
//
// Memory descriptor lists, physical addresses and pages, as drivers reach them.
//
// Pages   kernel/using-mdls, wdm/nf-wdm-ioallocatemdl, -mmbuildmdlfornonpagedpool, -mmprobeandlockpages,
// -mmmaplockedpagesspecifycache Beyond  There is one address space, and a physical address is the virtual
// one: pages are always there, locking and mapping only
//         keep the flags that they keep on Windows. What a driver does in the wrong order is reported by
//         these flags.
#include <cstring>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/pci.h"
#include "kernel/pool.h"
#include "kernel/system.h"

using namespace undis::kernel;

namespace {

constexpr ULONG kMdlTag = 0x206C644D;         // 'Mdl '
constexpr ULONG kPagesTag = 0x50646D4D;       // 'MmdP'
constexpr ULONG kContiguousTag = 0x6F436D4D;  // 'MmCo'
constexpr CSHORT kMapped = MDL_MAPPED_TO_SYSTEM_VA;
constexpr CSHORT kLocked = MDL_PAGES_LOCKED;
constexpr CSHORT kNonPaged = MDL_SOURCE_IS_NONPAGED_POOL;

void set(PMDL mdl, int flags) noexcept {
  mdl->MdlFlags = static_cast<CSHORT>(mdl->MdlFlags | flags);
}
void clear(PMDL mdl, int flags) noexcept {
  mdl->MdlFlags = static_cast<CSHORT>(mdl->MdlFlags & ~flags);
}
bool has(const MDL* mdl, int flags) noexcept {
  return (mdl->MdlFlags & flags) != 0;
}

/// Where the bytes are: what MmGetMdlVirtualAddress says or, for pages without an address, what the first
/// frame number says.
void* bytes_of(PMDL mdl) noexcept {
  if (mdl->StartVa != nullptr) return MmGetMdlVirtualAddress(mdl);
  return reinterpret_cast<void*>((MmGetMdlPfnArray(mdl)[0] << PAGE_SHIFT) + mdl->ByteOffset);
}

void fill_frames(PMDL mdl, const void* start) noexcept {
  const auto first = reinterpret_cast<std::uintptr_t>(start) >> PAGE_SHIFT;
  const ULONG pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(start, mdl->ByteCount);
  PFN_NUMBER* const frames = MmGetMdlPfnArray(mdl);
  for (ULONG i = 0; i < pages; ++i) frames[i] = first + i;
}

void* pages(std::size_t size, ULONG tag, Driver* owner, bool zero) {
  Pool::Request request;
  request.size = size;
  request.tag = tag;
  request.alignment = PAGE_SIZE;
  request.zero = zero;
  request.owner = owner;
  return System::current().pool().allocate(request);
}

PMDL make_mdl(void* address, std::size_t length, Driver* owner) {
  Pool::Request request;
  request.size = MmSizeOfMdl(address, length);
  request.tag = kMdlTag;
  request.zero = true;
  request.owner = owner;
  auto* const mdl = static_cast<PMDL>(System::current().pool().allocate(request));
  if (mdl != nullptr) MmInitializeMdl(mdl, address, length);
  return mdl;
}

PVOID map(const char* name, PMDL mdl) {
  if (!has(mdl, kLocked | kNonPaged | MDL_PARTIAL | MDL_IO_SPACE)) {
    report_misuse(Misuse::MdlMisuse, name, mdl, "the MDL's pages are neither locked nor non-paged pool");
  } else if (has(mdl, kMapped)) {
    report_misuse(Misuse::MdlMisuse, name, mdl, "the MDL is mapped already");
  }
  mdl->MappedSystemVa = bytes_of(mdl);
  set(mdl, kMapped | (has(mdl, MDL_PARTIAL) ? MDL_PARTIAL_HAS_BEEN_MAPPED : 0));
  return mdl->MappedSystemVa;
}

}  // namespace

// Page wdm/nf-wdm-mmsizeofmdl
SIZE_T MmSizeOfMdl(PVOID Base, SIZE_T Length) {
  return sizeof(MDL) + sizeof(PFN_NUMBER) * ADDRESS_AND_SIZE_TO_SPAN_PAGES(Base, Length);
}

// Page wdm/nf-wdm-ioallocatemdl
PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN, PIRP Irp) {
  const KernelCall call("IoAllocateMdl", DISPATCH_LEVEL);
  if (fault_point("IoAllocateMdl")) return nullptr;
  const PMDL mdl = make_mdl(VirtualAddress, Length, current_driver());
  if (mdl == nullptr || Irp == nullptr) return mdl;
  if (SecondaryBuffer == FALSE || Irp->MdlAddress == nullptr) {
    Irp->MdlAddress = mdl;
  } else {
    PMDL last = Irp->MdlAddress;
    while (last->Next != nullptr) last = last->Next;
    last->Next = mdl;
  }
  return mdl;
}

// Page wdm/nf-wdm-iofreemdl
VOID IoFreeMdl(PMDL Mdl) {
  const KernelCall call("IoFreeMdl", DISPATCH_LEVEL);
  PoolBlock block;
  const bool live = System::current().pool().find(Mdl, block) && block.live && block.address == Mdl;
  if (live && has(Mdl, kLocked) && !has(Mdl, MDL_PARTIAL))
    report_misuse(Misuse::MdlMisuse, "IoFreeMdl", Mdl, "the MDL's pages are still locked", *block.allocated);
  System::current().pool().free(Mdl, kMdlTag, "IoFreeMdl", current_driver());
}

// Page wdm/nf-wdm-iobuildpartialmdl
VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length) {
  const KernelCall call("IoBuildPartialMdl", DISPATCH_LEVEL);
  auto* const source = static_cast<PUCHAR>(MmGetMdlVirtualAddress(SourceMdl));
  const auto offset = static_cast<std::size_t>(static_cast<PUCHAR>(VirtualAddress) - source);
  if (static_cast<PUCHAR>(VirtualAddress) < source || offset > SourceMdl->ByteCount ||
      Length > SourceMdl->ByteCount - offset) {
    report_misuse(Misuse::MdlMisuse, "IoBuildPartialMdl", SourceMdl,
                  "the part asked for is not within the source MDL");
    return;
  }
  if (Length == 0) Length = static_cast<ULONG>(SourceMdl->ByteCount - offset);
  const std::size_t needed = MmSizeOfMdl(VirtualAddress, Length);
  if (static_cast<std::size_t>(static_cast<USHORT>(TargetMdl->Size)) < needed) {
    report_misuse(Misuse::MdlMisuse, "IoBuildPartialMdl", TargetMdl,
                  "the target MDL is too small for the pages of the part");
    return;
  }
  TargetMdl->StartVa = PAGE_ALIGN(VirtualAddress);
  TargetMdl->ByteOffset = BYTE_OFFSET(VirtualAddress);
  TargetMdl->ByteCount = Length;
  TargetMdl->Process = SourceMdl->Process;
  clear(TargetMdl, MDL_MAPPING_FLAGS);
  set(TargetMdl, MDL_PARTIAL | (SourceMdl->MdlFlags & (kNonPaged | MDL_IO_SPACE)));
  auto* const real = static_cast<PUCHAR>(bytes_of(SourceMdl)) + offset;
  fill_frames(TargetMdl, real);
  if (has(SourceMdl, kMapped | kNonPaged | MDL_PARENT_MAPPED_SYSTEM_VA)) {
    TargetMdl->MappedSystemVa = static_cast<PUCHAR>(SourceMdl->MappedSystemVa) + offset;
    set(TargetMdl, kMapped | MDL_PARENT_MAPPED_SYSTEM_VA);
    if (has(SourceMdl, kNonPaged)) clear(TargetMdl, kMapped | MDL_PARENT_MAPPED_SYSTEM_VA);
  }
}

// Page wdm/nf-wdm-mmbuildmdlfornonpagedpool
VOID MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList) {
  const KernelCall call("MmBuildMdlForNonPagedPool", DISPATCH_LEVEL);
  void* const address = MmGetMdlVirtualAddress(MemoryDescriptorList);
  PoolBlock block;
  if (System::current().pool().find(address, block)) {
    const auto end = static_cast<const char*>(address) + MemoryDescriptorList->ByteCount;
    if (!block.live) {
      report_misuse(Misuse::MdlMisuse, call.name(), MemoryDescriptorList,
                    "the MDL describes pool that was freed", *block.freed);
    } else if (block.kind == PoolKind::Paged) {
      report_misuse(Misuse::MdlMisuse, call.name(), MemoryDescriptorList, "the MDL describes paged pool",
                    *block.allocated);
    } else if (end > static_cast<const char*>(block.address) + block.size) {
      report_misuse(Misuse::MdlMisuse, call.name(), MemoryDescriptorList,
                    fmt::format("the MDL's {} bytes go beyond the end of its block of {}",
                                MemoryDescriptorList->ByteCount, block.size),
                    *block.allocated);
    }
  }
  if (has(MemoryDescriptorList, kLocked | kMapped))
    report_misuse(Misuse::MdlMisuse, call.name(), MemoryDescriptorList,
                  "the MDL is locked or mapped already");
  fill_frames(MemoryDescriptorList, address);
  MemoryDescriptorList->Process = nullptr;
  MemoryDescriptorList->MappedSystemVa = address;
  set(MemoryDescriptorList, kNonPaged);
}

// Page wdm/nf-wdm-mmprobeandlockpages
VOID MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE, LOCK_OPERATION Operation) {
  const KernelCall call("MmProbeAndLockPages", DISPATCH_LEVEL);
  if (has(MemoryDescriptorList, kLocked | kNonPaged | MDL_PARTIAL))
    report_misuse(Misuse::MdlMisuse, call.name(), MemoryDescriptorList,
                  "the MDL is locked, partial, or describes non-paged pool");
  if (fault_point("MmProbeAndLockPages")) ExRaiseStatus(STATUS_WORKING_SET_QUOTA);
  fill_frames(MemoryDescriptorList, MmGetMdlVirtualAddress(MemoryDescriptorList));
  MemoryDescriptorList->Process = IoGetCurrentProcess();
  set(MemoryDescriptorList, kLocked | (Operation == IoReadAccess ? 0 : MDL_WRITE_OPERATION));
}

// Page wdm/nf-wdm-mmunlockpages
VOID MmUnlockPages(PMDL MemoryDescriptorList) {
  const KernelCall call("MmUnlockPages", DISPATCH_LEVEL);
  if (!has(MemoryDescriptorList, kLocked)) {
    report_misuse(Misuse::MdlMisuse, call.name(), MemoryDescriptorList, "the MDL's pages are not locked");
    return;
  }
  clear(MemoryDescriptorList, kLocked | kMapped | MDL_WRITE_OPERATION);  // unlocking unmaps
  MemoryDescriptorList->MappedSystemVa = nullptr;
}

// Page wdm/nf-wdm-mmmaplockedpagesspecifycache. A user-mode mapping is the same address: there is one address
// space.
PVOID MmMapLockedPagesSpecifyCache(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode, MEMORY_CACHING_TYPE,
                                   PVOID, ULONG, ULONG) {
  const KernelCall call("MmMapLockedPagesSpecifyCache", DISPATCH_LEVEL);
  if (fault_point("MmMapLockedPagesSpecifyCache")) {
    if (AccessMode != KernelMode) ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    return nullptr;
  }
  return map(call.name(), MemoryDescriptorList);
}

// Page wdm/nf-wdm-mmmaplockedpages. It cannot fail: Windows stops the system instead.
PVOID MmMapLockedPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE) {
  const KernelCall call("MmMapLockedPages", DISPATCH_LEVEL);
  return map(call.name(), MemoryDescriptorList);
}

// Page wdm/nf-wdm-mmunmaplockedpages
VOID MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList) {
  const KernelCall call("MmUnmapLockedPages", DISPATCH_LEVEL);
  if (!has(MemoryDescriptorList, kMapped) || MemoryDescriptorList->MappedSystemVa != BaseAddress) {
    report_misuse(Misuse::MdlMisuse, call.name(), MemoryDescriptorList,
                  "the MDL is not mapped at this address");
    return;
  }
  clear(MemoryDescriptorList, kMapped | MDL_PARTIAL_HAS_BEEN_MAPPED | MDL_PARENT_MAPPED_SYSTEM_VA);
  MemoryDescriptorList->MappedSystemVa = nullptr;
}

// Page wdm/nf-wdm-mmadvancemdl
NTSTATUS MmAdvanceMdl(PMDL Mdl, ULONG NumberOfBytes) {
  const KernelCall call("MmAdvanceMdl", DISPATCH_LEVEL);
  if (NumberOfBytes >= Mdl->ByteCount) return STATUS_INVALID_PARAMETER_2;
  auto* const now = static_cast<PUCHAR>(bytes_of(Mdl)) + NumberOfBytes;
  Mdl->ByteCount -= NumberOfBytes;
  Mdl->ByteOffset = BYTE_OFFSET(now);
  if (Mdl->StartVa != nullptr) Mdl->StartVa = PAGE_ALIGN(now);
  if (Mdl->MappedSystemVa != nullptr) Mdl->MappedSystemVa = now;
  fill_frames(Mdl, now);
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-mmprotectmdlsystemaddress. Protections are not enforced.
NTSTATUS MmProtectMdlSystemAddress(PMDL MemoryDescriptorList, ULONG) {
  const KernelCall call("MmProtectMdlSystemAddress", DISPATCH_LEVEL);
  return has(MemoryDescriptorList, kMapped) ? STATUS_SUCCESS : STATUS_NOT_MAPPED_VIEW;
}

// Page wdm/nf-wdm-mmallocatepagesformdlex. The pages come all or not at all; low and high address do not
// narrow the choice.
PMDL MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS, PHYSICAL_ADDRESS, PHYSICAL_ADDRESS, SIZE_T TotalBytes,
                             MEMORY_CACHING_TYPE, ULONG Flags) {
  const KernelCall call("MmAllocatePagesForMdlEx", DISPATCH_LEVEL);
  const std::size_t size = ROUND_TO_PAGES(TotalBytes);
  if (size == 0 || size > MAXULONG || fault_point("MmAllocatePagesForMdlEx")) return nullptr;
  void* const memory = pages(size, kPagesTag, current_driver(), (Flags & MM_DONT_ZERO_ALLOCATION) == 0);
  if (memory == nullptr) return nullptr;
  const PMDL mdl = make_mdl(nullptr, size, current_driver());
  if (mdl == nullptr) {
    System::current().pool().free(memory, kPagesTag, call.name(), nullptr);
    return nullptr;
  }
  fill_frames(mdl, memory);
  set(mdl, kLocked);
  return mdl;
}

// Page wdm/nf-wdm-mmallocatepagesformdl
PMDL MmAllocatePagesForMdl(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
                           PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes) {
  return MmAllocatePagesForMdlEx(LowAddress, HighAddress, SkipBytes, TotalBytes, MmCached, 0);
}

// Page wdm/nf-wdm-mmfreepagesfrommdl. The MDL itself is the caller's to free, by ExFreePool.
VOID MmFreePagesFromMdl(PMDL MemoryDescriptorList) {
  const KernelCall call("MmFreePagesFromMdl", APC_LEVEL);
  void* const memory = reinterpret_cast<void*>(MmGetMdlPfnArray(MemoryDescriptorList)[0] << PAGE_SHIFT);
  System::current().pool().free(memory, kPagesTag, call.name(), current_driver());
  clear(MemoryDescriptorList, kLocked | kMapped);
  MemoryDescriptorList->MappedSystemVa = nullptr;
}

// Page ntddk/nf-ntddk-mmgetphysicaladdress
PHYSICAL_ADDRESS MmGetPhysicalAddress(PVOID BaseAddress) {
  PHYSICAL_ADDRESS physical{};
  physical.QuadPart = reinterpret_cast<LONGLONG>(BaseAddress);
  return physical;
}

// Page wdm/nf-wdm-mmmapiospace. A range can be mapped if a device of the host has its memory there: a
// physical address is a virtual one, and the memory must be pool.
PVOID MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, MEMORY_CACHING_TYPE) {
  const KernelCall call("MmMapIoSpace", DISPATCH_LEVEL);
  auto* const address = reinterpret_cast<char*>(PhysicalAddress.QuadPart);
  if (NumberOfBytes == 0 || fault_point("MmMapIoSpace")) return nullptr;
  const Bus& bus = System::current().bus();
  const RegisterPlace first = bus.at_address(static_cast<std::uint64_t>(PhysicalAddress.QuadPart));
  if (first.device != nullptr) {  // a device's registers: as long as they are all of one range
    const RegisterPlace last =
        bus.at_address(static_cast<std::uint64_t>(PhysicalAddress.QuadPart) + NumberOfBytes - 1);
    return last.device == first.device && last.bar == first.bar ? address : nullptr;
  }
  PoolBlock block;
  if (!System::current().pool().find(address, block) || !block.live) return nullptr;
  const auto left = static_cast<std::size_t>(static_cast<const char*>(block.address) + block.size - address);
  return NumberOfBytes <= left ? address : nullptr;
}

// Page ntddk/nf-ntddk-mmmapiospaceex
PVOID MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG) {
  return MmMapIoSpace(PhysicalAddress, NumberOfBytes, MmNonCached);
}

// Page wdm/nf-wdm-mmunmapiospace
VOID MmUnmapIoSpace(PVOID, SIZE_T) {
  const KernelCall call("MmUnmapIoSpace", DISPATCH_LEVEL);
}

// Page wdm/nf-wdm-mmallocatecontiguousmemory
PVOID MmAllocateContiguousMemory(SIZE_T NumberOfBytes, PHYSICAL_ADDRESS) {
  const KernelCall call("MmAllocateContiguousMemory", DISPATCH_LEVEL);
  if (NumberOfBytes == 0 || fault_point("MmAllocateContiguousMemory")) return nullptr;
  return pages(NumberOfBytes, kContiguousTag, current_driver(), false);
}

// Page wdm/nf-wdm-mmallocatecontiguousmemoryspecifycache
PVOID MmAllocateContiguousMemorySpecifyCache(SIZE_T NumberOfBytes, PHYSICAL_ADDRESS,
                                             PHYSICAL_ADDRESS HighestAcceptableAddress, PHYSICAL_ADDRESS,
                                             MEMORY_CACHING_TYPE) {
  return MmAllocateContiguousMemory(NumberOfBytes, HighestAcceptableAddress);
}

// Page wdm/nf-wdm-mmfreecontiguousmemory
VOID MmFreeContiguousMemory(PVOID BaseAddress) {
  const KernelCall call("MmFreeContiguousMemory", DISPATCH_LEVEL);
  System::current().pool().free(BaseAddress, kContiguousTag, call.name(), current_driver());
}

// Page wdm/nf-wdm-mmfreecontiguousmemoryspecifycache
VOID MmFreeContiguousMemorySpecifyCache(PVOID BaseAddress, SIZE_T, MEMORY_CACHING_TYPE) {
  MmFreeContiguousMemory(BaseAddress);
}
