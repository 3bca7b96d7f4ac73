// SPDX-License-Identifier: MIT
//
// What a POBJECT_TYPE points at: opaque to drivers, which only pass *PsThreadType and its like on.
#pragma once

#include <wdm.h>

#include "kernel/object.h"

struct _OBJECT_TYPE {
  undis::kernel::ObjectKind kind;
};
