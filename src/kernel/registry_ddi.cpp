// SPDX-License-Identifier: MIT
//
// ZwOpenKey, ZwQueryValueKey and their like: the registry by handle.
//
// Pages   wdm/nf-wdm-zwopenkey, -zwcreatekey, -zwqueryvaluekey, -zwsetvaluekey, -zwenumeratekey,
// -zwenumeratevaluekey, -zwdeletekey,
//         -zwquerykey, wdm/nf-wdm-ioopendeviceregistrykey
// IRQL    PASSIVE_LEVEL
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/driver.h"
#include "kernel/io.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/object.h"
#include "kernel/registry.h"
#include "kernel/registry_handle.h"
#include "kernel/system.h"
#include "kernel/unicode.h"

using namespace undis::kernel;

namespace undis::kernel {

namespace {

/// What a registry handle's object is.
struct OpenKey {
  Registry::Key key;
};

}  // namespace

HANDLE open_registry_handle(Registry::Key key) {
  ObjectTable& objects = System::current().objects();
  auto* const open = new OpenKey{std::move(key)};
  objects.add(open, ObjectKind::Key, to_utf8(System::current().registry().path_of(open->key)),
              [open] { delete open; });
  const HANDLE handle = objects.open(open, current_driver());
  objects.dereference(open);  // the handle keeps it
  return handle;
}

NTSTATUS registry_key_of(HANDLE handle, Registry::Key& key) {
  ObjectKind kind = ObjectKind::Other;
  void* const body = System::current().objects().body(handle, &kind);
  if (body == nullptr) return STATUS_INVALID_HANDLE;
  if (kind != ObjectKind::Key) return STATUS_OBJECT_TYPE_MISMATCH;
  key = static_cast<OpenKey*>(body)->key;
  return key->deleted ? STATUS_KEY_DELETED : STATUS_SUCCESS;
}

}  // namespace undis::kernel

namespace {

Registry& registry() {
  return System::current().registry();
}

NTSTATUS starting_point(const OBJECT_ATTRIBUTES* attributes, Registry::Key& from) {
  from = registry().root();
  if (attributes->RootDirectory != nullptr) return registry_key_of(attributes->RootDirectory, from);
  const std::u16string_view path = view(attributes->ObjectName);
  return !path.empty() && path.front() == u'\\' ? STATUS_SUCCESS : STATUS_OBJECT_PATH_SYNTAX_BAD;
}

NTSTATUS open_key(const char* name, PHANDLE handle, const OBJECT_ATTRIBUTES* attributes) {
  const KernelCall call(name, PASSIVE_LEVEL);
  *handle = nullptr;
  if (fault_point(name)) return STATUS_INSUFFICIENT_RESOURCES;
  Registry::Key from;
  if (const NTSTATUS status = starting_point(attributes, from); !NT_SUCCESS(status)) return status;
  Registry::Key key = registry().find(from, view(attributes->ObjectName));
  if (key == nullptr) return STATUS_OBJECT_NAME_NOT_FOUND;
  *handle = open_registry_handle(std::move(key));
  return STATUS_SUCCESS;
}

/// Writes a structure that ends in a name or data: as much as fits. `fixed`: the bytes before that; less room
/// is an error.
class Answer {
 public:
  Answer(PVOID buffer, ULONG size, PULONG needed)
      : bytes_(static_cast<std::byte*>(buffer)), size_(size), needed_(needed) {}
  void put(std::size_t offset, const void* from, std::size_t count) noexcept {
    total_ = std::max(total_, offset + count);
    if (offset < size_ && count != 0) std::memcpy(bytes_ + offset, from, std::min(count, size_ - offset));
  }
  void put_ulong(std::size_t offset, std::size_t value) noexcept {
    const auto number = static_cast<ULONG>(value);
    put(offset, &number, sizeof number);
  }
  NTSTATUS end(std::size_t fixed) const noexcept {
    *needed_ = static_cast<ULONG>(total_);
    if (size_ < fixed) return STATUS_BUFFER_TOO_SMALL;
    return size_ < total_ ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
  }

 private:
  std::byte* bytes_;
  std::size_t size_;
  PULONG needed_;
  std::size_t total_ = 0;
};

NTSTATUS describe_value(const RegistryKey::Value& value, KEY_VALUE_INFORMATION_CLASS what, PVOID buffer,
                        ULONG size, PULONG needed) {
  Answer answer(buffer, size, needed);
  const std::size_t name_bytes = value.name.size() * sizeof(char16_t);
  const auto& data = value.value.data;
  const auto type = static_cast<std::size_t>(value.value.type);
  switch (what) {
  case KeyValueBasicInformation:
    answer.put_ulong(offsetof(KEY_VALUE_BASIC_INFORMATION, TitleIndex), 0);
    answer.put_ulong(offsetof(KEY_VALUE_BASIC_INFORMATION, Type), type);
    answer.put_ulong(offsetof(KEY_VALUE_BASIC_INFORMATION, NameLength), name_bytes);
    answer.put(offsetof(KEY_VALUE_BASIC_INFORMATION, Name), value.name.data(), name_bytes);
    return answer.end(offsetof(KEY_VALUE_BASIC_INFORMATION, Name));
  case KeyValueFullInformation:
  case KeyValueFullInformationAlign64: {
    const std::size_t grain = what == KeyValueFullInformation ? sizeof(ULONG) : sizeof(ULONGLONG);
    const std::size_t data_offset =
        (offsetof(KEY_VALUE_FULL_INFORMATION, Name) + name_bytes + grain - 1) & ~(grain - 1);
    answer.put_ulong(offsetof(KEY_VALUE_FULL_INFORMATION, TitleIndex), 0);
    answer.put_ulong(offsetof(KEY_VALUE_FULL_INFORMATION, Type), type);
    answer.put_ulong(offsetof(KEY_VALUE_FULL_INFORMATION, DataOffset), data_offset);
    answer.put_ulong(offsetof(KEY_VALUE_FULL_INFORMATION, DataLength), data.size());
    answer.put_ulong(offsetof(KEY_VALUE_FULL_INFORMATION, NameLength), name_bytes);
    answer.put(offsetof(KEY_VALUE_FULL_INFORMATION, Name), value.name.data(), name_bytes);
    answer.put(data_offset, data.data(), data.size());
    return answer.end(offsetof(KEY_VALUE_FULL_INFORMATION, Name));
  }
  case KeyValuePartialInformation:
    answer.put_ulong(offsetof(KEY_VALUE_PARTIAL_INFORMATION, TitleIndex), 0);
    answer.put_ulong(offsetof(KEY_VALUE_PARTIAL_INFORMATION, Type), type);
    answer.put_ulong(offsetof(KEY_VALUE_PARTIAL_INFORMATION, DataLength), data.size());
    answer.put(offsetof(KEY_VALUE_PARTIAL_INFORMATION, Data), data.data(), data.size());
    return answer.end(offsetof(KEY_VALUE_PARTIAL_INFORMATION, Data));
  default:
    return STATUS_INVALID_PARAMETER;
  }
}

NTSTATUS describe_key(const Registry::Key& key, KEY_INFORMATION_CLASS what, PVOID buffer, ULONG size,
                      PULONG needed) {
  Answer answer(buffer, size, needed);
  const LARGE_INTEGER written{};
  const std::size_t name_bytes = key->name.size() * sizeof(char16_t);
  switch (what) {
  case KeyBasicInformation:
    answer.put(offsetof(KEY_BASIC_INFORMATION, LastWriteTime), &written, sizeof written);
    answer.put_ulong(offsetof(KEY_BASIC_INFORMATION, TitleIndex), 0);
    answer.put_ulong(offsetof(KEY_BASIC_INFORMATION, NameLength), name_bytes);
    answer.put(offsetof(KEY_BASIC_INFORMATION, Name), key->name.data(), name_bytes);
    return answer.end(offsetof(KEY_BASIC_INFORMATION, Name));
  case KeyNodeInformation:
    answer.put(offsetof(KEY_NODE_INFORMATION, LastWriteTime), &written, sizeof written);
    answer.put_ulong(offsetof(KEY_NODE_INFORMATION, TitleIndex), 0);
    answer.put_ulong(offsetof(KEY_NODE_INFORMATION, ClassOffset), MAXULONG);
    answer.put_ulong(offsetof(KEY_NODE_INFORMATION, ClassLength), 0);
    answer.put_ulong(offsetof(KEY_NODE_INFORMATION, NameLength), name_bytes);
    answer.put(offsetof(KEY_NODE_INFORMATION, Name), key->name.data(), name_bytes);
    return answer.end(offsetof(KEY_NODE_INFORMATION, Name));
  case KeyFullInformation: {
    std::size_t longest_key = 0;
    std::size_t longest_name = 0;
    std::size_t longest_data = 0;
    for (const auto& subkey : key->subkeys) longest_key = std::max(longest_key, subkey->name.size());
    for (const auto& value : key->values) {
      longest_name = std::max(longest_name, value.name.size());
      longest_data = std::max(longest_data, value.value.data.size());
    }
    answer.put(offsetof(KEY_FULL_INFORMATION, LastWriteTime), &written, sizeof written);
    answer.put_ulong(offsetof(KEY_FULL_INFORMATION, TitleIndex), 0);
    answer.put_ulong(offsetof(KEY_FULL_INFORMATION, ClassOffset), MAXULONG);
    answer.put_ulong(offsetof(KEY_FULL_INFORMATION, ClassLength), 0);
    answer.put_ulong(offsetof(KEY_FULL_INFORMATION, SubKeys), key->subkeys.size());
    answer.put_ulong(offsetof(KEY_FULL_INFORMATION, MaxNameLen), longest_key * sizeof(char16_t));
    answer.put_ulong(offsetof(KEY_FULL_INFORMATION, MaxClassLen), 0);
    answer.put_ulong(offsetof(KEY_FULL_INFORMATION, Values), key->values.size());
    answer.put_ulong(offsetof(KEY_FULL_INFORMATION, MaxValueNameLen), longest_name * sizeof(char16_t));
    answer.put_ulong(offsetof(KEY_FULL_INFORMATION, MaxValueDataLen), longest_data);
    return answer.end(offsetof(KEY_FULL_INFORMATION, Class));
  }
  case KeyNameInformation: {
    const std::u16string path = registry().path_of(key);
    answer.put_ulong(offsetof(KEY_NAME_INFORMATION, NameLength), path.size() * sizeof(char16_t));
    answer.put(offsetof(KEY_NAME_INFORMATION, Name), path.data(), path.size() * sizeof(char16_t));
    return answer.end(offsetof(KEY_NAME_INFORMATION, Name));
  }
  default:
    return STATUS_INVALID_PARAMETER;
  }
}

}  // namespace

// Page wdm/nf-wdm-zwopenkey
NTSTATUS ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK, POBJECT_ATTRIBUTES ObjectAttributes) {
  return open_key("ZwOpenKey", KeyHandle, ObjectAttributes);
}

// Page wdm/nf-wdm-zwopenkeyex
NTSTATUS ZwOpenKeyEx(PHANDLE KeyHandle, ACCESS_MASK, POBJECT_ATTRIBUTES ObjectAttributes, ULONG) {
  return open_key("ZwOpenKeyEx", KeyHandle, ObjectAttributes);
}

// Page wdm/nf-wdm-zwcreatekey. Every part of the path but the last must exist.
NTSTATUS ZwCreateKey(PHANDLE KeyHandle, ACCESS_MASK, POBJECT_ATTRIBUTES ObjectAttributes, ULONG,
                     PUNICODE_STRING, ULONG CreateOptions, PULONG Disposition) {
  const KernelCall call("ZwCreateKey", PASSIVE_LEVEL);
  *KeyHandle = nullptr;
  if (fault_point("ZwCreateKey")) return STATUS_INSUFFICIENT_RESOURCES;
  Registry::Key from;
  if (const NTSTATUS status = starting_point(ObjectAttributes, from); !NT_SUCCESS(status)) return status;
  const std::u16string_view path = view(ObjectAttributes->ObjectName);
  const std::size_t cut = path.rfind(u'\\');
  if (cut != std::u16string_view::npos && registry().find(from, path.substr(0, cut)) == nullptr)
    return STATUS_OBJECT_NAME_NOT_FOUND;
  bool created = false;
  Registry::Key key = registry().create(from, path, (CreateOptions & REG_OPTION_VOLATILE) != 0, created);
  if (key == nullptr) return STATUS_KEY_DELETED;
  if (Disposition != nullptr) *Disposition = created ? REG_CREATED_NEW_KEY : REG_OPENED_EXISTING_KEY;
  *KeyHandle = open_registry_handle(std::move(key));
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-zwdeletekey
NTSTATUS ZwDeleteKey(HANDLE KeyHandle) {
  const KernelCall call("ZwDeleteKey", PASSIVE_LEVEL);
  Registry::Key key;
  if (const NTSTATUS status = registry_key_of(KeyHandle, key); !NT_SUCCESS(status)) return status;
  return registry().erase(key) ? STATUS_SUCCESS : STATUS_CANNOT_DELETE;
}

// Page wdm/nf-wdm-zwflushkey: there is no disk to write to.
NTSTATUS ZwFlushKey(HANDLE KeyHandle) {
  const KernelCall call("ZwFlushKey", PASSIVE_LEVEL);
  Registry::Key key;
  return registry_key_of(KeyHandle, key);
}

// Page wdm/nf-wdm-zwquerykey
NTSTATUS ZwQueryKey(HANDLE KeyHandle, KEY_INFORMATION_CLASS KeyInformationClass, PVOID KeyInformation,
                    ULONG Length, PULONG ResultLength) {
  const KernelCall call("ZwQueryKey", PASSIVE_LEVEL);
  Registry::Key key;
  if (const NTSTATUS status = registry_key_of(KeyHandle, key); !NT_SUCCESS(status)) return status;
  return describe_key(key, KeyInformationClass, KeyInformation, Length, ResultLength);
}

// Page wdm/nf-wdm-zwenumeratekey
NTSTATUS ZwEnumerateKey(HANDLE KeyHandle, ULONG Index, KEY_INFORMATION_CLASS KeyInformationClass,
                        PVOID KeyInformation, ULONG Length, PULONG ResultLength) {
  const KernelCall call("ZwEnumerateKey", PASSIVE_LEVEL);
  Registry::Key key;
  if (const NTSTATUS status = registry_key_of(KeyHandle, key); !NT_SUCCESS(status)) return status;
  const Registry::Key subkey = registry().subkey_at(key, Index);
  if (subkey == nullptr) return STATUS_NO_MORE_ENTRIES;
  return describe_key(subkey, KeyInformationClass, KeyInformation, Length, ResultLength);
}

// Page wdm/nf-wdm-zwqueryvaluekey
NTSTATUS ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
                         KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass, PVOID KeyValueInformation,
                         ULONG Length, PULONG ResultLength) {
  const KernelCall call("ZwQueryValueKey", PASSIVE_LEVEL);
  Registry::Key key;
  if (const NTSTATUS status = registry_key_of(KeyHandle, key); !NT_SUCCESS(status)) return status;
  auto value = registry().get(key, view(ValueName));
  if (!value) return STATUS_OBJECT_NAME_NOT_FOUND;
  const RegistryKey::Value named{std::u16string(view(ValueName)), std::move(*value)};
  return describe_value(named, KeyValueInformationClass, KeyValueInformation, Length, ResultLength);
}

// Page wdm/nf-wdm-zwenumeratevaluekey
NTSTATUS ZwEnumerateValueKey(HANDLE KeyHandle, ULONG Index,
                             KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass, PVOID KeyValueInformation,
                             ULONG Length, PULONG ResultLength) {
  const KernelCall call("ZwEnumerateValueKey", PASSIVE_LEVEL);
  Registry::Key key;
  if (const NTSTATUS status = registry_key_of(KeyHandle, key); !NT_SUCCESS(status)) return status;
  const auto value = registry().value_at(key, Index);
  if (!value) return STATUS_NO_MORE_ENTRIES;
  return describe_value(*value, KeyValueInformationClass, KeyValueInformation, Length, ResultLength);
}

// Page wdm/nf-wdm-zwsetvaluekey
NTSTATUS ZwSetValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, ULONG, ULONG Type, PVOID Data,
                       ULONG DataSize) {
  const KernelCall call("ZwSetValueKey", PASSIVE_LEVEL);
  if (fault_point("ZwSetValueKey")) return STATUS_INSUFFICIENT_RESOURCES;
  Registry::Key key;
  if (const NTSTATUS status = registry_key_of(KeyHandle, key); !NT_SUCCESS(status)) return status;
  RegistryValue value = RegistryValue::binary(Data, DataSize);
  value.type = static_cast<RegistryType>(Type);
  registry().set(key, view(ValueName), std::move(value));
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-zwdeletevaluekey
NTSTATUS ZwDeleteValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName) {
  const KernelCall call("ZwDeleteValueKey", PASSIVE_LEVEL);
  Registry::Key key;
  if (const NTSTATUS status = registry_key_of(KeyHandle, key); !NT_SUCCESS(status)) return status;
  return registry().erase(key, view(ValueName)) ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
}

// Page wdm/nf-wdm-ioopendeviceregistrykey. The device's own key is the "Device Parameters" subkey of its Enum
// key.
NTSTATUS IoOpenDeviceRegistryKey(PDEVICE_OBJECT DeviceObject, ULONG DevInstKeyType, ACCESS_MASK,
                                 PHANDLE DeviceRegKey) {
  const KernelCall call("IoOpenDeviceRegistryKey", PASSIVE_LEVEL);
  *DeviceRegKey = nullptr;
  if (fault_point("IoOpenDeviceRegistryKey")) return STATUS_INSUFFICIENT_RESOURCES;
  const PhysicalDevice* const device = System::current().io().physical_device(DeviceObject);
  if (device == nullptr) return STATUS_INVALID_DEVICE_REQUEST;
  std::u16string path = u"\\Registry\\Machine\\System\\CurrentControlSet\\";
  switch (DevInstKeyType & ~static_cast<ULONG>(PLUGPLAY_REGKEY_CURRENT_HWPROFILE)) {
  case PLUGPLAY_REGKEY_DEVICE:
    path += u"Enum\\" + device->instance_path + u"\\Device Parameters";
    break;
  case PLUGPLAY_REGKEY_DRIVER:
    path += u"Control\\Class\\" + device->driver_key;
    break;
  default:
    return STATUS_INVALID_PARAMETER;
  }
  bool created = false;
  Registry::Key key = registry().create(registry().root(), path, false, created);
  *DeviceRegKey = open_registry_handle(std::move(key));
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-ioopendriverregistrykey
NTSTATUS IoOpenDriverRegistryKey(PDRIVER_OBJECT DriverObject, DRIVER_REGKEY_TYPE RegKeyType, ACCESS_MASK,
                                 ULONG, PHANDLE DriverRegKey) {
  const KernelCall call("IoOpenDriverRegistryKey", PASSIVE_LEVEL);
  *DriverRegKey = nullptr;
  if (fault_point("IoOpenDriverRegistryKey")) return STATUS_INSUFFICIENT_RESOURCES;
  Driver* const driver = Driver::from_object(DriverObject);
  if (driver == nullptr) return STATUS_INVALID_PARAMETER;
  std::u16string path(view(driver->registry_path()));
  path += RegKeyType == DriverRegKeyParameters ? u"\\Parameters" : u"\\State";
  bool created = false;
  *DriverRegKey = open_registry_handle(registry().create(registry().root(), path, false, created));
  return STATUS_SUCCESS;
}
