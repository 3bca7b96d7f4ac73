// SPDX-License-Identifier: MIT
//
// Gives a driver's preprocessed source the 32-bit `long` of Windows, where the host's `long` has 64 bits.
//
//   long, unsigned long, long int   ->  int, unsigned int, int        (long long and long double stay)
//   0xC0000001L, 5UL                ->  0xC0000001, 5U                (LL, ULL, 1.0L, L'x' and L"..." stay)
//   1i64, 0xFFui64                  ->  1LL, 0xFFULL                  (Microsoft's suffixes, which gcc does
//   not know)
//   (int)A = x;                     ->  A =(int) x;   (a cast as an lvalue)
//   signed char CHAR                ->  char CHAR   (Microsoft's compiler takes both for the same type, and a
//   driver's own typedef of CHAR beside the headers')
//
// Works on the output of `cc -E`, by tokens. Line markers tell which file a text comes from: only the
// driver's own files are changed, because undis' headers and the host's know of 64-bit `long`. Each change
// keeps the length of what it replaces, so lines and columns stay where they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace undis::cli {

/// Which files of a translation unit are the driver's.
struct RewriteScope {
  std::string wdk;  ///< undis' own headers: never changed
  std::vector<std::string>
      driver_roots;  ///< directories of the driver, whatever the compiler thinks of them (-isystem)
};

/// The preprocessed `text` with every `long` and every L suffix of the driver's own files made 32 bits wide.
std::string rewrite_long(std::string_view text, const RewriteScope& scope);

}  // namespace undis::cli
