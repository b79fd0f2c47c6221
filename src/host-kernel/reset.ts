// The ways out: power off, leave with an exit code, start again.

import { outb, outl, outw } from "./io.ts";

const DEBUG_EXIT: u32 = 0xf4;
const POWER: u32 = 0x604;
const SLP_EN: u32 = 0x2000;

/** Stop the machine. Code 0 powers off; any other goes to the debug-exit port, if the machine has one, first. */
export function cpuHalt(code: i32): void {
  asm`cli`;
  if (code != 0) outl(DEBUG_EXIT, code as u32);
  outw(POWER, SLP_EN);
  for (;;) {
    asm`cli
        hlt`;
  }
}

/** Start the machine again. */
export function cpuReboot(): void {
  asm`cli`;
  outb(0x64, 0xfe);
  outb(0xcf9, 6);
  for (;;) {
    asm`hlt`;
  }
}
