// SPDX-License-Identifier: MIT
//
// Structured exceptions of drivers: the chain of guarded blocks of a thread, raising, and going on to the
// next block out.
//
// Pages   kernel/handling-exceptions, wdm/nf-wdm-exraisestatus, -exraiseaccessviolation,
// -exraisedatatypemisalignment Beyond  The stack is left before the filter runs (see seh.h), so
// EXCEPTION_CONTINUE_EXECUTION is reported and the search goes on. An
//         access to a bad address inside a __try arrives here by the crash handler. What nobody catches is
//         bug check KMODE_EXCEPTION_NOT_HANDLED.
#include "kernel/exceptions.h"

#include <csetjmp>

#include <ntddk.h>
#include <seh.h>

#include "kernel/bug_check.h"
#include "kernel/lock.h"
#include "kernel/misuse.h"
#include "kernel/thread.h"

namespace undis::kernel {
namespace {

/// What the frame's buffer holds: the jump, then where the thread's chain of calls was.
struct Environment {
  sigjmp_buf jump;
  CallFrame* calls;
};
static_assert(sizeof(Environment) <= sizeof(undis_seh_frame::environment),
              "undis_seh_frame::environment is too small");

Environment& environment_of(undis_seh_frame& frame) noexcept {
  return *reinterpret_cast<Environment*>(frame.environment);
}

/// The innermost block, if it was entered within the callback that runs now and not around it.
undis_seh_frame* catcher(const Thread& thread) noexcept {
  undis_seh_frame* const frame = thread.exception.frames;
  if (frame == nullptr) return nullptr;
  const CallFrame* const entered = environment_of(*frame).calls;
  for (const CallFrame* call = thread.calls; call != nullptr; call = call->up) {
    if (call == entered) return frame;
    if (call->kind == CallFrame::Kind::Callback) return nullptr;
  }
  return entered == nullptr ? frame : nullptr;
}

[[noreturn]] void raise_status(NTSTATUS status, void* address) noexcept {
  EXCEPTION_RECORD record{};
  record.ExceptionCode = status;
  record.ExceptionFlags = EXCEPTION_NONCONTINUABLE;
  record.ExceptionAddress = address;
  raise_exception(record);
}

}  // namespace

bool exception_would_be_caught() noexcept {
  const Thread* const thread = Thread::current_or_null();
  return thread != nullptr && locks_of_ours() == 0 && catcher(*thread) != nullptr;
}

void raise_exception(const EXCEPTION_RECORD& record) noexcept {
  Thread& self = Thread::current();
  self.exception.record = record;
  undis_seh_frame* const frame = catcher(self);
  if (frame == nullptr) {
    bug_check(KMODE_EXCEPTION_NOT_HANDLED,
              static_cast<ULONG_PTR>(static_cast<LONG_PTR>(record.ExceptionCode)),
              reinterpret_cast<ULONG_PTR>(record.ExceptionAddress), record.ExceptionInformation[0],
              record.ExceptionInformation[1]);
  }
  frame->caught = 1;
  Environment& environment = environment_of(*frame);
  self.calls = environment.calls;  // the calls in between are over
  siglongjmp(environment.jump, 1);
}

}  // namespace undis::kernel

using namespace undis::kernel;

void undis_seh_enter(undis_seh_frame* frame) {
  Thread& self = Thread::current();
  frame->outer = self.exception.frames;
  frame->caught = 0;
  frame->linked = 1;
  environment_of(*frame).calls = self.calls;
  self.exception.frames = frame;
}

void undis_seh_leave(undis_seh_frame* frame) {
  if (frame->linked == 0) return;
  frame->linked = 0;
  Thread& self = Thread::current();
  self.exception.frames = frame->outer;
  self.exception.left = {frame->caught, 1, self.exception.record};
}

int undis_seh_filtered(undis_seh_frame*, int disposition) {
  if (disposition > 0) return 1;
  Thread& self = Thread::current();
  if (disposition < 0) {
    report_misuse(Misuse::BadParameter, "__except", nullptr,
                  "a filter returned EXCEPTION_CONTINUE_EXECUTION; exceptions cannot be continued here");
  }
  raise_exception(self.exception.record);
}

undis_seh_pending undis_seh_take() {
  return Thread::current().exception.left;
}

void undis_seh_resume(const undis_seh_pending* pending) {
  if (pending->abnormal != 0) raise_exception(pending->record);
}

NTSTATUS undis_seh_code() {
  return Thread::current().exception.record.ExceptionCode;
}

PEXCEPTION_POINTERS undis_seh_pointers() {
  auto& exception = Thread::current().exception;
  exception.pointers = {&exception.record, nullptr};
  return &exception.pointers;
}

// Page wdm/nf-wdm-exraisestatus
VOID ExRaiseStatus(NTSTATUS Status) {
  raise_status(Status, __builtin_return_address(0));
}

// Page wdm/nf-wdm-exraiseaccessviolation
VOID ExRaiseAccessViolation() {
  raise_status(STATUS_ACCESS_VIOLATION, __builtin_return_address(0));
}

// Page wdm/nf-wdm-exraisedatatypemisalignment
VOID ExRaiseDatatypeMisalignment() {
  raise_status(STATUS_DATATYPE_MISALIGNMENT, __builtin_return_address(0));
}

// Page ntifs/nf-ntifs-rtlraiseexception
VOID RtlRaiseException(PEXCEPTION_RECORD ExceptionRecord) {
  EXCEPTION_RECORD record = *ExceptionRecord;
  if (record.ExceptionAddress == nullptr) record.ExceptionAddress = __builtin_return_address(0);
  raise_exception(record);
}
