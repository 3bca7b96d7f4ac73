// SPDX-License-Identifier: MIT
//
// Friendly names of adapters.
//
// Beyond  The name is the DriverDesc of the adapter's key, where Windows keeps it, or else the name that the
//         host gave the adapter.
#include <cstring>

#include "ddi/ddi_call.h"
#include "kernel/pool.h"
#include "kernel/registry.h"
#include "kernel/unicode.h"
#include "ndis/binding.h"

using namespace undis;

namespace {

constexpr ULONG kNameTag = 0x4E44696E;

NDIS_STATUS give_name(const DdiCall& call, const Adapter& adapter, NDIS_STRING* name) {
  *name = {};
  if (call.fails()) return NDIS_STATUS_RESOURCES;
  const auto described =
      kernel::System::current().registry().value(adapter.config().configuration_key, u"DriverDesc");
  const std::u16string text = described && !described->as_string().empty() ? described->as_string()
                                                                           : kernel::to_utf16(adapter.name());
  const std::size_t size = text.size() * sizeof(char16_t);
  kernel::Pool::Request request;
  request.size = size + sizeof(char16_t);
  request.tag = kNameTag;
  request.zero = true;
  request.owner = &call.driver();  // who frees it, by NdisFreeMemory
  name->Buffer = static_cast<PWCH>(kernel::System::current().pool().allocate(request));
  if (name->Buffer == nullptr) return NDIS_STATUS_RESOURCES;
  std::memcpy(name->Buffer, text.data(), size);
  name->Length = static_cast<USHORT>(size);
  name->MaximumLength = static_cast<USHORT>(request.size);
  return NDIS_STATUS_SUCCESS;
}

}  // namespace

// Page    ndis/nf-ndis-ndismqueryadapterinstancename                 IRQL  PASSIVE_LEVEL
NDIS_STATUS NdisMQueryAdapterInstanceName(PNDIS_STRING pAdapterInstanceName, NDIS_HANDLE MiniportHandle) {
  const DdiCall call(Ddi::NdisMQueryAdapterInstanceName);
  const Ref<Adapter> adapter = call.find<Adapter>("MiniportHandle", MiniportHandle, HandleKind::Adapter);
  return call.returns(adapter ? give_name(call, *adapter, pAdapterInstanceName) : NDIS_STATUS_RESOURCES);
}

// Page    ndis/nf-ndis-ndisqueryadapterinstancename                  IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisQueryAdapterInstanceName(PNDIS_STRING pAdapterInstanceName, NDIS_HANDLE NdisBindingHandle) {
  const DdiCall call(Ddi::NdisQueryAdapterInstanceName);
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  return call.returns(binding ? give_name(call, binding->adapter(), pAdapterInstanceName)
                              : NDIS_STATUS_RESOURCES);
}

// Page    ndis/nf-ndis-ndisquerybindinstancename                     IRQL  <= DISPATCH_LEVEL
NDIS_STATUS NdisQueryBindInstanceName(PNDIS_STRING pAdapterInstanceName, NDIS_HANDLE BindingContext) {
  const DdiCall call(Ddi::NdisQueryBindInstanceName);
  const HandleView found = Library::current().handles().view(BindingContext);
  if (found.kind != HandleKind::BindContext || !found.open) {
    call.tell_misuse("BindingContext", BindingContext, HandleKind::BindContext, found);
    return call.returns(NDIS_STATUS_RESOURCES);
  }
  const Ref<Binding> binding(static_cast<Binding*>(found.object));
  return call.returns(give_name(call, binding->adapter(), pAdapterInstanceName));
}

// IRQL    <= DISPATCH_LEVEL
// Beyond  No page is published: the handle that the miniport's driver got at its registration.
VOID NdisGetDriverHandle(NDIS_HANDLE NdisBindingHandle, PNDIS_HANDLE NdisDriverHandle) {
  const DdiCall call(Ddi::NdisGetDriverHandle);
  *NdisDriverHandle = nullptr;
  const Ref<Binding> binding = call.find_open_binding("NdisBindingHandle", NdisBindingHandle);
  if (binding) *NdisDriverHandle = binding->adapter().driver().handle();
}
