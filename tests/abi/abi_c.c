// SPDX-License-Identifier: MIT
//
// The structures of include/wdk against spec/structs.csv, compiled as C11 with the flags of a driver.
#include <ntifs.h>
#include <ndis.h>

#include "abi_rows.h"
