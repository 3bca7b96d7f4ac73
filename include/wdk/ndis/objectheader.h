// SPDX-License-Identifier: MIT
// The name under which drivers include object_header.h directly.
#pragma once
#pragma GCC system_header

#include "object_header.h"
