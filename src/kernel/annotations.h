// SPDX-License-Identifier: MIT
//
// Clang's thread-safety annotations, so that "caller holds the lock" and "no lock over a callback" are
// checked by the compiler.
#pragma once

#if defined(__clang__)
#define UNDIS_TSA(x) __attribute__((x))
#else
#define UNDIS_TSA(x)
#endif

#define CAPABILITY(x) UNDIS_TSA(capability(x))
#define SCOPED_CAPABILITY UNDIS_TSA(scoped_lockable)
#define GUARDED_BY(x) UNDIS_TSA(guarded_by(x))
#define REQUIRES(...) UNDIS_TSA(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) UNDIS_TSA(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) UNDIS_TSA(acquire_capability(__VA_ARGS__))
#define RELEASE(...) UNDIS_TSA(release_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) UNDIS_TSA(try_acquire_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS UNDIS_TSA(no_thread_safety_analysis)
