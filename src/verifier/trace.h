// SPDX-License-Identifier: MIT
//
// The trace: what happened, in order, kept as records of a fixed size. A line of text is made of one when
// somebody reads it.
//
// Rings   one for each processor that runs at the same time as others, so that writers do not meet. Lines of
//         several rings are put in the order of their time; those of the same 100 ns in the order of
//         processors.
// Lives   a record keeps a driver and a name by their addresses: drivers live as long as their System, names
// of
//         calls for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/lock.h"
#include "verifier/violation.h"

namespace undis::kernel {
class Driver;
}

namespace undis::verifier {

class Trace {
 public:
  /// What a record says; Text: any line at all.
  enum class Kind : std::uint8_t { Text, Enter, Leave, Call };

  static constexpr std::size_t kAll = ~std::size_t{0};
  /// `keep`: how many of the last records are kept, in each ring.
  Trace(std::size_t keep, std::size_t rings);
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// "> driver!name", "< driver!name", "  driver calls name". `name` is never freed.
  void add(Kind kind, const kernel::Driver* driver, const char* name);
  /// The parts one after the other.
  void add(std::initializer_list<std::string_view> line);

  struct Line {
    std::string text;
    TracePlace place;
  };
  /// All that is kept, or the last of it.
  std::vector<Line> lines() const;
  std::vector<Line> last(std::size_t count) const;
  /// Of every record so far, with what it says but not with when: equal for equal runs.
  std::uint64_t hash() const;

 private:
  struct Record {
    std::uint64_t time;
    const char* name;              ///< Text: nullptr
    const kernel::Driver* driver;  ///< nullptr: the host
    std::uint32_t strand;
    Kind kind;
    std::uint8_t irql;
  };
  struct Ring;
  Ring& here() const noexcept;
  static Record stamp(Ring& ring, Kind kind);

  const std::size_t keep_;
  const bool shared_;  ///< several processors run at the same time
  std::vector<std::unique_ptr<Ring>> rings_;
};

}  // namespace undis::verifier
