// SPDX-License-Identifier: MIT
// Ends what the last pshpackN.h began.
#pragma GCC system_header
#pragma pack(pop)
