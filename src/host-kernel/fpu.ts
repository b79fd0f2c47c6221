// The PC's part of lazy FPU switching (kern/fpu.ts): CR0.TS is set whenever the thread on the CPU may not use the FPU
// unannounced, and its next FPU instruction is then #NM.

import { readCr0, readCr4, writeCr0, writeCr4 } from "./io.ts";

const CR0_MP: u32 = 2;
const CR0_EM: u32 = 4;
const CR0_TS: u32 = 8;
const CR0_NE: u32 = 0x20;
const CR4_OSFXSR: u32 = 0x200;

/** CR0.TS is set: the next FPU instruction traps. */
export let tsSet: bool = false;

/** Set CR0, and CR4 when there is FXSAVE. */
export function fpuEnable(fxsr: bool): void {
  if (fxsr) writeCr4(readCr4() | CR4_OSFXSR);
  writeCr0((readCr0() & ~CR0_EM) | CR0_MP | CR0_NE | CR0_TS);
  tsSet = true;
}

/** The kernel itself may execute FPU instructions from here on. */
export function fpuReach(): void {
  if (!tsSet) return;
  tsSet = false;
  asm`clts`;
}

/** The thread that returns to user mode may use the FPU freely, or its next FPU instruction traps. */
export function fpuArm(free: bool): void {
  if (free) fpuReach();
  else if (!tsSet) {
    tsSet = true;
    writeCr0(readCr0() | CR0_TS);
  }
}
