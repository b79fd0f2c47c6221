// Interrupts: the two 8259 controllers on vectors 0x20-0x2f, the table of handlers, and the one priority level we have:
// splhigh disables interrupts, splx puts back what splhigh found.

import { inb, outb } from "./io.ts";

export const T_INTR: u32 = 0x40;       // trapno of irq 0 in our own frames
const PIC1: u32 = 0x20;
const PIC2: u32 = 0xa0;
const VECTOR: u32 = 0x20;
const EOI: u32 = 0x20;
const READ_ISR: u32 = 0x0b;
const READ_IRR: u32 = 0x0a;
const PSL_I: i32 = 0x200;

let handlers!: FixedArray<(() => void) | null, 16>;
let mask: u32 = 0xfffb;                // all but the cascade

/** Both controllers in 8086 mode with every line off. */
export function intrInit(): void {
  outb(PIC1, 0x11);
  outb(PIC2, 0x11);
  outb(PIC1 + 1, VECTOR);
  outb(PIC2 + 1, VECTOR + 8);
  outb(PIC1 + 1, 4);
  outb(PIC2 + 1, 2);
  outb(PIC1 + 1, 1);
  outb(PIC2 + 1, 1);
  writeMask();
}

function writeMask(): void {
  outb(PIC1 + 1, mask & 255);
  outb(PIC2 + 1, mask >>> 8);
}

/** Have `handler` called, at splhigh, on each interrupt of a line, and let the line through. */
export function intrRegister(irq: u32, handler: () => void): void {
  handlers[irq] = handler;
  mask &= ~((1 as u32) << irq);
  writeMask();
}

/** A line's interrupt is waiting to be delivered. */
export function intrWaiting(irq: u32): bool {
  outb(PIC1, READ_IRR);
  return ((inb(PIC1) as u32) & ((1 as u32) << irq)) != 0;
}

/** Acknowledge and handle one interrupt. Lines 7 and 15 may be spurious. */
export function intrDispatch(irq: u32): void {
  if (irq == 7 && !inService(PIC1)) return;
  if (irq == 15 && !inService(PIC2)) {
    outb(PIC1, EOI);
    return;
  }
  if (irq >= 8) outb(PIC2, EOI);
  outb(PIC1, EOI);
  const handler = handlers[irq];
  if (handler != null) handler();
}

function inService(pic: u32): bool {
  outb(pic, READ_ISR);
  return ((inb(pic) as u32) & 0x80) != 0;
}

/** Disable interrupts; returns what splx needs. */
export function splhigh(): i32 {
  let flags: i32 = 0;
  asm`pushfd
      pop eax
      cli
      mov ${flags}, eax`;
  return flags & PSL_I;
}

/** Put back the level that splhigh returned. */
export function splx(s: i32): void {
  if (s != 0) {
    asm`sti`;
  }
}

/** Let interrupts in for the first time. */
export function intrEnable(): void {
  asm`sti`;
}

/** Wait for an interrupt and handle it. Called and returns at splhigh. */
export function cpuIdle(): void {
  asm`sti
      hlt
      cli`;
}
