// The console is the process's standard input and output. Output is gathered and written in pieces, at the latest when the
// kernel returns to a process or idles; input is announced by the kqueue and read without blocking. The terminal is in raw mode
// while the virtual kernel runs and is given back as it was; of its signal characters only QUIT stays: it is for the virtual kernel itself.

import { ICANON, ECHO, ICRNL, ISIG, O_FNONBLOCKING, ONLCR, OPOST, Termios, TIOCGETA, TIOCGWINSZ, TIOCSETA, VINTR, VSTATUS, VSUSP } from '../abi/file.ts';
import { ttyInput, ttySetWindow, consoleTty } from '../kern/tty.ts';
import { extpread, ioctl, write } from '../libc/sys.ts';
import { watchInput } from './events.ts';

const ROOM: u32 = 512;

class OutputBuffer {
  used: u32 = 0;
  bytes!: FixedArray<u8, 512>;
}
class InputBuffer { bytes!: FixedArray<u8, 32>; }
let output!: Embed<OutputBuffer>;
let input!: Embed<InputBuffer>;
let original!: Embed<Termios>;
let raw!: Embed<Termios>;
class Window { window: u32 = 0; pixels: u32 = 0; }
let size!: Embed<Window>;
let isTerminal: bool = false;

/** There is output that has not been written. */
export function consGathered(): bool {
  return output.used != 0;
}

/** Writes what has been gathered. */
export function consFlush(): void {
  let done: u32 = 0;
  while (done < output.used) {
    const n = write(1, changetype<usize>(output.bytes) + done, output.used - done);
    if (n <= 0) break;
    done += n as u32;
  }
  output.used = 0;
}

export function consPutc(c: i32): void {
  if (output.used == ROOM) consFlush();
  output.bytes[output.used] = c as u8;
  output.used++;
}

/** Takes what was typed. At splhigh. */
function consInput(): void {
  for (;;) {
    const n = extpread(0, changetype<usize>(input.bytes), 32, O_FNONBLOCKING, -1);
    if (n <= 0) return;
    for (let i: i32 = 0; i < n; i++) ttyInput(consoleTty!, input.bytes[i] as i32);
  }
}

function disable(character: i32): void {
  store<u8>(changetype<usize>(raw) + offsetof<Termios>("cc0") + (character as u32), 0);
}

/** Our terminal's window becomes our processes' one. At splhigh. */
export function consWindow(): void {
  if (ioctl(0, TIOCGWINSZ, changetype<usize>(size)) == 0) ttySetWindow(consoleTty, size.window, size.pixels);
}

/** Puts the terminal, if it is one, into raw mode, and asks to be told of input. */
export function consInit(): void {
  watchInput(0, consInput);
  isTerminal = ioctl(0, TIOCGETA, changetype<usize>(original)) == 0;
  if (!isTerminal) return;
  memory.copy(changetype<usize>(raw), changetype<usize>(original), sizeof<Termios>());
  raw.iflag = raw.iflag & ~ICRNL;
  raw.oflag = raw.oflag & ~(OPOST | ONLCR);
  raw.lflag = (raw.lflag & ~(ICANON | ECHO)) | ISIG;
  disable(VINTR);
  disable(VSUSP);
  disable(VSTATUS);
  ioctl(0, TIOCSETA, changetype<usize>(raw));
}

/** Writes everything and gives the terminal back. */
export function consEnd(): void {
  consFlush();
  if (!isTerminal) return;
  ioctl(0, TIOCSETA, changetype<usize>(original));
}
