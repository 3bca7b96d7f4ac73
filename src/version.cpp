// SPDX-License-Identifier: MIT
//
// undis_version: the build tells the number, so that it is written in one place (CMakeLists.txt).
#include "undis/version.h"

const char* undis_version() {
  return UNDIS_VERSION;
}
