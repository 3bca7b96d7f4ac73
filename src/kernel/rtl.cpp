// SPDX-License-Identifier: MIT
//
// Comparing memory, bit maps, pseudo-random numbers.
//
// Pages   wdm/nf-wdm-rtlcomparememory, wdm/nf-wdm-rtlinitializebitmap and its like,
// ntddk/nf-ntddk-rtlrandomex IRQL    any, for memory that is not paged
#include <algorithm>
#include <bit>
#include <cstdint>

#include <ntddk.h>

namespace {

constexpr ULONG kNone = 0xFFFFFFFFu;  // what the searches answer when there is no such run

bool bit(const RTL_BITMAP& map, ULONG index) noexcept {
  return (map.Buffer[index / 32] >> (index % 32) & 1) != 0;
}

void put(RTL_BITMAP& map, ULONG first, ULONG count, bool value) noexcept {
  for (ULONG i = first; i < first + count && i < map.SizeOfBitMap; ++i) {
    const ULONG mask = 1u << (i % 32);
    if (value)
      map.Buffer[i / 32] |= mask;
    else
      map.Buffer[i / 32] &= ~mask;
  }
}

bool run_is(const RTL_BITMAP& map, ULONG first, ULONG count, bool value) noexcept {
  if (count == 0 || first >= map.SizeOfBitMap || count > map.SizeOfBitMap - first) return false;
  for (ULONG i = first; i < first + count; ++i)
    if (bit(map, i) != value) return false;
  return true;
}

/// The first run of `count` bits in [begin, end), else kNone.
ULONG find_in(const RTL_BITMAP& map, ULONG begin, ULONG end, ULONG count, bool value) noexcept {
  ULONG length = 0;
  for (ULONG i = begin; i < end; ++i) {
    length = bit(map, i) == value ? length + 1 : 0;
    if (length == count) return i + 1 - count;
  }
  return kNone;
}

ULONG find(const RTL_BITMAP& map, ULONG count, ULONG hint, bool value) noexcept {
  if (hint >= map.SizeOfBitMap) hint = 0;
  if (count == 0) return hint & ~7u;  // as the page says: the hint, rounded down to a byte
  if (count > map.SizeOfBitMap) return kNone;
  const ULONG after = find_in(map, hint, map.SizeOfBitMap, count, value);
  if (after != kNone || hint == 0) return after;
  return find_in(map, 0, std::min(map.SizeOfBitMap, hint + count - 1), count, value);
}

ULONG find_and_put(RTL_BITMAP& map, ULONG count, ULONG hint, bool value) noexcept {
  const ULONG found = find(map, count, hint, value);
  if (found != kNone) put(map, found, count, !value);
  return found;
}

/// One step of the generator: a seed in, the next seed out; 31 bits.
ULONG step(ULONG seed) noexcept {
  constexpr std::uint64_t kModulus = 0x7FFFFFFF;
  const std::uint64_t next = std::uint64_t{seed} * 0x7FFFFFEDu + 0x7FFFFFC3u;
  return static_cast<ULONG>(next % kModulus);
}

}  // namespace

// Page wdm/nf-wdm-rtlcomparememory: the number of bytes that are equal from the start.
SIZE_T RtlCompareMemory(const VOID* Source1, const VOID* Source2, SIZE_T Length) {
  const auto* const one = static_cast<const UCHAR*>(Source1);
  const auto* const other = static_cast<const UCHAR*>(Source2);
  return static_cast<SIZE_T>(std::mismatch(one, one + Length, other).first - one);
}

// Page ntifs/nf-ntifs-rtlcomparememoryulong
SIZE_T RtlCompareMemoryUlong(PVOID Source, SIZE_T Length, ULONG Pattern) {
  if (reinterpret_cast<ULONG_PTR>(Source) % sizeof(ULONG) != 0) return 0;
  const auto* const first = static_cast<const ULONG*>(Source);
  const auto* const last = first + Length / sizeof(ULONG);
  return static_cast<SIZE_T>(std::find_if(first, last, [Pattern](ULONG value) { return value != Pattern; }) -
                             first) *
         sizeof(ULONG);
}

// Page wdm/nf-wdm-rtlinitializebitmap
VOID RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap) {
  *BitMapHeader = {SizeOfBitMap, BitMapBuffer};
}

// Pages wdm/nf-wdm-rtlclearbit, -rtlsetbit, -rtltestbit
VOID RtlClearBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber) {
  put(*BitMapHeader, BitNumber, 1, false);
}
VOID RtlSetBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber) {
  put(*BitMapHeader, BitNumber, 1, true);
}
BOOLEAN RtlTestBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber) {
  return BitNumber < BitMapHeader->SizeOfBitMap && bit(*BitMapHeader, BitNumber) ? TRUE : FALSE;
}

BOOLEAN RtlCheckBit(PRTL_BITMAP BitMapHeader, ULONG BitPosition) {
  return RtlTestBit(BitMapHeader, BitPosition);
}

// Pages wdm/nf-wdm-rtlclearallbits, -rtlsetallbits: the buffer is a whole number of ULONGs.
VOID RtlClearAllBits(PRTL_BITMAP BitMapHeader) {
  std::fill_n(BitMapHeader->Buffer, (BitMapHeader->SizeOfBitMap + 31) / 32, 0u);
}
VOID RtlSetAllBits(PRTL_BITMAP BitMapHeader) {
  std::fill_n(BitMapHeader->Buffer, (BitMapHeader->SizeOfBitMap + 31) / 32, ~0u);
}

// Pages wdm/nf-wdm-rtlclearbits, -rtlsetbits, -rtlarebitsclear, -rtlarebitsset
VOID RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear) {
  put(*BitMapHeader, StartingIndex, NumberToClear, false);
}
VOID RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet) {
  put(*BitMapHeader, StartingIndex, NumberToSet, true);
}
BOOLEAN RtlAreBitsClear(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length) {
  return run_is(*BitMapHeader, StartingIndex, Length, false) ? TRUE : FALSE;
}
BOOLEAN RtlAreBitsSet(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length) {
  return run_is(*BitMapHeader, StartingIndex, Length, true) ? TRUE : FALSE;
}

// Pages wdm/nf-wdm-rtlfindclearbits, -rtlfindsetbits, -rtlfindclearbitsandset, -rtlfindsetbitsandclear
ULONG RtlFindClearBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex) {
  return find(*BitMapHeader, NumberToFind, HintIndex, false);
}
ULONG RtlFindSetBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex) {
  return find(*BitMapHeader, NumberToFind, HintIndex, true);
}
ULONG RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex) {
  return find_and_put(*BitMapHeader, NumberToFind, HintIndex, false);
}
ULONG RtlFindSetBitsAndClear(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex) {
  return find_and_put(*BitMapHeader, NumberToFind, HintIndex, true);
}

// Pages wdm/nf-wdm-rtlnumberofsetbits, -rtlnumberofclearbits
ULONG RtlNumberOfSetBits(PRTL_BITMAP BitMapHeader) {
  ULONG count = 0;
  for (ULONG i = 0; i < BitMapHeader->SizeOfBitMap; ++i) count += bit(*BitMapHeader, i) ? 1 : 0;
  return count;
}
ULONG RtlNumberOfClearBits(PRTL_BITMAP BitMapHeader) {
  return BitMapHeader->SizeOfBitMap - RtlNumberOfSetBits(BitMapHeader);
}

// Pages wdm/nf-wdm-rtlfindleastsignificantbit, -rtlfindmostsignificantbit: -1 for none.
CCHAR RtlFindLeastSignificantBit(ULONGLONG Set) {
  return Set == 0 ? CCHAR{-1} : static_cast<CCHAR>(std::countr_zero(Set));
}
CCHAR RtlFindMostSignificantBit(ULONGLONG Set) {
  return Set == 0 ? CCHAR{-1} : static_cast<CCHAR>(63 - std::countl_zero(Set));
}
ULONG RtlNumberOfSetBitsUlongPtr(ULONG_PTR Target) {
  return static_cast<ULONG>(std::popcount(Target));
}

// Pages ntifs/nf-ntifs-rtlrandom, -rtlrandomex: from 0 to MAXLONG - 1; the seed decides, so a run repeats.
ULONG RtlRandom(PULONG Seed) {
  return *Seed = step(*Seed);
}
ULONG RtlRandomEx(PULONG Seed) {
  return *Seed = step(*Seed);
}
