// SPDX-License-Identifier: MIT
//
// What the control device \\.\Proto6 tells: for programs and for the driver.
#pragma once

#define IOCTL_PROTO_COUNTERS CTL_CODE(FILE_DEVICE_NETWORK, 0x800, METHOD_BUFFERED, FILE_READ_ACCESS)

typedef struct _PROTO_COUNTERS {
  LONG Bindings;   // open now
  LONG Received;   // frames
  LONG Kept;       // lists that were kept for a while
  LONG Questions;  // frames that asked for an answer
  LONG Answered;   // answers whose send succeeded
} PROTO_COUNTERS, *PPROTO_COUNTERS;
