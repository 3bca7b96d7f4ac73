// SPDX-License-Identifier: MIT
//
// The version of the undis library that is loaded, which may be newer than the headers.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/// "major.minor.patch"; the string lives as long as the library.
__attribute__((visibility("default"))) const char* undis_version(void);

#ifdef __cplusplus
}
#endif
