// SPDX-License-Identifier: MIT
// The kernel API of file system drivers, as far as network drivers include it.
#pragma once
#pragma GCC system_header

#include <ntddk.h>
