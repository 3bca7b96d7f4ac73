// SPDX-License-Identifier: MIT
//
// The common beginning and end of every entry point.
#include "ddi/ddi_call.h"

#include <fmt/format.h>

#include "kernel/kernel_call.h"
#include "kernel/thread.h"
#include "ndis/binding.h"

namespace undis {
DdiCall::DdiCall(Ddi ddi, const void* object, Tells tells) noexcept
    : thread_(kernel::Thread::current_or_null()) {
  const DdiInfo& row = info(ddi);
  frame_.kind = kernel::CallFrame::Kind::Ddi;
  frame_.number = static_cast<std::uint16_t>(ddi);
  frame_.name = row.name;
  frame_.object = object;
  frame_.irql = kernel::irql();
  if (thread_ != nullptr) {
    frame_.up = thread_->calls;
    thread_->calls = &frame_;
    frame_.driver = frame_.up->driver;
  }
  if (frame_.driver == nullptr) frame_.driver = &kernel::System::current().host_driver();
  kernel::schedule_point(frame_.name);
  if (tells == Tells::Nothing) kernel::tell_nothing();
  if (!kernel::watches_all()) return;
  kernel::check_irql(row.name, static_cast<KIRQL>(row.max_irql), static_cast<KIRQL>(row.min_irql));
  Library::current().observer().on_ddi_enter(frame_);
}

DdiCall::~DdiCall() {
  if (kernel::watches_all()) Library::current().observer().on_ddi_leave(frame_);
  kernel::tell_of_code_in(frame_.up);
  kernel::schedule_point(frame_.name);
  if (thread_ != nullptr) thread_->calls = frame_.up;
}

void DdiCall::tell_misuse(const char* argument, NDIS_HANDLE handle, HandleKind expected) const noexcept {
  tell_misuse(argument, handle, expected, Library::current().handles().view(handle));
}

void DdiCall::tell_misuse(const char* argument, NDIS_HANDLE handle, HandleKind expected,
                          HandleView found) const noexcept {
  Library::current().observer().on(
      HandleMisuse{frame_.driver, frame_.name, argument, handle, expected, found, kernel::Stack::capture(2)});
}

void DdiCall::tell_wrong_place(WrongPlace::Kind kind, const void* object, std::string why) const noexcept {
  Library::current().observer().on(
      WrongPlace{kind, frame_.driver, frame_.name, object, std::move(why), kernel::Stack::capture(2)});
}

Ref<Binding> DdiCall::find_open_binding(const char* argument, NDIS_HANDLE handle) const noexcept {
  Ref<Binding> binding = find<Binding>(argument, handle, HandleKind::Binding);
  if (!binding || !binding->close_called()) return binding;
  tell_misuse(argument, handle, HandleKind::Binding, {HandleKind::Binding, false, nullptr});
  return {};
}

void DdiCall::tell_unexpected_completion(const void* object, std::string_view object_name,
                                         std::string why) const noexcept {
  Library::current().observer().on(UnexpectedCompletion{frame_.driver, frame_.name, object,
                                                        std::string(object_name), std::move(why),
                                                        kernel::Stack::capture(2)});
}

void DdiCall::tell_bad_status(const void* object, std::string_view object_name, NDIS_STATUS status,
                              std::string allowed) const noexcept {
  Library::current().observer().on(BadStatus{frame_.driver, frame_.name, object, std::string(object_name),
                                             status, std::move(allowed), kernel::Stack::capture(2)});
}

bool DdiCall::check_header(const NDIS_OBJECT_HEADER& header, UCHAR type, std::size_t size,
                           const char* parameter) const noexcept {
  if (header.Type == type && header.Revision >= 1 && header.Size >= size) return true;
  tell_breach("ObjectHeaderValid", parameter,
              fmt::format("{} has type {:#x}, revision {}, size {}; expected type {:#x}, a revision from 1 "
                          "on, size {} at least",
                          parameter, header.Type, header.Revision, header.Size, type, size));
  return false;
}

void DdiCall::tell_breach(const char* rule, std::string object_name, std::string why) const noexcept {
  Library::current().observer().on(Breach{rule, frame_.driver, frame_.name, std::move(object_name),
                                          std::move(why), kernel::Stack::capture(2)});
}

bool DdiCall::fails() const noexcept {
  return kernel::fault_point(frame_.name);
}

}  // namespace undis
