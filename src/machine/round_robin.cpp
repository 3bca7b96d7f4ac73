// SPDX-License-Identifier: MIT
//
// Round robin: after a number of schedule points, the strand with the next higher number goes on, then the
// lowest again. Questions are answered in turn as well: no, yes, no ...
#include "machine/chooser.h"
#include "machine/strategy.h"

namespace undis::machine {
namespace {

class RoundRobin final : public Chooser {
 public:
  explicit RoundRobin(std::uint32_t quantum) : quantum_(quantum) {}

  std::uint32_t wish(const Moment&) noexcept override { return quantum_; }
  bool follows_strands() const noexcept override { return true; }
  std::uint32_t pick(const Moment& moment, std::span<const std::uint32_t> options) noexcept override {
    std::uint32_t next = 0;
    std::uint32_t lowest = 0;
    bool found = false;
    for (std::uint32_t i = 0; i < options.size(); ++i) {
      if (Turn::is_clock(options[i])) continue;  // time passes when all have had their turn and wait
      if (options[i] < options[lowest]) lowest = i;
      if (options[i] > moment.strand && (!found || options[i] < options[next])) {
        next = i;
        found = true;
      }
    }
    return found ? next : lowest;
  }
  bool answer(std::uint32_t number) noexcept override { return number % 2 == 0; }

 private:
  std::uint32_t quantum_;
};

/// Each number of points up to kMost, once.
class RoundRobinSearch final : public Strategy {
 public:
  explicit RoundRobinSearch(const SearchSetup& setup) : Strategy(setup), quantum_(setup.shard + 1) {}

 protected:
  std::optional<Schedule> propose() override {
    if (quantum_ > kMost) return std::nullopt;
    const Schedule schedule = Schedule::round_robin(quantum_);
    quantum_ += setup().shards;
    return schedule;
  }

 private:
  static constexpr std::uint32_t kMost = 512;
  std::uint32_t quantum_;
};

}  // namespace

std::unique_ptr<Chooser> round_robin(const Schedule& schedule) {
  return std::make_unique<RoundRobin>(schedule.quantum());
}

std::unique_ptr<Strategy> round_robin_search(const SearchSetup& setup) {
  return std::make_unique<RoundRobinSearch>(setup);
}

}  // namespace undis::machine
