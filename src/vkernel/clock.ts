// Time is the real kernel's: its monotonic clock, its time of day at start, and the time stamp counter, which user code may
// read. The tick is the process's interval timer.

import { CLOCK_MONOTONIC, Timespec, Timeval } from '../abi/time.ts';
import { clockGettime, gettimeofday } from '../libc/sys.ts';
import { startTicks } from './intr.ts';

const NS_PER_SEC: u64 = 1000000000;

let now!: Embed<Timespec>;
let start!: Embed<Timeval>;
let startNs: u64 = 0;

function hostTime(): u64 {
  clockGettime(CLOCK_MONOTONIC, changetype<usize>(now));
  return (now.sec as u64) * NS_PER_SEC + (now.nsec as u64);
}

/** Start the tick. */
export function clockInit(): void {
  gettimeofday(changetype<usize>(start));
  startNs = hostTime();
  startTicks();
}

/** Nanoseconds since clockInit. */
export function nanoTime(): u64 {
  return hostTime() - startNs;
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
  return start.sec as u32;
}
