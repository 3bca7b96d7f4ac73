// SPDX-License-Identifier: MIT
//
// Which function of the host's C library stands for which function of the kernel.
#include "cli/host_functions.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace undis::cli {
namespace {

/// What NT's kernel exports by the same name and with the same meaning, and the library of its compiler has
/// in every image.
constexpr std::array kOfBoth{
    "memchr",  "memcmp",  "memcpy",  "memmove",  "memset",   "strcat",  "strchr",  "strcmp",  "strcpy",
    "strcspn", "strlen",  "strncat", "strncmp",  "strncpy",  "strnlen", "strpbrk", "strrchr", "strspn",
    "strstr",  "strtol",  "strtoul", "strtoll",  "strtoull", "atoi",    "atol",    "atoll",   "abs",
    "labs",    "qsort",   "bsearch", "rand",     "srand",    "isalnum", "isalpha", "isdigit", "islower",
    "isprint", "isspace", "isupper", "isxdigit", "tolower",  "toupper", "bcmp",
};

struct Instead {
  std::string_view host;
  std::string_view kernel;
};
constexpr Instead kInstead[] = {
    {"malloc", "ExAllocatePool2 or NdisAllocateMemoryWithTagPriority"},
    {"calloc", "ExAllocatePool2 (it zeroes) or NdisAllocateMemoryWithTagPriority"},
    {"realloc", "ExAllocatePool2, a copy and ExFreePoolWithTag"},
    {"free", "ExFreePoolWithTag or NdisFreeMemory"},
    {"strdup", "ExAllocatePool2 and RtlCopyMemory"},
    {"printf", "DbgPrintEx"},
    {"puts", "DbgPrintEx"},
    {"putchar", "DbgPrintEx"},
    {"fprintf", "DbgPrintEx"},
    {"vprintf", "vDbgPrintEx"},
    {"sprintf", "RtlStringCbPrintfA"},
    {"snprintf", "RtlStringCbPrintfA"},
    {"sscanf", "RtlCharToInteger or a parser of its own"},
    {"fopen", "ZwCreateFile"},
    {"fread", "ZwReadFile"},
    {"fwrite", "ZwWriteFile"},
    {"fclose", "ZwClose"},
    {"open", "ZwCreateFile"},
    {"read", "ZwReadFile"},
    {"write", "ZwWriteFile"},
    {"close", "ZwClose"},
    {"sleep", "KeDelayExecutionThread or NdisMSleep"},
    {"usleep", "KeDelayExecutionThread or NdisMSleep"},
    {"nanosleep", "KeDelayExecutionThread or NdisMSleep"},
    {"time", "KeQuerySystemTimePrecise"},
    {"gettimeofday", "KeQuerySystemTimePrecise"},
    {"clock_gettime", "KeQueryPerformanceCounter or KeQueryInterruptTime"},
    {"exit", "a failure status, or KeBugCheckEx"},
    {"abort", "KeBugCheckEx"},
    {"assert", "NT_ASSERT"},
    {"getenv", "the registry: NdisOpenConfigurationEx, ZwQueryValueKey"},
    {"random", "RtlRandomEx"},
    {"getrandom", "BCryptGenRandom"},
};

constexpr std::pair<std::string_view, std::string_view> kInsteadOfFamily[] = {
    {"pthread_mutex", "KSPIN_LOCK, FAST_MUTEX or KMUTEX"},
    {"pthread_cond", "KEVENT"},
    {"pthread_", "PsCreateSystemThread"},
    {"sem_", "KSEMAPHORE"},
    {"mmap", "MmAllocatePagesForMdlEx"},
    {"munmap", "MmFreePagesFromMdl"},
    {"socket", "WSK"},
    {"wcs",
     "the wide functions that undis' headers bind: include <ntddk.h> or <ndis.h> before the C headers"},
};

/// "__memcpy_chk" -> "memcpy", "__isoc99_sscanf" -> "sscanf": what the C library's headers make of a name.
std::string_view plain(std::string_view name) noexcept {
  if (name == "__assert_fail") return "assert";
  for (const std::string_view front : {"__isoc99_", "__isoc23_"})
    if (name.starts_with(front)) return name.substr(front.size());
  if (name.starts_with("__") && name.ends_with("_chk")) return name.substr(2, name.size() - 6);
  return name;
}

/// True if the process finds the name in a library of the host rather than in libundis or a runtime of the
/// compiler.
bool is_of_host(std::string_view name) {
  void* const address = dlsym(RTLD_DEFAULT, std::string(name).c_str());
  Dl_info info;
  if (address == nullptr || dladdr(address, &info) == 0 || info.dli_fname == nullptr) return false;
  const std::string_view file(info.dli_fname);
  return file.find("libc.so") != std::string_view::npos || file.find("libm.so") != std::string_view::npos ||
         file.find("libpthread") != std::string_view::npos ||
         file.find("libmimalloc") != std::string_view::npos;  // stands before libc's malloc
}

}  // namespace

std::vector<std::string> host_functions(const std::vector<std::string>& undefined) {
  std::vector<std::string> found;
  for (const std::string& name : undefined) {
    const std::string_view bare = plain(name);
    // Two underscores: the compiler's own calls (stack protector, sanitizers, exceptions' registration),
    // unless a header made it.
    if (bare == name && (bare.starts_with("__") || bare.starts_with("_Unwind_"))) continue;
    if (bare == "_setjmp" || bare == "sigsetjmp" || bare == "siglongjmp") continue;  // undis' __try
    if (std::ranges::find(kOfBoth, bare) != kOfBoth.end()) continue;
    if (is_of_host(name)) found.push_back(name);
  }
  return found;
}

std::string why_host_function(std::string_view function) {
  const std::string_view bare = plain(function);
  for (const Instead& entry : kInstead)
    if (entry.host == bare)
      return fmt::format("{} is the host's, not the kernel's: use {}", bare, entry.kernel);
  for (const auto& [front, kernel] : kInsteadOfFamily)
    if (bare.starts_with(front))
      return fmt::format("{} is the host's, not the kernel's: use {}", bare, kernel);
  return fmt::format("{} is the host's: NT's kernel has no function of this name", bare);
}

}  // namespace undis::cli
