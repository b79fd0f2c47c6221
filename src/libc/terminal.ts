// The terminal for programs that fill the screen or read single keys: raw mode and back, the screen's size, keys with a time
// limit. Works on standard input and output; whoever calls rawTerminal calls cookedTerminal before it ends.

import { ECHO, ICANON, TIOCGETA, TIOCGWINSZ, TIOCSETA, Termios, VMIN } from '../abi/file.ts';
import { Itimerval, ITIMER_REAL } from '../abi/time.ts';
import { SIGALRM, SigAction } from '../abi/signal.ts';
import { flush, print } from './stdio.ts';
import { ioctl, read, setitimer, sigaction } from './sys.ts';
import { TextBuilder } from './text.ts';

// Keys that are more than one byte, as readKey answers them.
export const KEY_UP: i32 = 0x101;
export const KEY_DOWN: i32 = 0x102;
export const KEY_RIGHT: i32 = 0x103;
export const KEY_LEFT: i32 = 0x104;
export const KEY_HOME: i32 = 0x105;
export const KEY_END: i32 = 0x106;
export const KEY_DELETE: i32 = 0x107;
export const KEY_PAGE_UP: i32 = 0x108;
export const KEY_PAGE_DOWN: i32 = 0x109;
/** readKey: no key within the time, or the end of input. */
export const KEY_NONE: i32 = -1;
export const KEY_EOF: i32 = -2;

const ESCAPE: i32 = 27;
const ESCAPE_MS: i32 = 50;

let original!: Embed<Termios>;
let raw!: Embed<Termios>;
let timer!: Embed<Itimerval>;
let action!: Embed<SigAction>;
let window!: FixedArray<u16, 4>;
let byte!: FixedArray<u8, 4>;
let isRaw: bool = false;
let pushed: i32 = KEY_NONE;

/** The descriptor is a terminal. */
export function isTerminal(fd: i32): bool {
  return ioctl(fd, TIOCGETA, addressof(raw)) == 0;
}

/** Keys one by one, without echo; signal keys stay, and Return is a newline. False: standard input is no terminal. */
export function rawTerminal(): bool {
  if (ioctl(0, TIOCGETA, addressof(original)) < 0) return false;
  memory.copy(addressof(raw), addressof(original), sizeof<Termios>());
  raw.lflag &= ~(ICANON | ECHO);
  store<u8>(addressof(raw) + 16 + (VMIN as u32), 1);
  isRaw = ioctl(0, TIOCSETA, addressof(raw)) == 0;
  return isRaw;
}

/** As it was before rawTerminal. */
export function cookedTerminal(): void {
  flush();
  if (isRaw) ioctl(0, TIOCSETA, addressof(original));
  isRaw = false;
}

export function screenRows(): i32 {
  return ioctl(0, TIOCGWINSZ, addressof(window)) < 0 || window[0] == 0 ? 24 : window[0] as i32;
}

export function screenColumns(): i32 {
  return ioctl(0, TIOCGWINSZ, addressof(window)) < 0 || window[1] == 0 ? 80 : window[1] as i32;
}

export function clearScreen(): void {
  print("\x1b[H\x1b[2J");
}

/** To row and column, both from 1. */
export function moveCursor(row: i32, column: i32): void {
  print(`\x1b[${row};${column}H`);
}

function onAlarm(_sig: i32): void {}

/** One byte within `ms` milliseconds (0: for ever); KEY_NONE or KEY_EOF. */
function readByte(ms: i32): i32 {
  if (ms > 0) setAlarm(ms);
  const n = read(0, addressof(byte), 1);
  if (ms > 0) setAlarm(0);
  return n == 1 ? byte[0] as i32 : n == 0 ? KEY_EOF : KEY_NONE;
}

/** SIGALRM after `ms`, and again every 10 ms in case it came before the read began; 0 ends it. */
function setAlarm(ms: i32): void {
  action.handler = codeof(onAlarm);
  if (ms > 0) sigaction(SIGALRM, addressof(action), 0);
  timer.valueSec = ms / 1000;
  timer.valueUsec = ms % 1000 * 1000;
  timer.intervalUsec = ms > 0 ? 10000 : 0;
  setitimer(ITIMER_REAL, addressof(timer), 0);
}

/** The next key, waiting at most `ms` milliseconds (0: for ever): a byte, KEY_*, KEY_NONE or KEY_EOF. */
export function readKey(ms: i32): i32 {
  flush();
  if (pushed != KEY_NONE) {
    const key = pushed;
    pushed = KEY_NONE;
    return key;
  }
  const first = readByte(ms);
  return first == ESCAPE ? escapeSequence() : first;
}

/** What follows an escape: a sequence that names a key, or the escape key alone. */
function escapeSequence(): i32 {
  const second = readByte(ESCAPE_MS);
  if (second != 91 && second != 79) {
    pushed = second < 0 ? KEY_NONE : second;
    return ESCAPE;
  }
  let c = readByte(ESCAPE_MS);
  let number: i32 = 0;
  while (c >= 48 && c <= 59) {
    number = c == 59 ? 0 : number * 10 + c - 48;
    c = readByte(ESCAPE_MS);
  }
  switch (c) {
    case 65: return KEY_UP;
    case 66: return KEY_DOWN;
    case 67: return KEY_RIGHT;
    case 68: return KEY_LEFT;
    case 72: return KEY_HOME;
    case 70: return KEY_END;
    case 126: return number == 3 ? KEY_DELETE : number == 5 ? KEY_PAGE_UP : number == 6 ? KEY_PAGE_DOWN : number == 1 ? KEY_HOME : KEY_END;
    default: return KEY_NONE;
  }
}

/** The text typed on a row of the screen after a prompt; empty after Escape. */
export function askLine(row: i32, prompt: string): string {
  const text = new TextBuilder();
  for (;;) {
    moveCursor(row, 1);
    print("\x1b[K" + prompt + text.toString());
    const key = readKey(0);
    if (key == 10 || key == 13 || key < 0) return text.take();
    if (key == 27) return "";
    if (key == 8 || key == 127) text.shorten(text.length - 1);
    else if (key >= 32 && key < 256) text.addByte(key);
  }
}
