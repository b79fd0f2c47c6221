// sort: the lines of files in order. -n by the number at their start, -f upper and lower case alike, -b without leading blanks, -r
// backwards, -u each only once, -k N[,M][bfnr] from the Nth word on (to the Mth), -t C words that C separates, -o FILE instead of the
// standard output, which may be one of the files.

import { setMain } from '../libc/crt.ts';
import { inputLines, inputNames } from '../libc/input.ts';
import { afterOptions, nextOption, optionValue } from '../libc/options.ts';
import { fail } from '../libc/process.ts';
import { eprint, flush, print, replaceFile } from '../libc/stdio.ts';
import { parseNumber } from '../libc/strings.ts';
import { cstr } from '../libc/sys.ts';
import { TextBuilder } from '../libc/text.ts';

let numeric: bool = false;
let reverse: bool = false;
let fold: bool = false;
let blanks: bool = false;
let key: i32 = 1;
let lastKey: i32 = 0;          // 0: to the end of the line
let separator: i32 = -1;       // -1: blanks

/** Where word `word`, counted from 1, begins. */
function wordStart(line: string, word: i32): i32 {
  let at: i32 = 0;
  for (let i: i32 = 1; i < word; i++) at = separator < 0 ? wordEnd(line, at) : wordEnd(line, at) + 1;
  if (separator < 0 && word > 1) while (at < line.length && line.charCodeAt(at) <= 32) at++;
  return at < line.length ? at : line.length;
}

/** Where the word at `at` ends, blanks before it included. */
function wordEnd(line: string, at: i32): i32 {
  let end = at;
  if (separator < 0) while (end < line.length && line.charCodeAt(end) <= 32) end++;
  while (end < line.length && (separator < 0 ? line.charCodeAt(end) > 32 : line.charCodeAt(end) != separator)) end++;
  return end;
}

function upperCase(text: string): string {
  const out = new TextBuilder();
  for (let i: i32 = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    out.addByte(c >= 97 && c <= 122 ? c - 32 : c);
  }
  return out.take();
}

/** What of the line is compared. */
function keyOf(line: string): string {
  let start = wordStart(line, key);
  const end = lastKey == 0 ? line.length : wordEnd(line, wordStart(line, lastKey));
  if (blanks) while (start < end && line.charCodeAt(start) <= 32) start++;
  const text = start == 0 && end == line.length ? line : line.substring(start, end > start ? end : start);
  return fold ? upperCase(text) : text;
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
  if (order == 0 && !unique) order = a < b ? -1 : a == b ? 0 : 1;
  return reverse ? -order : order;
}

function usage(): i32 {
  eprint("usage: sort [-bfnru] [-k word[,word][bfnr]] [-t separator] [-o file] [file ...]\n");
  return 2;
}

function setFlag(letter: string): bool {
  if (letter == "n") numeric = true;
  else if (letter == "r") reverse = true;
  else if (letter == "f") fold = true;
  else if (letter == "b") blanks = true;
  else if (letter == "u") unique = true;
  else return false;
  return true;
}

/** N, N,M and letters after either; a byte after a dot in a word is not for us. */
function setKey(text: string): bool {
  let digits = "";
  for (let i: i32 = 0; i <= text.length; i++) {
    const c = i < text.length ? text.charCodeAt(i) : 44;
    if (c >= 48 && c <= 57) digits = digits + text.substring(i, i + 1);
    else if (c == 44) {
      const number = parseNumber(digits, 0);
      if (number < 1) return false;
      if (key == 0) key = number;
      else lastKey = number;
      digits = "";
    } else if (c == 117 || !setFlag(text.substring(i, i + 1))) return false;
  }
  return true;
}

let unique: bool = false;
let target: string = "";

function options(args: string[]): bool {
  for (let option = nextOption(args, "bfnruk:t:o:"); option != 0; option = nextOption(args, "bfnruk:t:o:")) {
    const letter = String.fromCharCode(option);
    if (letter == "k") {
      key = 0;
      if (!setKey(optionValue)) return false;
    } else if (letter == "t" && optionValue.length == 1) separator = optionValue.charCodeAt(0);
    else if (letter == "o") target = optionValue;
    else if (!setFlag(letter)) return false;
  }
  return true;
}

function write(lines: string[]): i32 {
  const chosen: string[] = [];
  for (let i: i32 = 0; i < lines.length; i++) if (!unique || i == 0 || compare(lines[i - 1]!, lines[i]!) != 0) chosen.push(lines[i]!);
  if (target == "") {
    for (const line of chosen) print(line + "\n");
    return flush() ? 0 : 2;
  }
  const text = chosen.length == 0 ? "" : chosen.join("\n") + "\n";
  return replaceFile(target, cstr(text), text.length as usize, 0x1b6) ? 0 : fail("sort", target) + 1;
}

function main(args: string[]): i32 {
  if (!options(args)) return usage();
  const all: string[] = [];
  for (const name of inputNames(args, afterOptions)) {
    const lines = inputLines("sort", name);
    if (lines == null) return 2;
    for (const line of lines) all.push(line);
  }
  return write(all.sort(compare));
}

setMain(main);
