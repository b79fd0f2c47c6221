// Time: the clock interrupt, time of day, sleeping, interval timers, and what processor time was used.
//
// Processor time is measured, not sampled: every crossing between user and system, and every switch of threads, adds the
// processor cycles since the last one to its process. They become microseconds by the ratio of cycles to clock so far.

import { EINTR, EINVAL, ERESTART, EWOULDBLOCK } from "../abi/errno.ts";
import { SIGALRM } from "../abi/signal.ts";
import { CLOCK_MONOTONIC, CLOCK_REALTIME, ITIMER_REAL, RUSAGE_CHILDREN, RUSAGE_SELF, Rusage } from "../abi/time.ts";
import { epochSeconds, nanoTime } from "machine/clock.ts";
import { copyin, copyout } from "machine/copyio.ts";
import { calloutLeft, calloutReset, calloutStop, calloutTick, HZ, TICK_NS, ticks } from "./callout.ts";
import { timePageInit, timePageTick } from "./timepage.ts";
import { Lwp, Proc, procSysCycles, procUserCycles } from "./proc.ts";
import { chargeNow, cpuTimeCompare, cyclesToUsec } from "./cputime.ts";
import { PCATCH, schedBoost, schedTick, sleepGoesOn, tsleep } from "./sched.ts";
import { psignal } from "./sigpost.ts";

const NS_PER_SEC: u32 = 1000000000;
const TICK_USEC: i32 = 10000;

let wallBase: u32 = 0;             // seconds from 1970 to nanoTime() == 0

/** Begin measuring; the clock runs. */
export function timeInit(): void {
  cpuTimeCompare();
  timePageInit();
  wallBase = epochSeconds();
}

/** It is `seconds` past 1970 or later: the file system was last written then, and time must not run backwards. */
export function clockAtLeast(seconds: u32): void {
  const now = tickSeconds();
  if (now < seconds) wallBase += seconds - now;
}

/** The clock interrupt, HZ times a second, at splhigh. */
export function hardclock(): void {
  calloutTick();
  timePageTick();
  schedTick();
  if (ticks % HZ == 0) schedBoost();
}

/** Seconds since 1970 by the tick count, which costs nothing to read. */
export function tickSeconds(): u32 {
  return wallBase + ((ticks / HZ) as u32);
}

/** Write a process's usage: the times given, and its counters. */
export function fillRusage(usage: Rusage, user: u64, sys: u64, p: Proc): void {
  const million: u64 = 1000000;
  const userUsec = cyclesToUsec(user);
  const sysUsec = cyclesToUsec(sys);
  usage.utimeSec = (userUsec / million) as i32;
  usage.utimeUsec = (userUsec % million) as i32;
  usage.stimeSec = (sysUsec / million) as i32;
  usage.stimeUsec = (sysUsec % million) as i32;
  usage.minflt = p.minorFaults;
  usage.nvcsw = p.switches;
}

export function sysGetrusage(lwp: Lwp, a: Ptr<u32>): i32 {
  const who = a[0] as i32;
  const p = lwp.proc;
  if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN) return EINVAL;
  chargeNow(lwp);
  const usage = new Rusage();
  if (who == RUSAGE_SELF) fillRusage(usage, procUserCycles(p), procSysCycles(p), p);
  else fillRusage(usage, p.childUserCycles, p.childSysCycles, p);
  const error = copyout(changetype<usize>(usage), a[1], sizeof<Rusage>());
  free(usage);
  return error;
}

/** Four words for the times of a call in progress. */
function timeWords(lwp: Lwp): Ptr<i32> {
  return changetype<Ptr<i32>>(lwp.scratch);
}

export function sysGettimeofday(lwp: Lwp, a: Ptr<u32>): i32 {
  const pair = timeWords(lwp);
  const now = nanoTime();
  pair[0] = (wallBase + ((now / (NS_PER_SEC as u64)) as u32)) as i32;
  pair[1] = ((now % (NS_PER_SEC as u64)) / (1000 as u64)) as i32;
  return a[0] == 0 ? 0 : copyout(changetype<usize>(pair), a[0], 8);
}

export function sysClockGettime(lwp: Lwp, a: Ptr<u32>): i32 {
  const pair = timeWords(lwp);
  const clock = a[0] as i32;
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) return EINVAL;
  const now = nanoTime();
  const base = clock == CLOCK_REALTIME ? wallBase : 0;
  pair[0] = (base + ((now / (NS_PER_SEC as u64)) as u32)) as i32;
  pair[1] = (now % (NS_PER_SEC as u64)) as i32;
  return copyout(changetype<usize>(pair), a[1], 8);
}

const LONGEST_SLEEP: i32 = 20000000; // seconds that still fit a tick count

export function sysNanosleep(lwp: Lwp, a: Ptr<u32>): i32 {
  const pair = timeWords(lwp);
  const error = copyin(a[0], changetype<usize>(pair), 8);
  if (error != 0) return error;
  const sec = pair[0];
  const nsec = pair[1];
  if (sec < 0 || nsec < 0 || nsec >= 1000000000) return EINVAL;
  if (sec == 0 && nsec == 0) return 0;
  const whole = sec < LONGEST_SLEEP ? sec : LONGEST_SLEEP;
  const until = ticks + whole * HZ + (nsec + TICK_NS - 1) / TICK_NS + 1;
  let result = tsleep(changetype<usize>(lwp) + 1, PCATCH, "nanslp", until - ticks);
  while (sleepGoesOn(lwp, result) && until - ticks > 0) result = tsleep(changetype<usize>(lwp) + 1, PCATCH, "nanslp", until - ticks);
  if (result == EWOULDBLOCK || result == 0 || sleepGoesOn(lwp, result)) return 0;
  if (a[1] != 0) {
    ticksToPair(pair, until - ticks, 1000, 0);
    const copied = copyout(changetype<usize>(pair), a[1], 8);
    if (copied != 0) return copied;
  }
  return result == ERESTART ? EINTR : result;
}

/** pair[at], pair[at+1] = seconds and fraction of `n` ticks; the fraction counts microseconds times `unit`. */
function ticksToPair(pair: Ptr<i32>, n: i32, unit: i32, at: i32): void {
  pair[at] = n / HZ;
  pair[at + 1] = n % HZ * TICK_USEC * unit;
}

function pairToTicks(pair: Ptr<i32>, at: i32): i32 {
  const sec = pair[at] < LONGEST_SLEEP ? pair[at] : LONGEST_SLEEP;
  return sec * HZ + (pair[at + 1] + TICK_USEC - 1) / TICK_USEC;
}

/** Ticks of the timespec at `from`, rounded up, and one more for the tick that has begun; 0 only for 0. Or -errno. */
export function timeoutTicks(lwp: Lwp, from: usize): i32 {
  const pair = timeWords(lwp);
  const error = copyin(from, changetype<usize>(pair), 8);
  if (error != 0) return -error;
  if (pair[0] < 0 || pair[1] < 0 || pair[1] >= 1000000000) return -EINVAL;
  if (pair[0] == 0 && pair[1] == 0) return 0;
  const sec = pair[0] < LONGEST_SLEEP ? pair[0] : LONGEST_SLEEP;
  return sec * HZ + (pair[1] + TICK_NS - 1) / TICK_NS + 1;
}

/** The same for a timeval. */
export function timevalTicks(lwp: Lwp, from: usize): i32 {
  const pair = timeWords(lwp);
  const error = copyin(from, changetype<usize>(pair), 8);
  if (error != 0) return -error;
  if (pair[0] < 0 || pair[1] < 0 || pair[1] >= 1000000) return -EINVAL;
  return pair[0] == 0 && pair[1] == 0 ? 0 : pairToTicks(pair, 0) + 1;
}

function alarm(arg: usize): void {
  const p = changetype<Proc>(arg);
  if (p.itimerInterval != 0) calloutReset(p.itimer, p.itimerInterval, alarm, arg);
  psignal(p, SIGALRM);
}

function copyoutTimer(lwp: Lwp, to: usize): i32 {
  const p = lwp.proc;
  const pair = timeWords(lwp);
  ticksToPair(pair, p.itimerInterval, 1, 0);
  ticksToPair(pair, calloutLeft(p.itimer), 1, 2);
  return copyout(changetype<usize>(pair), to, 16);
}

/** Only ITIMER_REAL exists. Its resolution is the tick, rounded up. The new value may lie where the old one goes. */
export function sysSetitimer(lwp: Lwp, a: Ptr<u32>): i32 {
  const next = changetype<Ptr<i32>>(changetype<usize>(lwp.scratch) + 16);
  const p = lwp.proc;
  if (a[0] != (ITIMER_REAL as u32)) return EINVAL;
  let error = a[1] == 0 ? 0 : copyin(a[1], changetype<usize>(next), 16);
  if (error == 0 && a[2] != 0) error = copyoutTimer(lwp, a[2]);
  if (error != 0 || a[1] == 0) return error;
  if (next[0] < 0 || next[2] < 0 || next[1] < 0 || next[1] >= 1000000 || next[3] < 0 || next[3] >= 1000000) return EINVAL;
  p.itimerInterval = pairToTicks(next, 0);
  const first = pairToTicks(next, 2);
  if (first == 0) calloutStop(p.itimer);
  else calloutReset(p.itimer, first, alarm, changetype<usize>(p));
  return 0;
}

export function sysGetitimer(lwp: Lwp, a: Ptr<u32>): i32 {
  if (a[0] != (ITIMER_REAL as u32)) return EINVAL;
  return copyoutTimer(lwp, a[1]);
}
