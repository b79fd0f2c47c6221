// sleep: waits for a number of seconds, which may have a fraction. Being stopped and continued does not end it early.

import { EINTR } from '../abi/errno.ts';
import { Timespec } from '../abi/time.ts';
import { setMain } from '../libc/crt.ts';
import { eprint } from '../libc/stdio.ts';
import { parseNumber } from '../libc/strings.ts';
import { errno, nanosleep } from '../libc/sys.ts';

let time!: Embed<Timespec>;

/** Nanoseconds of the digits after the point, or -1. */
function nanoseconds(digits: string): i32 {
  let value: i32 = 0;
  for (let i: i32 = 0; i < 9; i++) {
    const digit = i < digits.length ? digits.charCodeAt(i) - 48 : 0;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function main(args: string[]): i32 {
  const text = args.length == 2 ? args[1]! : "";
  const point = text.indexOf(".");
  time.sec = point == 0 ? 0 : parseNumber(point < 0 ? text : text.substring(0, point), -1);
  time.nsec = point < 0 ? 0 : nanoseconds(text.substring(point + 1));
  if (time.sec < 0 || time.nsec < 0) {
    eprint("usage: sleep seconds\n");
    return 2;
  }
  while (nanosleep(addressof(time), addressof(time)) < 0 && errno() == EINTR) {}
  return 0;
}

setMain(main);
