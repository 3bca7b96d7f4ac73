// SPDX-License-Identifier: MIT
// Trace levels, as sources with software tracing (WPP) include them.
#pragma once
#pragma GCC system_header

#include <wdm/etw.h>

#define TRACE_LEVEL_RESERVED6 6
#define TRACE_LEVEL_RESERVED7 7
#define TRACE_LEVEL_RESERVED8 8
#define TRACE_LEVEL_RESERVED9 9
