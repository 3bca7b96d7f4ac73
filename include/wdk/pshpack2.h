// SPDX-License-Identifier: MIT
// From here on structures are packed to 2 bytes, until poppack.h.
#pragma GCC system_header
// Clang warns when an include changes the packing; doing that is what this file is for.
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpragma-pack"
#endif
#pragma pack(push, 2)
