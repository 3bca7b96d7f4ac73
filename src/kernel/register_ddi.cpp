// SPDX-License-Identifier: MIT
//
// Registers and ports by name: what READ_REGISTER_ULONG (include/wdk/wdm/interrupt.h) calls, and
// READ_PORT_ULONG itself.
//
// Pages   wdm/nf-wdm-read_register_ulong, wdm/nf-wdm-write_port_ulong and their kin       IRQL  any
// Beyond  An access is a schedule point: an interrupt may come between two of them. A port that no device has
// reads as all ones.
#include <cstring>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/misuse.h"
#include "kernel/pci.h"
#include "kernel/register_access.h"
#include "kernel/system.h"

namespace undis::kernel {
namespace {

RegisterPlace port_at(std::uint64_t port, const char* function) {
  System* const system = System::current_or_null();
  const RegisterPlace place = system != nullptr ? system->bus().at_port(port) : RegisterPlace{};
  if (place.device == nullptr)
    report_misuse(Misuse::RegisterMisuse, function, nullptr,
                  fmt::format("{} is given port {:#x}, which belongs to no device", function, port));
  return place;
}

template <class T>
T read_port(const T* port, const char* function) {
  const RegisterPlace place = port_at(reinterpret_cast<std::uint64_t>(port), function);
  T value = static_cast<T>(~T{0});
  if (place.device != nullptr) value = static_cast<T>(place.device->read(place.bar, place.offset, sizeof(T)));
  schedule_point(function);
  return value;
}

template <class T>
void write_port(const T* port, T value, const char* function) {
  const RegisterPlace place = port_at(reinterpret_cast<std::uint64_t>(port), function);
  if (place.device != nullptr) place.device->write(place.bar, place.offset, sizeof(T), value);
  schedule_point(function);
}

}  // namespace
}  // namespace undis::kernel

using namespace undis::kernel;

UNDIS_EXTERN_C_START

ULONG64 undis_register_read(const volatile void* Register, ULONG Size) {
  System* const system = System::current_or_null();
  const RegisterPlace place = system != nullptr
                                  ? system->bus().at_address(reinterpret_cast<std::uint64_t>(Register))
                                  : RegisterPlace{};
  ULONG64 value = 0;
  if (place.device == nullptr) {
    std::memcpy(&value, const_cast<const void*>(Register), Size);
    return value;
  }
  value = place.device->read(place.bar, place.offset, Size);
  schedule_point("READ_REGISTER");
  return value;
}

VOID undis_register_write(volatile void* Register, ULONG Size, ULONG64 Value) {
  System* const system = System::current_or_null();
  const RegisterPlace place = system != nullptr
                                  ? system->bus().at_address(reinterpret_cast<std::uint64_t>(Register))
                                  : RegisterPlace{};
  if (place.device == nullptr) {
    std::memcpy(const_cast<void*>(Register), &Value, Size);
    return;
  }
  place.device->write(place.bar, place.offset, Size, Value);
  schedule_point("WRITE_REGISTER");
}

UNDIS_EXTERN_C_END

UCHAR READ_PORT_UCHAR(PUCHAR Port) {
  return read_port(Port, "READ_PORT_UCHAR");
}
USHORT READ_PORT_USHORT(PUSHORT Port) {
  return read_port(Port, "READ_PORT_USHORT");
}
ULONG READ_PORT_ULONG(PULONG Port) {
  return read_port(Port, "READ_PORT_ULONG");
}

VOID WRITE_PORT_UCHAR(PUCHAR Port, UCHAR Value) {
  write_port(Port, Value, "WRITE_PORT_UCHAR");
}
VOID WRITE_PORT_USHORT(PUSHORT Port, USHORT Value) {
  write_port(Port, Value, "WRITE_PORT_USHORT");
}
VOID WRITE_PORT_ULONG(PULONG Port, ULONG Value) {
  write_port(Port, Value, "WRITE_PORT_ULONG");
}

// The string forms read or write the one port again and again.

VOID READ_PORT_BUFFER_UCHAR(PUCHAR Port, PUCHAR Buffer, ULONG Count) {
  for (ULONG i = 0; i < Count; ++i) Buffer[i] = read_port(Port, "READ_PORT_BUFFER_UCHAR");
}
VOID READ_PORT_BUFFER_USHORT(PUSHORT Port, PUSHORT Buffer, ULONG Count) {
  for (ULONG i = 0; i < Count; ++i) Buffer[i] = read_port(Port, "READ_PORT_BUFFER_USHORT");
}
VOID READ_PORT_BUFFER_ULONG(PULONG Port, PULONG Buffer, ULONG Count) {
  for (ULONG i = 0; i < Count; ++i) Buffer[i] = read_port(Port, "READ_PORT_BUFFER_ULONG");
}
VOID WRITE_PORT_BUFFER_UCHAR(PUCHAR Port, PUCHAR Buffer, ULONG Count) {
  for (ULONG i = 0; i < Count; ++i) write_port(Port, Buffer[i], "WRITE_PORT_BUFFER_UCHAR");
}
VOID WRITE_PORT_BUFFER_USHORT(PUSHORT Port, PUSHORT Buffer, ULONG Count) {
  for (ULONG i = 0; i < Count; ++i) write_port(Port, Buffer[i], "WRITE_PORT_BUFFER_USHORT");
}
VOID WRITE_PORT_BUFFER_ULONG(PULONG Port, PULONG Buffer, ULONG Count) {
  for (ULONG i = 0; i < Count; ++i) write_port(Port, Buffer[i], "WRITE_PORT_BUFFER_ULONG");
}
