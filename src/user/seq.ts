// seq: the whole numbers from one to another, each on a line: seq [FIRST [STEP]] LAST.

import { setMain } from '../libc/crt.ts';
import { eprint, print } from '../libc/stdio.ts';
import { parseNumber } from '../libc/strings.ts';

const NOT_A_NUMBER: i32 = -0x80000000;

function main(args: string[]): i32 {
  const numbers: i32[] = [];
  for (let i: i32 = 1; i < args.length; i++) numbers.push(parseNumber(args[i]!, NOT_A_NUMBER));
  const step: i32 = numbers.length == 3 ? numbers[1]! : 1;
  if (numbers.length < 1 || numbers.length > 3 || step == 0 || numbers.indexOf(NOT_A_NUMBER) >= 0) {
    eprint("usage: seq [first [step]] last\n");
    return 2;
  }
  const last: i32 = numbers[numbers.length - 1]!;
  let n: i64 = numbers.length == 1 ? 1 : (numbers[0]! as i64);
  for (; step > 0 ? n <= (last as i64) : n >= (last as i64); n += step as i64) print(`${n as i32}\n`);
  return 0;
}

setMain(main);
