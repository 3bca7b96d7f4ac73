// SPDX-License-Identifier: MIT
// The kernel API of drivers that are not bound to WDM: wdm.h and a little more, which wdm/ holds too.
#pragma once
#pragma GCC system_header

#define _NTDDK_
#include <wdm.h>
