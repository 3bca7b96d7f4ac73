// SPDX-License-Identifier: MIT
// libc's <stdio.h>; in a driver build its functions of another size are then bound to the library's (crt.h).
#pragma GCC system_header

#include_next <stdio.h>
#if defined(UNDIS_DRIVER)
#include <crt.h>
#endif
