// SPDX-License-Identifier: MIT
// Another name of windef.h.
#pragma once
#pragma GCC system_header

#include <windef.h>
