// PCI configuration space by mechanism 1 (PCI 2.1, 3.7.4.1), as far as finding one device needs it.

import { inl, outl } from "./io.ts";

const ADDRESS: u32 = 0xcf8;
const DATA: u32 = 0xcfc;
const ENABLE: u32 = 0x80000000;
const CLASS: u32 = 8;
const FUNCTIONS: u32 = 256;           // of bus 0: 32 devices of 8

/** No such function. */
export const NO_FUNCTION: u32 = 0xffffffff;

/** The 32-bit register of a function of bus 0. */
export function pciRead(fn: u32, register: u32): u32 {
  outl(ADDRESS, ENABLE | (fn << 8) | register);
  return inl(DATA);
}

export function pciWrite(fn: u32, register: u32, value: u32): void {
  outl(ADDRESS, ENABLE | (fn << 8) | register);
  outl(DATA, value);
}

/** The first function on bus 0 whose class and subclass are \`class16\`, or NO_FUNCTION. */
export function pciFind(class16: u32): u32 {
  for (let fn: u32 = 0; fn < FUNCTIONS; fn++) {
    if (pciRead(fn, 0) != NO_FUNCTION && pciRead(fn, CLASS) >>> 16 == class16) return fn;
  }
  return NO_FUNCTION;
}
