// SPDX-License-Identifier: MIT
//
// Generic objects: NDIS handles for code that has no other; and the check of any handle that only says who
// calls.
//
// Beyond  A generic object is a pool block of its owner's; that it is one is read from its header, once the
//         pool knows the address.
#include "ddi/caller_handle.h"
#include "kernel/misuse.h"
#include "kernel/pool.h"

namespace undis {
namespace {

kernel::Pool& pool() {
  return kernel::System::current().pool();
}

bool looks_generic(const kernel::PoolBlock& block) noexcept {
  if (block.size < sizeof(NDIS_GENERIC_OBJECT)) return false;
  const NDIS_OBJECT_HEADER& header = static_cast<const NDIS_GENERIC_OBJECT*>(block.address)->Header;
  return header.Type == NDIS_OBJECT_TYPE_GENERIC_OBJECT &&
         header.Revision == NDIS_GENERIC_OBJECT_REVISION_1 && header.Size == block.size;
}

}  // namespace

bool is_generic_object(const void* handle) noexcept {
  kernel::PoolBlock block;
  return handle != nullptr && pool().find(handle, block) && block.live && block.address == handle &&
         looks_generic(block);
}

NDIS_GENERIC_OBJECT* allocate_generic_object(kernel::Driver& owner, DRIVER_OBJECT* object, ULONG tag,
                                             USHORT size) noexcept {
  kernel::Pool::Request request;
  request.size = sizeof(NDIS_GENERIC_OBJECT) + size;
  request.tag = tag;
  request.zero = true;
  request.owner = &owner;
  auto* const made = static_cast<NDIS_GENERIC_OBJECT*>(pool().allocate(request));
  if (made == nullptr) return nullptr;
  made->Header = {NDIS_OBJECT_TYPE_GENERIC_OBJECT, NDIS_GENERIC_OBJECT_REVISION_1,
                  static_cast<USHORT>(request.size)};
  made->DriverObject = object;
  return made;
}

bool free_generic_object(NDIS_GENERIC_OBJECT* object, const char* function, kernel::Driver& by) noexcept {
  if (is_generic_object(object)) object->Header = {};
  return pool().free(object, 0, function, &by) == kernel::Pool::Freed::Ok;
}

bool check_caller_handle(const DdiCall& call, const char* argument, NDIS_HANDLE handle) {
  const HandleView found = Library::current().handles().view(handle);
  switch (found.kind) {
  case HandleKind::Wrapper:
  case HandleKind::MiniportDriver5:
  case HandleKind::LayeredMiniport5:
  case HandleKind::MiniportDriver6:
  case HandleKind::ProtocolDriver5:
  case HandleKind::ProtocolDriver6:
  case HandleKind::Adapter:
  case HandleKind::Binding:
  case HandleKind::BindContext:
  case HandleKind::Device:
  case HandleKind::FilterDriver:
  case HandleKind::FilterModule:
    if (found.open) return true;
    break;
  case HandleKind::None:
    if (is_generic_object(handle)) return true;
    break;
  default:
    break;
  }
  call.tell_misuse(argument, handle, HandleKind::MiniportDriver6, found);
  return false;
}

}  // namespace undis

using namespace undis;

// Page    ndis/nf-ndis-ndisallocategenericobject                     IRQL  <= DISPATCH_LEVEL
PNDIS_GENERIC_OBJECT NdisAllocateGenericObject(PDRIVER_OBJECT DriverObject, ULONG Tag, USHORT Size) {
  const DdiCall call(Ddi::NdisAllocateGenericObject);
  if (call.fails()) return nullptr;
  NDIS_GENERIC_OBJECT* const object = allocate_generic_object(call.driver(), DriverObject, Tag, Size);
  if (object != nullptr) object->Caller = __builtin_return_address(0);
  return object;
}

// Page    ndis/nf-ndis-ndisfreegenericobject                         IRQL  <= DISPATCH_LEVEL
VOID NdisFreeGenericObject(PNDIS_GENERIC_OBJECT NdisObject) {
  const DdiCall call(Ddi::NdisFreeGenericObject);
  for (const Ref<Service>& child : Library::current().services().made_for(NdisObject))
    kernel::report_misuse(kernel::Misuse::BadParameter, call.name(), NdisObject,
                          "the generic object is freed before " + child->name() +
                              ", which was allocated with it as handle",
                          child->origin());
  free_generic_object(NdisObject, call.name(), call.driver());
}
