// sort: the lines of files in order. -n by the number at their start, -r backwards, -u each only once, -k N by the Nth word on.

import { setMain } from '../libc/crt.ts';
import { inputLines, inputNames } from '../libc/input.ts';
import { eprint, flush, print } from '../libc/stdio.ts';
import { parseNumber } from '../libc/strings.ts';

let numeric: bool = false;
let reverse: bool = false;
let key: i32 = 1;

/** The line from its key on. */
function keyOf(line: string): string {
  let at: i32 = 0;
  for (let word: i32 = 1; word < key; word++) {
    while (at < line.length && line.charCodeAt(at) <= 32) at++;
    while (at < line.length && line.charCodeAt(at) > 32) at++;
  }
  if (key > 1) while (at < line.length && line.charCodeAt(at) <= 32) at++;
  return at == 0 ? line : line.substring(at);
}

function leadingNumber(text: string): i32 {
  let at: i32 = 0;
  while (at < text.length && text.charCodeAt(at) <= 32) at++;
  let end = at;
  if (end < text.length && text.charCodeAt(end) == 45) end++;
  while (end < text.length && text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57) end++;
  return parseNumber(text.substring(at, end), 0);
}

function compare(a: string, b: string): i32 {
  const x = keyOf(a);
  const y = keyOf(b);
  let order: i32 = 0;
  if (numeric) {
    const m = leadingNumber(x);
    const n = leadingNumber(y);
    order = m < n ? -1 : m > n ? 1 : 0;
  }
  if (order == 0) order = x < y ? -1 : x == y ? 0 : 1;
  if (order == 0 && key > 1) order = a < b ? -1 : a == b ? 0 : 1;
  return reverse ? -order : order;
}

function usage(): i32 {
  eprint("usage: sort [-nru] [-k word] [file ...]\n");
  return 2;
}

function main(args: string[]): i32 {
  let unique = false;
  let at: i32 = 1;
  for (; at < args.length && args[at]!.startsWith("-") && args[at] != "-"; at++) {
    if (args[at] == "-k" && at + 1 < args.length) {
      at++;
      key = parseNumber(args[at]!, 0);
      if (key < 1) return usage();
      continue;
    }
    for (let i: i32 = 1; i < args[at]!.length; i++) {
      const c = args[at]!.charCodeAt(i);
      if (c == 110) numeric = true;
      else if (c == 114) reverse = true;
      else if (c == 117) unique = true;
      else return usage();
    }
  }
  const all: string[] = [];
  for (const name of inputNames(args, at)) {
    const lines = inputLines("sort", name);
    if (lines == null) return 2;
    for (const line of lines) all.push(line);
  }
  all.sort(compare);
  for (let i: i32 = 0; i < all.length; i++) if (!unique || i == 0 || compare(all[i - 1]!, all[i]!) != 0) print(all[i]! + "\n");
  return flush() ? 0 : 2;
}

setMain(main);
