// SPDX-License-Identifier: MIT
//
// The source of the functions that instrumented code calls. Their names and arguments are those of gcc and
// clang (https://clang.llvm.org/docs/ThreadSanitizer.html; gcc's sanitizer.def); none of ThreadSanitizer's
// own run time is linked.
//
// Atomics  are carried out here, with the strongest order whatever order is asked for: the machine runs one
//          strand at a time
#include "cli/cc_memory.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace undis::cli {
namespace {

constexpr std::array<std::string_view, 4> kWrapped{"memcpy", "memmove", "memset", "memcmp"};

constexpr std::string_view kHead = R"(
typedef __SIZE_TYPE__ size;
extern volatile int undis_memory_wanted;
void undis_touched(const volatile void* at, size bytes, int written);
static inline __attribute__((always_inline)) void tell(const volatile void* at, size bytes, int written) {
  if (__builtin_expect(undis_memory_wanted != 0, 0)) undis_touched(at, bytes, written);
}
void __tsan_init(void) {}
void __tsan_func_entry(void* pc) { (void)pc; }
void __tsan_func_exit(void) {}
void __tsan_ignore_thread_begin(void) {}
void __tsan_ignore_thread_end(void) {}
void __tsan_read_range(void* at, size bytes) { tell(at, bytes, 0); }
void __tsan_write_range(void* at, size bytes) { tell(at, bytes, 1); }
void __tsan_vptr_read(void** at) { tell(at, sizeof *at, 0); }
void __tsan_vptr_update(void** at, void* value) { (void)value; tell(at, sizeof *at, 1); }
void __tsan_atomic_thread_fence(int order) { (void)order; __atomic_thread_fence(__ATOMIC_SEQ_CST); }
void __tsan_atomic_signal_fence(int order) { (void)order; __atomic_signal_fence(__ATOMIC_SEQ_CST); }
void* __real_memcpy(void*, const void*, size);
void* __real_memmove(void*, const void*, size);
void* __real_memset(void*, int, size);
int __real_memcmp(const void*, const void*, size);
void* __wrap_memcpy(void* to, const void* from, size bytes) {
  tell(from, bytes, 0);
  tell(to, bytes, 1);
  return __real_memcpy(to, from, bytes);
}
void* __wrap_memmove(void* to, const void* from, size bytes) {
  tell(from, bytes, 0);
  tell(to, bytes, 1);
  return __real_memmove(to, from, bytes);
}
void* __wrap_memset(void* to, int value, size bytes) {
  tell(to, bytes, 1);
  return __real_memset(to, value, bytes);
}
int __wrap_memcmp(const void* one, const void* other, size bytes) {
  tell(one, bytes, 0);
  tell(other, bytes, 0);
  return __real_memcmp(one, other, bytes);
}
void* __tsan_memcpy(void* to, const void* from, size bytes) { return __wrap_memcpy(to, from, bytes); }
void* __tsan_memmove(void* to, const void* from, size bytes) { return __wrap_memmove(to, from, bytes); }
void* __tsan_memset(void* to, int value, size bytes) { return __wrap_memset(to, value, bytes); }
)";

/// Plain reads and writes of one size.
constexpr std::string_view kPlain = R"(
void __tsan_read{0}(void* at) {{ tell(at, {0}, 0); }}
void __tsan_write{0}(void* at) {{ tell(at, {0}, 1); }}
void __tsan_read_write{0}(void* at) {{ tell(at, {0}, 1); }}
void __tsan_volatile_read{0}(void* at) {{ tell(at, {0}, 0); }}
void __tsan_volatile_write{0}(void* at) {{ tell(at, {0}, 1); }}
void __tsan_unaligned_read{0}(void* at) {{ tell(at, {0}, 0); }}
void __tsan_unaligned_write{0}(void* at) {{ tell(at, {0}, 1); }}
void __tsan_unaligned_read_write{0}(void* at) {{ tell(at, {0}, 1); }}
void __tsan_unaligned_volatile_read{0}(void* at) {{ tell(at, {0}, 0); }}
void __tsan_unaligned_volatile_write{0}(void* at) {{ tell(at, {0}, 1); }}
)";

/// Atomics of one size: {0} bits, {1} bytes.
constexpr std::string_view kAtomic = R"(
typedef __UINT{0}_TYPE__ u{0};
u{0} __tsan_atomic{0}_load(const volatile u{0}* at, int order) {{
  (void)order;
  tell(at, {1}, 0);
  return __atomic_load_n(at, __ATOMIC_SEQ_CST);
}}
void __tsan_atomic{0}_store(volatile u{0}* at, u{0} value, int order) {{
  (void)order;
  tell(at, {1}, 1);
  __atomic_store_n(at, value, __ATOMIC_SEQ_CST);
}}
u{0} __tsan_atomic{0}_exchange(volatile u{0}* at, u{0} value, int order) {{
  (void)order;
  tell(at, {1}, 1);
  return __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);
}}
int __tsan_atomic{0}_compare_exchange_strong(volatile u{0}* at, u{0}* expected, u{0} value, int order, int failed) {{
  (void)order, (void)failed;
  tell(at, {1}, 1);
  tell(expected, {1}, 1);
  return __atomic_compare_exchange_n(at, expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}}
int __tsan_atomic{0}_compare_exchange_weak(volatile u{0}* at, u{0}* expected, u{0} value, int order, int failed) {{
  return __tsan_atomic{0}_compare_exchange_strong(at, expected, value, order, failed);
}}
u{0} __tsan_atomic{0}_compare_exchange_val(volatile u{0}* at, u{0} expected, u{0} value, int order, int failed) {{
  (void)order, (void)failed;
  tell(at, {1}, 1);
  __atomic_compare_exchange_n(at, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return expected;
}}
)";

constexpr std::string_view kFetch = R"(
u{0} __tsan_atomic{0}_fetch_{2}(volatile u{0}* at, u{0} value, int order) {{
  (void)order;
  tell(at, {1}, 1);
  return __atomic_fetch_{2}(at, value, __ATOMIC_SEQ_CST);
}}
)";

}  // namespace

std::vector<std::string> memory_compile_flags() {
  std::vector<std::string> flags{"-fsanitize=thread"};
  for (const std::string_view name : kWrapped) flags.push_back(fmt::format("-fno-builtin-{}", name));
  return flags;
}

std::vector<std::string> memory_link_flags() {
  std::vector<std::string> flags;
  for (const std::string_view name : kWrapped) flags.push_back(fmt::format("-Wl,--wrap={}", name));
  return flags;
}

std::string memory_source() {
  std::string source(kHead);
  for (const int bytes : {1, 2, 4, 8, 16}) source += fmt::format(kPlain, bytes);
  for (const int bytes : {1, 2, 4, 8}) {
    source += fmt::format(kAtomic, bytes * 8, bytes);
    for (const char* operation : {"add", "sub", "and", "or", "xor", "nand"})
      source += fmt::format(kFetch, bytes * 8, bytes, operation);
  }
  return source;
}

}  // namespace undis::cli
