// SPDX-License-Identifier: MIT
//
// UNDIS_ADDRESS_SANITIZER: 1 in a build under AddressSanitizer, which stops what some tests mean to do (gcc
// and clang say it differently).
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define UNDIS_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDIS_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef UNDIS_ADDRESS_SANITIZER
#define UNDIS_ADDRESS_SANITIZER 0
#endif
