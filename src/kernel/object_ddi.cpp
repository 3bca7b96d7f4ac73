// SPDX-License-Identifier: MIT
//
// ObReferenceObject and its like, ZwClose, events by name, as drivers reach them.
//
// Pages   wdm/nf-wdm-obreferenceobjectbyhandle, -obdereferenceobject, -zwclose
// IRQL    <= DISPATCH_LEVEL for references, PASSIVE_LEVEL for handles
#include <array>
#include <string>

#include <fmt/format.h>
#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/object.h"
#include "kernel/object_type.h"
#include "kernel/pool.h"
#include "kernel/system.h"
#include "kernel/unicode.h"

using namespace undis::kernel;

namespace {

_OBJECT_TYPE event_type{ObjectKind::Event};
_OBJECT_TYPE semaphore_type{ObjectKind::Other};
_OBJECT_TYPE file_type{ObjectKind::File};
_OBJECT_TYPE thread_type{ObjectKind::Thread};
_OBJECT_TYPE process_type{ObjectKind::Process};
_OBJECT_TYPE token_type{ObjectKind::Other};
POBJECT_TYPE event_type_pointer = &event_type;
POBJECT_TYPE semaphore_type_pointer = &semaphore_type;
POBJECT_TYPE file_type_pointer = &file_type;
POBJECT_TYPE thread_type_pointer = &thread_type;
POBJECT_TYPE process_type_pointer = &process_type;
POBJECT_TYPE token_type_pointer = &token_type;

constexpr ULONG kEventTag = 0x6E657645;  // 'Even'

ObjectTable& objects() {
  return System::current().objects();
}

LONG_PTR reference(const char* name, PVOID object) {
  const KernelCall call(name, DISPATCH_LEVEL);
  if (!objects().reference(object))
    report_misuse(Misuse::BadParameter, name, object, "the pointer given is no object of the object manager");
  return static_cast<LONG_PTR>(objects().references(object));
}

LONG_PTR dereference(const char* name, PVOID object) {
  const KernelCall call(name, DISPATCH_LEVEL);
  const std::size_t before = objects().references(object);
  if (!objects().dereference(object)) {
    report_misuse(Misuse::BadParameter, name, object,
                  "the pointer given is no object of the object manager, or its last reference is gone");
    return 0;
  }
  return static_cast<LONG_PTR>(before) - 1;
}

NTSTATUS close(const char* name, HANDLE handle) {
  const KernelCall call(name, PASSIVE_LEVEL);
  if (objects().close(handle)) return STATUS_SUCCESS;
  report_misuse(Misuse::BadParameter, name, handle, "the handle is not open");
  return STATUS_INVALID_HANDLE;
}

NTSTATUS reference_by_handle(const char* name, HANDLE handle, POBJECT_TYPE type, PVOID* object,
                             POBJECT_HANDLE_INFORMATION information) {
  const KernelCall call(name, PASSIVE_LEVEL);
  *object = nullptr;
  ObjectKind kind = ObjectKind::Other;
  void* const body = objects().body(handle, &kind);
  if (body == nullptr) return STATUS_INVALID_HANDLE;
  if (type != nullptr && type->kind != kind) return STATUS_OBJECT_TYPE_MISMATCH;
  if (!objects().reference(body)) return STATUS_INVALID_HANDLE;
  if (information != nullptr) *information = {0, STANDARD_RIGHTS_ALL | SPECIFIC_RIGHTS_ALL};
  *object = body;
  return STATUS_SUCCESS;
}

/// An event object of the object manager: made, or found by its name.
PKEVENT make_event(std::u16string_view name, EVENT_TYPE type, bool initial) {
  const std::string text = to_utf8(upcased(name));
  if (!text.empty()) {
    if (void* const known = objects().reference_by_name(ObjectKind::Event, text))
      return static_cast<PKEVENT>(known);
  }
  Pool::Request request;
  request.size = sizeof(KEVENT);
  request.tag = kEventTag;
  auto* const event = static_cast<PKEVENT>(System::current().pool().allocate(request));
  if (event == nullptr) return nullptr;
  KeInitializeEvent(event, type, initial ? TRUE : FALSE);
  objects().add(event, ObjectKind::Event, text,
                [event] { System::current().pool().free(event, kEventTag, "ZwClose", nullptr); });
  return event;
}

/// Gives the reference that the caller holds over to a new handle.
HANDLE hand_over(void* body) {
  const HANDLE handle = objects().open(body, current_driver());
  objects().dereference(body);
  return handle;
}

}  // namespace

POBJECT_TYPE* ExEventObjectType = &event_type_pointer;
POBJECT_TYPE* ExSemaphoreObjectType = &semaphore_type_pointer;
POBJECT_TYPE* IoFileObjectType = &file_type_pointer;
POBJECT_TYPE* PsThreadType = &thread_type_pointer;
POBJECT_TYPE* PsProcessType = &process_type_pointer;
POBJECT_TYPE* SeTokenObjectType = &token_type_pointer;

// Page wdm/nf-wdm-obreferenceobjectbyhandle
NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK, POBJECT_TYPE ObjectType, KPROCESSOR_MODE,
                                   PVOID* Object, POBJECT_HANDLE_INFORMATION HandleInformation) {
  return reference_by_handle("ObReferenceObjectByHandle", Handle, ObjectType, Object, HandleInformation);
}

// Page wdm/nf-wdm-obreferenceobjectbyhandlewithtag
NTSTATUS ObReferenceObjectByHandleWithTag(HANDLE Handle, ACCESS_MASK, POBJECT_TYPE ObjectType,
                                          KPROCESSOR_MODE, ULONG, PVOID* Object,
                                          POBJECT_HANDLE_INFORMATION HandleInformation) {
  return reference_by_handle("ObReferenceObjectByHandleWithTag", Handle, ObjectType, Object,
                             HandleInformation);
}

// Page wdm/nf-wdm-obreferenceobjectbypointer
NTSTATUS ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK, POBJECT_TYPE, KPROCESSOR_MODE) {
  reference("ObReferenceObjectByPointer", Object);
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-obreferenceobject
LONG_PTR ObReferenceObject(PVOID Object) {
  return reference("ObReferenceObject", Object);
}
LONG_PTR ObfReferenceObject(PVOID Object) {
  return reference("ObReferenceObject", Object);
}
LONG_PTR ObReferenceObjectWithTag(PVOID Object, ULONG) {
  return reference("ObReferenceObjectWithTag", Object);
}
LONG_PTR ObfReferenceObjectWithTag(PVOID Object, ULONG) {
  return reference("ObReferenceObjectWithTag", Object);
}

// Page wdm/nf-wdm-obreferenceobjectsafe
BOOLEAN ObReferenceObjectSafe(PVOID Object) {
  const KernelCall call("ObReferenceObjectSafe", DISPATCH_LEVEL);
  return objects().reference(Object) ? TRUE : FALSE;
}

// Page wdm/nf-wdm-obdereferenceobject
LONG_PTR ObDereferenceObject(PVOID Object) {
  return dereference("ObDereferenceObject", Object);
}
LONG_PTR ObfDereferenceObject(PVOID Object) {
  return dereference("ObDereferenceObject", Object);
}
LONG_PTR ObDereferenceObjectWithTag(PVOID Object, ULONG) {
  return dereference("ObDereferenceObjectWithTag", Object);
}
LONG_PTR ObfDereferenceObjectWithTag(PVOID Object, ULONG) {
  return dereference("ObDereferenceObjectWithTag", Object);
}

// Page wdm/nf-wdm-obdereferenceobjectdeferdelete
VOID ObDereferenceObjectDeferDelete(PVOID Object) {
  const KernelCall call("ObDereferenceObjectDeferDelete", DISPATCH_LEVEL);
  queue_work("ObDereferenceObjectDeferDelete", [Object] { System::current().objects().dereference(Object); });
}

// Page ntifs/nf-ntifs-obopenobjectbypointer
NTSTATUS ObOpenObjectByPointer(PVOID Object, ULONG, PVOID, ACCESS_MASK, POBJECT_TYPE, KPROCESSOR_MODE,
                               PHANDLE Handle) {
  const KernelCall call("ObOpenObjectByPointer", PASSIVE_LEVEL);
  if (fault_point("ObOpenObjectByPointer")) return STATUS_INSUFFICIENT_RESOURCES;
  *Handle = objects().open(Object, current_driver());
  return *Handle != nullptr ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

// Page ntifs/nf-ntifs-obclosehandle
NTSTATUS ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE) {
  return close("ObCloseHandle", Handle);
}

// Page ntifs/nf-ntifs-ntclose
NTSTATUS ZwClose(HANDLE Handle) {
  return close("ZwClose", Handle);
}

// Page ntifs/nf-ntifs-zwcreateevent
NTSTATUS ZwCreateEvent(PHANDLE EventHandle, ACCESS_MASK, POBJECT_ATTRIBUTES ObjectAttributes,
                       EVENT_TYPE EventType, BOOLEAN InitialState) {
  const KernelCall call("ZwCreateEvent", PASSIVE_LEVEL);
  *EventHandle = nullptr;
  if (fault_point("ZwCreateEvent")) return STATUS_INSUFFICIENT_RESOURCES;
  const PKEVENT event =
      make_event(ObjectAttributes == nullptr ? std::u16string_view{} : view(ObjectAttributes->ObjectName),
                 EventType, InitialState != FALSE);
  if (event == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  *EventHandle = hand_over(event);
  return STATUS_SUCCESS;
}

// Page ntifs/nf-ntifs-zwopenevent
NTSTATUS ZwOpenEvent(PHANDLE EventHandle, ACCESS_MASK, POBJECT_ATTRIBUTES ObjectAttributes) {
  const KernelCall call("ZwOpenEvent", PASSIVE_LEVEL);
  *EventHandle = nullptr;
  const std::string name = to_utf8(upcased(view(ObjectAttributes->ObjectName)));
  void* const event = objects().reference_by_name(ObjectKind::Event, name);
  if (event == nullptr) return STATUS_OBJECT_NAME_NOT_FOUND;
  *EventHandle = hand_over(event);
  return STATUS_SUCCESS;
}

// Page ntifs/nf-ntifs-zwsetevent
NTSTATUS ZwSetEvent(HANDLE EventHandle, PLONG PreviousState) {
  const KernelCall call("ZwSetEvent", PASSIVE_LEVEL);
  ObjectKind kind = ObjectKind::Other;
  void* const body = objects().body(EventHandle, &kind);
  if (body == nullptr) return STATUS_INVALID_HANDLE;
  if (kind != ObjectKind::Event) return STATUS_OBJECT_TYPE_MISMATCH;
  const LONG before = KeSetEvent(static_cast<PKEVENT>(body), IO_NO_INCREMENT, FALSE);
  if (PreviousState != nullptr) *PreviousState = before;
  return STATUS_SUCCESS;
}

// Page ntifs/nf-ntifs-zwwaitforsingleobject
NTSTATUS ZwWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout) {
  const KernelCall call("ZwWaitForSingleObject", PASSIVE_LEVEL);
  ObjectKind kind = ObjectKind::Other;
  void* const body = objects().body(Handle, &kind);
  if (body == nullptr) return STATUS_INVALID_HANDLE;
  if (kind != ObjectKind::Event && kind != ObjectKind::Thread) return STATUS_OBJECT_TYPE_MISMATCH;
  objects().reference(body);
  const NTSTATUS status = KeWaitForSingleObject(body, UserRequest, KernelMode, Alertable, Timeout);
  objects().dereference(body);
  return status;
}
