// SPDX-License-Identifier: MIT
//
// Counted strings. Most of this family are macros over the Rtl string routines.
#include <cstring>
#include <limits>
#include <string_view>

#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "kernel/pool.h"
#include "kernel/string_buffer.h"
#include "kernel/unicode.h"

using namespace undis;

namespace {

constexpr ULONG kStringTag = 0x4E447374;

}  // namespace

// Page    ndis/nf-ndis-ndisinitializestring                          IRQL  PASSIVE_LEVEL
// Result  no memory: Destination has no buffer and no length
VOID NdisInitializeString(PNDIS_STRING Destination, PUCHAR Source) {
  const DdiCall call(Ddi::NdisInitializeString);
  *Destination = {};
  if (Source == nullptr) {
    kernel::report_misuse(kernel::Misuse::BadParameter, call.name(), Destination, "Source is NULL");
    return;
  }
  const std::u16string text = kernel::from_ansi(reinterpret_cast<const char*>(Source));
  const std::size_t size = text.size() * sizeof(char16_t);
  if (size + sizeof(char16_t) > std::numeric_limits<USHORT>::max() || call.fails()) return;
  kernel::Pool::Request request;
  request.size = size + sizeof(char16_t);
  request.tag = kStringTag;
  request.zero = true;
  request.owner = &call.driver();
  Destination->Buffer = static_cast<PWCH>(kernel::System::current().pool().allocate(request));
  if (Destination->Buffer == nullptr) return;
  std::memcpy(Destination->Buffer, text.data(), size);
  Destination->Length = static_cast<USHORT>(size);
  Destination->MaximumLength = static_cast<USHORT>(size + sizeof(char16_t));
}

// Page    ndis/nf-ndis-ndisupcaseunicodestring                       IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisUpcaseUnicodeString(PUNICODE_STRING DestinationString, PUNICODE_STRING SourceString) {
  const DdiCall call(Ddi::NdisUpcaseUnicodeString);
  const std::u16string text = kernel::upcased(kernel::view(SourceString));
  return call.returns(kernel::put_string(call.name(), DestinationString, text, false, false));
}
