// SPDX-License-Identifier: MIT
//
// What an INF means: its devices, and the registry writes of their installation.
#include "lab/inf.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "kernel/unicode.h"
#include "lab/inf_text.h"

namespace undis::lab {
namespace {

// Flags of AddReg.
constexpr std::uint32_t kBinary = 0x1;
constexpr std::uint32_t kNoClobber = 0x2;
constexpr std::uint32_t kDelete = 0x4;
constexpr std::uint32_t kAppend = 0x8;
constexpr std::uint32_t kKeyOnly = 0x10;
constexpr std::uint32_t kOverwriteOnly = 0x20;
constexpr std::uint32_t kTypeMask = 0xFFFF0001;
constexpr std::uint32_t kMultiString = 0x10000;
constexpr std::uint32_t kExpandString = 0x20000;
constexpr std::uint32_t kDword = 0x10001;
constexpr std::uint32_t kQword = 0xB0001;
constexpr std::uint32_t kNone = 0x20001;

/// Decorations that fit Windows on amd64, best first; what follows them may be a version
/// (NTamd64.10.0...16299).
constexpr std::array<std::string_view, 2> kPlatforms{"NTamd64", "NT"};

std::optional<std::uint64_t> number_in(std::string_view text) noexcept {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const bool hex = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  if (hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return negative ? ~value + 1 : value;
}

std::uint32_t flags_in(const InfLine& line, std::size_t at) {
  if (line.values.size() <= at || line.values[at].empty()) return 0;
  const auto flags = number_in(line.values[at]);
  if (!flags || *flags > 0xFFFFFFFF)
    throw InfWrong{line.line, fmt::format("{} is no number; flags were expected", line.values[at])};
  return static_cast<std::uint32_t>(*flags);
}

std::string value_at(const InfLine& line, std::size_t at) {
  return at < line.values.size() ? line.values[at] : std::string();
}

kernel::RegistryValue binary_of(const InfLine& line, std::size_t first) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = first; i < line.values.size(); ++i) {
    if (line.values[i].empty()) continue;
    std::uint32_t byte = 0;
    const std::string& text = line.values[i];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), byte, 16);
    if (error != std::errc{} || end != text.data() + text.size() || byte > 0xFF)
      throw InfWrong{line.line, fmt::format("{} is no byte in hexadecimal digits", text)};
    bytes.push_back(static_cast<std::uint8_t>(byte));
  }
  return kernel::RegistryValue::binary(bytes.data(), bytes.size());
}

kernel::RegistryValue value_of(const InfLine& line, std::uint32_t flags) {
  constexpr std::size_t kFirst = 4;
  switch (flags & kTypeMask) {
  case kDword:
  case kQword: {
    const auto number = number_in(value_at(line, kFirst));
    if (line.values.size() == kFirst + 4 && (flags & kTypeMask) == kDword) {  // four bytes, the lowest first
      kernel::RegistryValue value = binary_of(line, kFirst);
      value.type = kernel::RegistryType::Dword;
      return value;
    }
    if (!number) throw InfWrong{line.line, fmt::format("\"{}\" is no number", value_at(line, kFirst))};
    return (flags & kTypeMask) == kQword ? kernel::RegistryValue::qword(*number)
                                         : kernel::RegistryValue::dword(static_cast<std::uint32_t>(*number));
  }
  case kBinary:
    return binary_of(line, kFirst);
  case kNone: {
    kernel::RegistryValue value = binary_of(line, kFirst);
    value.type = kernel::RegistryType::None;
    return value;
  }
  case kMultiString: {
    std::vector<std::string> strings;
    for (std::size_t i = kFirst; i < line.values.size(); ++i) strings.push_back(line.values[i]);
    return kernel::RegistryValue::strings(strings);
  }
  case kExpandString:
  case 0: {
    kernel::RegistryValue value = kernel::RegistryValue::string(std::string_view(value_at(line, kFirst)));
    if ((flags & kTypeMask) == kExpandString) value.type = kernel::RegistryType::ExpandString;
    return value;
  }
  default:
    throw InfWrong{line.line, fmt::format("flags {:#x} name no type of value that is known", flags)};
  }
}

InfChange::Root root_of(const InfLine& line, InfChange::Root relative) {
  const std::string root = value_at(line, 0);
  if (same_name(root, "HKR")) return relative;
  if (same_name(root, "HKLM")) return InfChange::Root::Machine;
  if (same_name(root, "HKCU") || same_name(root, "HKU")) return InfChange::Root::User;
  if (same_name(root, "HKCR")) return InfChange::Root::Classes;
  throw InfWrong{
      line.line,
      fmt::format("\"{}\" is no root of the registry; expected HKR, HKLM, HKCU, HKU or HKCR", root)};
}

std::vector<std::string> names_in(const InfLine& line) {
  std::vector<std::string> names;
  for (const std::string& name : line.values)
    if (!name.empty()) names.push_back(name);
  return names;
}

/// Directives of an install section that network setup writes into the driver key as numbers.
bool is_network_number(std::string_view key) noexcept {
  return same_name(key, "Characteristics") || same_name(key, "BusType") || same_name(key, "*IfType") ||
         same_name(key, "*MediaType") || same_name(key, "*PhysicalMediaType") ||
         same_name(key, "*IfConnectorPresent") || same_name(key, "*ConnectionType") ||
         same_name(key, "*DirectionType") || same_name(key, "*AccessType") ||
         same_name(key, "*HardwareLoopback");
}

/// The advanced parameters of the adapter: each keyword's default becomes a value of the adapter's key, as
/// text.
void add_defaults(std::vector<InfChange>& changes) {
  constexpr std::string_view kParams = "Ndi\\params\\";
  std::vector<InfChange> defaults;
  for (const InfChange& change : changes) {
    if (change.kind != InfChange::Kind::Set || change.root != InfChange::Root::Driver ||
        !same_name(change.name, "Default"))
      continue;
    if (!same_name(std::string_view(change.subkey).substr(0, kParams.size()), kParams)) continue;
    InfChange set = change;
    set.subkey.clear();
    set.name = change.subkey.substr(kParams.size());
    set.only_new = true;
    if (set.name.find('\\') == std::string::npos) defaults.push_back(std::move(set));
  }
  std::ranges::move(defaults, std::back_inserter(changes));
}

}  // namespace

/// Reads the sections that say what there is.
class InfReader {
 public:
  explicit InfReader(Inf& inf) : inf_(inf) {}

  void read() {
    check_version();
    const InfSection* const manufacturers = inf_.find("Manufacturer");
    if (manufacturers == nullptr) throw InfWrong{0, "there is no [Manufacturer] section"};
    for (const InfLine& line : manufacturers->lines) read_manufacturer(line);
    if (inf_.devices_.empty())
      throw InfWrong{manufacturers->line, "no models section for amd64 has a device"};
  }

 private:
  void check_version() {
    const InfSection* const version = inf_.find("Version");
    if (version == nullptr) throw InfWrong{0, "there is no [Version] section"};
    for (const InfLine& line : version->lines) {
      if (!same_name(line.key, "Signature")) continue;
      const std::string signature = value_at(line, 0);
      if (!same_name(signature, "$Windows NT$") && !same_name(signature, "$Chicago$"))
        throw InfWrong{
            line.line,
            fmt::format("the signature is \"{}\"; expected \"$Windows NT$\" or \"$Chicago$\"", signature)};
      return;
    }
    throw InfWrong{version->line, "[Version] has no Signature"};
  }

  void read_manufacturer(const InfLine& line) {
    // `%name% = models, NTx86, NTamd64.10.0`; or the models section is named like the manufacturer.
    const std::string models = line.key.empty() || line.values.empty()
                                   ? (line.key.empty() ? value_at(line, 0) : line.key)
                                   : line.values.front();
    const InfSection* best = nullptr;
    for (const std::string_view platform : kPlatforms) {
      for (std::size_t i = 1; i < line.values.size() && best == nullptr; ++i) {
        const std::string& decoration = line.values[i];
        const bool fits = same_name(decoration, platform) ||
                          (decoration.size() > platform.size() && decoration[platform.size()] == '.' &&
                           same_name(std::string_view(decoration).substr(0, platform.size()), platform));
        if (!fits) continue;
        best = inf_.find(models + "." + decoration);
        if (best == nullptr)
          throw InfWrong{line.line, fmt::format("there is no models section [{}.{}]", models, decoration)};
      }
    }
    if (best == nullptr) best = inf_.find(models);
    if (best == nullptr) {
      if (line.values.size() > 1) return;  // for other platforms only
      throw InfWrong{line.line, fmt::format("there is no models section [{}]", models)};
    }
    for (const InfLine& device : best->lines) {
      if (device.values.size() < 2)
        throw InfWrong{device.line,
                       fmt::format("a device needs an install section and a hardware id; \"{}\" has {}",
                                   device.key, device.values.empty() ? "neither" : "no hardware id")};
      inf_.devices_.push_back(
          {device.line, device.key, device.values.front(), {device.values.begin() + 1, device.values.end()}});
    }
  }

  Inf& inf_;
};

loader::Result<Inf> Inf::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return loader::Failure{fmt::format("{}: cannot be read", path)};
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  return parse(path, bytes);
}

loader::Result<Inf> Inf::parse(const std::string& path, std::string_view bytes) {
  try {
    Inf inf;
    inf.path_ = path;
    inf.sections_ = split_inf(decode_inf(bytes));
    InfReader(inf).read();
    return inf;
  } catch (const InfWrong& wrong) {
    return loader::Failure{wrong.line == 0 ? fmt::format("{}: {}", path, wrong.text)
                                           : fmt::format("{}:{}: {}", path, wrong.line, wrong.text)};
  }
}

const InfSection* Inf::find(std::string_view name) const noexcept {
  const auto at =
      std::ranges::find_if(sections_, [&](const InfSection& s) { return same_name(s.name, name); });
  return at == sections_.end() ? nullptr : &*at;
}

/// `name` with the best decoration, then `suffix` (".Services", ".HW" or nothing).
const InfSection* Inf::decorated(std::string_view name, std::string_view suffix) const {
  for (const std::string_view platform : kPlatforms)
    if (const InfSection* const found = find(fmt::format("{}.{}{}", name, platform, suffix));
        found != nullptr)
      return found;
  return find(fmt::format("{}{}", name, suffix));
}

const InfDevice* Inf::device_with(std::string_view hardware_id) const noexcept {
  const auto fits = [&](const std::string& id) {
    const std::size_t length = std::min(id.size(), hardware_id.size());
    return length != 0 && same_name(std::string_view(id).substr(0, length), hardware_id.substr(0, length)) &&
           (id.size() == length || id[length] == '&') &&
           (hardware_id.size() == length || hardware_id[length] == '&');
  };
  const auto at = std::ranges::find_if(
      devices_, [&](const InfDevice& device) { return std::ranges::any_of(device.hardware_ids, fits); });
  return at == devices_.end() ? nullptr : &*at;
}

// ---- the registry ----

void Inf::add_reg(const std::string& list, int line, InfChange::Root relative,
                  std::vector<InfChange>& changes) const {
  const InfSection* const section = find(list);
  if (section == nullptr) throw InfWrong{line, fmt::format("AddReg names [{}], which there is not", list)};
  for (const InfLine& entry : section->lines) {
    const std::uint32_t flags = flags_in(entry, 3);
    InfChange change;
    change.line = entry.line;
    change.root = root_of(entry, relative);
    change.subkey = value_at(entry, 1);
    change.name = value_at(entry, 2);
    change.only_new = (flags & kNoClobber) != 0;
    change.only_existing = (flags & kOverwriteOnly) != 0;
    if ((flags & kDelete) != 0) {
      change.kind = change.name.empty() ? InfChange::Kind::DeleteKey : InfChange::Kind::DeleteValue;
    } else if ((flags & kKeyOnly) != 0 || entry.values.size() <= 2) {
      change.kind = InfChange::Kind::Key;
    } else {
      change.kind = (flags & kAppend) != 0 ? InfChange::Kind::Append : InfChange::Kind::Set;
      change.value = value_of(entry, flags);
    }
    changes.push_back(std::move(change));
  }
}

void Inf::del_reg(const std::string& list, int line, InfChange::Root relative,
                  std::vector<InfChange>& changes) const {
  const InfSection* const section = find(list);
  if (section == nullptr) throw InfWrong{line, fmt::format("DelReg names [{}], which there is not", list)};
  for (const InfLine& entry : section->lines) {
    InfChange change;
    change.line = entry.line;
    change.root = root_of(entry, relative);
    change.subkey = value_at(entry, 1);
    change.name = value_at(entry, 2);
    change.kind = entry.values.size() > 2 ? InfChange::Kind::DeleteValue : InfChange::Kind::DeleteKey;
    changes.push_back(std::move(change));
  }
}

void Inf::registry_of(const InfSection& section, InfChange::Root relative,
                      std::vector<InfChange>& changes) const {
  for (const InfLine& line : section.lines) {  // deletions first, as setup does it
    if (same_name(line.key, "DelReg"))
      for (const std::string& list : names_in(line)) del_reg(list, line.line, relative, changes);
  }
  for (const InfLine& line : section.lines) {
    if (same_name(line.key, "AddReg"))
      for (const std::string& list : names_in(line)) add_reg(list, line.line, relative, changes);
    if (relative != InfChange::Root::Driver || !is_network_number(line.key)) continue;
    const auto number = number_in(value_at(line, 0));
    if (!number)
      throw InfWrong{line.line, fmt::format("{} is to be a number, not \"{}\"", line.key, value_at(line, 0))};
    InfChange change;
    change.line = line.line;
    change.name = line.key;
    change.value = kernel::RegistryValue::dword(static_cast<std::uint32_t>(*number));
    changes.push_back(std::move(change));
  }
}

loader::Result<std::vector<InfChange>> Inf::install(const InfDevice& device) const {
  try {
    std::vector<InfChange> changes;
    const InfSection* const section = decorated(device.install, "");
    if (section == nullptr)
      throw InfWrong{device.line, fmt::format("there is no install section [{}], with or without a platform",
                                              device.install)};
    registry_of(*section, InfChange::Root::Driver, changes);
    if (const InfSection* const hardware = decorated(device.install, ".HW"); hardware != nullptr)
      registry_of(*hardware, InfChange::Root::Hardware, changes);
    if (const InfSection* const services = decorated(device.install, ".Services"); services != nullptr) {
      for (const InfLine& line : services->lines) {
        if (!same_name(line.key, "AddService")) continue;
        // `AddService = name, flags, section`; without a name it is the null driver.
        const std::string service = value_at(line, 2);
        if (value_at(line, 0).empty()) continue;
        const InfSection* const found = find(service);
        if (found == nullptr)
          throw InfWrong{line.line, fmt::format("AddService names [{}], which there is not", service)};
        registry_of(*found, InfChange::Root::Service, changes);
      }
    }
    add_defaults(changes);
    return changes;
  } catch (const InfWrong& wrong) {
    return loader::Failure{fmt::format("{}:{}: {}", path_, wrong.line, wrong.text)};
  }
}

// ---- applied ----

void apply(const std::vector<InfChange>& changes, const InfKeys& keys, kernel::Registry& registry) {
  for (const InfChange& change : changes) {
    std::u16string key;
    switch (change.root) {
    case InfChange::Root::Driver:
      key = keys.driver;
      break;
    case InfChange::Root::Hardware:
      key = keys.hardware + u"\\Device Parameters";
      break;
    case InfChange::Root::Service:
      key = keys.service;
      break;
    case InfChange::Root::Machine:
      key = u"\\Registry\\Machine";
      break;
    case InfChange::Root::User:
      key = u"\\Registry\\User\\.Default";
      break;
    case InfChange::Root::Classes:
      key = u"\\Registry\\Machine\\Software\\Classes";
      break;
    }
    if (!change.subkey.empty()) key += u"\\" + kernel::to_utf16(change.subkey);
    const std::u16string name = kernel::to_utf16(change.name);
    const auto there = registry.value(key, name);
    switch (change.kind) {
    case InfChange::Kind::Key:
      registry.create_key(key);
      break;
    case InfChange::Kind::DeleteKey:
      registry.erase_key(key);
      break;
    case InfChange::Kind::DeleteValue:
      registry.erase_value(key, name);
      break;
    case InfChange::Kind::Append:
      if (there && there->type == kernel::RegistryType::MultiString) {
        std::vector<std::string> strings;
        for (const std::u16string& text : there->as_strings()) strings.push_back(kernel::to_utf8(text));
        for (const std::u16string& text : change.value.as_strings()) {
          std::string added = kernel::to_utf8(text);
          if (std::ranges::find(strings, added) == strings.end()) strings.push_back(std::move(added));
        }
        registry.set_value(key, name, kernel::RegistryValue::strings(strings));
        break;
      }
      registry.set_value(key, name, change.value);
      break;
    case InfChange::Kind::Set:
      if (there ? !change.only_new : !change.only_existing) registry.set_value(key, name, change.value);
      break;
    }
  }
}

}  // namespace undis::lab
