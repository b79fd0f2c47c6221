// The scheduler: run queues, sleep queues, and the one place where the CPU changes threads.
//
// Rules. One CPU is in the kernel at a time, and kernel code is never preempted: a thread loses the CPU only in miSwitch, which
// tsleep, stops, exit and the return to user mode call. Both kinds of queue are touched only at splhigh. wakeup may be called
// from interrupts. When no thread can run, the only CPU idles in the context of whichever thread gave it up last; one of
// several (cpu.ts) idles in its idle thread.

import { ERESTART, EWOULDBLOCK } from "../abi/errno.ts";
import { splhigh, splx, cpuIdle } from "machine/intr.ts";
import { cpuSwitch } from "machine/swtch.ts";
import { calloutReset, calloutStop } from "./callout.ts";
import { cpuCount, cpuPlace, cpuTick, curCpu } from "./cpu.ts";
import { chargeIdle, chargeIdleInterrupt, chargeSystem } from "./cputime.ts";
import { panic } from "./panic.ts";
import { lwpBury } from "./lwp.ts";
import { curLwp, kstackIntact, LS_RUN, LS_SLEEP, Lwp, setCurLwp } from "./proc.ts";
import { cursig, signalPending, sleepInterruption } from "./signal.ts";

/** tsleep flag: signals end the sleep. */
export const PCATCH: i32 = 0x100;
/** tsleep flag: a sleep of umtx_sleep. */
export const PUMTX: i32 = 0x200;

/** The thread on the CPU should give it up before it returns to user mode. */
export let needResched: bool = false;

/** Levels of priority; idle threads are below the last. */
export const LEVELS: i32 = 8;
const QUANTUM: i32 = 4;           // ticks of a turn
const CHAINS: u32 = 64;

let runHead!: FixedArray<Lwp | null, 8>;
let runTail!: FixedArray<Lwp | null, 8>;
let sleepers!: FixedArray<Lwp | null, 64>;
/** How often the CPU has changed threads: as long as this stays, nobody else has run in the kernel. */
export let switchCount: u32 = 0;

let idling: bool = false;

/** Put lwp at the end of its level's queue. Not for the thread on the CPU unless it is about to leave it. */
export function setRunQueue(lwp: Lwp): void {
  const s = splhigh();
  lwp.state = LS_RUN;
  if (!lwp.onRunQueue) {
    const level = lwp.priority;
    enqueue(lwp);
    if ((cpuCount == 1 || !cpuPlace(level)) && level < curLwp.priority) needResched = true;
  }
  splx(s);
}

function enqueue(lwp: Lwp): void {
  const level = lwp.priority;
  lwp.onRunQueue = true;
  lwp.runNext = null;
  const tail = runTail[level];
  if (tail == null) runHead[level] = lwp;
  else tail.runNext = lwp;
  runTail[level] = lwp;
}

/** For cpuArrive: the CPU that has come into the kernel brings its own. */
export function setNeedResched(value: bool): void {
  needResched = value;
}

function pickNext(): Lwp | null {
  for (let level: i32 = 0; level < LEVELS; level++) {
    const lwp = runHead[level];
    if (lwp == null) continue;
    runHead[level] = lwp.runNext;
    if (lwp.runNext == null) runTail[level] = null;
    lwp.runNext = null;
    lwp.onRunQueue = false;
    return lwp;
  }
  return null;
}

/** Give the CPU to the best runnable thread, idling until there is one. Called and returns at splhigh. */
export function miSwitch(): void {
  const from = curLwp;
  if (!kstackIntact(from)) panic("kernel stack overflow");
  chargeSystem(from);
  let to = pickNext();
  if (cpuCount > 1) to = shift(to);
  idling = true;
  while (to == null) {
    cpuIdle();
    chargeIdle(from);
    to = pickNext();
  }
  idling = false;
  needResched = false;
  to.quantum = 0;
  to.cycleStamp = from.cycleStamp;
  if (to == from) return;
  from.proc.switches++;
  switchCount++;
  setCurLwp(to);
  cpuSwitch(from, to);
  lwpBury();
}

/** With several CPUs: the current one goes over to `to`, or to its idle thread. */
function shift(to: Lwp | null): Lwp {
  const next = to != null ? to : curCpu.idle;
  curCpu.lwp = next;
  return next;
}

/** The idle thread of one CPU of several. */
export function idleLoop(): void {
  splhigh();
  for (;;) {
    miSwitch();
    cpuIdle();
    chargeIdle(curLwp);
  }
}

/** The CPU in the kernel had nothing to do. */
function isIdling(): bool {
  return cpuCount == 1 ? idling : curLwp == curCpu.idle;
}

/** An interrupt has come: what has passed of an idle stretch was idle. At splhigh. */
export function interruptBegin(): void {
  if (isIdling()) chargeIdle(curLwp);
}

/** It is over, and so is what it took of that stretch. */
export function interruptEnd(): void {
  if (isIdling()) chargeIdleInterrupt(curLwp);
}

/** Let other threads of the same level run first. */
export function yieldCpu(): void {
  const s = splhigh();
  enqueue(curLwp);
  miSwitch();
  splx(s);
}

/** The clock ticked: a thread that has used up its turn sinks a level and must make room. At splhigh. */
export function schedTick(): void {
  if (cpuCount > 1) cpuTick(turnOver);
  if (isIdling()) return;
  chargeSystem(curLwp);              // no stretch is longer than 32 bits of cycles
  if (turnOver(curLwp)) needResched = true;
}

/** A tick of lwp's turn has passed: was it the last? */
function turnOver(lwp: Lwp): bool {
  lwp.quantum++;
  if (lwp.quantum < QUANTUM) return false;
  lwp.quantum = 0;
  if (lwp.priority < LEVELS - 1) lwp.priority++;
  return true;
}

function chain(chan: usize): u32 {
  return ((chan >> 4) ^ (chan >> 12)) & (CHAINS - 1);
}

/**
 * Sleep until wakeup(chan), or for `timo` ticks when that is not 0. Returns 0; EWOULDBLOCK after the time; with PCATCH
 * EINTR or ERESTART when a signal is to be delivered. Callers that an interrupt may wake test their condition at splhigh.
 */
export function tsleep(chan: usize, flags: i32, wmesg: string, timo: i32): i32 {
  const lwp = curLwp;
  const s = splhigh();
  if ((flags & PCATCH) != 0 && signalPending(lwp)) {
    const sig = cursig(lwp);
    if (sig != 0) {
      splx(s);
      return sleepInterruption(lwp, sig);
    }
  }
  lwp.wmesg = wmesg;
  lwp.sleepFlags = flags;
  lwp.timedOut = false;
  lwp.sigWoken = false;
  enqueueSleeper(lwp, chan);
  if (timo > 0) calloutReset(lwp.sleepCallout, timo, sleepTimeout, changetype<usize>(lwp));
  lwp.state = LS_SLEEP;
  miSwitch();
  if (timo > 0) calloutStop(lwp.sleepCallout);
  splx(s);
  return sleepResult(lwp);
}

function sleepResult(lwp: Lwp): i32 {
  if ((lwp.sleepFlags & PCATCH) != 0 && signalPending(lwp)) {
    const sig = cursig(lwp);
    if (sig != 0) return sleepInterruption(lwp, sig);
  }
  if (lwp.timedOut) return EWOULDBLOCK;
  return lwp.sigWoken ? ERESTART : 0;
}

/** What tsleep has answered means only that the process was stopped and continued, or that a signal came to nothing: the wait may go on. */
export function sleepGoesOn(lwp: Lwp, result: i32): bool {
  return result == ERESTART && !signalPending(lwp);
}

function enqueueSleeper(lwp: Lwp, chan: usize): void {
  const at = chain(chan);
  lwp.wchan = chan;
  lwp.sleepNext = null;
  const head = sleepers[at];
  if (head == null) {
    sleepers[at] = lwp;
    return;
  }
  let last: Lwp = head;
  while (last.sleepNext != null) last = last.sleepNext;
  last.sleepNext = lwp;
}

/** Take a sleeping thread off its queue and make it runnable. At splhigh. */
export function unsleep(lwp: Lwp): void {
  const at = chain(lwp.wchan);
  const head = sleepers[at];
  if (head == lwp) sleepers[at] = lwp.sleepNext;
  else {
    let q: Lwp = head!;
    while (q.sleepNext != lwp) q = q.sleepNext!;
    q.sleepNext = lwp.sleepNext;
  }
  lwp.wchan = 0;
  lwp.sleepNext = null;
  if (lwp.priority > 0) lwp.priority--;
  setRunQueue(lwp);
}

function sleepTimeout(arg: usize): void {
  const lwp = changetype<Lwp>(arg);
  if (lwp.state != LS_SLEEP) return;
  lwp.timedOut = true;
  unsleep(lwp);
}

/** Make every thread that sleeps on chan runnable, in the order in which they went to sleep. */
export function wakeup(chan: usize): void {
  wakeSome(chan, 0);
}

/** The same for the first `count` of them; 0: all. */
export function wakeSome(chan: usize, count: i32): void {
  const s = splhigh();
  let left = count;
  let lwp = sleepers[chain(chan)];
  while (lwp != null) {
    const next: Lwp | null = lwp.sleepNext;
    if (lwp.wchan == chan) {
      unsleep(lwp);
      left--;
      if (left == 0) break;
    }
    lwp = next;
  }
  splx(s);
}

/** Once a second every waiting thread rises to half its level, so that none starves. At splhigh. */
export function schedBoost(): void {
  for (let level: i32 = 1; level < LEVELS; level++) {
    for (let lwp = runHead[level]; lwp != null; lwp = lwp.runNext) lwp.priority = level >> 1;
    if (runHead[level] != null) appendQueue(level >> 1, level);
  }
}

function appendQueue(to: i32, from: i32): void {
  const tail = runTail[to];
  if (tail == null) runHead[to] = runHead[from]!;
  else tail.runNext = runHead[from]!;
  runTail[to] = runTail[from]!;
  runHead[from] = null;
  runTail[from] = null;
}
