// tr: replaces the bytes of standard input that are in one set by those of another; -d deletes them, -s makes one of several equal
// ones in a row, -c means all other bytes. A set is text with ranges a-z, \n, \t, \\ and octal \012, or the classes [:alpha:] [:digit:]
// [:lower:] [:upper:] [:space:] [:alnum:] [:punct:].

import { setMain } from '../libc/crt.ts';
import { inputText } from '../libc/input.ts';
import { afterOptions, nextOption } from '../libc/options.ts';
import { fail } from '../libc/process.ts';
import { eprint, flush, print } from '../libc/stdio.ts';
import { TextBuilder } from '../libc/text.ts';

let at: i32 = 0;             // in the set that is being read
let one!: FixedArray<bool, 256>;
let two!: FixedArray<bool, 256>;
let map!: FixedArray<u8, 256>;

function inClass(name: string, c: i32): bool {
  const lower = c >= 97 && c <= 122;
  const upper = c >= 65 && c <= 90;
  const digit = c >= 48 && c <= 57;
  if (name == "lower") return lower;
  if (name == "upper") return upper;
  if (name == "digit") return digit;
  if (name == "alpha") return lower || upper;
  if (name == "alnum") return lower || upper || digit;
  if (name == "space") return c == 32 || (c >= 9 && c <= 13);
  return name == "punct" && c > 32 && c < 127 && !lower && !upper && !digit;
}

/** One byte of a set, after a backslash what it stands for. */
function byteOf(text: string): i32 {
  const c = text.charCodeAt(at++);
  if (c != 92 || at == text.length) return c;
  const next = text.charCodeAt(at++);
  if (next == 110) return 10;
  if (next == 116) return 9;
  if (next == 114) return 13;
  if (next < 48 || next > 55) return next;
  let value = next - 48;
  for (let digits: i32 = 1; digits < 3 && at < text.length && text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 55; digits++) {
    value = value * 8 + text.charCodeAt(at++) - 48;
  }
  return value & 255;
}

/** The bytes of a set in order. */
function setOf(text: string): string {
  const set = new TextBuilder();
  at = 0;
  while (at < text.length) {
    const end = text.substring(at, at + 2) == "[:" ? text.substring(at).indexOf(":]") : -1;
    if (end > 0) {
      const name = text.substring(at + 2, at + end);
      for (let c: i32 = 0; c < 256; c++) if (inClass(name, c)) set.addByte(c);
      at += end + 2;
      continue;
    }
    const low = byteOf(text);
    let high = low;
    if (at + 1 < text.length && text.charCodeAt(at) == 45) {
      at++;
      high = byteOf(text);
    }
    for (let c = low; c <= high; c++) set.addByte(c);
  }
  return set.take();
}

function complementOf(set: string): string {
  const other = new TextBuilder();
  for (let c: i32 = 0; c < 256; c++) if (set.indexOf(String.fromCharCode(c)) < 0) other.addByte(c);
  return other.take();
}

function translate(text: string, deletes: bool, squeezes: bool): string {
  const out = new TextBuilder();
  let last: i32 = -1;
  for (let i: i32 = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (deletes && one[c]!) continue;
    const to = map[c] as i32;
    if (squeezes && to == last && two[to]!) continue;
    out.addByte(to);
    last = to;
  }
  return out.take();
}

function main(args: string[]): i32 {
  let complement = false;
  let deletes = false;
  let squeezes = false;
  let option = nextOption(args, "cds");
  for (; option > 0; option = nextOption(args, "cds")) {
    if (option == 99) complement = true;
    else if (option == 100) deletes = true;
    else squeezes = true;
  }
  const sets = args.length - afterOptions;
  const most: i32 = deletes && !squeezes ? 1 : 2;
  const least: i32 = deletes && squeezes ? 2 : deletes || squeezes ? 1 : 2;
  if (option < 0 || sets < least || sets > most) {
    eprint("usage: tr [-cs] set1 set2 | tr -d[c] set1 | tr -s[c] set1 | tr -ds[c] set1 set2\n");
    return 2;
  }
  let from = setOf(args[afterOptions]!);
  if (complement) from = complementOf(from);
  const to = sets == 2 ? setOf(args[afterOptions + 1]!) : from;
  for (let c: i32 = 0; c < 256; c++) map[c] = c as u8;
  for (let i: i32 = 0; i < from.length; i++) one[from.charCodeAt(i)] = true;
  for (let i: i32 = 0; i < to.length; i++) two[to.charCodeAt(i)] = true;
  if (!deletes && to.length != 0) for (let i: i32 = 0; i < from.length; i++) map[from.charCodeAt(i)] = to.charCodeAt(i < to.length ? i : to.length - 1) as u8;
  const text = inputText("tr", "-");
  if (text == null) return 1;
  print(translate(text, deletes, squeezes));
  return flush() ? 0 : fail("tr", "standard output");
}

setMain(main);
