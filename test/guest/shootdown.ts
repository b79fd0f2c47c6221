// Judges that what one thread takes from an address space is gone for the others, whatever virtual CPU they run on. Threads write words of a few
// pages all the time while the first replaces the pages, write-protects them, and forks; other processes take the pages that
// become free, fill them and look at them again. Boot words: rounds=N.
//
// Guarantees that are judged: memory that is new to a process is zero, or has its own words; nobody changes another's memory; what is
// write-protected does not change; a child has what its parent had when it was made.

import { MAP_ANON, MAP_FIXED, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '../../src/abi/mman.ts';
import { SIGKILL } from '../../src/abi/signal.ts';
import { Timespec } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { waitFor } from '../../src/libc/process.ts';
import { _exit, fork, kill, mmap, mprotect, munmap, nanosleep, schedYield, umtxSleep } from '../../src/libc/sys.ts';
import { Thread, threadCreate, threadJoin } from '../../src/libc/thread.ts';
import { bootNumber, catchFaults, check, checkEqual, inChild, peek, poke, verdict } from './harness.ts';

const PAGE: u32 = 4096;
const PAGES: u32 = 24;
const WRITERS: u32 = 3;
const TAKERS: i32 = 2;
const OWN: i32 = 0x40;         // bytes of the writers: OWN to OWN + 31
const SECRET: i32 = 0xa5;      // bytes of other processes

let region: usize = 0;
let stop: i32 = 0;
let foreign: i32 = 0;          // bytes that writers have seen and should not
let written: i32 = 0;

function pause(ms: i32): void {
  const time = new Timespec();
  time.sec = 0;
  time.nsec = ms * 1000000;
  nanosleep(changetype<usize>(time), 0);
  free(time);
}

function byteAt(page: u32, writer: u32): usize {
  return region + page * PAGE + 256 + writer * 64;
}

/** A writer: reads what is there, in all pages, and writes its next byte. */
function write(self: usize): usize {
  let next: i32 = 0;
  while (load<i32>(addressof(stop)) == 0) {
    for (let page: u32 = 0; page < PAGES; page++) {
      const at = byteAt(page, self as u32);
      const found = peek(at);
      if (found > 0 && (found < OWN || found > OWN + 31)) foreign++;
      if (poke(at, OWN + next)) written++;
    }
    next = (next + 1) & 31;
  }
  return 0;
}

/** Another process: takes pages, fills them and looks at them. Ends by being killed, or with 1 when a byte is wrong. */
function take(): void {
  for (;;) {
    const bytes = PAGES * 2 * PAGE;
    const at = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0);
    for (let page: u32 = 0; page < PAGES * 2; page++) {
      for (let i: u32 = 0; i < 16; i++) if (load<u8>(at + page * PAGE + i * 64 + 256) != 0) _exit(1);
      memory.fill(at + page * PAGE, SECRET as u8, PAGE);
    }
    schedYield();
    for (let i: u32 = 0; i < bytes; i += 64) if ((load<u8>(at + i) as i32) != SECRET) _exit(2);
    munmap(at, bytes);
  }
}

/** Sum of the bytes that writers write. */
function sum(): u32 {
  let total: u32 = 0;
  for (let page: u32 = 0; page < PAGES; page++) {
    for (let writer: u32 = 0; writer < WRITERS; writer++) total = total * 31 + (load<u8>(byteAt(page, writer)) as u32);
  }
  return total;
}

function renew(): void {
  mmap(region, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_ANON | MAP_PRIVATE, -1, 0);
}

/** Write-protected, the region does not change. */
function holdsStill(): bool {
  mprotect(region, PAGES * PAGE, PROT_READ);
  const before = sum();
  for (let i: i32 = 0; i < 4; i++) schedYield();
  const same = sum() == before;
  mprotect(region, PAGES * PAGE, PROT_READ | PROT_WRITE);
  return same;
}

/** A child's region does not change while its parent's does. */
function childHoldsStill(): bool {
  return inChild(() => {
    const before = sum();
    for (let i: i32 = 0; i < 4; i++) schedYield();
    if (sum() != before) return 1;
    for (let page: u32 = 0; page < PAGES; page++) memory.fill(region + page * PAGE, SECRET as u8, PAGE);
    return 0;
  }) == 0;
}

const ROUNDS_ASLEEP: i32 = 3;
let asleep: i32 = 0;           // 1 while the region's first bytes are page numbers

/** Looks at the region now and then: the bytes that it sees are its own. */
function look(_arg: usize): usize {
  while (load<i32>(addressof(stop)) == 1) {
    pause(1);
    if (load<i32>(addressof(asleep)) == 0) continue;
    for (let page: u32 = 0; page < PAGES; page++) if (peek(region + page * PAGE) != (page as i32)) foreign++;
  }
  return 0;
}

/** A call that copies a page and then sleeps, with a thread beside that sleeps, too, and wakes on another virtual CPU. */
function sleepOnCopies(): void {
  store<i32>(addressof(stop), 1);
  const thread = threadCreate(look, 0)!;
  for (let round: i32 = 0; round < ROUNDS_ASLEEP; round++) {
    renew();
    for (let page: u32 = 0; page < PAGES; page++) store<u32>(region + page * PAGE, page);
    store<i32>(addressof(asleep), 1);
    const pid = fork();
    if (pid == 0) {
      for (;;) pause(900);
    }
    for (let page: u32 = 0; page < PAGES; page++) umtxSleep(region + page * PAGE, page as i32, 1000);
    store<i32>(addressof(asleep), 0);
    kill(pid, SIGKILL);
    waitFor(pid);
  }
  store<i32>(addressof(stop), 2);
  threadJoin(thread);
}

function main(args: string[]): i32 {
  const takers = new Array<i32>();
  const writers = new Array<Thread>();
  const rounds = bootNumber("rounds=", 40) as i32;
  catchFaults();
  for (let i: i32 = 0; i < TAKERS; i++) {
    const pid = fork();
    if (pid == 0) take();
    takers.push(pid);
  }
  region = mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0);
  for (let i: u32 = 0; i < WRITERS; i++) writers.push(threadCreate(write, i)!);
  let still: i32 = 0;
  let childStill: i32 = 0;
  for (let round: i32 = 0; round < rounds; round++) {
    renew();
    schedYield();
    if (holdsStill()) still++;
    if (round % 4 == 0) pause(1);
    if (childHoldsStill()) childStill++;
  }
  store<i32>(addressof(stop), 1);
  for (let i: i32 = 0; i < writers.length; i++) threadJoin(writers[i]!);
  for (let i: i32 = 0; i < takers.length; i++) {
    kill(takers[i]!, SIGKILL);
    checkEqual("another's memory is as it left it", waitFor(takers[i]!), SIGKILL);
  }
  sleepOnCopies();
  checkEqual("write-protected memory stays", still, rounds);
  checkEqual("a child's memory is its own", childStill, rounds);
  checkEqual("nobody else's bytes", foreign, 0);
  check("threads have written", written > rounds * (PAGES as i32));
  return verdict("shootdown");
}

setMain(main);
