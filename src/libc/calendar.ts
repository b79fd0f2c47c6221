// Dates of the Gregorian calendar, UTC.

const DAY_NAMES: string = "ThuFriSatSunMonTueWed";
const MONTH_NAMES: string = "JanFebMarAprMayJunJulAugSepOctNovDec";

/** A point in time. */
export class CalendarTime {
  year: i32 = 1970;
  month: i32 = 0;            // 0: January
  day: i32 = 1;
  dayOfYear: i32 = 1;
  weekday: i32 = 0;          // 0: Thursday
  second: i32 = 0;           // of the day
}

function isLeap(year: i32): bool {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

function daysIn(month: i32, year: i32): i32 {
  if (month == 1) return isLeap(year) ? 29 : 28;
  return month == 3 || month == 5 || month == 8 || month == 10 ? 30 : 31;
}

/** Of seconds since 1970. */
export function calendarTime(seconds: i32): CalendarTime {
  const time = new CalendarTime();
  time.second = seconds % 86400;
  let left = seconds / 86400;
  time.weekday = left % 7;
  while (left >= (isLeap(time.year) ? 366 : 365)) {
    left -= isLeap(time.year) ? 366 : 365;
    time.year++;
  }
  time.dayOfYear = left + 1;
  while (left >= daysIn(time.month, time.year)) {
    left -= daysIn(time.month, time.year);
    time.month++;
  }
  time.day = left + 1;
  return time;
}

/** Three letters. */
export function dayName(time: CalendarTime): string {
  return DAY_NAMES.substring(time.weekday * 3, time.weekday * 3 + 3);
}

/** Three letters. */
export function monthName(time: CalendarTime): string {
  return MONTH_NAMES.substring(time.month * 3, time.month * 3 + 3);
}
