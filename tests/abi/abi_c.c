// SPDX-License-Identifier: MIT
//
// The structures of include/wdk against spec/structs.csv, compiled as C11 with the flags of a driver.
#include <ndis.h>
#include <ntifs.h>

#include "abi_rows.h"
