// SPDX-License-Identifier: MIT
// The kernel API that every driver has. One concept a file, in wdm/.
#pragma once
#pragma GCC system_header

#include <undis_prelude.h>

#include <ntdef.h>

#include <bugcodes.h>
#include <crt.h>
#include <devioctl.h>
#include <intrin.h>
#include <ntstatus.h>
#include <seh.h>
#include <wdm/types.h>

#include <wdm/interlocked.h>
#include <wdm/irql.h>
#include <wdm/list.h>
#include <wdm/memory.h>
#include <wdm/pool.h>
#include <wdm/string.h>

#include <wdm/mutex.h>
#include <wdm/rundown.h>
#include <wdm/spinlock.h>
#include <wdm/sync.h>
#include <wdm/thread.h>
#include <wdm/time.h>
#include <wdm/timer_dpc.h>
#include <wdm/work_item.h>

#include <wdm/generic_table.h>
#include <wdm/lookaside.h>
#include <wdm/mdl.h>
#include <wdm/processor.h>

#include <wdm/csq.h>
#include <wdm/device.h>
#include <wdm/driver.h>
#include <wdm/file.h>
#include <wdm/irp.h>
#include <wdm/object.h>
#include <wdm/registry.h>
#include <wdm/security_types.h>

#include <wdm/bugcheck.h>
#include <wdm/debug.h>
#include <wdm/dma.h>
#include <wdm/etw.h>
#include <wdm/interrupt.h>
#include <wdm/pci.h>
#include <wdm/pnp.h>
#include <wdm/power_types.h>

#define WDM_MAJORVERSION 0x06
#define WDM_MINORVERSION 0x00
