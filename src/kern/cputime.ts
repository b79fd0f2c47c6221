// Where processor time has gone. Every crossing between user and system, every switch of threads, and every change between idling
// and working ends one stretch of time and begins the next at the same cycle, so that nothing is counted twice or lost: user +
// system + interrupts while idle + idle is what has passed. An interrupt that finds a thread on the CPU counts as its system
// time. In a virtual kernel cycles pass also while the host runs somebody else, and the host works for us where nothing of this is
// seen, in the thread that reads the disk; but the host knows what all our threads have used. There, system time is what they have
// used and no process has, and idle is the rest.

import { CpTime } from "../abi/file.ts";
import { splhigh, splx } from "machine/intr.ts";
import { cpuCycles, cycleCount, nanoTime, USED_IS_KNOWN, usedUsec } from "machine/clock.ts";
import { allProcs, Lwp, Proc, procSysCycles, procUserCycles } from "./proc.ts";

let startCycles: u64 = 0;            // when counting began
let ratioCycles: u64 = 0;            // when cycles and clock were first compared
let ratioNs: u64 = 0;
let idleCycles: u64 = 0;
let idleIntrCycles: u64 = 0;
let reapedUser: u64 = 0;             // of processes that are gone
let reapedSys: u64 = 0;

/** Counting begins: from here on all time is somebody's. Returns the first stamp. */
export function cpuTimeBegin(): u32 {
  usedSeen = usedUsec();
  startCycles = cpuCycles();
  return startCycles as u32;
}

/** The clock runs: from here on cycles can be compared with it. */
export function cpuTimeCompare(): void {
  ratioCycles = cpuCycles();
  ratioNs = nanoTime();
}

/** End a stretch of system time of lwp, and begin the next. At splhigh: the clock's interrupt does the same. */
export function chargeSystem(lwp: Lwp): void {
  const now = cycleCount();
  lwp.sysCycles += (now - lwp.cycleStamp) as u64;
  lwp.cycleStamp = now;
}

/** The same at any time. */
export function chargeNow(lwp: Lwp): void {
  const s = splhigh();
  chargeSystem(lwp);
  splx(s);
}

/** End a stretch of user time of lwp: it has just entered the kernel. */
export function chargeUser(lwp: Lwp): void {
  const now = cycleCount();
  const used = (now - lwp.cycleStamp) as u64;
  lwp.userCycles += used;
  if (lwp.ve != null) lwp.ve.cycles += used;
  lwp.cycleStamp = now;
}

/** End a stretch of idling in the context of lwp. */
export function chargeIdle(lwp: Lwp): void {
  const now = cycleCount();
  idleCycles += (now - lwp.cycleStamp) as u64;
  lwp.cycleStamp = now;
}

/** End an interrupt that ended such a stretch. */
export function chargeIdleInterrupt(lwp: Lwp): void {
  const now = cycleCount();
  idleIntrCycles += (now - lwp.cycleStamp) as u64;
  lwp.cycleStamp = now;
}

/** A process is reaped: its own times, without those of its children, stay in the sum. */
export function cpuTimeReaped(p: Proc): void {
  reapedUser += procUserCycles(p);
  reapedSys += procSysCycles(p);
}

/** Microseconds a cycle so far, as a fraction of 2^32. */
function usecPerCycle(): u64 {
  let elapsed: u64 = cpuCycles() - ratioCycles;
  let usec: u64 = (nanoTime() - ratioNs) / (1000 as u64);
  if (elapsed < 1024) return 0;
  while (usec >= 0x80000000) {
    usec >>= 1;
    elapsed >>= 1;
  }
  return (usec << 32) / elapsed;
}

function scale(cycles: u64, ratio: u64): u64 {
  return (cycles >> 32) * ratio + (((cycles & 0xffffffff) * ratio) >> 32);
}

/** Processor cycles as microseconds, by the ratio of cycles to clock so far. */
export function cyclesToUsec(cycles: u64): u64 {
  return scale(cycles, usecPerCycle());
}

/** Cycles of one kind, and what they came to in microseconds when somebody last asked: from there on the sum only grows. */
class Part {
  seen: u64 = 0;
  usec: u64 = 0;
}

let realPart!: Embed<Part>;
let userPart!: Embed<Part>;
let sysPart!: Embed<Part>;
let intrPart!: Embed<Part>;
let idleUsec: u64 = 0;
let usedSeen: u64 = 0;               // usedUsec

/** Adds what has come since it was last looked at, and answers how much. */
function advance(part: Part, cycles: u64, ratio: u64): u64 {
  const more: u64 = cycles > part.seen ? scale(cycles - part.seen, ratio) : 0;
  part.seen = cycles;
  part.usec += more;
  return more;
}

/** All of the above, up to this moment of the current thread. */
export function cpuTimes(current: Lwp, into: CpTime): void {
  let user = reapedUser;
  let sys = reapedSys;
  chargeNow(current);
  const real: u64 = cpuCycles() - startCycles;
  for (let p = allProcs(); p != null; p = p.next) {
    user += procUserCycles(p);
    sys += procSysCycles(p);
  }
  const ratio = usecPerCycle();
  if (ratio != 0) {
    const known = advance(userPart, user, ratio) + advance(intrPart, idleIntrCycles, ratio);
    const all = advance(realPart, real, ratio);
    const rest: u64 = all > known ? all - known : 0;
    const more = USED_IS_KNOWN ? moreSystem(known, rest) : advance(sysPart, sys, ratio);
    if (USED_IS_KNOWN) sysPart.usec += more;
    if (rest > more) idleUsec += rest - more;
  }
  const at = changetype<Ptr<u32>>(into);
  split(userPart.usec, at, 0);
  split(sysPart.usec, at, 2);
  split(intrPart.usec, at, 4);
  split(idleUsec, at, 6);
  split(realPart.usec, at, 8);
}

/** System time since it was last looked at: what the machine says has been used and was not `known` as something else, at most `rest`. */
function moreSystem(known: u64, rest: u64): u64 {
  const used = usedUsec();
  const more: u64 = used > usedSeen + known ? used - usedSeen - known : 0;
  if (used > usedSeen) usedSeen = used;
  return more < rest ? more : rest;
}

/** at[n], at[n+1] = seconds and microseconds. */
function split(usec: u64, at: Ptr<u32>, n: u32): void {
  const million: u64 = 1000000;
  at[n] = (usec / million) as u32;
  at[n + 1] = (usec % million) as u32;
}
