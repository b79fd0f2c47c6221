// cmp: compares two files byte by byte. Exit code 0: equal, 1: different (says where), 2: one cannot be read. -s is silent.

import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { eprint, print, readFile } from '../libc/stdio.ts';
import { cstr } from '../libc/sys.ts';

function firstDifference(a: string, b: string): i32 {
  const shorter = a.length < b.length ? a.length : b.length;
  if (memory.compare(cstr(a), cstr(b), shorter as usize) == 0) return shorter;
  let i: i32 = 0;
  while (a.charCodeAt(i) == b.charCodeAt(i)) i++;
  return i;
}

function main(args: string[]): i32 {
  const silent = args.length > 1 && args[1] == "-s";
  const first: i32 = silent ? 2 : 1;
  if (args.length != first + 2) {
    eprint("usage: cmp [-s] file1 file2\n");
    return 2;
  }
  const a = readFile(args[first]!);
  if (a == null) {
    fail("cmp", args[first]!);
    return 2;
  }
  const b = readFile(args[first + 1]!);
  if (b == null) {
    fail("cmp", args[first + 1]!);
    return 2;
  }
  if (a == b) return 0;
  const at = firstDifference(a, b);
  const shorter = a.length < b.length ? a.length : b.length;
  if (!silent && at < shorter) print(`${args[first]} ${args[first + 1]} differ: byte ${at + 1}\n`);
  if (!silent && at == shorter) print(`cmp: EOF on ${a.length < b.length ? args[first] : args[first + 1]} after byte ${at}\n`);
  return 1;
}

setMain(main);
