// cut: parts of each line, by a list of numbers and ranges like 1,3-5,7-: -c of bytes, -f of fields, which -d separates (a tab
// without it); lines without a separator are printed as they are, or not with -s.

import { setMain } from '../libc/crt.ts';
import { inputLines, inputNames } from '../libc/input.ts';
import { afterOptions, nextOption, optionValue } from '../libc/options.ts';
import { fail } from '../libc/process.ts';
import { eprint, flush, print } from '../libc/stdio.ts';
import { parseNumber, splitAt } from '../libc/strings.ts';
import { TextBuilder } from '../libc/text.ts';

const MOST: i32 = 0x7fffffff;

class Range {
  first: i32 = 1;
  last: i32 = MOST;
}

const ranges: Range[] = [];

/** Takes a list; false when it is none. */
function takeList(list: string): bool {
  for (const part of splitAt(list, ",")) {
    const range = new Range();
    const minus = part.indexOf("-");
    const from = minus < 0 ? part : part.substring(0, minus);
    const to = minus < 0 ? part : part.substring(minus + 1);
    if (from != "") range.first = parseNumber(from, 0);
    if (to != "") range.last = parseNumber(to, 0);
    if (range.first < 1 || range.last < range.first || (from == "" && to == "")) return false;
    ranges.push(range);
  }
  return true;
}

function wanted(n: i32): bool {
  for (const range of ranges) if (n >= range.first && n <= range.last) return true;
  return false;
}

function bytesOf(line: string): string {
  const text = new TextBuilder();
  for (let i: i32 = 0; i < line.length; i++) if (wanted(i + 1)) text.addByte(line.charCodeAt(i));
  return text.take();
}

function fieldsOf(line: string, separator: string): string {
  const chosen: string[] = [];
  const fields = splitAt(line, separator);
  for (let i: i32 = 0; i < fields.length; i++) if (wanted(i + 1)) chosen.push(fields[i]!);
  return chosen.join(separator);
}

function usage(): i32 {
  eprint("usage: cut -c list [file ...] | cut -f list [-s] [-d separator] [file ...]\n");
  return 2;
}

function main(args: string[]): i32 {
  let separator = "\t";
  let kind: i32 = 0;
  let only = false;
  for (;;) {
    const option = nextOption(args, "c:f:d:s");
    if (option == 0) break;
    if (option == 99 || option == 102) {
      if (kind != 0 || !takeList(optionValue)) return usage();
      kind = option;
    } else if (option == 100 && optionValue.length == 1) separator = optionValue;
    else if (option == 115) only = true;
    else return usage();
  }
  if (kind == 0) return usage();
  let status: i32 = 0;
  for (const name of inputNames(args, afterOptions)) {
    const lines = inputLines("cut", name);
    if (lines == null) {
      status = 1;
      continue;
    }
    for (const line of lines) {
      const plain = kind == 102 && line.indexOf(separator) < 0;
      if (plain && only) continue;
      print((plain ? line : kind == 99 ? bytesOf(line) : fieldsOf(line, separator)) + "\n");
    }
  }
  return flush() ? status : fail("cut", "standard output");
}

setMain(main);
