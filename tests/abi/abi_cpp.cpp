// SPDX-License-Identifier: MIT
//
// The structures of include/wdk against spec/structs.csv, compiled as C++20, as the library sees them.
#include <ntifs.h>
#include <ndis.h>

#include "abi_rows.h"
