// SPDX-License-Identifier: MIT
//
// A value, or the sentence that says why there is none: for what comes from outside (files, command lines).
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace undis::loader {

struct Failure {
  std::string text;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::move(value)) {}            // NOLINT(google-explicit-constructor)
  Result(Failure failure) : content_(std::move(failure)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const noexcept { return std::holds_alternative<T>(content_); }
  T& operator*() noexcept { return *std::get_if<T>(&content_); }
  const T& operator*() const noexcept { return *std::get_if<T>(&content_); }
  T* operator->() noexcept { return std::get_if<T>(&content_); }
  const T* operator->() const noexcept { return std::get_if<T>(&content_); }
  /// Preconditions: there is no value.
  const std::string& error() const noexcept { return std::get_if<Failure>(&content_)->text; }

 private:
  std::variant<T, Failure> content_;
};

}  // namespace undis::loader
