// SPDX-License-Identifier: MIT
//
// lwf's device as a program sees it: \\.\UndisLwf.
#pragma once

// Out: LWF_COUNTERS, the sum over all modules.
#define IOCTL_LWF_QUERY_COUNTERS CTL_CODE(FILE_DEVICE_NETWORK, 0x800, METHOD_BUFFERED, FILE_READ_ACCESS)
// Every running module announces itself. Out: ULONG, how many there are.
#define IOCTL_LWF_ANNOUNCE CTL_CODE(FILE_DEVICE_NETWORK, 0x801, METHOD_BUFFERED, FILE_WRITE_ACCESS)

typedef struct _LWF_COUNTERS {
  ULONG64 Sent;
  ULONG64 Received;
  ULONG64 Copied;
  ULONG64 Announced;
  ULONG64 Requests;
} LWF_COUNTERS, *PLWF_COUNTERS;
