// SPDX-License-Identifier: MIT
// What a generated trace header (.tmh) needs when a driver with WPP software tracing is built here: no
// tracing.
//
// `undis cc` puts a file that includes this one where the source asks for its .tmh, and adds an empty macro
// for each trace function that the driver's own WPP configuration comment (begin_wpp config) names.
#pragma once
#pragma GCC system_header

#include <evntrace.h>

#define WPP_INIT_TRACING(...) ((void)0)
#define WPP_CLEANUP(...) ((void)0)
#define WPP_SYSTEMCONTROL(...)
#define WPP_SYSTEMCONTROL2(...)
#define WPP_RECORDER_INIT(...)
#ifndef DoTraceMessage
#define DoTraceMessage(...) ((void)0)
#endif
