// Touches fresh memory in several orders and prints, for each, how many page faults that took and how many pages the process has
// got. What it finds in the pages must be zero. For test/kern/ahead.test.ts, which judges the numbers.

import { MAP_ANON, MAP_PRIVATE, MAP_STACK } from '../../src/abi/mman.ts';
import { Rusage } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { print } from '../../src/libc/stdio.ts';
import { getrusage, mmap, munmap } from '../../src/libc/sys.ts';
import { check, freeMemory, inChild, verdict } from './harness.ts';

const PAGE: u32 = 4096;
const PAGES: u32 = 256;

let usage!: Embed<Rusage>;

function faultCount(): i32 {
  getrusage(0, addressof(usage));
  return usage.minflt;
}

/** The n-th page of the area that is touched. */
type Order = (n: u32) => u32;

function upward(n: u32): u32 { return n; }
function downward(n: u32): u32 { return PAGES - 1 - n; }
function everyOther(n: u32): u32 { return n * 2; }
function inPairs(n: u32): u32 { return (n >>> 1) * 16 + (n & 1); }
function scattered(n: u32): u32 { return (n * 97) & (PAGES - 1); }

let dirty: i32 = 0;
let area: usize = 0;

function touch(order: Order, count: u32, write: bool): void {
  for (let n: u32 = 0; n < count; n++) {
    const at = area + order(n) * PAGE;
    if (load<u32>(at) != 0 || load<u32>(at, 4092) != 0) dirty++;
    if (write) store<u32>(at, n + 1);
  }
}

function report(name: string, order: Order, count: u32, flags: i32, write: bool): void {
  faultCount();
  area = mmap(0, PAGES * PAGE, 3, MAP_PRIVATE | MAP_ANON | flags, -1, 0);
  const free = freeMemory();
  const before = faultCount();
  touch(order, count, write);
  const faults = faultCount() - before;
  print(`${name}: ${faults} faults ${(free - freeMemory()) / PAGE} pages for ${count}\n`);
  munmap(area, PAGES * PAGE);
}

/** The child's half of an area that was touched before the fork, and the half that is fresh. */
function child(): i32 {
  for (let n: u32 = 0; n < PAGES; n++) {
    const at = area + n * PAGE;
    if (load<u32>(at) != (n < PAGES / 2 ? n + 1 : 0)) return 1;
    store<u32>(at, 7);
  }
  return 0;
}

function afterFork(): void {
  area = mmap(0, PAGES * PAGE, 3, MAP_PRIVATE | MAP_ANON, -1, 0);
  touch(upward, PAGES / 2, true);
  check("child sees the parent's pages and zeros behind them", inChild(child) == 0);
  let kept = true;
  for (let n: u32 = 0; n < PAGES; n++) if (load<u32>(area + n * PAGE) != (n < PAGES / 2 ? n + 1 : 0)) kept = false;
  check("parent keeps its pages and zeros behind them", kept);
  munmap(area, PAGES * PAGE);
}

function main(_args: string[]): i32 {
  report("first", upward, PAGES, 0, true);
  report("upward", upward, PAGES, 0, true);
  report("upward, loads", upward, PAGES, 0, false);
  report("half", upward, PAGES / 2 + 2, 0, true);
  report("stack", downward, PAGES, MAP_STACK, true);
  report("downward", downward, PAGES, 0, true);
  report("every other", everyOther, PAGES / 2, 0, true);
  report("pairs", inPairs, PAGES / 8, 0, true);
  report("scattered", scattered, PAGES, 0, true);
  afterFork();
  check("fresh pages are zero", dirty == 0);
  return verdict("ahead");
}

setMain(main);
