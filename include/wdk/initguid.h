// SPDX-License-Identifier: MIT
// From here on DEFINE_GUID defines the constants instead of declaring them.
#pragma GCC system_header

#ifndef INITGUID
#define INITGUID
#endif
#include <guiddef.h>
