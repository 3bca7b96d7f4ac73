// SPDX-License-Identifier: MIT
// The name under which some drivers include the lock annotations.
#pragma once
#pragma GCC system_header

#include <driverspecs.h>
