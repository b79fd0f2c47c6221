// date: the present date and time, UTC (-u changes nothing), as `Mon Jan  1 00:00:00 UTC 2007`, or by a format after +: %Y %m %d %H %M %S
// %s %a %b %e %j %F %T %D %y %n %t %%.

import { Timeval } from '../abi/time.ts';
import { CalendarTime, calendarTime, dayName, monthName } from '../libc/calendar.ts';
import { setMain } from '../libc/crt.ts';
import { afterOptions, nextOption } from '../libc/options.ts';
import { eprint, print } from '../libc/stdio.ts';
import { padLeft, twoDigits } from '../libc/strings.ts';
import { gettimeofday } from '../libc/sys.ts';

let now!: Embed<Timeval>;
let time: CalendarTime = new CalendarTime();

function field(c: i32): string {
  switch (c) {
    case 89: return `${time.year}`;
    case 121: return twoDigits(time.year % 100);
    case 109: return twoDigits(time.month + 1);
    case 100: return twoDigits(time.day);
    case 72: return twoDigits(time.second / 3600);
    case 77: return twoDigits(time.second / 60 % 60);
    case 83: return twoDigits(time.second % 60);
    case 115: return `${now.sec}`;
    case 97: return dayName(time);
    case 98: return monthName(time);
    case 106: return (time.dayOfYear < 100 ? "0" : "") + twoDigits(time.dayOfYear);
    case 101: return padLeft(`${time.day}`, 2);
    case 70: return formatted("%Y-%m-%d");
    case 84: return formatted("%H:%M:%S");
    case 68: return formatted("%m/%d/%y");
    case 110: return "\n";
    case 116: return "\t";
    case 90: return "UTC";
    default: return String.fromCharCode(c);
  }
}

function formatted(format: string): string {
  let text = "";
  for (let i: i32 = 0; i < format.length; i++) {
    const percent = format.charCodeAt(i) == 37 && i + 1 < format.length;
    if (percent) i++;
    text = text + (percent ? field(format.charCodeAt(i)) : format.substring(i, i + 1));
  }
  return text;
}

function main(args: string[]): i32 {
  let option = nextOption(args, "u");
  while (option == 117) option = nextOption(args, "u");
  const rest = args.length - afterOptions;
  if (option != 0 || rest > 1 || (rest == 1 && !args[afterOptions]!.startsWith("+"))) {
    eprint("usage: date [-u] [+format]\n");
    return 2;
  }
  gettimeofday(addressof(now));
  time = calendarTime(now.sec);
  print(formatted(rest == 1 ? args[afterOptions]!.substring(1) : "%a %b %e %H:%M:%S UTC %Y") + "\n");
  return 0;
}

setMain(main);
