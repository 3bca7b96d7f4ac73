// SPDX-License-Identifier: MIT
//
// An open configuration: a registry key, and what was read through it, which lives until it is closed.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <ndis.h>

#include "kernel/registry.h"
#include "ndis/service.h"

namespace undis {

class Configuration final : public Service {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::Configuration};

  Configuration(kernel::Driver& driver, kernel::Registry::Key key);
  ~Configuration() override;

  const kernel::Registry::Key& key() const noexcept { return key_; }

  /// The value as NDIS shows it to drivers; nullptr: no memory (`found`) or no such value of a type that NDIS
  /// knows.
  NDIS_CONFIGURATION_PARAMETER* read(std::u16string_view keyword, NDIS_PARAMETER_TYPE wanted, bool& found);
  /// Memory of NDIS that is freed with this object, zeroed; nullptr: none.
  void* allocate(std::size_t size);

 private:
  NDIS_CONFIGURATION_PARAMETER* show(const kernel::RegistryValue& value, NDIS_PARAMETER_TYPE wanted,
                                     bool& found);
  bool put_text(NDIS_STRING& to, const std::vector<std::byte>& data, std::size_t terminators);

  const kernel::Registry::Key key_;
  std::vector<void*> blocks_;
};

/// The value that NDIS itself has for a keyword, in every key.
std::optional<ULONG> predefined_value(std::u16string_view keyword);
/// How NdisWriteConfiguration stores a parameter; nothing: its type is unknown.
std::optional<kernel::RegistryValue> to_registry(const NDIS_CONFIGURATION_PARAMETER& parameter);
/// A number in text, as a value read as an integer is: digits of `base` after spaces, and what is before the
/// first other character.
ULONG number_in(std::u16string_view text, unsigned base);
/// The bytes of a NetworkAddress value: pairs of hexadecimal digits, hyphens left out. Nothing: it is none.
std::optional<std::vector<UCHAR>> network_address_in(std::u16string_view text);

}  // namespace undis
