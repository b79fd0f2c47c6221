// Signal sets: four words of which the first two are in use; signal n is bit n-1.

import type { SigSet } from "../abi/signal.ts";
import { SIGCONT, SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU } from "../abi/signal.ts";

export const STOP_SIGNALS: u32 = (1 << (SIGSTOP - 1)) | (1 << (SIGTSTP - 1)) | (1 << (SIGTTIN - 1)) | (1 << (SIGTTOU - 1));
export const CONT_SIGNAL: u32 = 1 << (SIGCONT - 1);
export const CANT_MASK: u32 = (1 << (SIGKILL - 1)) | (1 << (SIGSTOP - 1));

function sigBit(sig: i32): u32 {
  return (1 as u32) << ((sig - 1) & 31);
}

export function sigIsMember(set: SigSet, sig: i32): bool {
  return ((sig <= 32 ? set.w0 : set.w1) & sigBit(sig)) != 0;
}

export function sigAdd(set: SigSet, sig: i32): void {
  if (sig <= 32) set.w0 |= sigBit(sig);
  else set.w1 |= sigBit(sig);
}

export function sigDelete(set: SigSet, sig: i32): void {
  if (sig <= 32) set.w0 &= ~sigBit(sig);
  else set.w1 &= ~sigBit(sig);
}

export function sigCopy(to: SigSet, from: SigSet): void {
  to.w0 = from.w0;
  to.w1 = from.w1;
}

/** Number of the lowest set bit of a word that is not 0. */
function lowestBit(word: u32): i32 {
  let n: i32 = 0;
  while (((word >>> (n as u32)) & 1) == 0) n++;
  return n;
}

/** The lowest signal of `set` that is not in `mask`, or 0. */
export function sigFirst(set: SigSet, mask: SigSet): i32 {
  const w0: u32 = set.w0 & ~mask.w0;
  if (w0 != 0) return lowestBit(w0) + 1;
  const w1: u32 = set.w1 & ~mask.w1;
  if (w1 != 0) return lowestBit(w1) + 33;
  return 0;
}
