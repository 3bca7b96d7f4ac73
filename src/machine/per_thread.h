// SPDX-License-Identifier: MIT
//
// An object that each OS thread has for itself, found by one load: for what is kept because it comes again in
// one run after another.
#pragma once

#include <memory>

namespace undis::machine {

/// The calling thread's T, made when it is first asked for; it goes with the thread.
template <class T>
T& per_thread() {
  [[gnu::tls_model("initial-exec")]] static thread_local constinit T* here = nullptr;
  if (here == nullptr) [[unlikely]] {
    static thread_local std::unique_ptr<T> owner;
    owner = std::make_unique<T>();
    here = owner.get();
  }
  return *here;
}

}  // namespace undis::machine
