// Touches fresh memory in several orders and prints, for each, how many page faults that took and how many pages the process has
// got. What it finds in the pages must be zero. For test/kern/ahead.test.ts, which judges the numbers.

import { MADV_NOSYNC, MADV_SETMAP, MAP_ANON, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, MAP_STACK, MAP_VPAGETABLE, VPTE_A, VPTE_M, VPTE_PS, VPTE_RW, VPTE_V } from '../../src/abi/mman.ts';
import { Rusage } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { malloc, mfree } from '../../src/libc/rt.ts';
import { print } from '../../src/libc/stdio.ts';
import { _exit, close, cstr, execve, extpread, fork, getrusage, madvise, mcontrol, mmap, munmap, wait4 } from '../../src/libc/sys.ts';
import { catchFaults, check, enableVkernel, freeMemory, inChild, mapFile, poke, scratchFile, verdict } from './harness.ts';

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
    if (write) store<u32>(at, n + 1);
    else if (load<u32>(at) != 0) dirty++;
    if (load<u32>(at, 4) != 0 || load<u32>(at, 4092) != 0) dirty++;
  }
}

function report(name: string, order: Order, count: u32, flags: i32, write: bool): void {
  area = mmap(0, PAGES * PAGE, 3, MAP_PRIVATE | MAP_ANON | flags, -1, 0);
  reportArea(name, order, count, write);
  munmap(area, PAGES * PAGE);
}

function reportArea(name: string, order: Order, count: u32, write: bool): void {
  faultCount();
  const free = freeMemory();
  const before = faultCount();
  touch(order, count, write);
  const faults = faultCount() - before;
  print(`${name}: ${faults} faults ${(free - freeMemory()) / PAGE} pages for ${count}\n`);
}

/** Page `page` of the file begins with this word. */
function wordOf(fd: i32, page: u32): u32 {
  const word = malloc(4);
  extpread(fd, word, 4, 0, page * PAGE);
  const value = load<u32>(word);
  mfree(word);
  return value;
}

/** A file without blocks, seen through a root entry that makes the mapping linear. */
function linearImage(): void {
  const fd = scratchFile(2 * PAGES * PAGE);
  area = mmap(AREA, PAGES * PAGE, 3, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, fd, 0);
  madvise(area, PAGES * PAGE, MADV_NOSYNC);
  mcontrol(area, PAGES * PAGE, MADV_SETMAP, VPTE_PS | VPTE_RW | VPTE_V | 16 * PAGE);
  reportArea("image", upward, PAGES / 2 + 2, true);
  check("image: stores are in the file", wordOf(fd, 16) == 1 && wordOf(fd, 16 + PAGES / 2 + 1) == PAGES / 2 + 2);
  check("image: zeros around them", wordOf(fd, 15) == 0 && wordOf(fd, 16 + PAGES / 2 + 2) == 0);
  munmap(area, PAGES * PAGE);
  close(fd);
}

const AREA: usize = 0x30000000;
const DATA: u32 = 32;      // page of the file that the first entry of the table shows

/** Pages 0 and 1 of a file are a directory and a table. Its entries: four modified, four that are not, four read-only, the rest modified. */
function tables(): void {
  const fd = scratchFile(2 * PAGES * PAGE);
  const file = mapFile(fd, 2 * PAGE);
  store<u32>(file, PAGE | VPTE_RW | VPTE_V);
  for (let n: u32 = 0; n < PAGES; n++) {
    const bits = n < 4 ? VPTE_A | VPTE_M | VPTE_RW : n < 8 ? VPTE_RW : n < 12 ? VPTE_A | VPTE_M : VPTE_A | VPTE_M | VPTE_RW;
    store<u32>(file + PAGE + n * 4, (DATA + n) * PAGE | bits | VPTE_V);
  }
  area = mmap(AREA, PAGES * PAGE, 3, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, fd, 0);
  madvise(area, PAGES * PAGE, MADV_NOSYNC);
  mcontrol(area, PAGES * PAGE, MADV_SETMAP, VPTE_RW | VPTE_V);
  store<u32>(area + 255 * PAGE, 1);          // the upper level has M from here on
  reportArea("table", upward, 16, false);
  check("table: loads set A", load<u32>(file + PAGE + 5 * 4) == (((DATA + 5) * PAGE) | VPTE_A | VPTE_RW | VPTE_V));
  check("table: read-only entries stay so", !poke(area + 9 * PAGE, 1));
  check("table: loads change nothing else", load<u32>(file + PAGE + 9 * 4) == (((DATA + 9) * PAGE) | VPTE_A | VPTE_M | VPTE_V));
  store<u32>(area + 5 * PAGE, 5);
  check("table: a store sets M", (load<u32>(file + PAGE + 5 * 4) & VPTE_M) != 0 && (load<u32>(file + PAGE + 6 * 4) & VPTE_M) == 0);
  check("table: the store is in the file", wordOf(fd, DATA + 5) == 5);
  munmap(area, PAGES * PAGE);
  munmap(file, 2 * PAGE);
  close(fd);
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

/** A program that says hardly anything: how many faults its short life takes. */
function program(): void {
  const argv = malloc(12);
  store<usize>(argv, cstr("/bin/echo"));
  store<usize>(argv, cstr("-n"), 4);
  store<usize>(argv, 0, 8);
  for (let round: i32 = 0; round < 2; round++) {          // the first one reads it from the disk
    const pid = fork();
    if (pid == 0) {
      execve("/bin/echo", argv, argv + 8);
      _exit(127);
    }
    const status = malloc(4);
    wait4(pid, status, 0, addressof(usage));
    if (load<i32>(status) != 0) dirty++;
    mfree(status);
  }
  print(`program: ${usage.minflt} faults 0 pages for 1\n`);
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
  program();
  catchFaults();
  enableVkernel(1);
  linearImage();
  tables();
  check("fresh pages are zero", dirty == 0);
  return verdict("ahead");
}

setMain(main);
