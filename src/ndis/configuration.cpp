// SPDX-License-Identifier: MIT
//
// Registry values as configuration parameters, and back. Pages: ndis/nf-ndis-ndisreadconfiguration,
// ndis/nf-ndis-ndiswriteconfiguration.
//
// What is handed out is pool of NDIS, so that its use after the close is seen.
#include "ndis/configuration.h"

#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "kernel/pool.h"
#include "kernel/system.h"
#include "kernel/unicode.h"
#include "ndis/version.h"

namespace undis {
namespace {

constexpr ULONG kTag = 0x4E446366;    // what a value that was read lies in
constexpr ULONG kProcessorAmd64 = 4;  // NdisProcessorAmd64

kernel::Pool& pool() {
  return kernel::System::current().pool();
}

int digit(char16_t c) noexcept {
  if (c >= u'0' && c <= u'9') return c - u'0';
  if (c >= u'a' && c <= u'f') return c - u'a' + 10;
  if (c >= u'A' && c <= u'F') return c - u'A' + 10;
  return -1;
}

}  // namespace

Configuration::Configuration(kernel::Driver& driver, kernel::Registry::Key key)
    : Service(HandleKind::Configuration, driver,
              fmt::format("configuration {}",
                          kernel::to_utf8(kernel::System::current().registry().path_of(key)))),
      key_(std::move(key)) {}

Configuration::~Configuration() {
  if (kernel::System::current_or_null() == nullptr) return;
  for (void* const block : blocks_) pool().free(block, kTag, "NdisCloseConfiguration", nullptr);
}

void* Configuration::allocate(std::size_t size) {
  kernel::Pool::Request request;
  request.size = size;
  request.tag = kTag;
  request.kind = kernel::PoolKind::Paged;
  request.zero = true;
  void* const block = pool().allocate(request);
  if (block != nullptr) blocks_.push_back(block);
  return block;
}

NDIS_CONFIGURATION_PARAMETER* Configuration::read(std::u16string_view keyword, NDIS_PARAMETER_TYPE wanted,
                                                  bool& found) {
  found = true;
  if (const std::optional<ULONG> number = predefined_value(keyword))
    return show(kernel::RegistryValue::dword(*number), wanted, found);
  const std::optional<kernel::RegistryValue> value = kernel::System::current().registry().get(key_, keyword);
  if (value) return show(*value, wanted, found);
  found = false;
  return nullptr;
}

NDIS_CONFIGURATION_PARAMETER* Configuration::show(const kernel::RegistryValue& value,
                                                  NDIS_PARAMETER_TYPE wanted, bool& found) {
  using enum kernel::RegistryType;
  NDIS_CONFIGURATION_PARAMETER shown{};
  switch (value.type) {
  case Dword:
    shown.ParameterType = wanted == NdisParameterHexInteger ? NdisParameterHexInteger : NdisParameterInteger;
    shown.ParameterData.IntegerData = value.as_dword().value_or(0);
    break;
  case String:
  case ExpandString:
    if (wanted == NdisParameterInteger || wanted == NdisParameterHexInteger) {
      // Keywords that are enumerations are stored as strings by their INF, and read as numbers.
      shown.ParameterType = wanted;
      shown.ParameterData.IntegerData =
          number_in(value.as_string(), wanted == NdisParameterInteger ? 10 : 16);
      break;
    }
    shown.ParameterType = NdisParameterString;
    if (!put_text(shown.ParameterData.StringData, value.data, 1)) return nullptr;
    break;
  case MultiString:
    shown.ParameterType = NdisParameterMultiString;
    if (!put_text(shown.ParameterData.StringData, value.data, 0)) return nullptr;
    break;
  case Binary:
    if (value.data.size() > std::numeric_limits<USHORT>::max()) {
      found = false;
      return nullptr;
    }
    shown.ParameterType = NdisParameterBinary;
    shown.ParameterData.BinaryData.Length = static_cast<USHORT>(value.data.size());
    shown.ParameterData.BinaryData.Buffer = allocate(std::max<std::size_t>(value.data.size(), 1));
    if (shown.ParameterData.BinaryData.Buffer == nullptr) return nullptr;
    std::memcpy(shown.ParameterData.BinaryData.Buffer, value.data.data(), value.data.size());
    break;
  default:
    found = false;
    return nullptr;
  }
  auto* const parameter = static_cast<NDIS_CONFIGURATION_PARAMETER*>(allocate(sizeof shown));
  if (parameter != nullptr) *parameter = shown;
  return parameter;
}

/// `terminators`: how many of the zeros at the end are not part of the string's Length.
bool Configuration::put_text(NDIS_STRING& to, const std::vector<std::byte>& data, std::size_t terminators) {
  constexpr std::size_t kUnit = sizeof(char16_t);
  const std::size_t longest = std::numeric_limits<USHORT>::max() / kUnit - 1;
  std::size_t units = std::min(data.size() / kUnit, longest);
  auto* const text = static_cast<char16_t*>(allocate((units + 1) * kUnit));  // a zero always follows
  if (text == nullptr) return false;
  std::memcpy(text, data.data(), units * kUnit);
  const std::size_t all = units;
  for (std::size_t i = 0; i < terminators && units != 0 && text[units - 1] == 0; ++i) --units;
  to.Buffer = reinterpret_cast<PWCH>(text);
  to.Length = static_cast<USHORT>(units * kUnit);
  to.MaximumLength = static_cast<USHORT>(std::max(all, units + (terminators != 0 ? 1 : 0)) * kUnit);
  return true;
}

std::optional<ULONG> predefined_value(std::u16string_view keyword) {
  if (kernel::equal_ignore_case(keyword, u"ProcessorType")) return kProcessorAmd64;
  if (kernel::equal_ignore_case(keyword, u"NdisVersion"))
    return ULONG{kNewestVersion.major} << 16 | kNewestVersion.minor;
  return std::nullopt;
}

std::optional<kernel::RegistryValue> to_registry(const NDIS_CONFIGURATION_PARAMETER& parameter) {
  const NDIS_STRING& text = parameter.ParameterData.StringData;
  switch (parameter.ParameterType) {
  case NdisParameterInteger:
  case NdisParameterHexInteger:
    return kernel::RegistryValue::dword(parameter.ParameterData.IntegerData);
  case NdisParameterString:
    return kernel::RegistryValue::string(kernel::view(&text));
  case NdisParameterMultiString: {
    // As the driver has it, with its zeros.
    kernel::RegistryValue value = kernel::RegistryValue::binary(text.Buffer, text.Length);
    value.type = kernel::RegistryType::MultiString;
    return value;
  }
  case NdisParameterBinary:
    return kernel::RegistryValue::binary(parameter.ParameterData.BinaryData.Buffer,
                                         parameter.ParameterData.BinaryData.Length);
  }
  return std::nullopt;
}

ULONG number_in(std::u16string_view text, unsigned base) {
  std::size_t i = 0;
  while (i < text.size() && text[i] <= u' ') ++i;
  const bool negative = i < text.size() && text[i] == u'-';
  if (i < text.size() && (text[i] == u'-' || text[i] == u'+')) ++i;
  if (base == 16 && text.size() - i > 2 && text[i] == u'0' && (text[i + 1] | 0x20) == u'x') i += 2;
  ULONG number = 0;
  for (; i < text.size(); ++i) {
    const int d = digit(text[i]);
    if (d < 0 || static_cast<unsigned>(d) >= base) break;
    number = number * base + static_cast<ULONG>(d);
  }
  return negative ? 0 - number : number;
}

std::optional<std::vector<UCHAR>> network_address_in(std::u16string_view text) {
  std::vector<UCHAR> bytes;
  int high = -1;
  for (const char16_t c : text) {
    if (c == u'-') continue;
    const int d = digit(c);
    if (d < 0) return std::nullopt;
    if (high < 0) {
      high = d;
    } else {
      bytes.push_back(static_cast<UCHAR>(high << 4 | d));
      high = -1;
    }
  }
  if (high >= 0 || bytes.empty()) return std::nullopt;
  return bytes;
}

}  // namespace undis
