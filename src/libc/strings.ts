// Strings and memory: making strings from bytes, numbers as text, and small conversions that several programs need.

import { malloc } from './rt.ts';

/** A string of `length` bytes copied from `address`. */
export function stringOf(address: usize, length: i32): string {
  const record = malloc((length as usize) + 5);
  store<i32>(record, length);
  memory.copy(record + 4, address, length as usize);
  store<u8>(record + 4 + (length as usize), 0);
  return changetype<string>(record);
}

/** A string copied from a NUL-terminated one. */
export function stringAt(address: usize): string {
  let length: i32 = 0;
  while (load<u8>(address + (length as usize)) != 0) length++;
  return stringOf(address, length);
}

/** Decimal value of a string of digits with an optional minus sign, or `otherwise`. */
export function parseNumber(text: string, otherwise: i32): i32 {
  let at: i32 = 0;
  let negative = false;
  if (text.length > 0 && text.charCodeAt(0) == 45) {
    negative = true;
    at = 1;
  }
  if (at == text.length) return otherwise;
  let value: i32 = 0;
  for (; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return otherwise;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** `text` with blanks before it up to `width`. */
export function padLeft(text: string, width: i32): string {
  let padded = text;
  while (padded.length < width) padded = " " + padded;
  return padded;
}

/** `text` with blanks after it up to `width`. */
export function padRight(text: string, width: i32): string {
  let padded = text;
  while (padded.length < width) padded = padded + " ";
  return padded;
}

/** `value` times 1024 to the power of `scale` bytes, in at most four digits and a letter, rounded down: 512B, 1.5K, 83K, 40M. */
export function humanSize(value: u32, scale: i32): string {
  let rest = value;
  let tenths: u32 = 0;
  let power = scale;
  for (; rest >= 1024; power++) {
    tenths = ((rest & 1023) * 10) >>> 10;
    rest = rest >>> 10;
  }
  return (rest < 10 && power > scale ? `${rest}.${tenths}` : `${rest}`) + "BKMGT".substring(power, power + 1);
}

/** Two decimal digits. */
export function twoDigits(value: i32): string {
  return value < 10 ? `0${value}` : `${value}`;
}

/** Index of a byte from `from` on, or -1. */
export function indexOfByte(text: string, byte: i32, from: i32): i32 {
  for (let i = from; i < text.length; i++) if (text.charCodeAt(i) == byte) return i;
  return -1;
}

/** The words of a text, separated by blanks, tabs and newlines. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let start: i32 = -1;
  for (let i: i32 = 0; i <= text.length; i++) {
    const blank = i == text.length || text.charCodeAt(i) <= 32;
    if (blank && start >= 0) words.push(text.substring(start, i));
    if (blank) start = -1;
    else if (start < 0) start = i;
  }
  return words;
}

/** The parts of a text between separators, of which there may be none. */
export function splitAt(text: string, separator: string): string[] {
  const parts: string[] = [];
  const byte = separator.charCodeAt(0);
  let start: i32 = 0;
  for (let at = indexOfByte(text, byte, 0); at >= 0; at = indexOfByte(text, byte, start)) {
    parts.push(text.substring(start, at));
    start = at + 1;
  }
  parts.push(text.substring(start));
  return parts;
}

/** The lines of a text without their newlines. */
export function splitLines(text: string): string[] {
  const lines: string[] = [];
  let start: i32 = 0;
  for (let i: i32 = 0; i < text.length; i++) {
    if (text.charCodeAt(i) != 10) continue;
    lines.push(text.substring(start, i));
    start = i + 1;
  }
  if (start < text.length) lines.push(text.substring(start, text.length));
  return lines;
}

/** The last component of a path. */
export function baseName(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? path : path.substring(slash + 1, path.length);
}

/** A path without slashes at its end, but for one that is all of it. */
export function withoutSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path.charCodeAt(end - 1) == 47) end--;
  return path.substring(0, end);
}

/** At least `digits` lower-case hexadecimal digits. */
export function hexadecimal(value: u32, digits: i32): string {
  let text = "";
  let rest = value;
  while (rest != 0 || text.length < digits) {
    text = "0123456789abcdef".substring((rest & 15) as i32, ((rest & 15) + 1) as i32) + text;
    rest = rest >>> 4;
  }
  return text;
}
