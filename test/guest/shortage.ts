// Judges what happens when memory runs short. An image that is larger than memory leaves room for others. Processes that take what they
// can get, of user memory or of the kernel's, are refused or ended; the kernel and the others live on, and when the greedy are gone
// everything that they had is free again.

import { EAGAIN, EMFILE, ENOMEM } from '../../src/abi/errno.ts';
import { EV_ADD, EVFILT_SIGNAL, Kevent } from '../../src/abi/event.ts';
import { CTL_KERN, KERN_PROC, O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, VmStats } from '../../src/abi/file.ts';
import { LwpParams } from '../../src/abi/lwp.ts';
import { MADV_NOSYNC, MADV_SETMAP, MAP_ANON, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, MAP_VPAGETABLE, PROT_READ, VPTE_PS, VPTE_RW, VPTE_V } from '../../src/abi/mman.ts';
import { SIGKILL } from '../../src/abi/signal.ts';
import { Timespec } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { vectorOf, waitFor } from '../../src/libc/process.ts';
import { _exit, close, errno, execve, fork, getdirentries, kevent, kill, kqueue, lwpCreate, madvise, mcontrol, mmap, mprotect, munmap, nanosleep, open, pipe, setsid, sync, sysctl, unlink, vmspaceCreate, vmspaceMmap,
  wait4, write } from '../../src/libc/sys.ts';
import { bootNumber, check, checkEqual, enableVkernel, inChild, limitSpaces, readStats, scratchFile, verdict } from './harness.ts';

const RW: i32 = 3;
const PAGE: u32 = 4096;
const SEGMENT: u32 = 0x400000;
const MOST: i32 = 400;              // greedy processes at a time

let stats!: Embed<VmStats>;
let before!: Embed<VmStats>;
let image: i32 = -1;                // an image larger than memory, and where it is mapped
let linear: usize = 0;
let imagePages: u32 = 0;
let shared: Ptr<i32> = changetype<Ptr<i32>>(0);   // what children report: how many wait, and the errno of the last refusal
let pids!: FixedArray<i32, 400>;
let long!: Embed<Timespec>;
let fds!: FixedArray<i32, 2>;
let entries!: FixedArray<u8, 256>;
let names!: FixedArray<i32, 2>;

const WAITING: i32 = 0;
const REFUSED: i32 = 1;
const GO: i32 = 2;

function pause(ms: i32): void {
  const time = new Timespec();
  time.sec = ms / 1000;
  time.nsec = ms % 1000 * 1000000;
  nanosleep(changetype<usize>(time), 0);
  free(time);
}

function makeImage(): void {
  readStats(stats);
  imagePages = stats.pages + stats.pages / 4;
  image = scratchFile(imagePages * PAGE);
  linear = mmap(0, imagePages * PAGE, RW, MAP_SHARED | MAP_VPAGETABLE, image, 0);
  madvise(linear, imagePages * PAGE, MADV_NOSYNC);
  mcontrol(linear, imagePages * PAGE, MADV_SETMAP, VPTE_PS | VPTE_V | VPTE_RW);
}

/** The first word of every page becomes its number plus `plus`. */
function fill(base: usize, pages: u32, plus: u32): void {
  for (let page: u32 = 0; page < pages; page++) store<u32>(base + page * PAGE, page + plus);
}

function wrongPages(base: usize, pages: u32, plus: u32): i32 {
  let wrong: i32 = 0;
  for (let page: u32 = 0; page < pages; page++) if (load<u32>(base + page * PAGE) != page + plus) wrong++;
  return wrong;
}

function anonymousMemory(pages: u32): usize {
  return mmap(0, pages * PAGE, RW, MAP_PRIVATE | MAP_ANON, -1, 0);
}

/** Takes an eighth of memory, when nearly all of it is changed pages of the image. */
function besideImage(): i32 {
  const pages = stats.pages / 8;
  fill(linear, imagePages, 1);
  const own = anonymousMemory(pages);
  fill(own, pages, 2);
  fill(linear, imagePages, 3);
  return wrongPages(own, pages, 2) + wrongPages(linear, imagePages, 3) == 0 ? 0 : 1;
}

/** Writes a quarter of the image, most of which has to be read for it, to a file, and reads that. */
function writesImage(): i32 {
  const bytes = imagePages / 4 * PAGE;
  fill(linear, imagePages, 5);
  const fd = open("/copy", O_RDWR | O_CREAT | O_TRUNC, 0x180);
  unlink("/copy");
  if (write(fd, linear, bytes) != (bytes as i32)) return 1;
  fill(linear, imagePages, 6);
  const copy = mmap(0, bytes, PROT_READ, MAP_SHARED, fd, 0);
  return wrongPages(copy, bytes / PAGE, 5) == 0 ? 0 : 2;
}

// ---------------------------------------------------------------------------------------------------- the greedy

/** What a child does when it has got all that it could: it says so, and keeps it. */
function keep(error: i32): i32 {
  shared[REFUSED] = error;
  shared[WAITING] = shared[WAITING]! + 1;
  for (;;) pause(1000);
}

function takesPages(): i32 {
  const pages = stats.pages;
  fill(anonymousMemory(pages), pages, 0);
  return 1;                                   // more than there is
}

/** A page and a page table for each 4 MiB. */
function takesTables(): i32 {
  const far = mmap(0, 100 * SEGMENT, RW, MAP_PRIVATE | MAP_ANON, -1, 0);
  for (let i: u32 = 0; i < 100; i++) store<u32>(far + i * SEGMENT, i);
  return keep(0);
}

function takesPipes(): i32 {
  while (pipe(changetype<Ptr<i32>>(addressof(fds))) >= 0) {}
  return keep(errno());
}

function takesFiles(): i32 {
  while (open("/dev/null", O_RDWR, 0) >= 0) {}
  return keep(errno());
}

/** Kqueues that watch every signal. */
function takesNotes(): i32 {
  const change = new Kevent();
  change.flags = EV_ADD;
  change.filter = EVFILT_SIGNAL;
  for (let kq = kqueue(); kq >= 0; kq = kqueue()) {
    for (change.ident = 1; change.ident < 32; change.ident++) if (kevent(kq, changetype<usize>(change), 1, 0, 0, 0) < 0) return keep(errno());
  }
  return keep(errno());
}

/** Threads without much of a stack. */
function takesThreads(): i32 {
  const params = new LwpParams();
  long.sec = 1000;
  params.func = codeof(sleeps);
  params.stack = anonymousMemory(64) + PAGE;
  while (lwpCreate(changetype<usize>(params)) >= 0) params.stack += 512;
  return keep(errno());
}

function sleeps(): void {
  for (;;) nanosleep(changetype<usize>(long), 0);
}

/** Every page an entry of its own. */
function takesEntries(): i32 {
  const base = mmap(0, 512 * PAGE, RW, MAP_PRIVATE | MAP_ANON, -1, 0);
  for (let i: u32 = 0; i < 512; i += 2) if (mprotect(base + i * PAGE, PAGE, PROT_READ) < 0) return keep(errno());
  return keep(0);
}

/** Spaces with mappings, none of which is ever touched. */
function takesSpaces(): i32 {
  for (let id: usize = 1; ; id++) {
    if (vmspaceCreate(id, 0, 0) < 0) return keep(errno());
    for (let at: u32 = 0; at < 16; at++) if (vmspaceMmap(id, at * SEGMENT, PAGE, RW, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, image, 0) != at * SEGMENT) return keep(errno());
  }
}

/** Half of memory, but no two pages beside each other. */
function takesEverySecond(): i32 {
  const pages = stats.free - stats.free / 8;
  const base = anonymousMemory(pages);
  fill(base, pages, 0);
  for (let page: u32 = 0; page < pages; page += 2) munmap(base + page * PAGE, PAGE);
  return keep(0);
}

/** All processes with all that they could tell. */
function listsProcesses(): i32 {
  const room: u32 = 0x10000;
  const table = anonymousMemory(room / PAGE);
  names[0] = CTL_KERN;
  names[1] = KERN_PROC;
  store<u32>(table, room - 4);
  return sysctl(addressof(names), 2, table + 4, table, 0, 0) == 0 ? 0 : errno();
}

const DIRECTORIES: i32 = 400;          // that the disk has: /d0 to /d399

/** More of the disk's directories than there are buffers for. */
function readsDirectories(count: i32): i32 {
  let failed: i32 = 0;
  for (let i: i32 = 0; i < count; i++) {
    const fd = open(`/d${i}`, O_RDONLY, 0);
    if (fd < 0 || getdirentries(fd, addressof(entries), 256, 0) <= 0) failed = errno();
    close(fd);
  }
  return failed;
}

/** Starts processes that do `body`, until there are `most` or there can't be more; then ends them. How many there were. */
function swarm(body: () => i32, most: i32): i32 {
  let count: i32 = 0;
  shared[WAITING] = 0;
  shared[REFUSED] = 0;
  while (count < most) {
    const pid = fork();
    if (pid == 0) _exit(body());
    if (pid < 0) break;
    pids[count] = pid;
    count++;
    for (let i: i32 = 0; i < 100 && shared[WAITING]! < count && wait4(pid, 0, 1, 0) == 0; i++) pause(10);
  }
  return count;
}

function endSwarm(count: i32): void {
  for (let i: i32 = 0; i < count; i++) kill(pids[i]!, SIGKILL);
  while (wait4(-1, 0, 0, 0) > 0) {}
}

function nothing(): i32 {
  return 0;
}

/** Bytes that the kernel holds, but for what it keeps to use it again and what is counted by itself. */
function kernelMemory(of: VmStats): u32 {
  return of.kernelBytes - of.cacheBytes - of.mappings * 16 - of.objects * 48;
}

/** Everything is as before: memory of users, and of the kernel but for what it keeps to use it again. */
function nothingLeft(what: string): void {
  endSwarm(swarm(nothing, 1));                // what forks have left behind of our own memory goes with the next
  sync();
  readStats(stats);
  checkEqual(`${what}: processes`, stats.processes as i32, before.processes as i32);
  checkEqual(`${what}: spaces`, stats.spaces as i32, before.spaces as i32);
  checkEqual(`${what}: map entries`, stats.entries as i32, before.entries as i32);
  const held = kernelMemory(stats);
  check(`${what}: ${held} bytes of kernel memory, ${kernelMemory(before)} before`, held <= kernelMemory(before));
  const kept = (stats.cacheBytes - before.cacheBytes) / PAGE;
  check(`${what}: ${stats.free} pages free, ${before.free} before, ${kept} more kept`, stats.free + kept + 24 >= before.free);
}

/** The status of a child that does `body`; -1: there can't be one. */
function tries(body: () => i32): i32 {
  const pid = fork();
  if (pid == 0) _exit(body());
  return pid < 0 ? -1 : waitFor(pid);
}

/** A process that reads directories when it is told to, and has touched before what it needs for that. */
function startWitness(): i32 {
  shared[GO] = 0;
  const pid = fork();
  if (pid != 0) return pid;
  readsDirectories(1);
  while (shared[GO] == 0) pause(10);
  _exit(readsDirectories(DIRECTORIES));
  return 0;
}

/** A swarm of one kind, and what the others can do meanwhile. */
function trial(what: string, body: () => i32, most: i32): void {
  sync();
  readStats(stats);
  readStats(before);
  const witness = startWitness();
  const count = swarm(body, most);
  check(`${what}: some ran`, count > 0);
  const error = shared[REFUSED]!;
  check(`${what}: refused with ENOMEM, EMFILE or EAGAIN, not ${error}`, error == 0 || error == ENOMEM || error == EMFILE || error == EAGAIN);
  const status = tries(listsProcesses);
  check(`${what}: processes are listed, or there is no memory for that: ${status}`, status == 0 || status == ENOMEM << 8 || status == -1 || status == SIGKILL);
  shared[GO] = 1;
  const seen = waitFor(witness);
  check(`${what}: who was there before reads directories, or there is no memory for that: ${seen}`, seen == 0 || seen == ENOMEM << 8 || seen == SIGKILL);
  endSwarm(count);
  nothingLeft(what);
}

function waits(): i32 {
  return keep(0);
}

/** In a virtual kernel that the real one gives few spaces: fork is refused when they are used up, and works again when there are some. */
function fewSpaces(): void {
  for (let round: i32 = 0; round < 2; round++) {
    const count = swarm(waits, MOST);
    check(`${count} processes`, count > 4 && count < 64);
    checkEqual("then fork is refused", errno(), ENOMEM);
    endSwarm(count);
  }
}

/** Virtual kernels at once whose images are larger than memory together; this program is process 1 of each. */
function virtualKernels(count: i32): void {
  const spaces = bootNumber("spaces=", 0);
  if (spaces != 0) limitSpaces(spaces as i32);
  const inside = spaces != 0 ? "virtual=0 few=1" : "virtual=0 brief=2";
  for (let i: i32 = 0; i < count; i++) {
    const pid = fork();
    if (pid == 0) {
      setsid();
      execve("/boot/vkernel", vectorOf(["/boot/vkernel", "-m", "32m", "-n", `${bootNumber("cpus=", 1)}`, "-r", `/vroot${i}.img`, "-e", inside]), vectorOf([]));
      _exit(127);
    }
    pids[i] = pid;
  }
  for (let i: i32 = 0; i < count; i++) checkEqual("a virtual kernel finds no failure", waitFor(pids[i]!), 0);
}

function main(args: string[]): i32 {
  enableVkernel(1);
  const virtual = bootNumber("virtual=", 0) as i32;
  if (virtual > 0) {
    virtualKernels(virtual);
    return verdict("shortage");
  }
  shared = changetype<Ptr<i32>>(mmap(0, PAGE, RW, MAP_SHARED | MAP_ANON, -1, 0));
  shared[WAITING] = 0;
  if (bootNumber("few=", 0) != 0) {
    fewSpaces();
    return verdict("shortage");
  }
  makeImage();
  checkEqual("a process finds memory beside an image that is larger than memory", inChild(besideImage), 0);
  check("the image was paged out", pagedOut() > imagePages);
  const brief = bootNumber("brief=", 0);
  if (brief < 2) {
    checkEqual("what is written from an image is what it was", inChild(writesImage), 0);
    trials("");
    inChild(dirtyImage);
    trials("beside an image, ");
  }
  munmap(linear, imagePages * PAGE);
  return verdict("shortage");
}

function dirtyImage(): i32 {
  fill(linear, imagePages, 4);
  return 0;
}

/** With the boot word brief=1 only the greedy with memory of their own, with 2 nobody. */
function trials(when: string): void {
  if (bootNumber("brief=", 0) == 0) trial(`${when}pipes`, takesPipes, MOST);
  trial(`${when}every second page`, takesEverySecond, 1);
  trial(`${when}pages`, takesPages, 4);
  if (bootNumber("brief=", 0) != 0) return;
  trial(`${when}page tables`, takesTables, MOST);
  trial(`${when}files`, takesFiles, MOST);
  trial(`${when}knotes`, takesNotes, MOST);
  trial(`${when}threads`, takesThreads, MOST);
  trial(`${when}map entries`, takesEntries, MOST);
  trial(`${when}VM spaces`, takesSpaces, 4);
}

function pagedOut(): u32 {
  readStats(stats);
  return stats.pagedOut;
}

setMain(main);
