// Mutual exclusion and waiting among the threads of a process, or among processes that share memory: words of memory changed by
// atomic instructions, and umtx_sleep for whoever has to wait. Nothing here enters the kernel unless a thread waits or is waited
// for. A Mutex has no owner: who may unlock is the program's business. errno is kept.

import { errno, setErrno, umtxSleep, umtxWakeup } from './sys.ts';

const FREE: i32 = 0;
const HELD: i32 = 1;
const WANTED: i32 = 2;      // held, and somebody may be asleep

/** Store `value` at `address` and return what was there, in one step. */
export function exchange(address: usize, value: i32): i32 {
  let before: i32 = 0;
  asm`mov ecx, ${address}
      mov eax, ${value}
      xchg [ecx], eax
      mov ${before}, eax`;
  return before;
}

/** Store `value` at `address` if `expected` is there; return what was there. */
export function compareExchange(address: usize, expected: i32, value: i32): i32 {
  let before: i32 = 0;
  asm`mov ecx, ${address}
      mov eax, ${expected}
      mov edx, ${value}
      lock cmpxchg [ecx], edx
      mov ${before}, eax`;
  return before;
}

/** Add to the word at `address` in one step; return what was there. */
export function fetchAdd(address: usize, value: i32): i32 {
  let before: i32 = 0;
  asm`mov ecx, ${address}
      mov eax, ${value}
      lock xadd [ecx], eax
      mov ${before}, eax`;
  return before;
}

export class Mutex {
  word: i32 = 0;

  /** Wait until it is free, and take it. */
  lock(): void {
    const at = changetype<usize>(this);
    if (compareExchange(at, FREE, HELD) != FREE) lockSlowly(at);
  }

  /** Take it if it is free. */
  tryLock(): bool {
    return compareExchange(changetype<usize>(this), FREE, HELD) == FREE;
  }

  unlock(): void {
    const at = changetype<usize>(this);
    if (exchange(at, FREE) == WANTED) umtxWakeup(at, 1);
  }
}

function lockSlowly(at: usize): void {
  const before = errno();
  while (exchange(at, WANTED) != FREE) umtxSleep(at, WANTED, 0);
  setErrno(before);
}

/** Something that threads wait for while they give up a mutex. Wakings for no reason happen. */
export class Condition {
  events: i32 = 0;

  /** Unlock `mutex`, which the caller holds, wait for signal or broadcast, and lock it again. */
  wait(mutex: Mutex): void {
    const at = changetype<usize>(this);
    const seen = load<i32>(at);
    const before = errno();
    mutex.unlock();
    umtxSleep(at, seen, 0);
    mutex.lock();
    setErrno(before);
  }

  /** Wake one who waits. */
  signal(): void {
    const at = changetype<usize>(this);
    fetchAdd(at, 1);
    umtxWakeup(at, 1);
  }

  /** Wake all who wait. */
  broadcast(): void {
    const at = changetype<usize>(this);
    fetchAdd(at, 1);
    umtxWakeup(at, 0);
  }
}
