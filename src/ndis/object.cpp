// SPDX-License-Identifier: MIT
//
// The counting heap behind NDIS objects.
#include "ndis/object.h"

#include <new>

namespace undis {
namespace {

std::atomic<std::size_t> g_bytes{0};
std::atomic<std::size_t> g_blocks{0};

}  // namespace

HeapUse ndis_heap() noexcept {
  return {g_bytes.load(), g_blocks.load()};
}

void* Object::operator new(std::size_t size) {
  void* p = ::operator new(size);
  g_bytes += size;
  ++g_blocks;
  return p;
}

void Object::operator delete(void* p, std::size_t size) noexcept {
  g_bytes -= size;
  --g_blocks;
  ::operator delete(p);
}

}  // namespace undis
