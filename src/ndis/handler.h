// SPDX-License-Identifier: MIT
//
// The callback<> for a handler member of a characteristics structure.
#pragma once

#include <type_traits>

#include "kernel/call.h"

namespace undis {

template <class T>
struct member_type;
template <class C, class T>
struct member_type<T C::*> {
  using type = T;
};
template <auto kMember>
using Handler = kernel::callback<std::remove_pointer_t<typename member_type<decltype(kMember)>::type>>;

}  // namespace undis
