// SPDX-License-Identifier: MIT
//
// Callback objects: named lists of routines that one driver notifies and others register with.
//
// Pages   wdm/nf-wdm-excreatecallback, -exregistercallback, -exunregistercallback, -exnotifycallback
// Order   Routines are called in the order of registration, at the caller's IRQL.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <ntddk.h>

#include "kernel/call.h"
#include "kernel/driver.h"
#include "kernel/kernel_call.h"
#include "kernel/misuse.h"
#include "kernel/object.h"
#include "kernel/system.h"
#include "kernel/unicode.h"

using namespace undis::kernel;

namespace {

constexpr CallbackInfo kCallback{"CallbackFunction", DISPATCH_LEVEL, true};

struct Registration {
  PCALLBACK_OBJECT object = nullptr;
  callback<void(PVOID, PVOID, PVOID)> routine;
  PVOID context = nullptr;
  Driver* driver = nullptr;
  std::uint32_t calls = 0;  // running now
  bool leaving = false;     // unregistered
  Event* waiter = nullptr;  // of ExUnregisterCallback, when some are running
};

}  // namespace

struct _CALLBACK_OBJECT {
  Lock lock;
  bool several = true;
  std::vector<std::shared_ptr<Registration>> registrations GUARDED_BY(lock);
};

namespace {

ObjectTable& objects() {
  return System::current().objects();
}

}  // namespace

// Page wdm/nf-wdm-excreatecallback
NTSTATUS ExCreateCallback(PCALLBACK_OBJECT* CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
  const KernelCall call("ExCreateCallback", PASSIVE_LEVEL);
  *CallbackObject = nullptr;
  if (fault_point("ExCreateCallback")) return STATUS_INSUFFICIENT_RESOURCES;
  const std::string name =
      ObjectAttributes == nullptr ? std::string{} : to_utf8(upcased(view(ObjectAttributes->ObjectName)));
  if (!name.empty()) {
    if (void* const known = objects().reference_by_name(ObjectKind::Callback, name)) {
      *CallbackObject = static_cast<PCALLBACK_OBJECT>(known);
      return STATUS_SUCCESS;
    }
  }
  if (Create == FALSE) return STATUS_OBJECT_NAME_NOT_FOUND;
  auto* const object = new _CALLBACK_OBJECT;
  object->several = AllowMultipleCallbacks != FALSE;
  objects().add(object, ObjectKind::Callback, name, [object] { delete object; });
  *CallbackObject = object;
  return STATUS_SUCCESS;
}

// Page wdm/nf-wdm-exregistercallback. NULL: the object takes one routine and has one.
PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
  const KernelCall call("ExRegisterCallback", APC_LEVEL);
  if (!objects().reference(CallbackObject)) {
    report_misuse(Misuse::BadParameter, call.name(), CallbackObject,
                  "the pointer given is no callback object");
    return nullptr;
  }
  auto registration = std::make_shared<Registration>();
  registration->object = CallbackObject;
  registration->routine = CallbackFunction;
  registration->context = CallbackContext;
  registration->driver = current_driver();
  void* const handle = registration.get();
  bool added = false;
  if (!fault_point("ExRegisterCallback")) {
    const Hold hold(CallbackObject->lock);
    added = CallbackObject->several || CallbackObject->registrations.empty();
    if (added) CallbackObject->registrations.push_back(std::move(registration));
  }
  if (!added) objects().dereference(CallbackObject);
  return added ? handle : nullptr;
}

// Page wdm/nf-wdm-exunregistercallback. Returns when the routine is not running any more.
VOID ExUnregisterCallback(PVOID CallbackRegistration) {
  const KernelCall call("ExUnregisterCallback", APC_LEVEL);
  PCALLBACK_OBJECT object = nullptr;
  objects().for_each(ObjectKind::Callback, [&](void* body, const std::string&) {
    auto* const candidate = static_cast<PCALLBACK_OBJECT>(body);
    const Hold hold(candidate->lock);
    for (const auto& registration : candidate->registrations)
      if (registration.get() == CallbackRegistration) object = candidate;
  });
  if (object == nullptr) {
    report_misuse(Misuse::BadParameter, call.name(), CallbackRegistration,
                  "the pointer given is no registration of a callback");
    return;
  }
  Event ended("callback routine's end");
  bool running = false;
  {
    const Hold hold(object->lock);
    const auto found =
        std::find_if(object->registrations.begin(), object->registrations.end(),
                     [&](const auto& registration) { return registration.get() == CallbackRegistration; });
    if (found != object->registrations.end()) {
      (*found)->leaving = true;
      running = (*found)->calls != 0;
      if (running) (*found)->waiter = &ended;
      object->registrations.erase(found);
    }
  }
  if (running) ended.wait();
  objects().dereference(object);
}

// Page wdm/nf-wdm-exnotifycallback
VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
  const KernelCall call("ExNotifyCallback", DISPATCH_LEVEL);
  if (!objects().reference(CallbackObject)) {
    report_misuse(Misuse::BadParameter, call.name(), CallbackObject,
                  "the pointer given is no callback object");
    return;
  }
  auto* const object = static_cast<PCALLBACK_OBJECT>(CallbackObject);
  std::vector<std::shared_ptr<Registration>> all;
  {
    const Hold hold(object->lock);
    all = object->registrations;
  }
  for (const auto& registration : all) {
    {
      const Hold hold(object->lock);
      if (registration->leaving) continue;
      ++registration->calls;
    }
    call_driver(registration->driver, kCallback, object, registration->context, registration->routine,
                registration->context, Argument1, Argument2);
    Event* waiter = nullptr;
    {
      const Hold hold(object->lock);
      if (--registration->calls == 0) waiter = registration->waiter;
    }
    if (waiter != nullptr) waiter->set();
  }
  objects().dereference(object);
}
