// SPDX-License-Identifier: MIT
//
// Functions that the headers define: interlocked operations in each width and order, reads and writes with an
// order, and arithmetic that tells when it overflows.
#include <gtest/gtest.h>
#include <ntddk.h>
#include <ntintsafe.h>

#include <limits>

namespace {

template <class T, class Increment, class Decrement, class Add, class ExchangeAdd, class And, class Or,
          class Xor, class Exchange, class Compare>
void check(Increment increment, Decrement decrement, Add add, ExchangeAdd exchange_add, And bits_and,
           Or bits_or, Xor bits_xor, Exchange exchange, Compare compare) {
  T value = 5;
  EXPECT_EQ(increment(&value), 6) << "the new value";
  EXPECT_EQ(decrement(&value), 5);
  EXPECT_EQ(add(&value, T{10}), 15) << "the new value";
  EXPECT_EQ(exchange_add(&value, T{1}), 15) << "the old value";
  EXPECT_EQ(value, 16);
  EXPECT_EQ(bits_or(&value, T{3}), 16);
  EXPECT_EQ(bits_and(&value, T{18}), 19);
  EXPECT_EQ(bits_xor(&value, T{1}), 18);
  EXPECT_EQ(value, 19);
  EXPECT_EQ(exchange(&value, T{7}), 19);
  EXPECT_EQ(compare(&value, T{9}, T{8}), 7) << "not equal: left";
  EXPECT_EQ(value, 7);
  EXPECT_EQ(compare(&value, T{9}, T{7}), 7);
  EXPECT_EQ(value, 9);
  value = std::numeric_limits<T>::max();
  EXPECT_EQ(increment(&value), std::numeric_limits<T>::min());
}

#define CHECK_ORDER(Type, Order, Width)                                                                \
  check<Type>(InterlockedIncrement##Order##Width, InterlockedDecrement##Order##Width,                  \
              InterlockedAdd##Order##Width, InterlockedExchangeAdd##Order##Width,                      \
              InterlockedAnd##Order##Width, InterlockedOr##Order##Width, InterlockedXor##Order##Width, \
              InterlockedExchange##Order##Width, InterlockedCompareExchange##Order##Width)

TEST(InterlockedOperations, GiveTheDocumentedValueInEachWidth) {
  CHECK_ORDER(SHORT, , 16);
  CHECK_ORDER(LONG, , );
  CHECK_ORDER(LONG64, , 64);
}

TEST(InterlockedOperations, GiveTheSameInEachOrder) {
  CHECK_ORDER(LONG, Acquire, );
  CHECK_ORDER(LONG, Release, );
  CHECK_ORDER(LONG, NoFence, );
  CHECK_ORDER(LONG64, Acquire, 64);
  CHECK_ORDER(LONG64, Release, 64);
  CHECK_ORDER(LONG64, NoFence, 64);
  CHECK_ORDER(CHAR, NoFence, 8);
}

TEST(InterlockedOperations, ExchangePointers) {
  int one = 0;
  int other = 0;
  PVOID at = &one;
  EXPECT_EQ(InterlockedExchangePointer(&at, &other), &one);
  EXPECT_EQ(InterlockedCompareExchangePointer(&at, &one, &one), &other);
  EXPECT_EQ(InterlockedCompareExchangePointer(&at, &one, &other), &other);
  EXPECT_EQ(InterlockedExchangePointerNoFence(&at, nullptr), &one);
}

TEST(InterlockedOperations, TestBits) {
  LONG bits = 4;
  EXPECT_EQ(InterlockedBitTestAndSet(&bits, 0), FALSE);
  EXPECT_EQ(InterlockedBitTestAndSet(&bits, 2), TRUE);
  EXPECT_EQ(bits, 5);
  EXPECT_EQ(InterlockedBitTestAndReset(&bits, 2), TRUE);
  EXPECT_EQ(bits, 1);
}

TEST(OrderedAccesses, ReadAndWriteTheValue) {
  LONG number = 1;
  WriteNoFence(&number, 2);
  EXPECT_EQ(ReadNoFence(&number), 2);
  WriteRelease(&number, 3);
  EXPECT_EQ(ReadAcquire(&number), 3);
  LONG64 wide = 1;
  WriteNoFence64(&wide, 1LL << 40);
  EXPECT_EQ(ReadNoFence64(&wide), 1LL << 40);
  ULONG plain = 0;
  WriteULongNoFence(&plain, 4);
  EXPECT_EQ(ReadULongNoFence(&plain), 4U);
  WriteULongRelease(&plain, 5);
  EXPECT_EQ(ReadULongAcquire(&plain), 5U);
  BOOLEAN flag = FALSE;
  WriteBooleanNoFence(&flag, TRUE);
  EXPECT_EQ(ReadBooleanNoFence(&flag), TRUE);
  PVOID pointer = nullptr;
  WritePointerRelease(&pointer, &plain);
  EXPECT_EQ(ReadPointerAcquire(&pointer), &plain);
  WritePointerNoFence(&pointer, nullptr);
  EXPECT_EQ(ReadPointerNoFence(&pointer), nullptr);
}

TEST(SafeArithmetic, TellsAnOverflow) {
  ULONG sum = 0;
  EXPECT_EQ(RtlULongAdd(1, 2, &sum), STATUS_SUCCESS);
  EXPECT_EQ(sum, 3U);
  EXPECT_EQ(RtlULongAdd(MAXULONG, 1, &sum), STATUS_INTEGER_OVERFLOW);
  EXPECT_EQ(sum, MAXULONG);
  EXPECT_EQ(RtlULongMult(0x10000, 0x10000, &sum), STATUS_INTEGER_OVERFLOW);
  EXPECT_EQ(RtlULongMult(3, 4, &sum), STATUS_SUCCESS);
  EXPECT_EQ(sum, 12U);
  SIZE_T size = 0;
  EXPECT_EQ(RtlSizeTMult(~SIZE_T{0}, 2, &size), STATUS_INTEGER_OVERFLOW);
  EXPECT_EQ(RtlSizeTAdd(1, 1, &size), STATUS_SUCCESS);
  EXPECT_EQ(size, 2U);
}

LONGLONG ticks_of(CSHORT year, CSHORT month, CSHORT day) {
  TIME_FIELDS fields{};
  fields.Year = year;
  fields.Month = month;
  fields.Day = day;
  LARGE_INTEGER time{};
  EXPECT_EQ(RtlTimeFieldsToTime(&fields, &time), TRUE) << year << '-' << month << '-' << day;
  return time.QuadPart;
}

TEST(TimeFields, AreOfTheGregorianCalendarSince1601) {
  constexpr LONGLONG kDay = 864'000'000'000;
  EXPECT_EQ(ticks_of(1601, 1, 1), 0);
  EXPECT_EQ(ticks_of(1970, 1, 1), 116'444'736'000'000'000) << "the beginning of Unix' time";
  EXPECT_EQ(ticks_of(2000, 3, 1) - ticks_of(2000, 2, 28), 2 * kDay) << "a leap year";
  EXPECT_EQ(ticks_of(1900, 3, 1) - ticks_of(1900, 2, 28), kDay) << "none";
  LARGE_INTEGER time{};
  time.QuadPart = 116'444'736'000'000'000 + 1'234'567'890LL * 10'000'000 + 4'560'000;
  TIME_FIELDS fields{};
  RtlTimeToTimeFields(&time, &fields);
  EXPECT_EQ(fields.Year, 2009);
  EXPECT_EQ(fields.Month, 2);
  EXPECT_EQ(fields.Day, 13);
  EXPECT_EQ(fields.Hour, 23);
  EXPECT_EQ(fields.Minute, 31);
  EXPECT_EQ(fields.Second, 30);
  EXPECT_EQ(fields.Milliseconds, 456);
  EXPECT_EQ(fields.Weekday, 5) << "a Friday";
}

TEST(TimeFields, GoThereAndBackOnEachDay) {
  constexpr LONGLONG kDay = 864'000'000'000;
  for (LONGLONG day = 0; day < 400 * 366; ++day) {
    LARGE_INTEGER time{};
    time.QuadPart = day * kDay;
    TIME_FIELDS fields{};
    RtlTimeToTimeFields(&time, &fields);
    LARGE_INTEGER back{};
    ASSERT_EQ(RtlTimeFieldsToTime(&fields, &back), TRUE) << day;
    ASSERT_EQ(back.QuadPart, time.QuadPart) << day;
    ASSERT_EQ(fields.Weekday, (day + 1) % 7);
  }
}

TEST(TimeFields, OutOfRangeAreRefused) {
  LARGE_INTEGER time{};
  TIME_FIELDS fields{};
  fields.Year = 2023;
  fields.Month = 2;
  fields.Day = 29;
  EXPECT_EQ(RtlTimeFieldsToTime(&fields, &time), FALSE);
  fields.Day = 28;
  EXPECT_EQ(RtlTimeFieldsToTime(&fields, &time), TRUE);
  fields.Hour = 24;
  EXPECT_EQ(RtlTimeFieldsToTime(&fields, &time), FALSE);
  fields.Hour = 0;
  fields.Year = 1600;
  EXPECT_EQ(RtlTimeFieldsToTime(&fields, &time), FALSE);
}

}  // namespace
