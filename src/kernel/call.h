// SPDX-License-Identifier: MIT
//
// Calls between drivers and undis: the one way out to a driver (call_driver), the chain of such calls a
// thread is in (CallFrame), and the form in which a driver's function is stored (callback<>).
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <wdm.h>

namespace undis::kernel {

class Driver;

/// A driver's function as it is kept: 8 bytes, trivial; never kept as a bare pointer, so that an image with
/// another calling convention can be told at the call.
template <class F>
struct callback;
template <class R, class... A>
struct callback<R(A...)> {
  void* target = nullptr;

  callback() = default;
  callback(R (*function)(A...)) noexcept
      : target(reinterpret_cast<void*>(function)) {}  // NOLINT(google-explicit-constructor)
  explicit operator bool() const noexcept { return target != nullptr; }
  R operator()(A... args) const { return reinterpret_cast<R (*)(A...)>(target)(args...); }
};

/// What is known of a kind of callback: its documented name, the IRQL at which NDIS or the kernel calls it.
struct CallbackInfo {
  const char* name;     ///< as the page spells it, for instance "MiniportHaltEx"
  KIRQL irql;           ///< the highest IRQL at which it is called
  bool any_irql_up_to;  ///< true: called at or below `irql`; false: exactly at `irql`
};

/// One entry in a thread's chain of calls. Frames live on the caller's stack and are linked from
/// kernel::Thread::calls().
struct CallFrame {
  enum class Kind : std::uint8_t { Outside, Callback, Ddi };  ///< Outside: no call, but what is around all

  CallFrame* up = nullptr;  ///< the call around this one, nullptr: not known, or none
  Kind kind = Kind::Callback;
  std::uint16_t number = 0;      ///< Ddi of NDIS: which (undis::Ddi)
  const char* name = "";         ///< callback or DDI name
  Driver* driver = nullptr;      ///< Callback: whose function runs. Ddi: who called.
  const void* object = nullptr;  ///< the adapter, binding, protocol ... that the call is about, or nullptr
  const void* detail = nullptr;  ///< free for the caller: e.g. the driver context passed
  KIRQL irql = 0;                ///< at entry
  std::uint32_t spin_locks = 0;  ///< driver spin locks held by the thread at entry
  /// Callback with a chain: the handle that its driver hands the chain on with (ndis/ways.h). Of any other
  /// call: nothing that a driver could pass.
  const void* handle = this;
};
/// At the bottom of every thread's chain, so that there is always an innermost entry: the code of the host
/// and of undis itself, which is no driver's.
inline constinit CallFrame no_call{.kind = CallFrame::Kind::Outside};

/// Pushes a frame onto the current thread's chain for its lifetime. Emits nothing.
class FrameScope {
 public:
  explicit FrameScope(CallFrame& frame) noexcept;
  ~FrameScope();
  FrameScope(const FrameScope&) = delete;
  FrameScope& operator=(const FrameScope&) = delete;

 private:
  CallFrame& frame_;
};

/// For searches that leave out what comes to the same (machine.h, telling): the code of `frame` is about to
/// run, or undis' own code is. Only a driver's own code in its own callback may tell all that it does.
void tell_of_code_in(const CallFrame* frame) noexcept;
void tell_nothing() noexcept;

/// Before a call out: no Lock of ours held (asserted), schedule point, IRQL and lock count noted, frame
/// pushed, observer told. After: observer told whether IRQL and locks are as before; a raised IRQL or kept
/// lock is put back so that undis goes on.
class CalloutScope {
 public:
  CalloutScope(Driver* driver, const CallbackInfo& info, const void* object, const void* detail) noexcept;
  ~CalloutScope();
  CalloutScope(const CalloutScope&) = delete;
  CalloutScope& operator=(const CalloutScope&) = delete;
  const CallFrame& frame() const noexcept { return frame_; }

 private:
  CallFrame frame_;
  const CallbackInfo& info_;
  bool was_focused_ = false;
};

/// Calls a driver's function. The only way from undis into a driver.
template <class R, class... A, class... B>
R call_driver(Driver* driver, const CallbackInfo& info, const void* object, const void* detail,
              const callback<R(A...)>& target, B&&... args) {
  const CalloutScope out(driver, info, object, detail);
  return target(static_cast<A>(std::forward<B>(args))...);
}

/// The driver whose code runs on this thread: the innermost Callback frame's; nullptr for the host.
Driver* current_driver() noexcept;

/// The innermost Callback frame of the current thread, or nullptr when the host itself runs.
const CallFrame* current_callback() noexcept;

/// True if a Callback frame with this name (and object, unless nullptr) is anywhere in the current thread's
/// chain.
bool inside_callback(const char* name, const void* object = nullptr) noexcept;

}  // namespace undis::kernel
