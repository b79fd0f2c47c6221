// The console: the 16550 at COM1, 115200 baud, 8N1. Output is polled; input interrupts on line 4 and goes to the terminal.

import { ttyInput, consoleTty } from "../kern/tty.ts";
import { inb, outb } from "./io.ts";
import { intrRegister } from "./intr.ts";

const DATA: u32 = 0x3f8;
const INTERRUPTS: u32 = 0x3f9;
const FIFO: u32 = 0x3fa;
const LINE: u32 = 0x3fb;
const MODEM: u32 = 0x3fc;
const STATUS: u32 = 0x3fd;

const RECEIVED: u32 = 1;
const ROOM: u32 = 0x20;
const PATIENCE: u32 = 1000000;

/** Set up the line and let input in. */
export function consInit(): void {
  outb(INTERRUPTS, 0);
  outb(LINE, 0x80);              // divisor latch
  outb(DATA, 1);
  outb(INTERRUPTS, 0);
  outb(LINE, 3);                 // 8 bits, no parity, one stop bit
  outb(FIFO, 7);                 // on, both cleared, interrupt on the first byte
  outb(MODEM, 0x0b);             // DTR, RTS, OUT2: the interrupt line
  intrRegister(4, received);
  outb(INTERRUPTS, RECEIVED);
}

/** Send one byte. */
export function consPutc(c: i32): void {
  for (let i: u32 = 0; i < PATIENCE; i++) {
    if (((inb(STATUS) as u32) & ROOM) != 0) break;
  }
  outb(DATA, c as u32);
}

function received(): void {
  while (((inb(STATUS) as u32) & RECEIVED) != 0) ttyInput(consoleTty, inb(DATA) as i32);
}
