// SPDX-License-Identifier: MIT
//
// LockOrder: a graph of locks, an edge for "held while acquired", and a search for a way back at each new
// edge.
#include "kernel/lock_order.h"

#include <algorithm>
#include <iterator>

namespace undis::kernel {

LockOrder::Edge* LockOrder::find(const void* from, const void* to) {
  const auto list = edges_.find(from);
  if (list == edges_.end()) return nullptr;
  const auto edge = std::ranges::find_if(list->second, [to](const Edge& e) { return e.to == to; });
  return edge == list->second.end() ? nullptr : &*edge;
}

/// A way from one lock to another, first come first taken: how many locks there are between them does not
/// matter.
bool LockOrder::leads(const void* from, const void* to, std::vector<Edge*>& path,
                      std::vector<const void*>& visited) {
  const auto list = edges_.find(from);
  if (list == edges_.end() || std::ranges::find(visited, from) != visited.end()) return false;
  visited.push_back(from);
  for (Edge& edge : list->second) {
    path.push_back(&edge);
    if (edge.to == to || leads(edge.to, to, path, visited)) return true;
    path.pop_back();
  }
  return false;
}

std::optional<LockOrder::Conflict> LockOrder::acquired(const Thread& thread) {
  const std::uint32_t count = thread.spin_locks();
  if (count < 2) return std::nullopt;
  const HeldLock* const newest = thread.held_at(count - 1);
  if (newest == nullptr) return std::nullopt;
  std::vector<const void*> held;
  for (std::uint32_t i = 0; i + 1 < count; ++i)
    if (const HeldLock* const one = thread.held_at(i)) held.push_back(one->lock);

  const Hold hold(lock_);
  for (const void* const before : held) {
    std::vector<const void*> gates;
    std::ranges::copy_if(held, std::back_inserter(gates),
                         [before](const void* lock) { return lock != before; });
    Edge* edge = find(before, newest->lock);
    if (edge == nullptr) {
      edges_[before].push_back({newest->lock, thread.id(), false, false, newest->function,
                                newest->return_address, std::move(gates)});
      edge = &edges_[before].back();
    } else {
      if (edge->thread != thread.id()) edge->by_others = true;
      std::erase_if(edge->gates,
                    [&](const void* gate) { return std::ranges::find(gates, gate) == gates.end(); });
    }
    if (edge->told) continue;

    std::vector<Edge*> path;
    std::vector<const void*> visited;
    if (!leads(newest->lock, before, path, visited)) continue;
    path.push_back(edge);
    const bool one_thread =
        std::ranges::all_of(path, [&](const Edge* e) { return !e->by_others && e->thread == edge->thread; });
    const bool kept_apart = std::ranges::any_of(edge->gates, [&](const void* gate) {
      return std::ranges::all_of(
          path, [gate](const Edge* e) { return std::ranges::find(e->gates, gate) != e->gates.end(); });
    });
    if (one_thread || kept_apart) continue;
    for (Edge* const each : path) each->told = true;
    return Conflict{before, path.front()->function, path.front()->address};
  }
  return std::nullopt;
}

void LockOrder::initialized(const void* lock) {
  const Hold hold(lock_);
  if (edges_.empty()) return;
  edges_.erase(lock);
  for (auto& [from, list] : edges_) std::erase_if(list, [lock](const Edge& edge) { return edge.to == lock; });
}

}  // namespace undis::kernel
