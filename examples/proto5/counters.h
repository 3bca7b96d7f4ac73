// SPDX-License-Identifier: MIT
//
// What the control device \\.\Proto5 tells: for programs and for the driver.
#pragma once

#define IOCTL_PROTO_COUNTERS CTL_CODE(FILE_DEVICE_NETWORK, 0x800, METHOD_BUFFERED, FILE_READ_ACCESS)

typedef struct _PROTO_COUNTERS {
  LONG Bindings;   // open now
  LONG Received;   // frames, in packets and in lookahead buffers
  LONG Kept;       // packets that were kept for a while
  LONG Copied;     // frames that were copied out of a lookahead buffer
  LONG Questions;  // frames that asked for an answer
  LONG Answered;   // answers whose send succeeded
} PROTO_COUNTERS, *PPROTO_COUNTERS;
