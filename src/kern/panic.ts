// The end of the line: a kernel invariant does not hold. Says so on the console and stops the machine with PANIC_CODE, which no
// exit status of a program can be.

import { kprint } from './kprintf.ts';
import { cpuHalt } from 'machine/reset.ts';

/** What cpuHalt is told after a panic. */
export const PANIC_CODE: i32 = 0x100;
let panicking: bool = false;

/** Stop the machine because of our own bug. Never returns. */
export function panic(message: string): void {
  if (!panicking) {
    panicking = true;
    kprint("panic: ");
    kprint(message);
    kprint("\n");
  }
  for (;;) cpuHalt(PANIC_CODE);
}
