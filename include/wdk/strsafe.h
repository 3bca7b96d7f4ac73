// SPDX-License-Identifier: MIT
// Another name of ntstrsafe.h, for sources that share it with applications.
#pragma once
#pragma GCC system_header

#include <ntstrsafe.h>
