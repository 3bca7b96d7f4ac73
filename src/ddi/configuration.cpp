// SPDX-License-Identifier: MIT
//
// Configuration parameters in the registry.
//
// Beyond  An adapter's key is always there, as PnP makes it; any other must have been made before it is
//         opened.
#include <cstring>

#include <fmt/format.h>

#include "ddi/ddi_call.h"
#include "kernel/misuse.h"
#include "kernel/unicode.h"
#include "ndis/binding.h"
#include "ndis/configuration.h"
#include "ndis/filter_module.h"
#include "ndis/strings.h"

using namespace undis;

namespace {

kernel::Registry& registry() {
  return kernel::System::current().registry();
}

std::u16string parameters_of(const kernel::Driver& driver) {
  return u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\" + kernel::to_utf16(driver.name()) +
         u"\\Parameters";
}

/// A handle for `key` in *handle, or why not.
NDIS_STATUS open(const DdiCall& call, kernel::Registry::Key key, NDIS_HANDLE* handle,
                 const Adapter* adapter = nullptr) {
  if (key == nullptr) return NDIS_STATUS_FAILURE;
  if (call.fails()) return NDIS_STATUS_RESOURCES;
  const Ref<Configuration> configuration(new Configuration(call.driver(), std::move(key)));
  configuration->made_for(adapter);
  if (!Library::current().services().open(*configuration)) return NDIS_STATUS_RESOURCES;
  *handle = configuration->handle();
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS open_path(const DdiCall& call, std::u16string_view path, bool create, NDIS_HANDLE* handle,
                      const Adapter* adapter = nullptr) {
  if (create) registry().create_key(path);
  return open(call, registry().find(registry().root(), path), handle, adapter);
}

/// The registry path behind the NdisHandle of NdisOpenConfigurationEx; empty: the handle is none of those it
/// takes.
struct Place {
  std::u16string path;
  bool create = false;
  const Adapter* adapter = nullptr;
};
Place place_of(NDIS_HANDLE handle) {
  HandleTable& handles = Library::current().handles();
  if (const Ref<Adapter> adapter = handles.find<Adapter>(handle))
    return {adapter->config().configuration_key, true, adapter.get()};
  if (const Ref<MiniportDriver> driver = handles.find<MiniportDriver>(handle))
    return {parameters_of(driver->driver()), false};
  if (const Ref<ProtocolDriver> protocol = handles.find<ProtocolDriver>(handle))
    return {parameters_of(protocol->driver()), false};
  if (const Ref<Binding> binding = handles.find<Binding>(handle))
    return {protocol_section(binding->driver(), binding->adapter()), false};
  if (const Ref<FilterDriver> filter = handles.find<FilterDriver>(handle))
    return {parameters_of(filter->driver()), false};
  if (const Ref<FilterModule> module = handles.find<FilterModule>(handle))
    return {protocol_section(module->driver(), module->adapter()), true};
  // Not a handle, but the NDIS_BIND_PARAMETERS of a bind that is under way.
  for (const Ref<ProtocolDriver>& protocol : Library::current().protocols())
    for (const Ref<Binding>& binding : protocol->bindings())
      if (handle != nullptr && handle == binding->bind_parameters)
        return {protocol_section(binding->driver(), binding->adapter()), false};
  return {};
}

}  // namespace

// Page    ndis/nf-ndis-ndisopenconfigurationex                       IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisOpenConfigurationEx(PNDIS_CONFIGURATION_OBJECT ConfigObject,
                                    PNDIS_HANDLE ConfigurationHandle) {
  const DdiCall call(Ddi::NdisOpenConfigurationEx);
  if (ConfigurationHandle == nullptr) return call.returns(NDIS_STATUS_FAILURE);
  *ConfigurationHandle = nullptr;
  if (ConfigObject == nullptr || ConfigObject->Header.Type != NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT ||
      ConfigObject->Header.Revision < NDIS_CONFIGURATION_OBJECT_REVISION_1 ||
      ConfigObject->Header.Size < NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1)
    return call.returns(NDIS_STATUS_FAILURE);
  const Place place = place_of(ConfigObject->NdisHandle);
  if (place.path.empty()) {
    call.tell_misuse("ConfigObject->NdisHandle", ConfigObject->NdisHandle, HandleKind::Adapter);
    return call.returns(NDIS_STATUS_FAILURE);
  }
  return call.returns(open_path(call, place.path, place.create, ConfigurationHandle, place.adapter));
}

// Page    previous-versions ff553676 (NdisOpenConfiguration)         IRQL  PASSIVE_LEVEL
VOID NdisOpenConfiguration(PNDIS_STATUS Status, PNDIS_HANDLE ConfigurationHandle,
                           NDIS_HANDLE WrapperConfigurationContext) {
  const DdiCall call(Ddi::NdisOpenConfiguration);
  *ConfigurationHandle = nullptr;
  // The context is only good while MiniportInitialize runs.
  const HandleView found = Library::current().handles().view(WrapperConfigurationContext);
  if (found.kind != HandleKind::ConfigurationKey || !found.open) {
    call.tell_misuse("WrapperConfigurationContext", WrapperConfigurationContext, HandleKind::ConfigurationKey,
                     found);
    *Status = call.returns(NDIS_STATUS_FAILURE);
    return;
  }
  const Ref<Adapter> adapter(static_cast<Adapter*>(found.object));
  *Status = call.returns(
      open_path(call, adapter->config().configuration_key, true, ConfigurationHandle, adapter.get()));
}

// Page    ndis/nf-ndis-ndisopenprotocolconfiguration                 IRQL  PASSIVE_LEVEL
VOID NdisOpenProtocolConfiguration(PNDIS_STATUS Status, PNDIS_HANDLE ConfigurationHandle,
                                   PNDIS_STRING ProtocolSection) {
  const DdiCall call(Ddi::NdisOpenProtocolConfiguration);
  *ConfigurationHandle = nullptr;
  *Status = call.returns(open_path(call, kernel::view(ProtocolSection), false, ConfigurationHandle));
}

// Page    ndis/nf-ndis-ndisopenconfigurationkeybyname                IRQL  < DISPATCH_LEVEL
VOID NdisOpenConfigurationKeyByName(PNDIS_STATUS Status, NDIS_HANDLE ConfigurationHandle,
                                    PNDIS_STRING SubKeyName, PNDIS_HANDLE SubKeyHandle) {
  const DdiCall call(Ddi::NdisOpenConfigurationKeyByName);
  *SubKeyHandle = nullptr;
  *Status = NDIS_STATUS_FAILURE;
  const Ref<Configuration> parent =
      call.find<Configuration>("ConfigurationHandle", ConfigurationHandle, HandleKind::Configuration);
  if (!parent || kernel::view(SubKeyName).empty()) return;
  *Status = call.returns(open(call, registry().find(parent->key(), kernel::view(SubKeyName)), SubKeyHandle));
}

// Page    ndis/nf-ndis-ndisopenconfigurationkeybyindex               IRQL  < DISPATCH_LEVEL
// Beyond  A KeyName without a buffer is given one, which lives as long as ConfigurationHandle is open.
//         docs/decisions.md#key-by-index
VOID NdisOpenConfigurationKeyByIndex(PNDIS_STATUS Status, NDIS_HANDLE ConfigurationHandle, ULONG Index,
                                     PNDIS_STRING KeyName, PNDIS_HANDLE KeyHandle) {
  const DdiCall call(Ddi::NdisOpenConfigurationKeyByIndex);
  *KeyHandle = nullptr;
  *Status = NDIS_STATUS_FAILURE;
  const Ref<Configuration> parent =
      call.find<Configuration>("ConfigurationHandle", ConfigurationHandle, HandleKind::Configuration);
  if (!parent || KeyName == nullptr) return;
  const kernel::Registry::Key key = registry().subkey_at(parent->key(), Index);
  if (key == nullptr) return;
  const std::size_t size = key->name.size() * sizeof(char16_t);
  if (KeyName->Buffer == nullptr) {
    KeyName->Buffer = static_cast<PWCH>(parent->allocate(size + sizeof(char16_t)));
    KeyName->MaximumLength = static_cast<USHORT>(size + sizeof(char16_t));
    if (KeyName->Buffer == nullptr) return;
  }
  if (KeyName->MaximumLength < size) return;
  std::memcpy(KeyName->Buffer, key->name.data(), size);
  KeyName->Length = static_cast<USHORT>(size);
  if (KeyName->MaximumLength >= size + sizeof(char16_t)) KeyName->Buffer[key->name.size()] = 0;
  *Status = call.returns(open(call, key, KeyHandle));
}

// Page    ndis/nf-ndis-ndiscloseconfiguration                        IRQL  PASSIVE_LEVEL
VOID NdisCloseConfiguration(NDIS_HANDLE ConfigurationHandle) {
  const DdiCall call(Ddi::NdisCloseConfiguration);
  const Ref<Configuration> configuration =
      call.find<Configuration>("ConfigurationHandle", ConfigurationHandle, HandleKind::Configuration);
  if (configuration) Library::current().services().close(*configuration);
}

// Page    ndis/nf-ndis-ndisreadconfiguration                         IRQL  PASSIVE_LEVEL
// Beyond  A string that is asked for as an integer is read as one, decimal or hexadecimal.
//         docs/decisions.md#integer-parameters
VOID NdisReadConfiguration(PNDIS_STATUS Status, PNDIS_CONFIGURATION_PARAMETER* ParameterValue,
                           NDIS_HANDLE ConfigurationHandle, PNDIS_STRING Keyword,
                           NDIS_PARAMETER_TYPE ParameterType) {
  const DdiCall call(Ddi::NdisReadConfiguration);
  *ParameterValue = nullptr;
  *Status = NDIS_STATUS_FAILURE;
  const Ref<Configuration> configuration =
      call.find<Configuration>("ConfigurationHandle", ConfigurationHandle, HandleKind::Configuration);
  if (!configuration || kernel::view(Keyword).empty()) return;
  if (call.fails()) {
    *Status = call.returns(NDIS_STATUS_RESOURCES);
    return;
  }
  bool found = false;
  *ParameterValue = configuration->read(kernel::view(Keyword), ParameterType, found);
  *Status = call.returns(*ParameterValue != nullptr ? NDIS_STATUS_SUCCESS
                         : found                    ? NDIS_STATUS_RESOURCES
                                                    : NDIS_STATUS_FAILURE);
}

// Page    ndis/nf-ndis-ndiswriteconfiguration                        IRQL  PASSIVE_LEVEL
VOID NdisWriteConfiguration(PNDIS_STATUS Status, NDIS_HANDLE ConfigurationHandle, PNDIS_STRING Keyword,
                            PNDIS_CONFIGURATION_PARAMETER ParameterValue) {
  const DdiCall call(Ddi::NdisWriteConfiguration);
  *Status = NDIS_STATUS_FAILURE;
  const Ref<Configuration> configuration =
      call.find<Configuration>("ConfigurationHandle", ConfigurationHandle, HandleKind::Configuration);
  if (!configuration || kernel::view(Keyword).empty() || ParameterValue == nullptr) return;
  std::optional<kernel::RegistryValue> value = to_registry(*ParameterValue);
  if (!value) {
    *Status = call.returns(NDIS_STATUS_NOT_SUPPORTED);
    return;
  }
  if (call.fails()) {
    *Status = call.returns(NDIS_STATUS_RESOURCES);
    return;
  }
  if (configuration->key()->deleted) return;
  registry().set(configuration->key(), kernel::view(Keyword), std::move(*value));
  *Status = call.returns(NDIS_STATUS_SUCCESS);
}

// Page    ndis/nf-ndis-ndisreadnetworkaddress                        IRQL  PASSIVE_LEVEL
VOID NdisReadNetworkAddress(PNDIS_STATUS Status, PVOID* NetworkAddress, PUINT NetworkAddressLength,
                            NDIS_HANDLE ConfigurationHandle) {
  const DdiCall call(Ddi::NdisReadNetworkAddress);
  *NetworkAddress = nullptr;
  *NetworkAddressLength = 0;
  *Status = NDIS_STATUS_FAILURE;
  const Ref<Configuration> configuration =
      call.find<Configuration>("ConfigurationHandle", ConfigurationHandle, HandleKind::Configuration);
  if (!configuration || call.fails()) return;
  const std::optional<kernel::RegistryValue> value = registry().get(configuration->key(), u"NetworkAddress");
  if (!value || value->type != kernel::RegistryType::String) return;
  const auto bytes = network_address_in(value->as_string());
  if (!bytes) return;
  void* const block = configuration->allocate(bytes->size());
  if (block == nullptr) return;
  std::memcpy(block, bytes->data(), bytes->size());
  *NetworkAddress = block;
  *NetworkAddressLength = static_cast<UINT>(bytes->size());
  *Status = call.returns(NDIS_STATUS_SUCCESS);
}
