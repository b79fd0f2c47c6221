// What the services of a kernel cost, in ticks of the time stamp counter, by the same program on different kernels: `os` is
// bound to the one it runs on. As process 1 it prints `name ticks` and ends the machine. Single calls are the least of many
// samples, so no interrupt is in them; what involves a second process is the mean of many.

import { execve, exit, fork, getpid, getppid, halt, mapAnonymous, openConsole, openToRead, pipe, read, unmap, wait, write } from 'os/os.ts';

const SAMPLES: i32 = 200;
const PROCESSES: i32 = 24;
const WARM: i32 = 8;         // forks before those that count: they read programs and kernel code from the disk
const PAGES: usize = 256;
const TURNS: i32 = 100;

let buffer!: FixedArray<u8, 65536>;
let fds!: FixedArray<i32, 4>;
let argv!: FixedArray<usize, 3>;
let line!: FixedArray<u8, 64>;

export function _start(): void {
  naked();
  asm`xor ebp, ebp
      mov eax, esp
      push eax
      call ${main}`;
}

function now(): u32 {
  let low: u32 = 0;
  asm`rdtsc
      mov ${low}, eax`;
  return low;
}

/** Address of a literal's bytes; a NUL follows them. */
function bytesOf(text: string): usize {
  return changetype<usize>(text) + 4;
}

function print(text: string): void {
  write(1, bytesOf(text), text.length as usize);
}

function report(name: string, value: u32): void {
  print(name);
  let at: u32 = 63;
  let rest = value;
  line[at] = 10;
  do {
    at--;
    line[at] = (48 + rest % 10) as u8;
    rest = rest / 10;
  } while (rest != 0);
  at--;
  line[at] = 32;
  write(1, addressof(line) + at, 64 - at);
}

type Operation = () => void;

function callNothing(): void {
  getppid();
}

function readByte(): void {
  read(fds[0], addressof(buffer), 1);
}

function readPage(): void {
  read(fds[0], addressof(buffer), 4096);
}

/** The least of many. The operation itself is called before, so that nothing in it is new. */
function least(operation: Operation): u32 {
  let best: u32 = 0xffffffff;
  operation();
  for (let i: i32 = 0; i < SAMPLES; i++) {
    const start = now();
    operation();
    const took = now() - start;
    if (took < best) best = took;
  }
  return best;
}

function nothing(): void {
}

function pipeByte(): void {
  write(fds[1], addressof(buffer), 1);
  read(fds[0], addressof(buffer), 1);
}

function forkExit(): void {
  const pid = fork();
  if (pid == 0) exit(0);
  wait(pid);
}

function forkExecExit(): void {
  const pid = fork();
  if (pid == 0) {
    execve(argv[0], addressof(argv), addressof(argv) + 8);
    exit(1);
  }
  wait(pid);
}

/** The mean of many; the first ones do not count. */
function mean(operation: Operation, times: i32): u32 {
  for (let i: i32 = 0; i < WARM; i++) operation();
  const start = now();
  for (let i: i32 = 0; i < times; i++) operation();
  return (now() - start) / (times as u32);
}

/** Two processes and two pipes: from the write here to the read there. Half of a round trip. */
function contextSwitch(): u32 {
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  pipe(changetype<Ptr<i32>>(addressof(fds) + 8));
  const pid = fork();
  if (pid == 0) {
    for (let i: i32 = 0; i <= TURNS; i++) {
      read(fds[0], addressof(buffer), 1);
      write(fds[3], addressof(buffer), 1);
    }
    exit(0);
  }
  let start: u32 = 0;
  for (let i: i32 = 0; i <= TURNS; i++) {
    if (i == 1) start = now();
    write(fds[1], addressof(buffer), 1);
    read(fds[2], addressof(buffer), 1);
  }
  const took = now() - start;
  wait(pid);
  return took / ((2 * TURNS) as u32);
}

/** The first store into a page of fresh zeros: the least over every other page, so that room for tables is there and nothing comes in order. */
function pageFault(): u32 {
  let best: u32 = 0xffffffff;
  const at = mapAnonymous(PAGES * 4096);
  for (let page: usize = 0; page < PAGES; page += 2) {
    const start = now();
    store<u8>(at + page * 4096, 1);
    const took = now() - start;
    if (took < best) best = took;
  }
  unmap(at, PAGES * 4096);
  return best;
}

/** The same page by page from the first to the last: the mean of all. */
function pagesInOrder(): u32 {
  const at = mapAnonymous(PAGES * 4096);
  const start = now();
  for (let page: usize = 0; page < PAGES; page++) store<u8>(at + page * 4096, 1);
  const took = now() - start;
  unmap(at, PAGES * 4096);
  return took / PAGES;
}

/** `stack` holds argc and the arguments. */
function main(stack: Ptr<usize>): void {
  __init();
  if (stack[0] > 1 && stack[2] != 0 && load<u8>(stack[2]!) == 101) exit(0);   // "end"
  openConsole();
  const empty = least(nothing);
  report("nullCall", least(callNothing) - empty);
  fds[0] = openToRead(bytesOf("/dev/zero"));
  report("readByte", least(readByte) - empty);
  report("readPage", least(readPage) - empty);
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  report("pipeByte", least(pipeByte) - empty);
  report("pageFault", pageFault());
  report("pagesInOrder", pagesInOrder());
  report("contextSwitch", contextSwitch());
  report("forkExit", mean(forkExit, PROCESSES));
  argv[0] = bytesOf("/sbin/init");
  argv[1] = bytesOf("end");
  report("forkExecExit", mean(forkExecExit, PROCESSES));
  print("end of figures\n");
  if (getpid() == 1) halt();
  exit(0);
}
