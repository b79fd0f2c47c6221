// Kernel messages. They go straight to the console, one byte at a time, and may be printed from any context.

import { consPutc } from 'machine/console.ts';

/** Print one byte; a newline becomes carriage return and newline on the wire. */
export function kputc(c: i32): void {
  if (c == 10) consPutc(13);
  consPutc(c);
}

/** Print a string. */
export function kprint(s: string): void {
  for (let i = 0; i < s.length; i++) kputc(s.charCodeAt(i));
}

/** Print `value` in hexadecimal, eight digits, without building a string. */
export function kprintHex(value: u32): void {
  for (let shift: i32 = 28; shift >= 0; shift -= 4) {
    const digit = ((value >>> shift) & 15) as i32;
    kputc(digit < 10 ? 48 + digit : 87 + digit);
  }
}

/** Print `value` in decimal, without building a string. */
export function kprintNumber(value: u32): void {
  if (value >= 10) kprintNumber(value / 10);
  kputc((48 + value % 10) as i32);
}
