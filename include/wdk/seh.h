// SPDX-License-Identifier: MIT
// Structured exception handling (__try, __except, __finally, __leave) on ELF, over sigsetjmp.
//
// One statement for the compiler, so `if (x) __try {...} __except (1) {...}` works; break, continue, return
// and goto may leave a __try block with __except (the frame is taken down by a cleanup attribute). What
// differs from Windows:
//   - the filter runs after the frames below were left, not before, so EXCEPTION_CONTINUE_EXECUTION is not to
//   be had;
//   - a return, goto or break out of a __try block does not run its __finally block;
//   - a local variable that changes inside the block and is read after an exception should be volatile.
// The functions undis_seh_* are the library's (src/kernel).
#pragma once
#pragma GCC system_header

#include <ntdef.h>

#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)
#define EXCEPTION_NONCONTINUABLE 0x1
#define EXCEPTION_MAXIMUM_PARAMETERS 15

typedef struct _EXCEPTION_RECORD {
  NTSTATUS ExceptionCode;
  ULONG ExceptionFlags;
  struct _EXCEPTION_RECORD* ExceptionRecord;
  PVOID ExceptionAddress;
  ULONG NumberParameters;
  ULONG_PTR ExceptionInformation[EXCEPTION_MAXIMUM_PARAMETERS];
} EXCEPTION_RECORD, *PEXCEPTION_RECORD;

typedef struct _CONTEXT CONTEXT, *PCONTEXT;

typedef struct _EXCEPTION_POINTERS {
  PEXCEPTION_RECORD ExceptionRecord;
  PCONTEXT ContextRecord;
} EXCEPTION_POINTERS, *PEXCEPTION_POINTERS;

// A guarded block that is being executed. `environment` is a sigjmp_buf of this platform (the library asserts
// that it fits); frames of a thread form a chain, innermost first.
typedef struct undis_seh_frame {
  struct undis_seh_frame* outer;
  int caught;
  int linked;
  DECLSPEC_ALIGN(16) unsigned char environment[256];
} undis_seh_frame;

// An exception that a __finally block holds up; `once` makes the block run one time.
typedef struct undis_seh_pending {
  int abnormal;
  int once;
  EXCEPTION_RECORD record;
} undis_seh_pending;

UNDIS_EXTERN_C_START

// Puts the frame on the thread's chain, with `caught` 0.
NTKERNELAPI void undis_seh_enter(undis_seh_frame* frame);
// Takes it off; harmless when it is off already. Also runs when the block is left by return, goto or break.
NTKERNELAPI void undis_seh_leave(undis_seh_frame* frame);
// What the filter said about the exception that this frame caught: returns 1 to run the handler, else goes on
// to the outer frame and does not return.
NTKERNELAPI int undis_seh_filtered(undis_seh_frame* frame, int disposition);
// The state in which the block that was left last ended (`once` is 1); called right after undis_seh_leave.
NTKERNELAPI undis_seh_pending undis_seh_take(void);
// Raises the exception again, if there was one.
NTKERNELAPI void undis_seh_resume(const undis_seh_pending* pending);
// The exception that was caught last on this thread.
NTKERNELAPI NTSTATUS undis_seh_code(void);
NTKERNELAPI PEXCEPTION_POINTERS undis_seh_pointers(void);

int undis_seh_mark(void* environment, int save_mask) __asm__("__sigsetjmp") __attribute__((returns_twice));

NTKERNELAPI DECLSPEC_NORETURN VOID ExRaiseStatus(NTSTATUS Status);
NTKERNELAPI DECLSPEC_NORETURN VOID ExRaiseAccessViolation(VOID);
NTKERNELAPI DECLSPEC_NORETURN VOID ExRaiseDatatypeMisalignment(VOID);
NTSYSAPI VOID RtlRaiseException(PEXCEPTION_RECORD ExceptionRecord);

UNDIS_EXTERN_C_END

#define GetExceptionCode() undis_seh_code()
#define GetExceptionInformation() undis_seh_pointers()
#define _exception_code() undis_seh_code()
#define _exception_info() undis_seh_pointers()

// libstdc++ uses __try itself, so C++ sees these words in driver builds only.
#if !defined(__cplusplus) || defined(UNDIS_DRIVER)
#undef __try
#undef __except
#undef __finally
#undef __leave
// The statement is `if (({ guarded block; 0 or 1 })) ; else { handler }`: 0 when the handler has to run.
// clang-format off
#define __try                                                                                                \
  if (__extension__({                                                                                        \
        __label__ undis_seh_end_;                                                                            \
        undis_seh_frame undis_seh_ __attribute__((cleanup(undis_seh_leave)));                                \
        undis_seh_enter(&undis_seh_);                                                                        \
        if (undis_seh_mark(undis_seh_.environment, 0) == 0)
#define __except(filter)                                                                                     \
        goto undis_seh_end_;                                                                                 \
      undis_seh_end_:                                                                                        \
        undis_seh_leave(&undis_seh_);                                                                        \
        !(undis_seh_.caught && undis_seh_filtered(&undis_seh_, (filter)));                                   \
      }))                                                                                                    \
    ;                                                                                                        \
  else
#define __finally                                                                                            \
        goto undis_seh_end_;                                                                                 \
      undis_seh_end_:                                                                                        \
        undis_seh_leave(&undis_seh_);                                                                        \
        0;                                                                                                   \
      }))                                                                                                    \
    ;                                                                                                        \
  else                                                                                                       \
    for (undis_seh_pending undis_seh_pending_ = undis_seh_take(); undis_seh_pending_.once;                   \
         undis_seh_pending_.once = 0, undis_seh_resume(&undis_seh_pending_))
// clang-format on
#define __leave goto undis_seh_end_
#define AbnormalTermination() (undis_seh_pending_.abnormal)
#define _abnormal_termination() AbnormalTermination()
#endif
