// SPDX-License-Identifier: MIT
//
// Strings and structures that NDIS hands to drivers: counted UTF-16 that outlives the call, registry paths,
// bind parameters.
#pragma once

#include <string>
#include <string_view>

#include <ndis.h>

#include "kernel/driver.h"
#include "ndis/adapter.h"

namespace undis {

/// A UNICODE_STRING with the text it points to.
class WideString {
 public:
  explicit WideString(std::u16string_view text);
  WideString(const WideString&) = delete;
  WideString& operator=(const WideString&) = delete;
  UNICODE_STRING* get() const noexcept { return &counted_; }

 private:
  std::u16string text_;
  mutable UNICODE_STRING counted_{};
};

/// Where a protocol keeps its parameters for a binding:
/// "...\Services\<service>\Parameters\Adapters\<adapter>".
std::u16string protocol_section(const kernel::Driver& protocol, const Adapter& adapter);
/// The same for any device name ("\Device\{...}").
std::u16string protocol_section(std::string_view service, std::u16string_view device_name);

/// What ProtocolBindAdapterEx is told of the adapter. The strings have to outlive the structure.
NDIS_BIND_PARAMETERS bind_parameters(const Adapter& adapter, const WideString& adapter_name,
                                     const WideString& section);

}  // namespace undis
