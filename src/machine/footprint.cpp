// SPDX-License-Identifier: MIT
//
// Footprints.
#include "machine/footprint.h"

#include "machine/chooser.h"

volatile int undis_memory_wanted = 0;

void undis_touched(const volatile void* at, std::size_t bytes, int written) {
  undis::machine::tell_touched(at, bytes, written != 0);
}

namespace undis::machine {

thread_local constinit Footprints* footprints_here = nullptr;

void set_footprints_here(Footprints* footprints) noexcept {
  footprints_here = footprints;
  undis_memory_wanted = footprints != nullptr ? 1 : 0;
}

namespace {

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  Random random{a * 0x9e3779b97f4a7c15U ^ b};
  return random.next();
}

}  // namespace

void Footprints::touch(std::uintptr_t first, std::size_t bytes, bool written) noexcept {
  if (unknown_ || bytes == 0) return;
  for (std::uintptr_t unit = first / kUnit, last = (first + bytes - 1) / kUnit; unit <= last; ++unit) {
    if (touched_.size() == kMost) {
      unknown_ = true;
      return;
    }
    auto [place, fresh] = objects_.try_emplace(unit);
    Object& object = place->second;
    if (fresh) object.number = static_cast<std::uint32_t>(objects_.size() - 1);
    if (object.stretch == stretch_) {
      if (written) trail_.accesses[object.at].written = true;
      continue;
    }
    object.stretch = stretch_;
    object.at = static_cast<std::uint32_t>(trail_.accesses.size());
    trail_.accesses.push_back({object.number, written});
    touched_.push_back(&object);
  }
}

Footprints::Strand& Footprints::strand_of(std::uint32_t id) {
  if (strands_.size() <= id) strands_.resize(id + 1);
  return strands_[id];
}

void Footprints::telling(std::uint32_t strand, bool all) {
  Tells& tells = strand_of(strand).tells;
  const Tells now = all ? Tells::All : Tells::Nothing;
  if (tells == now) return;
  if (tells != Tells::NotYet) unknown_ = true;  // a part of this stretch is not told
  tells = now;
}

void Footprints::end(std::uint32_t id) {
  Strand& strand = strand_of(id);
  if (strand.tells == Tells::NotYet) strand.tells = Tells::Nothing;
  sum_ -= mix(id, strand.history);
  std::uint64_t now = mix(strand.history, id + 1);
  const bool known = strand.tells == Tells::All && !unknown_;
  if (known) {
    for (std::size_t i = 0; i < touched_.size(); ++i) {
      Object& object = *touched_[i];
      if (object.era != era_) {
        object.era = era_;
        object.written = object.read = 0;
      }
      now = mix(now, object.written != 0 ? object.written : base_);
      if (trail_.accesses[first_ + i].written) now = mix(now, object.read);
    }
    if (machine_) now = mix(now, machine_history_);
    for (std::size_t i = 0; i < touched_.size(); ++i) {
      Object& object = *touched_[i];
      if (trail_.accesses[first_ + i].written) {
        object.written = now;
        object.read = 0;
      } else {
        object.read += mix(now, 1);
      }
    }
    if (machine_) machine_history_ = now;
  } else {
    now = mix(mix(now, sum_), machine_history_);
    base_ = machine_history_ = now;
    ++era_;
    trail_.accesses.resize(first_);
  }
  strand.history = now;
  sum_ += mix(id, now);

  trail_.stretches.push_back({id, static_cast<std::uint32_t>(first_),
                              static_cast<std::uint32_t>(trail_.accesses.size() - first_), known, machine_});
  first_ = trail_.accesses.size();
  touched_.clear();
  ++stretch_;
  unknown_ = machine_ = false;
}

void Footprints::chosen(std::uint64_t what) noexcept {
  machine_history_ = mix(machine_history_, what);
  machine_ = false;  // what has changed since the end of the last stretch was the machine's own doing
}

std::uint64_t Footprints::state(std::uint32_t strand) const noexcept {
  return mix(mix(sum_, machine_history_), strand);
}

}  // namespace undis::machine
