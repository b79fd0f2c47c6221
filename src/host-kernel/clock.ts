// Time from the 8254: channel 0 interrupts HZ times a second, and its counter gives the time within a tick. Processor
// cycles come from the time stamp counter and serve only to share out time among processes.

import { splhigh, splx, intrRegister, intrWaiting } from "./intr.ts";
import { hardclock } from "../kern/time.ts";
import { inb, outb } from "./io.ts";

const PIT_HZ: u64 = 1193182;
const DIVISOR: u32 = 11932;            // PIT_HZ / HZ
const NS_PER_SEC: u64 = 1000000000;
const FALLBACK_EPOCH: u32 = 1167609600; // 1 January 2007

let pitTicks: u32 = 0;
let lastCount: u64 = 0;                // so that time never runs backwards
let epoch: u32 = 0;

/** Start the tick. */
export function clockInit(): void {
  epoch = readRtc();
  outb(0x43, 0x34);                    // channel 0, low then high byte, rate generator
  outb(0x40, DIVISOR & 255);
  outb(0x40, DIVISOR >>> 8);
  intrRegister(0, clockInterrupt);
}

function clockInterrupt(): void {
  pitTicks++;
  hardclock();
}

/** Nanoseconds since clockInit. */
export function nanoTime(): u64 {
  const s = splhigh();
  outb(0x43, 0);                       // latch channel 0
  const low = inb(0x40) as u32;
  const left = low | ((inb(0x40) as u32) << 8);
  let into = DIVISOR - left;
  if (into < DIVISOR / 2 && intrWaiting(0)) into += DIVISOR; // the counter has wrapped, its interrupt is still to come
  let count: u64 = (pitTicks as u64) * (DIVISOR as u64) + (into as u64);
  if (count < lastCount) count = lastCount;
  lastCount = count;
  splx(s);
  return count / PIT_HZ * NS_PER_SEC + count % PIT_HZ * NS_PER_SEC / PIT_HZ;
}

/** The low word of cpuCycles, for differences of less than a tick or two. */
export function cycleCount(): u32 {
  let low: u32 = 0;
  asm`rdtsc
      mov ${low}, eax`;
  return low;
}

/** Processor cycles since some moment. */
export function cpuCycles(): u64 {
  let low: u32 = 0;
  let high: u32 = 0;
  asm`rdtsc
      mov ${low}, eax
      mov ${high}, edx`;
  return ((high as u64) << 32) | (low as u64);
}

/** Seconds from 1970 to clockInit. */
export function epochSeconds(): u32 {
  return epoch;
}

function rtc(register: u32): u32 {
  outb(0x70, register);
  const value = inb(0x71) as u32;
  return (value >>> 4) * 10 + (value & 15);
}

/** The battery-backed clock (BCD, 24 hours), or a fixed date when it has no valid time. */
function readRtc(): u32 {
  outb(0x70, 0x0d);
  if ((inb(0x71) & 0x80) == 0) return FALLBACK_EPOCH;
  const day = daysSince1970(2000 + rtc(9), rtc(8), rtc(7));
  return ((day * 24 + rtc(4)) * 60 + rtc(2)) * 60 + rtc(0);
}

function daysSince1970(year: u32, month: u32, day: u32): u32 {
  // Years that begin in March make the leap day the last of its year.
  const y = month <= 2 ? year - 1 : year;
  const m = month <= 2 ? month + 9 : month - 3;
  return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

export const USED_IS_KNOWN: bool = false;

/** Microseconds that the processors have used, where somebody else keeps count: nobody does here. */
export function usedUsec(): u64 {
  return 0;
}
