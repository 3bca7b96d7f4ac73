// SPDX-License-Identifier: MIT
// The name under which drivers include structured exception handling.
#pragma once
#pragma GCC system_header

#include <seh.h>
