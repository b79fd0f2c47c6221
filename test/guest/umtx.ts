// Judges umtx_sleep and umtx_wakeup: errors, the timeout, signals, how many are woken, and that sleepers and wakers meet at the
// physical address: in two mappings, in two processes, through software page tables, and after a fork has copied the page.

import { EBUSY, EFAULT, EINTR, EINVAL, EWOULDBLOCK } from '../../src/abi/errno.ts';
import { MADV_INVAL, MADV_SETMAP, MAP_ANON, MAP_PRIVATE, MAP_SHARED, MAP_VPAGETABLE, VPTE_A, VPTE_M, VPTE_PS, VPTE_RW, VPTE_V } from '../../src/abi/mman.ts';
import { SA_RESTART, SIGCONT, SIGKILL, SIGSTOP, SIGUSR1, SIGUSR2, SigAction } from '../../src/abi/signal.ts';
import { Timespec } from '../../src/abi/time.ts';
import { WUNTRACED } from '../../src/abi/file.ts';
import { setMain } from '../../src/libc/crt.ts';
import { waitFor } from '../../src/libc/process.ts';
import { _exit, clockGettime, errno, fork, kill, lwpKill, madvise, mcontrol, mmap, munmap, nanosleep, schedYield, sigaction, umtxSleep, umtxWakeup,
  wait4 } from '../../src/libc/sys.ts';
import { Thread, threadCreate, threadJoin } from '../../src/libc/thread.ts';
import { check, checkEqual, checkError, enableVkernel, mapFile, scratchFile, verdict } from './harness.ts';

const RW: i32 = 3;
const PAGE: u32 = 4096;
const IMAGE: u32 = 0x100000;
const VW: u32 = VPTE_V | VPTE_RW;

let word!: FixedArray<i32, 4>;

function milliseconds(): i32 {
  const now = new Timespec();
  clockGettime(4, changetype<usize>(now));
  const ms = now.sec * 1000 + now.nsec / 1000000;
  free(now);
  return ms;
}

function pause(ms: i32): void {
  const time = new Timespec();
  time.nsec = ms * 1000000;
  nanosleep(changetype<usize>(time), 0);
  free(time);
}

function handle(sig: i32, flags: i32): void {
  const act = new SigAction();
  act.handler = codeof(onSignal);
  act.flags = flags;
  sigaction(sig, changetype<usize>(act), 0);
  free(act);
}

let signals: i32 = 0;

function onSignal(_sig: i32): void {
  signals++;
}

/** Sleep at `address` while 0 is there, at most a second; 0, or the error number. */
function sleepOnce(address: usize): usize {
  return umtxSleep(address, 0, 1000000) == 0 ? 0 : errno() as usize;
}

function refusals(): void {
  const at = addressof(word);
  store<i32>(at, 5);
  checkError("another value: EBUSY", umtxSleep(at, 6, 0), EBUSY);
  checkError("negative timeout", umtxSleep(at, 5, -1), EINVAL);
  checkError("which is looked at first", umtxSleep(1, 5, -1), EINVAL);
  checkError("not aligned", umtxSleep(at + 2, 5, 0), EFAULT);
  checkError("not mapped", umtxSleep(0x100, 5, 0), EFAULT);
  checkError("in the kernel", umtxSleep(0xc0100000, 5, 0), EFAULT);
  checkError("wake: not aligned", umtxWakeup(at + 1, 1), EFAULT);
  checkError("wake: not mapped", umtxWakeup(0x100, 1), EFAULT);
  checkError("wake: in the kernel", umtxWakeup(0xc0100000, 0), EFAULT);
  checkEqual("wake: nobody", umtxWakeup(at, 1), 0);
  const readOnly = mmap(0, PAGE, 1, MAP_PRIVATE | MAP_ANON, -1, 0);
  checkError("a word that can't be written", umtxSleep(readOnly, 0, 1), EFAULT);
  munmap(readOnly, PAGE);
}

function timeout(): void {
  const at = addressof(word);
  store<i32>(at, 1);
  const start = milliseconds();
  checkError("timeout", umtxSleep(at, 1, 50000), EWOULDBLOCK);
  const took = milliseconds() - start;
  check("not before its time, and not long after", took >= 50 && took <= 80);
  checkError("the shortest", umtxSleep(at, 1, 1), EWOULDBLOCK);
}

function interrupted(): void {
  store<i32>(addressof(word), 0);
  handle(SIGUSR1, 0);
  handle(SIGUSR2, SA_RESTART);
  const one = threadCreate(sleepOnce, addressof(word))!;
  pause(20);
  lwpKill(-1, one.tid, SIGUSR1);
  checkEqual("a signal ends the sleep: EINTR", threadJoin(one) as i32, EINTR);
  const two = threadCreate(sleepOnce, addressof(word))!;
  pause(20);
  lwpKill(-1, two.tid, SIGUSR2);
  checkEqual("even with SA_RESTART", threadJoin(two) as i32, EINTR);
  checkEqual("the handlers ran", signals, 2);
}

let awake: i32 = 0;

function sleepAndCount(address: usize): usize {
  const result = sleepOnce(address);
  store<i32>(addressof(awake), load<i32>(addressof(awake)) + 1);
  return result;
}

function counts(): void {
  store<i32>(addressof(word), 0);
  const list: Thread[] = [];
  for (let i: i32 = 0; i < 5; i++) list.push(threadCreate(sleepAndCount, addressof(word))!);
  const other = threadCreate(sleepAndCount, addressof(word) + 4)!;
  pause(20);
  umtxWakeup(addressof(word), 1);
  pause(20);
  checkEqual("count 1 wakes one", load<i32>(addressof(awake)), 1);
  umtxWakeup(addressof(word), 1);
  pause(20);
  checkEqual("and then another", load<i32>(addressof(awake)), 2);
  umtxWakeup(addressof(word), 0);
  pause(20);
  checkEqual("count 0 wakes all", load<i32>(addressof(awake)), 5);
  umtxWakeup(addressof(word) + 4, 2);
  pause(20);
  checkEqual("who sleep on that word", load<i32>(addressof(awake)), 6);
  let sum: usize = threadJoin(other);
  for (const thread of list) sum += threadJoin(thread);
  checkEqual("each was woken, none timed out", sum as i32, 0);
}

/** A child sleeps at `mine`; we wake it at `ours`. */
function acrossProcesses(name: string, mine: usize, ours: usize): void {
  const pid = fork();
  if (pid == 0) _exit(sleepOnce(mine) as i32);
  pause(30);
  checkEqual(name + ": wake", umtxWakeup(ours, 1), 0);
  checkEqual(name, waitFor(pid), 0);
}

function acrossThreads(name: string, mine: usize, ours: usize): void {
  const thread = threadCreate(sleepOnce, mine)!;
  pause(30);
  umtxWakeup(ours, 1);
  checkEqual(name, threadJoin(thread) as i32, 0);
}

function mappings(): void {
  const shared = mmap(0, PAGE, RW, MAP_SHARED | MAP_ANON, -1, 0);
  acrossProcesses("shared memory", shared, shared);
  const image = scratchFile(IMAGE);
  const one = mapFile(image, IMAGE);
  const two = mapFile(image, IMAGE);
  acrossThreads("two mappings of a file", one + 8 * PAGE + 12, two + 8 * PAGE + 12);
  acrossProcesses("in two processes", two + 9 * PAGE, one + 9 * PAGE);
}

/** Directory in page 0 of the image, table in page 1; page 5 of the mapping is page `frame`. */
function pageTables(): void {
  enableVkernel(1);
  const image = scratchFile(IMAGE);
  const linear = mapFile(image, IMAGE);
  const tree = mmap(0, IMAGE, RW, MAP_SHARED | MAP_VPAGETABLE, image, 0);
  const flat = mmap(0, IMAGE, RW, MAP_SHARED | MAP_VPAGETABLE, image, 0);
  store<u32>(linear, PAGE | VW);
  store<u32>(linear + PAGE + 5 * 4, 20 * PAGE | VW);
  mcontrol(tree, IMAGE, MADV_SETMAP, 0 | VW);
  mcontrol(flat, IMAGE, MADV_SETMAP, 16 * PAGE | VPTE_PS | VW);
  const place = 5 * PAGE + 40;
  checkError("19: invalid VPTE", umtxSleep(tree + 6 * PAGE, 0, 1), EFAULT);
  checkError("19: invalid VPTE, wake", umtxWakeup(tree + 6 * PAGE, 0), EFAULT);
  checkError("19: value behind the VPTE", umtxSleep(tree + place, 1, 0), EBUSY);
  checkEqual("19: umtx_sleep sets A and M", (load<u32>(linear + PAGE + 5 * 4) & 0x60) as i32, (VPTE_A | VPTE_M) as i32);
  acrossThreads("20: through VPTEs and linearly", tree + place, linear + 20 * PAGE + 40);
  acrossThreads("20: two MAP_VPAGETABLE mappings", tree + place, flat + 4 * PAGE + 40);
  acrossProcesses("20: in another process, at another address", tree + place, flat + 4 * PAGE + 40);
  acrossProcesses("20: and the other way", linear + 20 * PAGE + 40, tree + place);
  store<u32>(linear + PAGE + 5 * 4, 21 * PAGE | VW);
  madvise(tree, IMAGE, MADV_INVAL);
  acrossThreads("20: the VPTE's new frame", tree + place, linear + 21 * PAGE + 40);
}

/** After a fork the page is copied for whoever writes first; the sleeper must move to the copy. */
function afterFork(): void {
  const page = mmap(0, PAGE, RW, MAP_PRIVATE | MAP_ANON, -1, 0);
  store<i32>(page, 0);
  const thread = threadCreate(sleepAgain, page)!;
  pause(20);
  const pid = fork();
  if (pid == 0) {
    pause(60);
    _exit(load<i32>(page));
  }
  store<i32>(page, 1);
  umtxWakeup(page, 1);
  checkEqual("woken on the copy that our store made", threadJoin(thread) as i32, 0);
  checkEqual("the child keeps the original", waitFor(pid), 0);
  munmap(page, PAGE);
}

/** As programs do: until the word changes. */
function sleepAgain(address: usize): usize {
  let result: usize = 0;
  while (load<i32>(address) == 0 && result == 0) result = sleepOnce(address);
  return result;
}

/** A page that goes while somebody sleeps on it harms nobody. */
function pageGoes(): void {
  const page = mmap(0, PAGE, RW, MAP_PRIVATE | MAP_ANON, -1, 0);
  const thread = threadCreate(sleepOnce, page)!;
  pause(20);
  munmap(page, PAGE);
  const again = mmap(0, 64 * PAGE, RW, MAP_PRIVATE | MAP_ANON, -1, 0);
  memory.fill(again, 1, 64 * PAGE);
  lwpKill(-1, thread.tid, SIGUSR1);
  checkEqual("asleep on memory that is gone", threadJoin(thread) as i32, EINTR);
  munmap(again, 64 * PAGE);
}

/** Stopping and continuing a sleeper loses no waking. */
function stopped(): void {
  const shared = mmap(0, PAGE, RW, MAP_SHARED | MAP_ANON, -1, 0);
  const pid = fork();
  if (pid == 0) _exit(sleepAgain(shared) as i32);
  pause(20);
  kill(pid, SIGSTOP);
  wait4(pid, addressof(word), WUNTRACED, 0);
  store<i32>(shared, 1);
  umtxWakeup(shared, 1);
  kill(pid, SIGCONT);
  const status = waitFor(pid);
  check("stopped, woken, continued", status == 0 || status == EINTR << 8);
  const second = fork();
  if (second == 0) {
    umtxSleep(shared, 1, 0);
    _exit(1);
  }
  pause(20);
  kill(second, SIGKILL);
  checkEqual("killed asleep", waitFor(second), SIGKILL);
}

let turns: i32 = 0;

/** Two threads take turns through one word. */
function taker(address: usize): usize {
  for (let i: i32 = 0; i < 200; i++) {
    while (load<i32>(address) != 1) umtxSleep(address, 0, 0);
    store<i32>(address, 0);
    umtxWakeup(address, 1);
    store<i32>(addressof(turns), load<i32>(addressof(turns)) + 1);
  }
  return 0;
}

function pingPong(): void {
  const at = addressof(word);
  store<i32>(at, 0);
  const thread = threadCreate(taker, at)!;
  for (let i: i32 = 0; i < 200; i++) {
    while (load<i32>(at) != 0) umtxSleep(at, 1, 0);
    store<i32>(at, 1);
    umtxWakeup(at, 1);
    if (i % 7 == 0) schedYield();
  }
  threadJoin(thread);
  checkEqual("no waking is lost in 200 turns", load<i32>(addressof(turns)), 200);
}

function main(args: string[]): i32 {
  refusals();
  timeout();
  interrupted();
  counts();
  mappings();
  pageTables();
  afterFork();
  pageGoes();
  stopped();
  pingPong();
  return verdict("umtx");
}

setMain(main);
