// SPDX-License-Identifier: MIT
//
// Times as years, months and days: the Gregorian calendar since 1601-01-01, in units of 100 ns.
//
// Pages   wdm/nf-wdm-rtltimetotimefields, wdm/nf-wdm-rtltimefieldstotime                  IRQL  any
#include <ntddk.h>

namespace {

constexpr LONGLONG kTicksPerMillisecond = 10'000;
constexpr LONGLONG kMillisecondsPerDay = 86'400'000;
constexpr int kFirstYear = 1601;
constexpr int kLastYear = 30827;
constexpr LONGLONG kDaysPer400Years = 146'097;
constexpr LONGLONG kDaysPer100Years = 36'524;
constexpr LONGLONG kDaysPer4Years = 1461;

constexpr bool is_leap(int year) noexcept {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

constexpr int days_in(int month, int year) noexcept {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

/// Days from 1601-01-01 to the first of January of `year`.
constexpr LONGLONG days_before(int year) noexcept {
  const LONGLONG years = year - kFirstYear;
  return years * 365 + years / 4 - years / 100 + years / 400;
}
static_assert(days_before(2001) == kDaysPer400Years);

}  // namespace

VOID RtlTimeToTimeFields(PLARGE_INTEGER Time, PTIME_FIELDS TimeFields) {
  const LONGLONG milliseconds = Time->QuadPart / kTicksPerMillisecond;
  LONGLONG days = milliseconds / kMillisecondsPerDay;
  LONGLONG rest = milliseconds % kMillisecondsPerDay;
  TimeFields->Weekday = static_cast<CSHORT>((days + 1) % 7);  // 1601-01-01 was a Monday

  // 400-year cycles, centuries, four-year cycles, years; the last century and year of a cycle are a day
  // longer.
  int year = kFirstYear + static_cast<int>(days / kDaysPer400Years) * 400;
  days %= kDaysPer400Years;
  const LONGLONG centuries = days / kDaysPer100Years < 4 ? days / kDaysPer100Years : 3;
  days -= centuries * kDaysPer100Years;
  year += static_cast<int>(centuries) * 100 + static_cast<int>(days / kDaysPer4Years) * 4;
  days %= kDaysPer4Years;
  const LONGLONG years = days / 365 < 4 ? days / 365 : 3;
  days -= years * 365;
  year += static_cast<int>(years);
  int month = 1;
  for (; days >= days_in(month, year); ++month) days -= days_in(month, year);

  TimeFields->Year = static_cast<CSHORT>(year);
  TimeFields->Month = static_cast<CSHORT>(month);
  TimeFields->Day = static_cast<CSHORT>(days + 1);
  TimeFields->Milliseconds = static_cast<CSHORT>(rest % 1000);
  rest /= 1000;
  TimeFields->Second = static_cast<CSHORT>(rest % 60);
  TimeFields->Minute = static_cast<CSHORT>(rest / 60 % 60);
  TimeFields->Hour = static_cast<CSHORT>(rest / 3600);
}

/// FALSE: a field is out of its range. The weekday is not looked at.
BOOLEAN RtlTimeFieldsToTime(PTIME_FIELDS TimeFields, PLARGE_INTEGER Time) {
  const TIME_FIELDS& f = *TimeFields;
  if (f.Year < kFirstYear || f.Year > kLastYear || f.Month < 1 || f.Month > 12 || f.Day < 1 ||
      f.Day > days_in(f.Month, f.Year) || f.Hour < 0 || f.Hour > 23 || f.Minute < 0 || f.Minute > 59 ||
      f.Second < 0 || f.Second > 59 || f.Milliseconds < 0 || f.Milliseconds > 999)
    return FALSE;
  LONGLONG days = days_before(f.Year) + f.Day - 1;
  for (int month = 1; month < f.Month; ++month) days += days_in(month, f.Year);
  const LONGLONG milliseconds =
      ((days * 24 + f.Hour) * 60 + f.Minute) * 60'000 + f.Second * 1000 + f.Milliseconds;
  Time->QuadPart = milliseconds * kTicksPerMillisecond;
  return TRUE;
}
