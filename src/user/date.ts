// date: the present date and time, UTC, as `Mon Jan  1 00:00:00 UTC 2007`, or by a format after +: %Y %m %d %H %M %S %s %a %b %j %%.

import { Timeval } from '../abi/time.ts';
import { setMain } from '../libc/crt.ts';
import { eprint, print } from '../libc/stdio.ts';
import { padLeft, twoDigits } from '../libc/strings.ts';
import { gettimeofday } from '../libc/sys.ts';

const DAYS: string = "ThuFriSatSunMonTueWed";
const MONTHS: string = "JanFebMarAprMayJunJulAugSepOctNovDec";

let now!: Embed<Timeval>;
let year: i32 = 1970;
let month: i32 = 0;
let day: i32 = 1;
let dayOfYear: i32 = 1;
let weekday: i32 = 0;        // 0: Thursday
let second: i32 = 0;         // of the day

function isLeap(y: i32): bool {
  return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

function daysIn(m: i32): i32 {
  if (m == 1) return isLeap(year) ? 29 : 28;
  return m == 3 || m == 5 || m == 8 || m == 10 ? 30 : 31;
}

/** Splits seconds since 1970 into the fields above. */
function split(seconds: i32): void {
  second = seconds % 86400;
  let left = seconds / 86400;
  weekday = left % 7;
  while (left >= (isLeap(year) ? 366 : 365)) {
    left -= isLeap(year) ? 366 : 365;
    year++;
  }
  dayOfYear = left + 1;
  while (left >= daysIn(month)) {
    left -= daysIn(month);
    month++;
  }
  day = left + 1;
}

function field(c: i32): string {
  switch (c) {
    case 89: return `${year}`;
    case 109: return twoDigits(month + 1);
    case 100: return twoDigits(day);
    case 72: return twoDigits(second / 3600);
    case 77: return twoDigits(second / 60 % 60);
    case 83: return twoDigits(second % 60);
    case 115: return `${now.sec}`;
    case 97: return DAYS.substring(weekday * 3, weekday * 3 + 3);
    case 98: return MONTHS.substring(month * 3, month * 3 + 3);
    case 106: return (dayOfYear < 100 ? "0" : "") + twoDigits(dayOfYear);
    case 101: return padLeft(`${day}`, 2);
    default: return String.fromCharCode(c);
  }
}

function main(args: string[]): i32 {
  gettimeofday(addressof(now));
  split(now.sec);
  if (args.length > 2 || (args.length == 2 && !args[1]!.startsWith("+"))) {
    eprint("usage: date [+format]\n");
    return 2;
  }
  const format = args.length == 2 ? args[1]!.substring(1) : "%a %b %e %H:%M:%S UTC %Y";
  let text = "";
  for (let i: i32 = 0; i < format.length; i++) {
    const percent = format.charCodeAt(i) == 37 && i + 1 < format.length;
    if (percent) i++;
    text = text + (percent ? field(format.charCodeAt(i)) : format.substring(i, i + 1));
  }
  print(text + "\n");
  return 0;
}

setMain(main);
