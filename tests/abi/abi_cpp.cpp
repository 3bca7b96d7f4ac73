// SPDX-License-Identifier: MIT
//
// The structures of include/wdk against spec/structs.csv, compiled as C++20, as the library sees them.
#include <ndis.h>
#include <ntifs.h>

#include "abi_rows.h"
