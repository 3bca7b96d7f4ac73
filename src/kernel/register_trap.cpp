// SPDX-License-Identifier: MIT
//
// Plain accesses to device registers, by SIGSEGV and a single step.
//
// A fault in a device's range: for a read, or an instruction that reads and writes, the page is filled with
// what the model answers; the page is opened and the trap flag set, so that this one instruction runs.
// SIGTRAP follows: what was written goes to the model, the page is closed. The width is the instruction's.
// Both handlers pass on what is not theirs.
#include <sys/mman.h>
#include <ucontext.h>

#include <array>
#include <csignal>
#include <cstring>

#include "kernel/pci.h"
#include "kernel/register_access.h"
#include "kernel/system.h"

#if !defined(__x86_64__)
#error "instructions and registers below are those of x86-64"
#endif

namespace undis::kernel {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr greg_t kTrapFlag = 0x100;
constexpr greg_t kWriteFault = 2;

struct Access {
  unsigned width = 4;
  bool reads = true;
  bool writes = false;
};

struct State {
  bool installed = false;
  struct sigaction segv_before {};
  struct sigaction trap_before {};
  bool stepping = false;
  RegisterPlace place;
  std::uint64_t address = 0;
  Access access;
  std::uint64_t count = 0;
};
State state;

/// Width and direction of the access that `pc` makes, of those that compilers make to memory. `write`: it
/// faulted writing.
Access decode(const std::uint8_t* pc, bool write) noexcept {
  unsigned width = 4;
  bool operand16 = false;
  bool wide = false;
  bool more = true;
  while (more) {  // prefixes
    switch (*pc) {
    case 0x66:
      operand16 = true;
      ++pc;
      break;
    case 0xF0:
    case 0xF2:
    case 0xF3:
    case 0x2E:
    case 0x36:
    case 0x3E:
    case 0x26:
    case 0x64:
    case 0x65:
      ++pc;
      break;
    default:
      more = false;
      break;
    }
  }
  if ((*pc & 0xF0) == 0x40) wide = (*pc++ & 8) != 0;
  width = wide ? 8 : operand16 ? 2 : 4;
  const std::uint8_t opcode = *pc;
  bool stores = false;
  if (opcode == 0x0F) {
    switch (pc[1]) {
    case 0xB6:
    case 0xBE:
    case 0xB0:
    case 0xC0:
      width = 1;
      break;  // movzx, movsx byte; cmpxchg, xadd byte
    case 0xB7:
    case 0xBF:
      width = 2;
      break;  // movzx, movsx word
    case 0xC3:
      stores = true;
      break;  // movnti
    case 0x11:
    case 0x29:
    case 0x7F:
    case 0x2B:
    case 0xE7:
      stores = true;
      width = 8;
      break;  // SSE stores, by halves
    default:
      if (pc[1] >= 0x90 && pc[1] <= 0x9F) {
        width = 1;
        stores = true;
      }
      break;  // setcc
    }
  } else {
    stores = opcode == 0x88 || opcode == 0x89 || opcode == 0xC6 || opcode == 0xC7 ||
             (opcode >= 0xAA && opcode <= 0xAB) || opcode == 0xA4 || opcode == 0xA5;
    const bool byte_form = (opcode & 1) == 0;
    const bool has_byte_form = opcode < 0x40 || (opcode >= 0x80 && opcode <= 0x8B) ||
                               (opcode >= 0xA4 && opcode <= 0xAF) || opcode == 0xC6 || opcode == 0xC7 ||
                               opcode == 0xC0 || opcode == 0xC1 || (opcode >= 0xD0 && opcode <= 0xD3) ||
                               opcode == 0xF6 || opcode == 0xF7 || opcode == 0xFE || opcode == 0xFF;
    if (has_byte_form && byte_form && opcode != 0x82) width = 1;
    if (opcode == 0x83 || opcode == 0x81) width = wide ? 8 : operand16 ? 2 : 4;
    if (opcode == 0x63) width = 4;  // movsxd
  }
  return {width, !write || !stores, write};
}

void* page_of(std::uint64_t address) noexcept {
  return reinterpret_cast<void*>(address & ~(kPage - 1));
}

/// An access may end on the next page: both are opened.
void protect(std::uint64_t address, int protection) noexcept {
  mprotect(page_of(address), kPage, protection);
}

/// What was installed before has its turn.
void pass_on(const struct sigaction& before, int signal, siginfo_t* info, void* context) noexcept {
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signal, info, context);
  } else if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN) {
    sigaction(signal, &before,
              nullptr);  // the instruction runs into it again, and the process ends as it would have
  } else {
    before.sa_handler(signal);
  }
}

void on_fault(int signal, siginfo_t* info, void* raw) noexcept {
  auto& registers = static_cast<ucontext_t*>(raw)->uc_mcontext.gregs;
  System* const system = System::current_or_null();
  const auto address = reinterpret_cast<std::uint64_t>(info->si_addr);
  const RegisterPlace place =
      system != nullptr && !state.stepping ? system->bus().at_address(address) : RegisterPlace{};
  if (place.device == nullptr) {
    pass_on(state.segv_before, signal, info, raw);
    return;
  }
  ++state.count;
  state.place = place;
  state.address = address;
  state.access = decode(reinterpret_cast<const std::uint8_t*>(registers[REG_RIP]),
                        (registers[REG_ERR] & kWriteFault) != 0);
  std::uint64_t value = 0;
  if (state.access.reads) value = place.device->read(place.bar, place.offset, state.access.width);
  protect(address, PROT_READ | PROT_WRITE);
  if (state.access.reads) std::memcpy(reinterpret_cast<void*>(address), &value, state.access.width);
  state.stepping = true;
  registers[REG_EFL] |= kTrapFlag;
}

void on_step(int signal, siginfo_t* info, void* raw) noexcept {
  if (!state.stepping) {
    pass_on(state.trap_before, signal, info, raw);
    return;
  }
  state.stepping = false;
  static_cast<ucontext_t*>(raw)->uc_mcontext.gregs[REG_EFL] &= ~kTrapFlag;
  std::uint64_t value = 0;
  std::memcpy(&value, reinterpret_cast<const void*>(state.address), state.access.width);
  protect(state.address, PROT_NONE);
  if (state.access.writes)
    state.place.device->write(state.place.bar, state.place.offset, state.access.width, value);
}

}  // namespace

void trap_registers() {
  if (state.installed) return;
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  action.sa_sigaction = &on_fault;
  sigaction(SIGSEGV, &action, &state.segv_before);
  action.sa_sigaction = &on_step;
  sigaction(SIGTRAP, &action, &state.trap_before);
  state.installed = true;
}

void forget_register_traps() noexcept {
  if (!state.installed) return;
  sigaction(SIGSEGV, &state.segv_before, nullptr);
  sigaction(SIGTRAP, &state.trap_before, nullptr);
  state.installed = false;
  state.stepping = false;
}

std::uint64_t trapped_accesses() noexcept {
  return state.count;
}

}  // namespace undis::kernel
