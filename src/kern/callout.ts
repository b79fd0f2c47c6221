// Callouts: functions that the clock calls after some ticks. They run at interrupt level (splhigh), may wake threads
// and post signals, and never sleep.

import { splhigh, splx } from "machine/intr.ts";

export class Callout {
  due: i32 = 0;                 // tick count at which to run
  armed: bool = false;
  fn: ((arg: usize) => void) | null = null;
  arg: usize = 0;
  next: Callout | null = null;  // in order of due
}

/** Ticks since boot, HZ a second. */
export let ticks: i32 = 0;
export const HZ: i32 = 100;
export const TICK_NS: i32 = 10000000;

let pending: Callout | null = null;

/** Run fn(arg) in `delay` ticks (at least 1); a callout that is armed already is moved. */
export function calloutReset(c: Callout, delay: i32, fn: (arg: usize) => void, arg: usize): void {
  const s = splhigh();
  calloutStop(c);
  c.due = ticks + (delay > 0 ? delay : 1);
  c.fn = fn;
  c.arg = arg;
  insert(c);
  splx(s);
}

/** Disarm; harmless when not armed. */
export function calloutStop(c: Callout): void {
  const s = splhigh();
  if (c.armed) unlink(c);
  splx(s);
}

/** Ticks until c runs, 0 when not armed. */
export function calloutLeft(c: Callout): i32 {
  if (!c.armed) return 0;
  const left = c.due - ticks;
  return left > 0 ? left : 1;
}

/** One tick has passed: run what is due. Called by hardclock at splhigh. */
export function calloutTick(): void {
  ticks++;
  while (pending != null && pending.due - ticks <= 0) {
    const c: Callout = pending;
    unlink(c);
    const fn = c.fn!;
    fn(c.arg);
  }
}

function insert(c: Callout): void {
  c.armed = true;
  if (pending == null || c.due - pending.due < 0) {
    c.next = pending;
    pending = c;
    return;
  }
  let at: Callout = pending;
  while (at.next != null && at.next.due - c.due <= 0) at = at.next;
  c.next = at.next;
  at.next = c;
}

function unlink(c: Callout): void {
  c.armed = false;
  if (pending == c) {
    pending = c.next;
    return;
  }
  let at: Callout = pending!;
  while (at.next != c) at = at.next!;
  at.next = c.next;
}
