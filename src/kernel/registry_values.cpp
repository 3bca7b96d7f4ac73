// SPDX-License-Identifier: MIT
//
// RtlQueryRegistryValues, RtlWriteRegistryValue and their like: the registry by path.
//
// Page    wdm/nf-wdm-rtlqueryregistryvalues
// IRQL    PASSIVE_LEVEL
// Beyond  REG_EXPAND_SZ is handed out as it is: there is no environment to expand it with.
#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/pool.h"
#include "kernel/registry.h"
#include "kernel/registry_handle.h"
#include "kernel/system.h"
#include "kernel/unicode.h"

using namespace undis::kernel;

namespace {

constexpr CallbackInfo kQueryRoutine{"QueryRoutine", PASSIVE_LEVEL, false};
constexpr ULONG kStringTag = 0x69727453;  // 'Stri'

Registry& registry() {
  return System::current().registry();
}

const char16_t* folder(ULONG relative_to) noexcept {
  switch (relative_to & 0xFFFF) {
  case RTL_REGISTRY_SERVICES:
    return u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\";
  case RTL_REGISTRY_CONTROL:
    return u"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\";
  case RTL_REGISTRY_WINDOWS_NT:
    return u"\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion\\";
  case RTL_REGISTRY_DEVICEMAP:
    return u"\\Registry\\Machine\\Hardware\\DeviceMap\\";
  case RTL_REGISTRY_USER:
    return u"\\Registry\\User\\.Default\\";
  default:
    return u"";
  }
}

/// The key that RelativeTo and Path name. `create`: make it if it is not there.
NTSTATUS open(ULONG relative_to, PCWSTR path, bool create, Registry::Key& key) {
  if ((relative_to & RTL_REGISTRY_HANDLE) != 0) return registry_key_of(const_cast<PWSTR>(path), key);
  if ((relative_to & 0xFFFF) >= RTL_REGISTRY_MAXIMUM) return STATUS_INVALID_PARAMETER;
  const std::u16string full = folder(relative_to) + std::u16string(view(path));
  bool created = false;
  key = create ? registry().create(registry().root(), full, false, created)
               : registry().find(registry().root(), full);
  return key != nullptr ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
}

bool is_string(RegistryType type) noexcept {
  return type == RegistryType::String || type == RegistryType::ExpandString ||
         type == RegistryType::MultiString;
}

/// RTL_QUERY_REGISTRY_DIRECT: the value goes to EntryContext, in one of the page's four formats.
NTSTATUS store(const RTL_QUERY_REGISTRY_TABLE& entry, const RegistryValue& value) {
  const std::size_t size = value.data.size();
  if ((entry.Flags & RTL_QUERY_REGISTRY_TYPECHECK) != 0 &&
      static_cast<ULONG>(value.type) != entry.DefaultType >> RTL_QUERY_REGISTRY_TYPECHECK_SHIFT)
    return STATUS_OBJECT_TYPE_MISMATCH;
  if (is_string(value.type)) {
    auto* const string = static_cast<PUNICODE_STRING>(entry.EntryContext);
    if (size > 0xFFFF) return STATUS_BUFFER_TOO_SMALL;
    if (string->Buffer == nullptr) {
      if (fault_point("RtlQueryRegistryValues")) return STATUS_NO_MEMORY;
      Pool::Request request;
      request.size = size;
      request.tag = kStringTag;
      request.kind = PoolKind::Paged;
      request.owner = current_driver();
      string->Buffer = static_cast<PWCH>(System::current().pool().allocate(request));
      if (string->Buffer == nullptr) return STATUS_NO_MEMORY;
      string->MaximumLength = static_cast<USHORT>(size);
    } else if (size > string->MaximumLength) {
      return STATUS_BUFFER_TOO_SMALL;
    }
    std::memcpy(string->Buffer, value.data.data(), size);
    const bool has_zero = size >= sizeof(WCHAR) && string->Buffer[size / sizeof(WCHAR) - 1] == 0;
    string->Length = static_cast<USHORT>(has_zero ? size - sizeof(WCHAR) : size);
    return STATUS_SUCCESS;
  }
  if (size <= sizeof(ULONG)) {
    std::memcpy(entry.EntryContext, value.data.data(), size);
    return STATUS_SUCCESS;
  }
  LONG room = 0;
  std::memcpy(&room, entry.EntryContext, sizeof room);
  auto* const bytes = static_cast<char*>(entry.EntryContext);
  if (room < 0) {
    if (size > static_cast<std::size_t>(-static_cast<LONGLONG>(room))) return STATUS_BUFFER_TOO_SMALL;
    std::memcpy(bytes, value.data.data(), size);
    return STATUS_SUCCESS;
  }
  if (size + 2 * sizeof(ULONG) > static_cast<std::size_t>(room)) return STATUS_BUFFER_TOO_SMALL;
  const ULONG header[2] = {static_cast<ULONG>(size), static_cast<ULONG>(value.type)};
  std::memcpy(bytes, header, sizeof header);
  std::memcpy(bytes + sizeof header, value.data.data(), size);
  return STATUS_SUCCESS;
}

class Query {
 public:
  Query(Registry::Key top, PVOID context) : top_(top), key_(std::move(top)), context_(context) {}

  NTSTATUS run(RTL_QUERY_REGISTRY_TABLE& entry) {
    if ((entry.Flags & (RTL_QUERY_REGISTRY_TOPKEY | RTL_QUERY_REGISTRY_SUBKEY)) != 0) key_ = top_;
    if ((entry.Flags & RTL_QUERY_REGISTRY_SUBKEY) != 0) return enter_subkey(entry);
    if ((entry.Flags & RTL_QUERY_REGISTRY_DIRECT) != 0 &&
        (entry.Name == nullptr || entry.QueryRoutine != nullptr))
      return STATUS_INVALID_PARAMETER;
    if (entry.Name != nullptr) return one(entry);
    if (entry.QueryRoutine == nullptr) return STATUS_SUCCESS;  // a TOPKEY entry without anything else
    if ((entry.Flags & RTL_QUERY_REGISTRY_NOVALUE) != 0)
      return call(entry, nullptr, RegistryType::None, nullptr, 0);
    return all(entry);
  }

 private:
  NTSTATUS enter_subkey(RTL_QUERY_REGISTRY_TABLE& entry) {
    if (entry.Name == nullptr) return STATUS_INVALID_PARAMETER;
    key_ = top_ == nullptr ? nullptr : registry().find(top_, view(entry.Name));
    if (key_ == nullptr)
      return (entry.Flags & RTL_QUERY_REGISTRY_REQUIRED) != 0 ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_SUCCESS;
    return entry.QueryRoutine != nullptr ? all(entry) : STATUS_SUCCESS;
  }

  NTSTATUS one(RTL_QUERY_REGISTRY_TABLE& entry) {
    std::optional<RegistryValue> value;
    if (key_ != nullptr) value = registry().get(key_, view(entry.Name));
    const ULONG default_type = entry.DefaultType & 0xFF;
    if (!value) {
      if ((entry.Flags & RTL_QUERY_REGISTRY_REQUIRED) != 0) return STATUS_OBJECT_NAME_NOT_FOUND;
      if (default_type == REG_NONE) return STATUS_SUCCESS;
      value = default_value(entry, default_type);
    }
    const NTSTATUS status = (entry.Flags & RTL_QUERY_REGISTRY_DIRECT) != 0
                                ? store(entry, *value)
                                : report(entry, entry.Name, *value);
    if (NT_SUCCESS(status) && (entry.Flags & RTL_QUERY_REGISTRY_DELETE) != 0 && key_ != nullptr)
      registry().erase(key_, view(entry.Name));
    return status;
  }

  NTSTATUS all(RTL_QUERY_REGISTRY_TABLE& entry) {
    std::vector<RegistryKey::Value> values;
    if (key_ != nullptr)
      for (std::size_t i = 0; auto value = registry().value_at(key_, i); ++i)
        values.push_back(std::move(*value));
    if (values.empty() && (entry.Flags & RTL_QUERY_REGISTRY_REQUIRED) != 0)
      return STATUS_OBJECT_NAME_NOT_FOUND;
    for (RegistryKey::Value& value : values) {
      const NTSTATUS status = report(entry, value.name.data(), value.value);
      if (!NT_SUCCESS(status)) return status;
      if ((entry.Flags & RTL_QUERY_REGISTRY_DELETE) != 0) registry().erase(key_, value.name);
    }
    return STATUS_SUCCESS;
  }

  NTSTATUS report(RTL_QUERY_REGISTRY_TABLE& entry, PWSTR name, const RegistryValue& value) {
    if (value.type == RegistryType::MultiString && (entry.Flags & RTL_QUERY_REGISTRY_NOEXPAND) == 0) {
      for (std::u16string& text : value.as_strings()) {
        const NTSTATUS status =
            call(entry, name, RegistryType::String, text.data(), (text.size() + 1) * sizeof(char16_t));
        if (!NT_SUCCESS(status)) return status;
      }
      return STATUS_SUCCESS;
    }
    std::vector<std::byte> copy = value.data;  // the driver may write into it
    return call(entry, name, value.type, copy.data(), copy.size());
  }

  NTSTATUS call(RTL_QUERY_REGISTRY_TABLE& entry, PWSTR name, RegistryType type, void* data,
                std::size_t size) {
    if (entry.QueryRoutine == nullptr) return STATUS_INVALID_PARAMETER;
    const NTSTATUS status =
        call_driver(current_driver(), kQueryRoutine, nullptr, nullptr,
                    callback<NTSTATUS(PWSTR, ULONG, PVOID, ULONG, PVOID, PVOID)>(entry.QueryRoutine), name,
                    static_cast<ULONG>(type), data, static_cast<ULONG>(size), context_, entry.EntryContext);
    return status == STATUS_BUFFER_TOO_SMALL ? STATUS_SUCCESS : status;
  }

  static RegistryValue default_value(const RTL_QUERY_REGISTRY_TABLE& entry, ULONG type) {
    std::size_t size = entry.DefaultLength;
    const auto* const text = static_cast<const char16_t*>(entry.DefaultData);
    if (size == 0 && text != nullptr && is_string(static_cast<RegistryType>(type))) {
      std::size_t units = 0;
      if (type == REG_MULTI_SZ) {
        while (text[units] != 0 || text[units + 1] != 0) ++units;
        ++units;
      } else {
        while (text[units] != 0) ++units;
      }
      size = (units + 1) * sizeof(char16_t);
    }
    RegistryValue value = RegistryValue::binary(entry.DefaultData, entry.DefaultData == nullptr ? 0 : size);
    value.type = static_cast<RegistryType>(type);
    return value;
  }

  Registry::Key top_;
  Registry::Key key_;
  PVOID context_;
};

}  // namespace

// Page wdm/nf-wdm-rtlqueryregistryvalues
NTSTATUS RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path, PRTL_QUERY_REGISTRY_TABLE QueryTable,
                                PVOID Context, PVOID) {
  const KernelCall kernel_call("RtlQueryRegistryValues", PASSIVE_LEVEL);
  Registry::Key key;
  const NTSTATUS opened = open(RelativeTo, Path, false, key);
  if (!NT_SUCCESS(opened) && (RelativeTo & RTL_REGISTRY_OPTIONAL) == 0) return opened;
  Query query(key, Context);
  for (PRTL_QUERY_REGISTRY_TABLE entry = QueryTable;
       entry->QueryRoutine != nullptr || entry->Name != nullptr ||
       (entry->Flags & (RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_DIRECT)) != 0;
       ++entry) {
    const NTSTATUS status = query.run(*entry);
    if (!NT_SUCCESS(status)) return status;
  }
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-rtlwriteregistryvalue
NTSTATUS RtlWriteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName, ULONG ValueType,
                               PVOID ValueData, ULONG ValueLength) {
  const KernelCall call("RtlWriteRegistryValue", PASSIVE_LEVEL);
  if (fault_point("RtlWriteRegistryValue")) return STATUS_INSUFFICIENT_RESOURCES;
  Registry::Key key;
  if (const NTSTATUS status = open(RelativeTo, Path, true, key); !NT_SUCCESS(status)) return status;
  RegistryValue value = RegistryValue::binary(ValueData, ValueLength);
  value.type = static_cast<RegistryType>(ValueType);
  registry().set(key, view(ValueName), std::move(value));
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-rtldeleteregistryvalue
NTSTATUS RtlDeleteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName) {
  const KernelCall call("RtlDeleteRegistryValue", PASSIVE_LEVEL);
  Registry::Key key;
  if (const NTSTATUS status = open(RelativeTo, Path, false, key); !NT_SUCCESS(status)) return status;
  return registry().erase(key, view(ValueName)) ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
}

// Page wdm/nf-wdm-rtlcreateregistrykey
NTSTATUS RtlCreateRegistryKey(ULONG RelativeTo, PWSTR Path) {
  const KernelCall call("RtlCreateRegistryKey", PASSIVE_LEVEL);
  if (fault_point("RtlCreateRegistryKey")) return STATUS_INSUFFICIENT_RESOURCES;
  Registry::Key key;
  return open(RelativeTo, Path, true, key);
}

// Page wdm/nf-wdm-rtlcheckregistrykey
NTSTATUS RtlCheckRegistryKey(ULONG RelativeTo, PWSTR Path) {
  const KernelCall call("RtlCheckRegistryKey", PASSIVE_LEVEL);
  Registry::Key key;
  return open(RelativeTo, Path, false, key);
}
