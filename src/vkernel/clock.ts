// Time is the real kernel's: its monotonic clock, its time of day at start, and the time stamp counter, which user code may
// read. The clock is read from the real kernel's time page, where there is one, and by a system call with off=timepage. The
// tick is the process's interval timer.

import { O_RDONLY } from '../abi/file.ts';
import { MAP_SHARED, PROT_READ } from '../abi/mman.ts';
import { CLOCK_MONOTONIC, Rusage, RUSAGE_SELF, TimePage, Timespec, Timeval } from '../abi/time.ts';
import { TICK_NS } from '../kern/callout.ts';
import { timePageOn } from '../kern/tuning.ts';
import { clockGettime, close, getrusage, gettimeofday, mmap, open } from '../libc/sys.ts';
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

let page!: TimePage;
let mayMap: bool = true;
let pageMapped: bool = false;
let latest: u64 = 0;

/** Map the real kernel's time page, if it has one and we may. */
function mapTimePage(): void {
  mayMap = false;
  if (!timePageOn) return;
  const fd = open("/dev/time", O_RDONLY, 0);
  if (fd < 0) return;
  const at = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (at == 0xffffffff) return;
  page = changetype<TimePage>(at);
  pageMapped = true;
}

/**
 * What the page says, never less than before: a tick may have come a little early. Nor more than a tick beyond what it says: when ticks
 * are late, as where the processor of the real kernel is one that others use, the real kernel's clock and our timeouts wait for them, too.
 */
function pageTime(): u64 {
  const at = changetype<usize>(page);
  for (;;) {
    const sequence = load<u32>(at);
    const ratio = load<u32>(at, offsetof<TimePage>("ratio"));
    const passed = cycleCount() - load<u32>(at, offsetof<TimePage>("cyclesLow"));
    const low = load<u32>(at, offsetof<TimePage>("nsLow"));
    const high = load<u32>(at, offsetof<TimePage>("nsHigh"));
    const beyond: u64 = ((passed as u64) * (ratio as u64)) >> 20;
    const now: u64 = ((low as u64) | ((high as u64) << 32)) + (beyond < (TICK_NS as u64) ? beyond : (TICK_NS as u64));
    if ((sequence & 1) != 0 || load<u32>(at) != sequence) continue;
    if (now > latest) latest = now;
    return latest;
  }
}

/** Nanoseconds since clockInit. */
export function nanoTime(): u64 {
  if (mayMap) mapTimePage();
  return (pageMapped ? pageTime() : hostTime()) - startNs;
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

export const USED_IS_KNOWN: bool = true;
let usage!: Embed<Rusage>;

/** Microseconds of the real processor that all our threads have used. */
export function usedUsec(): u64 {
  if (getrusage(RUSAGE_SELF, addressof(usage)) < 0) return 0;
  return ((usage.utimeSec + usage.stimeSec) as u64) * (1000000 as u64) + ((usage.utimeUsec + usage.stimeUsec) as u64);
}
