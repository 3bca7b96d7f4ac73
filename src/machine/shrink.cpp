// SPDX-License-Identifier: MIT
//
// Delta debugging over the list of departures, in the order in which they happened: first what came after,
// then ever smaller pieces.
#include "machine/shrink.h"

#include <algorithm>
#include <utility>

namespace undis::machine {
namespace {

class Shrinker {
 public:
  Shrinker(const Schedule& schedule, const std::function<bool(const Schedule&)>& shows,
           const std::function<bool()>& more)
      : processors_(schedule.processors()), failures_(schedule.failures()), shows_(shows), more_(more) {}

  std::optional<Shrunk> run(const Trail& trail) {
    // Failures first: without them, turns are the only cause.
    turns_ = trail.turns;
    yes_ = trail.yes;
    if (!shows_it()) return std::nullopt;
    reduce(failures_);
    cut_end(turns_);
    reduce(yes_);
    reduce(turns_);
    // What was needed only by something that is gone now.
    reduce(yes_);
    reduce(failures_);
    return Shrunk{made(), tried_};
  }

 private:
  Schedule made() const {
    return Schedule::given(turns_, yes_).with_failures(failures_).with_processors(processors_);
  }
  bool shows_it() {
    ++tried_;
    return shows_(made());
  }

  /// The shortest beginning that still shows it, if longer ones do as well.
  template <class T>
  void cut_end(std::vector<T>& list) {
    std::size_t low = 0;
    std::size_t high = list.size();
    const std::vector<T> whole = list;
    while (low < high && more_()) {
      const std::size_t middle = (low + high) / 2;
      list.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(middle));
      if (shows_it()) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    list.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(high));
  }

  /// Leaves pieces out, half of the list at first, single entries at last, until no single one can go.
  template <class T>
  void reduce(std::vector<T>& list) {
    for (std::size_t piece = list.size(); piece != 0;) {
      bool any = false;
      for (std::size_t from = list.size(); from != 0 && more_();) {
        const std::size_t length = std::min(piece, from);
        from -= length;
        std::vector<T> kept = list;
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(from),
                   list.begin() + static_cast<std::ptrdiff_t>(from + length));
        if (shows_it()) {
          any = true;
        } else {
          list = std::move(kept);
        }
      }
      if (!more_()) return;
      if (piece == 1) {
        if (!any) return;
      } else {
        piece = (piece + 1) / 2;
      }
    }
  }

  std::vector<Turn> turns_;
  std::vector<std::uint32_t> yes_;
  std::uint32_t processors_;
  std::vector<Failure> failures_;
  const std::function<bool(const Schedule&)>& shows_;
  const std::function<bool()>& more_;
  std::uint32_t tried_ = 0;
};

}  // namespace

std::optional<Shrunk> shrink(const Schedule& schedule, const Trail& trail,
                             const std::function<bool(const Schedule&)>& shows,
                             const std::function<bool()>& more) {
  return Shrinker(schedule, shows, more).run(trail);
}

}  // namespace undis::machine
