// SPDX-License-Identifier: MIT
//
// Probing user buffers, asking whether an address is valid, looking up system routines.
//
// Pages   wdm/nf-wdm-probeforread, -probeforwrite, ntddk/nf-ntddk-mmisaddressvalid,
// wdm/nf-wdm-mmgetsystemroutineaddress Beyond  User and kernel share one address space; a user buffer is any
// memory of the process below the top of its address space.
#include <dlfcn.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/pool.h"
#include "kernel/system.h"
#include "kernel/unicode.h"

using namespace undis::kernel;

namespace {

constexpr std::uintptr_t kUserLimit = 0x7FFFFFFF0000;  // as MmUserProbeAddress

bool readable(const void* address) noexcept {
  char byte = 0;
  const iovec to{&byte, 1};
  const iovec from{const_cast<void*>(address), 1};
  return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1;
}

enum class Fault : std::uint8_t { None, Misaligned, Violation };

Fault probe(const char* name, const volatile void* address, std::size_t length, ULONG alignment) {
  const KernelCall call(name, APC_LEVEL);
  if (length == 0) return Fault::None;
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  if (alignment != 0 && (alignment & (alignment - 1)) != 0)
    report_misuse(Misuse::BadParameter, name, const_cast<const void*>(address),
                  fmt::format("Alignment {} is no power of two", alignment));
  if (alignment != 0 && begin % alignment != 0) return Fault::Misaligned;
  return begin + length < begin || begin + length > kUserLimit ? Fault::Violation : Fault::None;
}

[[noreturn]] void raise_fault(Fault fault) {
  if (fault == Fault::Misaligned) ExRaiseDatatypeMisalignment();
  ExRaiseAccessViolation();
}

}  // namespace

// Page wdm/nf-wdm-probeforread
VOID ProbeForRead(const volatile VOID* Address, SIZE_T Length, ULONG Alignment) {
  if (const Fault fault = probe("ProbeForRead", Address, Length, Alignment); fault != Fault::None)
    raise_fault(fault);
}

// Page wdm/nf-wdm-probeforwrite: each page is read and written back.
VOID ProbeForWrite(volatile VOID* Address, SIZE_T Length, ULONG Alignment) {
  if (const Fault fault = probe("ProbeForWrite", Address, Length, Alignment); fault != Fault::None)
    raise_fault(fault);
  if (Length == 0) return;
  auto* byte = static_cast<volatile char*>(Address);
  const volatile char* const end = byte + Length;
  while (byte < end) {
    if (!readable(const_cast<const char*>(byte))) ExRaiseAccessViolation();
    *byte = *byte;
    byte = static_cast<volatile char*>(const_cast<void*>(PAGE_ALIGN(byte))) + PAGE_SIZE;
  }
}

// Page ntddk/nf-ntddk-mmisaddressvalid
BOOLEAN MmIsAddressValid(PVOID VirtualAddress) {
  return readable(VirtualAddress) ? TRUE : FALSE;
}

// Page wdm/nf-wdm-mmgetsystemroutineaddress: what the kernel exports; NDIS' functions are
// NdisGetRoutineAddress' business.
PVOID MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName) {
  const KernelCall call("MmGetSystemRoutineAddress", PASSIVE_LEVEL);
  const std::string name = to_utf8(view(SystemRoutineName));
  if (name.empty() || name.starts_with("Ndis") || name.starts_with("undis_")) return nullptr;
  Dl_info own{};
  if (dladdr(reinterpret_cast<void*>(&MmGetSystemRoutineAddress), &own) == 0) return nullptr;
  void* const found = dlsym(RTLD_DEFAULT, name.c_str());
  void* address = found;
  Dl_info where{};
  if (address == nullptr || dladdr(address, &where) == 0 || where.dli_fbase != own.dli_fbase) {
    // Not in the global scope, or another's symbol of the same name: ask this library alone.
    void* const library = dlopen(own.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (library == nullptr) return nullptr;
    address = dlsym(library, name.c_str());
    dlclose(library);
    if (address == nullptr || dladdr(address, &where) == 0 || where.dli_fbase != own.dli_fbase)
      return nullptr;
  }
  return address;
}

// Page ntddk/nf-ntddk-mmquerysystemsize
MM_SYSTEMSIZE MmQuerySystemSize() {
  return MmLargeSystem;
}

// Pages wdm/nf-wdm-mmlockpagabledatasection, -mmunlockpagableimagesection, -mmpageentiredriver,
// -mmresetdriverpaging. Code and data of a driver are always there.
PVOID MmLockPagableDataSection(PVOID AddressWithinSection) {
  const KernelCall call("MmLockPagableDataSection", APC_LEVEL);
  return AddressWithinSection;
}
VOID MmUnlockPagableImageSection(PVOID) {
  const KernelCall call("MmUnlockPagableImageSection", APC_LEVEL);
}
PVOID MmPageEntireDriver(PVOID AddressWithinSection) {
  const KernelCall call("MmPageEntireDriver", APC_LEVEL);
  return AddressWithinSection;
}
VOID MmResetDriverPaging(PVOID) {
  const KernelCall call("MmResetDriverPaging", APC_LEVEL);
}

// Page wdm/nf-wdm-mmisverifierenabled: what Driver Verifier checks is always checked here, but a driver need
// not know.
NTSTATUS MmIsVerifierEnabled(PULONG VerifierFlags) {
  *VerifierFlags = 0;
  return STATUS_NOT_SUPPORTED;
}
LOGICAL MmIsDriverVerifying(PDRIVER_OBJECT) {
  return FALSE;
}
