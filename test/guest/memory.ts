// Judges the memory calls: fork's copy-on-write, private and shared mappings, the heap, protections, and the one page cache
// that read, write and mmap share.

import { EACCES, EBADF, EFAULT, EINVAL, ENOMEM } from '../../src/abi/errno.ts';
import { O_RDONLY, O_RDWR, O_CREAT, O_TRUNC, SEEK_SET } from '../../src/abi/file.ts';
import { MADV_FREE, MAP_ANON, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, PROT_READ, VM_MAX_USER_ADDRESS } from '../../src/abi/mman.ts';
import { SEGV_ACCERR, SEGV_MAPERR, SIGKILL, SIGSEGV } from '../../src/abi/signal.ts';
import { PGEX_U, PGEX_W } from '../../src/abi/frames.ts';
import { setMain } from '../../src/libc/crt.ts';
import { brk, close, fork, _exit, fsync, ftruncate, lseek, madvise, mmap, mprotect, munmap, open, pipe, read, unlink, write } from '../../src/libc/sys.ts';
import { waitFor } from '../../src/libc/process.ts';
import { catchFaults, catchNothing, check, checkEqual, checkError, freeMemory, inChild, lastFaultAddress, lastFaultCode, lastFaultFlags, mapFile, peek, poke,
  scratchFile, verdict } from './harness.ts';

const RW: i32 = 3;
const PAGE: u32 = 4096;

/** Private zero-filled memory. */
function anon(bytes: u32): usize {
  return mmap(0, bytes, RW, MAP_PRIVATE | MAP_ANON, -1, 0);
}

let area: usize = 0;

function childWrites(): i32 {
  const same = load<i32>(area) == 111 && load<i32>(area + PAGE) == 222;
  store<i32>(area, 1);
  store<i32>(area + 2 * PAGE, 3);
  return same && load<i32>(area) == 1 ? 0 : 1;
}

function grandChild(): i32 {
  store<i32>(area + PAGE, 9);
  return load<i32>(area) == 5 && load<i32>(area + PAGE) == 9 ? 0 : 1;
}

function childForks(): i32 {
  store<i32>(area, 5);
  if (inChild(grandChild) != 0) return 1;
  return load<i32>(area) == 5 && load<i32>(area + PAGE) == 222 ? 0 : 2;
}

function forkCopies(): void {
  area = anon(4 * PAGE);
  store<i32>(area, 111);
  store<i32>(area + PAGE, 222);
  checkEqual("fork: child sees and changes its copy", inChild(childWrites), 0);
  checkEqual("fork: parent's page is untouched", load<i32>(area), 111);
  checkEqual("fork: page that only the child wrote", load<i32>(area + 2 * PAGE), 0);
  checkEqual("fork: grandchild", inChild(childForks), 0);
  checkEqual("fork: parent after grandchild", load<i32>(area + PAGE), 222);
  for (let round: i32 = 0; round < 40; round++) {
    store<i32>(area, round);
    if (inChild(roundChild) != 0) check("fork: repeated", false);
    if (load<i32>(area) != round || load<i32>(area + PAGE) != 222) check("fork: repeated, parent", false);
  }
  munmap(area, 4 * PAGE);
}

function roundChild(): i32 {
  const round = load<i32>(area);
  store<i32>(area, -1);
  store<i32>(area + 3 * PAGE, round);
  return load<i32>(area + PAGE) == 222 ? 0 : 1;
}

function idleChild(): i32 {
  return 0;
}

/** A process that forks and writes, again and again, keeps its size. */
function forksCostNothing(): void {
  area = anon(64 * PAGE);
  for (let i: u32 = 0; i < 64; i++) store<i32>(area + i * PAGE, 1);
  inChild(idleChild);
  const before = freeMemory();
  for (let i: u32 = 0; i < 60; i++) {
    inChild(idleChild);
    store<i32>(area + i * PAGE, 2);
  }
  check("fork: no memory is lost", freeMemory() + 16 * PAGE > before);
  munmap(area, 64 * PAGE);
  check("munmap gives memory back", freeMemory() > before + 48 * PAGE);
}

/** The parent writes after the fork, before the child looks. */
function parentWritesFirst(): void {
  const fds = changetype<Ptr<i32>>(anon(PAGE));
  area = anon(PAGE);
  store<i32>(area, 7);
  pipe(fds);
  const pid = fork();
  if (pid == 0) {
    read(fds[0]!, changetype<usize>(fds) + 64, 1);
    _exit(load<i32>(area));
  }
  store<i32>(area, 8);
  write(fds[1]!, area, 1);
  checkEqual("fork: child keeps the old page when the parent writes first", waitFor(pid), 7 << 8);
  close(fds[0]!);
  close(fds[1]!);
}

function sharedChild(): i32 {
  store<i32>(area + PAGE, 77);
  return load<i32>(area) == 66 ? 0 : 1;
}

function sharedAnon(): void {
  area = mmap(0, 2 * PAGE, RW, MAP_SHARED | MAP_ANON, -1, 0);
  store<i32>(area, 66);
  checkEqual("shared memory: child sees", inChild(sharedChild), 0);
  checkEqual("shared memory: parent sees", load<i32>(area + PAGE), 77);
  munmap(area, 2 * PAGE);
}

function fileMappings(): void {
  const fd = scratchFile(3 * PAGE);
  const a = mapFile(fd, 3 * PAGE);
  const b = mmap(0, 3 * PAGE, RW, MAP_PRIVATE, fd, 0);
  const buffer = anon(PAGE);
  store<i32>(a + PAGE, 1234);
  checkEqual("private mapping shows the file", load<i32>(b + PAGE), 1234);
  lseek(fd, PAGE as i32, SEEK_SET);
  read(fd, buffer, 4);
  checkEqual("read sees what was stored", load<i32>(buffer), 1234);
  store<i32>(buffer, 4321);
  lseek(fd, 2 * PAGE as i32, SEEK_SET);
  write(fd, buffer, 4);
  checkEqual("mapping sees what was written", load<i32>(a + 2 * PAGE), 4321);
  store<i32>(b + PAGE, 99);
  checkEqual("private store stays private", load<i32>(a + PAGE), 1234);
  store<i32>(a + PAGE, 55);
  checkEqual("private page stays as stored", load<i32>(b + PAGE), 99);
  checkEqual("offset", load<i32>(mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE)), 4321);
  close(fd);
  checkEqual("mapping outlives its descriptor", load<i32>(a + 2 * PAGE), 4321);
  munmap(a, 3 * PAGE);
  munmap(b, 3 * PAGE);
}

/** What is stored through a mapping is in the file after the mapping is gone. */
function persistence(): void {
  const fd = open("/mapped", O_RDWR | O_CREAT | O_TRUNC, 0x1a4);
  ftruncate(fd, 2 * PAGE);
  const a = mapFile(fd, 2 * PAGE);
  store<i32>(a + PAGE + 8, 31337);
  check("fsync", fsync(fd) == 0);
  store<i32>(a + PAGE + 12, 31338);
  munmap(a, 2 * PAGE);
  close(fd);
  const again = open("/mapped", O_RDONLY, 0);
  const buffer = anon(PAGE);
  lseek(again, PAGE as i32 + 8, SEEK_SET);
  checkEqual("read back", read(again, buffer, 8), 8);
  checkEqual("stored before fsync", load<i32>(buffer), 31337);
  checkEqual("stored after fsync", load<i32>(buffer + 4), 31338);
  checkError("shared writable mapping of a read-only descriptor", mmap(0, PAGE, RW, MAP_SHARED, again, 0) as i32, EACCES);
  const c = mmap(0, PAGE, PROT_READ, MAP_SHARED, again, 0);
  checkError("its protection can't be raised", mprotect(c, PAGE, RW), EACCES);
  const d = mmap(0, PAGE, RW, MAP_PRIVATE, again, 0);
  check("private writable mapping of it", poke(d, 3) && peek(d) == 3);
  close(again);
  unlink("/mapped");
}

function truncation(): void {
  const fd = scratchFile(2 * PAGE);
  const a = mapFile(fd, 4 * PAGE);
  store<i32>(a + PAGE, 5);
  store<i32>(a + 100, 6);
  checkEqual("beyond the end of the file", peek(a + 2 * PAGE), -1);
  checkEqual("code", lastFaultCode(), SEGV_ACCERR);
  ftruncate(fd, 100);
  checkEqual("page cut off is gone", peek(a + PAGE), -1);
  checkEqual("rest of the last page is zero", peek(a + 100), 0);
  ftruncate(fd, 2 * PAGE);
  checkEqual("grown again: zeros", peek(a + PAGE), 0);
  munmap(a, 4 * PAGE);
  close(fd);
}

function faults(): void {
  const a = anon(2 * PAGE);
  check("zero-filled", peek(a) == 0 && peek(a + 2 * PAGE - 1) == 0);
  munmap(a + PAGE, PAGE);
  checkEqual("unmapped", peek(a + PAGE), -1);
  check("address of the fault", lastFaultAddress() == a + PAGE);
  checkEqual("code", lastFaultCode(), SEGV_MAPERR);
  checkEqual("flags of a read", (lastFaultFlags() & (PGEX_W | PGEX_U)) as i32, PGEX_U as i32);
  check("other page still there", poke(a, 1));
  checkEqual("mprotect", mprotect(a, PAGE, PROT_READ), 0);
  check("read-only: store faults", !poke(a, 2));
  checkEqual("code", lastFaultCode(), SEGV_ACCERR);
  checkEqual("flags of a write", (lastFaultFlags() & (PGEX_W | PGEX_U)) as i32, (PGEX_W | PGEX_U) as i32);
  checkEqual("read-only: load", peek(a), 1);
  mprotect(a, PAGE, 0);
  checkEqual("no access", peek(a), -1);
  mprotect(a, PAGE, RW);
  check("writable again", poke(a, 3) && peek(a) == 3);
  check("kernel address", peek(0xc0100000) == -1 && !poke(0xc0100000, 1));
  check("null", peek(0) == -1);
  checkError("write(2) from unmapped memory", write(1, a + PAGE, 1), EFAULT);
  checkEqual("MADV_FREE", madvise(a, PAGE, MADV_FREE), 0);
  check("freed page is zero or as before", peek(a) == 0 || peek(a) == 3);
  munmap(a, PAGE);
}

function segvChild(): i32 {
  catchNothing();
  return load<i32>(0x1000);
}

function argumentsJudged(): void {
  checkError("length 0", mmap(0, 0, RW, MAP_ANON | MAP_PRIVATE, -1, 0) as i32, EINVAL);
  checkError("bad descriptor", mmap(0, PAGE, RW, MAP_SHARED, 77, 0) as i32, EBADF);
  checkError("fixed beyond user space", mmap(VM_MAX_USER_ADDRESS, PAGE, RW, MAP_ANON | MAP_FIXED, -1, 0) as i32, EINVAL);
  checkError("fixed and unaligned", mmap(0x30000001, PAGE, RW, MAP_ANON | MAP_FIXED, -1, 0) as i32, EINVAL);
  checkError("munmap beyond user space", munmap(VM_MAX_USER_ADDRESS - PAGE, 2 * PAGE), EINVAL);
  checkError("too much", mmap(0, 0xb0000000, RW, MAP_ANON | MAP_PRIVATE, -1, 0) as i32, ENOMEM);
  const a = mmap(0, 0x400000, RW, MAP_ANON | MAP_PRIVATE, -1, 0);
  check("4 MiB mappings are aligned", (a & 0x3fffff) == 0);
  const b = mmap(a + PAGE, PAGE, RW, MAP_ANON | MAP_FIXED, -1, 0);
  check("fixed replaces", b == a + PAGE);
  store<i32>(a, 1);
  store<i32>(b, 2);
  store<i32>(a + 2 * PAGE, 3);
  munmap(b, PAGE);
  check("hole", peek(b) == -1 && load<i32>(a) == 1 && load<i32>(a + 2 * PAGE) == 3);
  munmap(a, 0x400000);
  check("gone", peek(a) == -1 && peek(a + 2 * PAGE) == -1);
  checkEqual("SIGSEGV kills", inChild(segvChild) & 127, SIGSEGV);
}

function heap(): void {
  const base: usize = 0x1f000000;
  checkError("below the program", brk(PAGE), EINVAL);
  checkError("into a mapping", brk(0x60000000), ENOMEM);
  area = anon(PAGE);
  check("mappings leave room for the heap", area >= base);
}

/** Touch more memory than there is. */
function glutton(): i32 {
  const bytes: u32 = 0x40000000;
  const all = mmap(0, bytes, RW, MAP_PRIVATE | MAP_ANON, -1, 0);
  for (let at: u32 = 0; at < bytes; at += PAGE) store<u8>(all + at, 1);
  return 0;
}

/** A process that wants all memory is killed, and everything is as before: twice. */
function outOfMemory(): void {
  inChild(idleChild);
  const before = freeMemory();
  checkEqual("out of memory: killed", inChild(glutton), SIGKILL);
  checkEqual("again", inChild(glutton), SIGKILL);
  check("and all memory is back", freeMemory() + 64 * PAGE > before);
  checkEqual("fork still works", inChild(idleChild), 0);
}

/** Read a file of zeros, larger than memory: the page cache gives up what it had. */
function flood(): void {
  const bytes = freeMemory() + 0x400000;
  const fd = scratchFile(bytes);
  const byte = anon(PAGE);
  for (let at: u32 = 0; at < bytes; at += PAGE) {
    lseek(fd, at as i32, SEEK_SET);
    read(fd, byte, 1);
  }
  munmap(byte, PAGE);
  close(fd);
}

/** A page that was written back is clean, and may be taken away, until the next store. */
function takenAway(): void {
  const fd = open("/kept", O_RDWR | O_CREAT | O_TRUNC, 0x1a4);
  ftruncate(fd, 2 * PAGE);
  let kept = mapFile(fd, 2 * PAGE);
  store<i32>(kept, 1);
  store<i32>(kept + PAGE, 3);
  fsync(fd);
  store<i32>(kept, 2);
  munmap(kept, 2 * PAGE);
  flood();
  kept = mapFile(fd, 2 * PAGE);
  checkEqual("store after fsync", load<i32>(kept), 2);
  checkEqual("page read back", load<i32>(kept + PAGE), 3);
  munmap(kept, 2 * PAGE);
  close(fd);
  unlink("/kept");
}

function main(args: string[]): i32 {
  catchFaults();
  forkCopies();
  forksCostNothing();
  parentWritesFirst();
  sharedAnon();
  fileMappings();
  persistence();
  truncation();
  faults();
  argumentsJudged();
  heap();
  takenAway();
  outOfMemory();
  return verdict("memory");
}

setMain(main);
