// SPDX-License-Identifier: MIT
//
// Given turns: the default run, but for the turns and answers that the schedule lists. A turn that cannot be
// taken (its strand is not able to go on there) is passed over: that is how shrinking tries what is left when
// something is taken out.
#include <algorithm>

#include "machine/chooser.h"

namespace undis::machine {
namespace {

class GivenTurns final : public Chooser {
 public:
  explicit GivenTurns(const Schedule& schedule) : turns_(schedule.turns()), answers_(schedule.answers()) {}

  std::uint32_t wish(const Moment& moment) noexcept override {
    // At the point itself it was asked, or is about to be: the next one counts.
    const auto next = from(moment.strand, moment.point + 1);
    return next != turns_.end() && next->strand == moment.strand ? next->point - moment.point : 0;
  }
  bool follows_strands() const noexcept override { return true; }
  bool lets_clock_overtake() const noexcept override { return true; }  // where a turn says so

  std::uint32_t pick(const Moment& moment, std::span<const std::uint32_t> options) noexcept override {
    const auto turn = from(moment.strand, moment.point);
    if (turn == turns_.end() || turn->strand != moment.strand || turn->point != moment.point) return 0;
    const auto option = std::ranges::find(options, turn->to);
    return option == options.end() ? 0 : static_cast<std::uint32_t>(option - options.begin());
  }
  bool answer(std::uint32_t number) noexcept override { return std::ranges::binary_search(answers_, number); }

 private:
  std::vector<Turn>::const_iterator from(std::uint32_t strand, std::uint32_t point) const noexcept {
    return std::ranges::partition_point(turns_, [&](const Turn& turn) {
      return turn.strand != strand ? turn.strand < strand : turn.point < point;
    });
  }
  const std::vector<Turn>& turns_;
  const std::vector<std::uint32_t>& answers_;
};

}  // namespace

std::unique_ptr<Chooser> given_turns(const Schedule& schedule) {
  return std::make_unique<GivenTurns>(schedule);
}

}  // namespace undis::machine
