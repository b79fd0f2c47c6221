// printf: text by a format, which is used again while arguments are left: %s %d %i %u %o %x %X %c %b %% with width, precision and the flags
// - and 0, and the escapes \n \t \r \a \b \f \v \\ \" and octal \0ddd.

import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { eprint, flush, print } from '../libc/stdio.ts';
import { padLeft, padRight, parseNumber } from '../libc/strings.ts';
import { TextBuilder } from '../libc/text.ts';

const ESCAPES: string = "n\nt\tr\ra\x07b\x08f\x0cv\x0b\\\\\"\"";

let given: string[] = [];
let next: i32 = 0;
let status: i32 = 0;
let ended: bool = false;     // \c

/** The byte that the escape at `at` (behind the backslash) stands for goes to `out`; where the text goes on. */
function escape(text: string, at: i32, out: TextBuilder): i32 {
  const c = text.charCodeAt(at);
  if (c >= 48 && c <= 55) {
    let value: i32 = 0;
    let i = at;
    const most: i32 = c == 48 ? 4 : 3;
    for (; i < text.length && i < at + most && text.charCodeAt(i) >= 48 && text.charCodeAt(i) <= 55; i++) value = value * 8 + text.charCodeAt(i) - 48;
    out.addByte(value & 255);
    return i;
  }
  for (let i: i32 = 0; i < ESCAPES.length; i += 2) if (ESCAPES.charCodeAt(i) == c) {
    out.addByte(ESCAPES.charCodeAt(i + 1));
    return at + 1;
  }
  out.addByte(92);
  return at;
}

function unescaped(text: string): string {
  const out = new TextBuilder();
  for (let i: i32 = 0; i < text.length && !ended;) {
    const backslash = text.charCodeAt(i) == 92 && i + 1 < text.length;
    if (backslash && text.charCodeAt(i + 1) == 99) ended = true;
    else if (backslash) i = escape(text, i + 1, out);
    else out.addByte(text.charCodeAt(i++));
  }
  return out.take();
}

function argument(): string {
  return next < given.length ? given[next++]! : "";
}

const DIGITS: string = "0123456789abcdef";
const CAPITALS: string = "0123456789ABCDEF";

function inBase(value: u32, base: u32, digits: string): string {
  let text = "";
  let rest = value;
  do {
    const digit = (rest % base) as i32;
    text = digits.substring(digit, digit + 1) + text;
    rest = rest / base;
  } while (rest != 0);
  return text;
}

/** A number: decimal, octal after 0, hexadecimal after 0x, or a byte after a quote. */
function number(text: string): i32 {
  const minus = text.startsWith("-");
  const digits = minus || text.startsWith("+") ? text.substring(1) : text;
  if (text.length > 1 && (text.charCodeAt(0) == 39 || text.charCodeAt(0) == 34)) return text.charCodeAt(1);
  const hex = digits.startsWith("0x") || digits.startsWith("0X");
  const base: i32 = hex ? 16 : digits.startsWith("0") ? 8 : 10;
  let value: i32 = 0;
  for (let i: i32 = hex ? 2 : 0; i < digits.length; i++) {
    const c = digits.substring(i, i + 1);
    const digit = DIGITS.indexOf(c) >= 0 ? DIGITS.indexOf(c) : CAPITALS.indexOf(c);
    if (digit < 0 || digit >= base) {
      eprint("printf: " + text + ": not a number\n");
      status = 1;
      break;
    }
    value = value * base + digit;
  }
  return minus ? -value : value;
}

/** What one conversion makes of the next argument, before it is padded. */
function converted(letter: i32, precision: i32): string {
  if (letter == 115) return precision < 0 ? argument() : argument().substring(0, precision);
  if (letter == 98) return unescaped(argument());
  if (letter == 99) return argument().substring(0, 1);
  const value = number(argument());
  const signed = letter == 100 || letter == 105;
  const size = signed && value < 0 ? 0 - (value as u32) : value as u32;
  let text = inBase(size, letter == 111 ? 8 : letter == 120 || letter == 88 ? 16 : 10, letter == 88 ? CAPITALS : DIGITS);
  while (text.length < precision) text = "0" + text;
  return signed && value < 0 ? "-" + text : text;
}

function zeroPadded(text: string, width: i32): string {
  const sign = text.startsWith("-") ? "-" : "";
  let digits = text.substring(sign.length);
  while (digits.length + sign.length < width) digits = "0" + digits;
  return sign + digits;
}

/** One conversion, the text behind its %; where the format goes on, or -1 when it is none. */
function conversion(format: string, start: i32, out: TextBuilder): i32 {
  let at = start;
  let left = false;
  let zero = false;
  for (; at < format.length && (format.charCodeAt(at) == 45 || format.charCodeAt(at) == 48); at++) {
    if (format.charCodeAt(at) == 45) left = true;
    else zero = true;
  }
  const widthAt = at;
  while (at < format.length && format.charCodeAt(at) >= 48 && format.charCodeAt(at) <= 57) at++;
  const width = parseNumber(format.substring(widthAt, at), 0);
  let precision: i32 = -1;
  if (at < format.length && format.charCodeAt(at) == 46) {
    const from = ++at;
    while (at < format.length && format.charCodeAt(at) >= 48 && format.charCodeAt(at) <= 57) at++;
    precision = parseNumber(format.substring(from, at), 0);
  }
  if (at == format.length || "sbcdiuoxX".indexOf(format.substring(at, at + 1)) < 0) return -1;
  const letter = format.charCodeAt(at);
  const text = converted(letter, precision);
  const digits = "sbc".indexOf(format.substring(at, at + 1)) < 0;
  out.add(left ? padRight(text, width) : zero && digits && precision < 0 ? zeroPadded(text, width) : padLeft(text, width));
  return at + 1;
}

/** The format once; false when it has a conversion that there is not. */
function once(format: string): bool {
  const out = new TextBuilder();
  for (let at: i32 = 0; at < format.length && !ended;) {
    const c = format.charCodeAt(at);
    if (c == 92 && at + 1 < format.length) {
      at = escape(format, at + 1, out);
    } else if (c == 37 && at + 1 < format.length && format.charCodeAt(at + 1) == 37) {
      out.addByte(37);
      at += 2;
    } else if (c == 37) {
      at = conversion(format, at + 1, out);
      if (at < 0) return false;
    } else {
      out.addByte(c);
      at++;
    }
  }
  print(out.take());
  return true;
}

function main(args: string[]): i32 {
  const first: i32 = args.length > 1 && args[1] == "--" ? 2 : 1;
  if (first >= args.length) {
    eprint("usage: printf format [argument ...]\n");
    return 2;
  }
  given = args.slice(first + 1);
  for (;;) {
    const before = next;
    if (!once(args[first]!)) {
      eprint("printf: " + args[first]! + ": unknown conversion\n");
      return 2;
    }
    if (next == before || next >= given.length || ended) break;
  }
  return flush() ? status : fail("printf", "standard output");
}

setMain(main);
