// Judges that the disk works while processes run: who waits for it is idle, and whoever else can run does; and that what many
// processes read and write at once is right. /big is a file of 2 MiB whose every page begins with the page's number.

import { CpTime, CTL_KERN, CTL_VM, KERN_CPTIME, O_CREAT, O_RDONLY, O_RDWR, SEEK_SET, VM_STATS, VmStats, WNOHANG } from '../../src/abi/file.ts';
import { CLOCK_MONOTONIC, Timespec } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { malloc } from '../../src/libc/rt.ts';
import { _exit, clockGettime, close, fork, fsync, lseek, open, read, sync, sysctl, wait4, write } from '../../src/libc/sys.ts';
import { check, checkEqual, verdict } from './harness.ts';

const PAGE: u32 = 4096;
const WRITERS: i32 = 5;
const FILE_PAGES: i32 = 40;

let name!: FixedArray<i32, 2>;
let length!: FixedArray<u32, 1>;
let status!: FixedArray<i32, 1>;
let before!: Embed<CpTime>;
let after!: Embed<CpTime>;
let when!: Embed<Timespec>;
let stats!: Embed<VmStats>;

function readTimes(into: CpTime): void {
  name[0] = CTL_KERN;
  name[1] = KERN_CPTIME;
  length[0] = sizeof<CpTime>();
  sysctl(addressof(name), 2, changetype<usize>(into), addressof(length), 0, 0);
}

/** Microseconds between the two readings of the field at an offset. */
function passed(offset: usize): i32 {
  const sec = load<i32>(changetype<usize>(after), offset) - load<i32>(changetype<usize>(before), offset);
  return sec * 1000000 + load<i32>(changetype<usize>(after) + 4, offset) - load<i32>(changetype<usize>(before) + 4, offset);
}

function milliseconds(): i32 {
  clockGettime(CLOCK_MONOTONIC, addressof(when));
  return when.sec * 1000 + when.nsec / 1000000;
}

/** Pages [first, end) of /big that are not as they should be. */
function wrongPages(first: i32, end: i32): i32 {
  const buffer = malloc(PAGE);
  const fd = open("/big", O_RDONLY, 0);
  lseek(fd, first * (PAGE as i32), SEEK_SET);
  let wrong: i32 = 0;
  for (let i = first; i < end; i++) {
    if (read(fd, buffer, PAGE) != (PAGE as i32) || load<i32>(buffer) != i) wrong++;
  }
  close(fd);
  return wrong;
}

/** Commands that the disk has had so far. */
function commands(): u32 {
  name[0] = CTL_VM;
  name[1] = VM_STATS;
  length[0] = sizeof<VmStats>();
  sysctl(addressof(name), 2, changetype<usize>(stats), addressof(length), 0, 0);
  return stats.diskCommands;
}

function testWaiting(): void {
  const first = commands();
  checkEqual("a page, to begin with", wrongPages(0, 1), 0);
  readTimes(before);
  checkEqual("read from the disk", wrongPages(1, 200), 0);
  readTimes(after);
  check("in groups", commands() - first < 10);
  check("who waits for the disk is idle, but for the copying", passed(offsetof<CpTime>("idleSec")) > passed(offsetof<CpTime>("realSec")) / 3);
}

function testMeanwhile(): void {
  readTimes(before);
  const pid = fork();
  if (pid == 0) _exit(wrongPages(200, 400));
  while (wait4(pid, addressof(status), WNOHANG, 0) == 0) {
    const until = milliseconds() + 3;
    while (milliseconds() < until) continue;
  }
  readTimes(after);
  checkEqual("somebody reads", status[0], 0);
  check("and somebody works", passed(offsetof<CpTime>("idleSec")) < passed(offsetof<CpTime>("realSec")) / 10);
}

/** One file, page by page from its end, is written in few commands: the data lie together. */
function testWriting(): void {
  const buffer = malloc(PAGE);
  const fd = open("/tmp/written", O_RDWR | O_CREAT, 0x180);
  memory.fill(buffer, 7, PAGE);
  for (let i: i32 = 0; i < 100; i++) write(fd, buffer, PAGE);
  for (let i: i32 = 99; i >= 0; i--) {
    lseek(fd, i * (PAGE as i32), SEEK_SET);
    write(fd, buffer, PAGE);
  }
  const first = commands();
  checkEqual("fsync", fsync(fd), 0);
  check("few commands", commands() - first < 20);
  close(fd);
}

function pathOf(n: i32): string {
  return `/tmp/many${n}`;
}

/** Write a file of one's own again and again, with all ways to have it on the disk; read /big meanwhile. */
function busy(n: i32): i32 {
  const buffer = malloc(PAGE);
  const fd = open(pathOf(n), O_RDWR | O_CREAT, 0x180);
  for (let round: i32 = 0; round < 3; round++) {
    lseek(fd, 0, SEEK_SET);
    for (let i: i32 = 0; i < FILE_PAGES; i++) {
      memory.fill(buffer, (n * 16 + round) as u8, PAGE);
      store<i32>(buffer, i);
      if (write(fd, buffer, PAGE) != (PAGE as i32)) return 1;
    }
    if ((n + round) % 2 == 0) fsync(fd);
    else sync();
    if (wrongPages(400 + n * 20, 420 + n * 20) != 0) return 2;
  }
  close(fd);
  return 0;
}

function rightFile(n: i32): bool {
  const buffer = malloc(PAGE);
  const fd = open(pathOf(n), O_RDONLY, 0);
  for (let i: i32 = 0; i < FILE_PAGES; i++) {
    if (read(fd, buffer, PAGE) != (PAGE as i32) || load<i32>(buffer) != i) return false;
    if (load<u8>(buffer, 4) != ((n * 16 + 2) as u8) || load<u8>(buffer, 4095) != ((n * 16 + 2) as u8)) return false;
  }
  const ended = read(fd, buffer, 1) == 0;
  close(fd);
  return ended;
}

function testMany(): void {
  for (let n: i32 = 0; n < WRITERS; n++) {
    if (fork() == 0) _exit(busy(n));
  }
  for (let n: i32 = 0; n < WRITERS; n++) {
    wait4(-1, addressof(status), 0, 0);
    checkEqual("one of many", status[0], 0);
  }
  for (let n: i32 = 0; n < WRITERS; n++) check("its file", rightFile(n));
}

/** Several processes append to one file through one descriptor: every record arrives once and whole. */
function testShared(): void {
  const fd = open("/tmp/shared", O_RDWR | O_CREAT, 0x180);
  const buffer = malloc(64);
  for (let n: i32 = 0; n < 4; n++) {
    if (fork() != 0) continue;
    memory.fill(buffer, (n + 1) as u8, 64);
    for (let i: i32 = 0; i < 200; i++) write(fd, buffer, 64);
    _exit(0);
  }
  for (let n: i32 = 0; n < 4; n++) wait4(-1, 0, 0, 0);
  checkEqual("nothing overwritten", lseek(fd, 0, 1), 4 * 200 * 64);
  lseek(fd, 0, SEEK_SET);
  let whole = true;
  const counts = new Array<i32>(5);
  for (let i: i32 = 0; i < 800; i++) {
    read(fd, buffer, 64);
    const who = load<u8>(buffer);
    for (let k: u32 = 1; k < 64; k++) whole = whole && load<u8>(buffer + k) == who;
    counts[who as i32] = counts[who as i32]! + 1;
  }
  check("records whole", whole);
  check("all there", counts[1] == 200 && counts[2] == 200 && counts[3] == 200 && counts[4] == 200);
  close(fd);
}

function main(args: string[]): i32 {
  testWaiting();
  testMeanwhile();
  testWriting();
  testMany();
  testShared();
  return verdict("disk");
}

setMain(main);
