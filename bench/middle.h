// SPDX-License-Identifier: MIT
//
// What an intermediate driver does with each list, the same for the one in the stack and the one of the bare
// model: it notes in the list's context who sent it, and restores that.
#pragma once

#include <ndis.h>

namespace undis::bench {

/// What the intermediate driver notes in a list that it forwards.
struct Note {
  NDIS_HANDLE source;
};
inline constexpr USHORT kNote = MEMORY_ALLOCATION_ALIGNMENT;
static_assert(sizeof(Note) <= kNote);

inline Note& note_of(NET_BUFFER_LIST* list) noexcept {
  return *reinterpret_cast<Note*>(NET_BUFFER_LIST_CONTEXT_DATA_START(list));
}

/// A chain that is being built.
struct Chain {
  NET_BUFFER_LIST* first = nullptr;
  NET_BUFFER_LIST** last = &first;
  ULONG count = 0;
  void append(NET_BUFFER_LIST* list) noexcept {
    *last = list;
    last = &list->Next;
    ++count;
  }
  NET_BUFFER_LIST* end() noexcept {
    *last = nullptr;
    return first;
  }
};

}  // namespace undis::bench
