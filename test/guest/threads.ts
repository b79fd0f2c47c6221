// Judges threads: making, joining and ending them, what each has of its own (id, stack, errno, TLS, FPU, signal mask, alternate
// stack), signals for one thread and for whichever takes them, stop, continue and kill of a process with several, exec, exit
// and fork from one of them, and the C library's mutexes and conditions.

import { EAGAIN, EBADF, EFAULT, EINVAL, ESRCH } from '../../src/abi/errno.ts';
import { WNOHANG, WUNTRACED } from '../../src/abi/file.ts';
import { EXTEXIT_LWP, EXTEXIT_PROC, EXTEXIT_SETINT, LwpParams } from '../../src/abi/lwp.ts';
import { SA_ONSTACK, SA_RESTART, SIG_BLOCK, SIG_IGN, SIG_SETMASK, SIGCONT, SIGKILL, SIGSEGV, SIGSTOP, SIGTERM, SIGUSR1, SIGUSR2, SigAction,
  SigSet } from '../../src/abi/signal.ts';
import { MAP_ANON, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../../src/abi/mman.ts';
import { Rusage, Timespec } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { Condition, fetchAdd, Mutex } from '../../src/libc/mutex.ts';
import { vectorOf } from '../../src/libc/process.ts';
import { malloc, mfree } from '../../src/libc/rt.ts';
import { _exit, clockGettime, close, errno, execve, extexit, fork, getpid, getrusage, kill, lwpCreate, lwpGettid, lwpKill, mmap, mprotect, munmap, nanosleep, pipe, read, schedYield,
  sigaction, sigaltstack, sigpending, sigprocmask, umtxSleep, umtxWakeup, wait4 } from '../../src/libc/sys.ts';
import { Thread, threadCreate, threadExit, threadJoin, threadSelf } from '../../src/libc/thread.ts';
import { check, checkEqual, checkError, freeMemory, inChild, verdict } from './harness.ts';

let statusWord!: FixedArray<i32, 1>;
let fds!: FixedArray<i32, 2>;
let bytes!: FixedArray<u8, 16>;
let usage!: Embed<Rusage>;

/** A word that threads tell each other things by. */
let word!: FixedArray<i32, 8>;

function at(index: i32): usize {
  return addressof(word) + ((index as u32) << 2);
}

function get(index: i32): i32 {
  return load<i32>(at(index));
}

function set(index: i32, value: i32): void {
  store<i32>(at(index), value);
  umtxWakeup(at(index), 0);
}

/** Wait until the word is `value`. */
function until(index: i32, value: i32): void {
  for (;;) {
    const now = get(index);
    if (now == value) return;
    umtxSleep(at(index), now, 0);
  }
}

function clear(): void {
  for (let i: i32 = 0; i < 8; i++) store<i32>(at(i), 0);
}

function sleepMs(ms: i32): i32 {
  const when = new Timespec();
  when.sec = ms / 1000;
  when.nsec = ms % 1000 * 1000000;
  const result = nanosleep(changetype<usize>(when), 0);
  free(when);
  return result;
}

function handle(sig: i32, handler: usize, flags: i32): void {
  const act = new SigAction();
  act.handler = handler;
  act.flags = flags;
  sigaction(sig, changetype<usize>(act), 0);
  free(act);
}

function bit(sig: i32): u32 {
  return (1 as u32) << (sig - 1);
}

/** Replace the calling thread's mask. */
function setMask(mask: u32): void {
  const signals = new SigSet();
  signals.w0 = mask;
  sigprocmask(SIG_SETMASK, changetype<usize>(signals), 0);
  free(signals);
}

function getMask(): u32 {
  const signals = new SigSet();
  sigprocmask(SIG_BLOCK, 0, changetype<usize>(signals));
  const mask = signals.w0;
  free(signals);
  return mask;
}

// ---------------------------------------------------------------------------------------------------- making and ending

function double(arg: usize): usize {
  return arg * 2;
}

function tellTid(_arg: usize): usize {
  return lwpGettid() as usize;
}

function exitEarly(arg: usize): usize {
  threadExit(arg + 1);
  return 0;
}

function testCreate(): void {
  checkEqual("the first thread's id", lwpGettid(), 1);
  check("which has no record", threadSelf() == null);
  checkEqual("argument and result", threadJoin(threadCreate(double, 21)!) as i32, 42);
  checkEqual("threadExit", threadJoin(threadCreate(exitEarly, 7)!) as i32, 8);
  const one = threadCreate(tellTid, 0)!;
  const tid = one.tid;
  checkEqual("lwp_create stores the id that lwp_gettid tells", threadJoin(one) as i32, tid);
  const two = threadCreate(tellTid, 0)!;
  check("ids differ", two.tid != tid && two.tid > 1);
  threadJoin(two);
  checkError("its thread is gone", lwpKill(-1, tid, 0), ESRCH);
}

function lwpWith(func: usize, stack: usize, tid1: usize): i32 {
  const params = new LwpParams();
  params.func = func;
  params.stack = stack;
  params.tid1 = tid1;
  const result = lwpCreate(changetype<usize>(params));
  free(params);
  return result;
}

function testBadCreate(): void {
  checkError("lwp_create: parameters", lwpCreate(16), EFAULT);
  checkError("lwp_create: stack", lwpWith(codeof(double), 4096, 0), EFAULT);
  checkError("lwp_create: stack in the kernel", lwpWith(codeof(double), 0xc0200000, 0), EFAULT);
  const stack = malloc(4096);
  checkError("lwp_create: where the id goes", lwpWith(codeof(double), stack + 4096, 16), EFAULT);
  mfree(stack);
  checkError("extexit: how", extexit(2, 0, 0), EINVAL);
  checkError("extexit: whose", extexit(0x20000, 0, 0), EINVAL);
  checkError("extexit: address", extexit(EXTEXIT_LWP | EXTEXIT_SETINT, 0, 16), EFAULT);
}

function waitForEnd(_arg: usize): usize {
  until(0, 1);
  return 0;
}

/** As many threads as a process may have, and one too many. */
function testLimit(): void {
  clear();
  const list: Thread[] = [];
  let refused: i32 = 0;
  for (let i: i32 = 0; i < 300 && refused == 0; i++) {
    const thread = threadCreate(waitForEnd, 0);
    if (thread != null) list.push(thread);
    else refused = errno();
  }
  checkEqual("there are limits", refused, EAGAIN);
  checkEqual("256 threads", list.length, 255);
  set(0, 1);
  for (const thread of list) threadJoin(thread);
  checkEqual("and then there is room again", threadJoin(threadCreate(double, 4)!) as i32, 8);
}

/** Threads come and go without leaving anything. */
function testNoLeak(): void {
  for (let i: i32 = 0; i < 20; i++) threadJoin(threadCreate(double, 1)!);
  const before = freeMemory();
  for (let i: i32 = 0; i < 200; i++) threadJoin(threadCreate(double, 1)!);
  check("200 threads leave no page behind", freeMemory() + 4 * 4096 >= before);
}

// ---------------------------------------------------------------------------------------------------- what each has

function failsItself(_arg: usize): usize {
  checkError("a thread's own errno", close(63), EBADF);
  close(63);
  set(0, 1);
  until(1, 1);
  return errno() as usize;
}

function testErrno(): void {
  clear();
  const thread = threadCreate(failsItself, 0)!;
  until(0, 1);
  check("errno of the first thread is another", errno() != EBADF);
  checkError("whose errors", kill(29999, 0), ESRCH);
  kill(29999, 0);
  set(1, 1);
  checkEqual("are its own", threadJoin(thread) as i32, EBADF);
}

let points!: FixedArray<f64, 12>;

/** Hold a value on the FPU stack while others use theirs; and now and then sleep, perhaps to go on on another CPU. */
function holdOnFpu(arg: usize): usize {
  const place = addressof(points) + arg * 8;
  points[arg as i32] = (arg as i32) as f64 + 0.5;
  asm`mov eax, ${place}
      fld qword ptr [eax]`;
  for (let i: i32 = 0; i < 30; i++) {
    schedYield();
    if ((i + (arg as i32)) % 5 == 0) sleepMs(1);
  }
  points[arg as i32] = 0.0;
  asm`mov eax, ${place}
      fstp qword ptr [eax]`;
  return points[arg as i32] == (arg as i32) as f64 + 0.5 ? 1 : 0;
}

function testFpu(): void {
  const list: Thread[] = [];
  for (let i: i32 = 1; i < 12; i++) list.push(threadCreate(holdOnFpu, i as usize)!);
  let sum = holdOnFpu(0);
  for (const thread of list) sum += threadJoin(thread);
  checkEqual("FPU registers of twelve threads", sum as i32, 12);
}

function milliseconds(): i32 {
  const now = new Timespec();
  clockGettime(4, changetype<usize>(now));
  const ms = now.sec * 1000 + now.nsec / 1000000;
  free(now);
  return ms;
}

/** Compute for so many milliseconds. */
function waste(ms: usize): usize {
  const end = milliseconds() + (ms as i32);
  while (milliseconds() < end) {
    for (let i: i32 = 0; i < 1000; i++) store<i32>(at(7), i);
  }
  return 0;
}

/** Microseconds of processor time of this process. */
function processTime(): i32 {
  getrusage(0, changetype<usize>(usage));
  return (usage.utimeSec + usage.stimeSec) * 1000000 + usage.utimeUsec + usage.stimeUsec;
}

function testTimes(): void {
  const before = processTime();
  const one = threadCreate(waste, 100)!;
  const two = threadCreate(waste, 200)!;
  threadJoin(one);
  const middle = processTime();
  threadJoin(two);
  check("a process's time is that of its threads", middle - before > 50000);
  check("and stays when they have ended", processTime() - middle > 30000);
}

// ---------------------------------------------------------------------------------------------------- signals

let caughtBy: i32 = 0;
let caughtCount: i32 = 0;
let caughtOn: usize = 0;

function note(_sig: i32): void {
  let here: usize = 0;
  asm`mov ${here}, esp`;
  caughtOn = here;
  caughtBy = lwpGettid();
  caughtCount++;
}

function caughtOnce(): bool {
  const once = caughtCount == 1;
  caughtCount = 0;
  return once;
}

/** Sleep without end, again after each signal, until word 1 is set. */
function sleepThrough(mask: usize): usize {
  setMask(mask);
  set(0, get(0) + 1);
  until(1, 1);
  return 0;
}

function testOneThread(): void {
  clear();
  handle(SIGUSR1, codeof(note), 0);
  const thread = threadCreate(sleepThrough, 0)!;
  until(0, 1);
  checkEqual("lwp_kill", lwpKill(-1, thread.tid, SIGUSR1), 0);
  sleepMs(20);
  check("its thread runs the handler, asleep as it was", caughtOnce() && caughtBy == thread.tid);
  checkEqual("by process id too", lwpKill(getpid(), 1, SIGUSR1), 0);
  check("the first thread", caughtOnce() && caughtBy == 1);
  checkError("lwp_kill: no such thread", lwpKill(-1, 999, SIGUSR1), ESRCH);
  checkError("lwp_kill: no such process", lwpKill(29999, 1, SIGUSR1), ESRCH);
  checkError("lwp_kill: thread -1", lwpKill(-1, -1, SIGUSR1), EINVAL);
  checkError("lwp_kill: signal 65", lwpKill(-1, 1, 65), EINVAL);
  checkEqual("lwp_kill: signal 0", lwpKill(-1, thread.tid, 0), 0);
  set(1, 1);
  threadJoin(thread);
  checkEqual("once each", caughtCount, 0);
}

/** Masks are each thread's own; a signal for the process goes where it may. */
function testMasks(): void {
  clear();
  setMask(bit(SIGUSR2));
  const blocks = threadCreate(sleepThrough, bit(SIGUSR1) as usize)!;
  until(0, 1);
  const takes = threadCreate(sleepThrough, bit(SIGUSR2) as usize)!;
  until(0, 2);
  checkEqual("our own mask is as before", getMask() as i32, bit(SIGUSR2) as i32);
  handle(SIGUSR2, codeof(note), 0);
  kill(getpid(), SIGUSR2);
  sleepMs(20);
  check("to the one thread that does not block it", caughtOnce() && caughtBy == blocks.tid);
  setMask(bit(SIGUSR1));
  lwpKill(-1, blocks.tid, SIGUSR1);
  sleepMs(20);
  checkEqual("blocked where it was sent", caughtCount, 0);
  kill(getpid(), SIGUSR1);
  sleepMs(20);
  check("the process's own is taken by another", caughtOnce() && caughtBy == takes.tid);
  set(1, 1);
  threadJoin(blocks);
  threadJoin(takes);
  setMask(0);
  checkEqual("what was pending for one thread alone went with it", caughtCount, 0);
}

function inheritsMask(_arg: usize): usize {
  return getMask() as usize;
}

/** A signal that everyone blocks waits for the first who does not. */
function testPending(): void {
  clear();
  setMask(bit(SIGUSR1) | bit(SIGUSR2));
  checkEqual("a thread begins with its creator's mask", threadJoin(threadCreate(inheritsMask, 0)!) as i32, (bit(SIGUSR1) | bit(SIGUSR2)) as i32);
  const thread = threadCreate(opensMask, 0)!;
  kill(getpid(), SIGUSR1);
  const pending = new SigSet();
  sigpending(changetype<usize>(pending));
  checkEqual("pending in the process", pending.w0 as i32, bit(SIGUSR1) as i32);
  free(pending);
  set(0, 1);
  const tid = thread.tid;
  checkEqual("taken by the thread that opens its mask", threadJoin(thread) as i32, 1);
  checkEqual("which it is", caughtBy, tid);
  caughtCount = 0;
  kill(getpid(), SIGUSR1);
  setMask(0);
  check("or by us", caughtOnce() && caughtBy == 1);
}

function opensMask(_arg: usize): usize {
  until(0, 1);
  setMask(0);
  return caughtCount as usize;
}

class Stack { sp: usize = 0; size: u32 = 0; flags: u32 = 0; }

/** The first thread has an alternate stack; no other has. */
function testAlternateStack(): void {
  clear();
  const stack = new Stack();
  stack.sp = malloc(16384);
  stack.size = 16384;
  sigaltstack(changetype<usize>(stack), 0);
  handle(SIGUSR1, codeof(note), SA_ONSTACK);
  const thread = threadCreate(hasNoStack, 0)!;
  checkEqual("a new thread has no alternate stack", threadJoin(thread) as i32, 4);
  lwpKill(-1, 1, SIGUSR1);
  check("ours is used", caughtOnce() && caughtOn > stack.sp && caughtOn < stack.sp + 16384);
  const other = threadCreate(sleepThrough, 0)!;
  until(0, 1);
  lwpKill(-1, other.tid, SIGUSR1);
  sleepMs(20);
  check("another thread's handler runs on its own stack", caughtOnce() && (caughtOn < stack.sp || caughtOn > stack.sp + 16384));
  set(1, 1);
  threadJoin(other);
  stack.flags = 4;
  sigaltstack(changetype<usize>(stack), 0);
}

function hasNoStack(_arg: usize): usize {
  const stack = new Stack();
  sigaltstack(0, changetype<usize>(stack));
  const flags = stack.flags;
  free(stack);
  return flags as usize;
}

let patient: i32 = 0;

/** Wait in a handler that blocks SIGUSR2 for somebody else to take that. */
function waitInHandler(_sig: i32): void {
  for (let i: i32 = 0; i < 1000 && load<i32>(addressof(caughtCount)) == 0; i++) schedYield();
  store<i32>(addressof(patient), 1);
}

function spinUntilTold(_arg: usize): usize {
  setMask(0);
  set(0, get(0) + 1);
  while (load<i32>(addressof(patient)) == 0) continue;
  return 0;
}

/** Two signals are announced to the thread that runs; its handler of the first blocks the second, which another then takes. */
function testRedirect(): void {
  clear();
  setMask(bit(SIGUSR1) | bit(SIGUSR2));
  const act = new SigAction();
  act.handler = codeof(waitInHandler);
  act.m0 = bit(SIGUSR2);
  sigaction(SIGUSR1, changetype<usize>(act), 0);
  free(act);
  handle(SIGUSR2, codeof(note), 0);
  const sleeper = threadCreate(sleepThrough, 0)!;
  until(0, 1);
  const spinner = threadCreate(spinUntilTold, 0)!;
  until(0, 2);
  kill(getpid(), SIGUSR1);
  kill(getpid(), SIGUSR2);
  const tid = sleeper.tid;
  threadJoin(spinner);
  set(1, 1);
  threadJoin(sleeper);
  check("a signal finds the next thread when the first blocks it", caughtOnce() && caughtBy == tid);
  setMask(0);
}

/** A signal that every thread blocks outlives a thread. */
function testOutlives(): void {
  clear();
  handle(SIGUSR1, codeof(note), 0);
  const thread = threadCreate(blocksLate, 0)!;
  setMask(bit(SIGUSR1));
  until(0, 1);
  kill(getpid(), SIGUSR1);
  set(1, 1);
  threadJoin(thread);
  checkEqual("blocked everywhere: not yet", caughtCount, 0);
  setMask(0);
  check("the first thread takes it", caughtOnce() && caughtBy == 1);
}

function blocksLate(_arg: usize): usize {
  setMask(bit(SIGUSR1));
  set(0, 1);
  until(1, 1);
  return 0;
}

// ---------------------------------------------------------------------------------------------------- stop, continue, kill

/** A counter that the parent sees too. */
let counter: usize = 0;

function countUp(_arg: usize): usize {
  for (;;) fetchAdd(counter, 1);
}

function count(): i32 {
  return load<i32>(counter);
}

function sleepAlways(_arg: usize): usize {
  for (;;) sleepMs(1000);
}

function readAlways(_arg: usize): usize {
  for (;;) read(fds[0], addressof(bytes), 1);
}

/** Four threads: one computes, one sleeps, one waits for a pipe that nobody writes to, and the first does a little of all. */
function startCrowd(): i32 {
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  const pid = fork();
  if (pid != 0) return pid;
  threadCreate(countUp, 0);
  threadCreate(sleepAlways, 0);
  threadCreate(readAlways, 0);
  for (;;) {
    sleepMs(10);
    schedYield();
  }
}

/** Wait until the crowd has been counting for a while. */
function letCount(): void {
  const before = count();
  while (count() - before < 1000) sleepMs(10);
}

function stopped(pid: i32): bool {
  statusWord[0] = 0;
  wait4(pid, addressof(statusWord), WUNTRACED, 0);
  return statusWord[0] == ((SIGSTOP << 8) | 0x7f);
}

function testStop(): void {
  const pid = startCrowd();
  letCount();
  kill(pid, SIGSTOP);
  check("a process with threads stops", stopped(pid));
  const before = count();
  sleepMs(100);
  checkEqual("no thread of it runs", count(), before);
  kill(pid, SIGCONT);
  letCount();
  letCount();
  kill(pid, SIGSTOP);
  check("goes on and stops again", stopped(pid));
  kill(pid, SIGKILL);
  wait4(pid, addressof(statusWord), 0, 0);
  checkEqual("is killed while stopped", statusWord[0], SIGKILL);
  close(fds[0]);
  close(fds[1]);
}

function testKill(): void {
  const pid = startCrowd();
  letCount();
  kill(pid, SIGKILL);
  wait4(pid, addressof(statusWord), 0, 0);
  checkEqual("SIGKILL ends all threads", statusWord[0], SIGKILL);
  close(fds[1]);
  check("their descriptors are closed", endOfFile());
  close(fds[0]);
  const second = startCrowd();
  letCount();
  kill(second, SIGTERM);
  wait4(second, addressof(statusWord), 0, 0);
  checkEqual("so does a signal without a handler", statusWord[0], SIGTERM);
  close(fds[0]);
  close(fds[1]);
  checkEqual("a fault in one thread", inChild(() => {
    threadCreate(faults, 0);
    for (;;) sleepMs(1000);
  }), 11);
}

function faults(_arg: usize): usize {
  return load<u8>(0) as usize;
}

function endOfFile(): bool {
  for (;;) {
    const n = read(fds[0], addressof(bytes), 4);
    if (n <= 0) return n == 0;
  }
}

// ---------------------------------------------------------------------------------------------------- exit, exec, fork

function exitsProcess(arg: usize): usize {
  _exit(arg as i32);
  return 0;
}

function testExit(): void {
  checkEqual("exit from a thread ends the process", inChild(() => {
    threadCreate(sleepAlways, 0);
    threadCreate(countUp, 0);
    threadCreate(exitsProcess, 5);
    for (;;) sleepMs(1000);
  }), 5 << 8);
  checkEqual("exit from the first thread too", inChild(() => {
    threadCreate(sleepAlways, 0);
    threadCreate(countUp, 0);
    sleepMs(30);
    return 6;
  }), 6 << 8);
  checkEqual("two threads exit at once", inChild(() => {
    threadCreate(exitsProcess, 7);
    threadCreate(exitsProcess, 7);
    _exit(7);
    return 0;
  }), 7 << 8);
  checkEqual("extexit of the last thread ends the process", inChild(() => {
    extexit(EXTEXIT_LWP, 9, 0);
    return 0;
  }), 9 << 8);
  checkEqual("the first thread may end before the others", inChild(() => {
    clear();
    threadCreate(exitsLater, 0);
    extexit(EXTEXIT_LWP, 0, 0);
    return 1;
  }), 10 << 8);
  checkEqual("extexit of a process with threads", inChild(() => {
    threadCreate(sleepAlways, 0);
    extexit(EXTEXIT_PROC, 11, 0);
    return 0;
  }), 11 << 8);
}

function exitsLater(_arg: usize): usize {
  sleepMs(50);
  _exit(10);
  return 0;
}

function execs(_arg: usize): usize {
  const args: string[] = ["echo", "-n", ""];
  execve("/bin/echo", vectorOf(args), 0);
  _exit(99);
  return 0;
}

function execsNothing(_arg: usize): usize {
  return execve("/nowhere", 0, 0) as usize;
}

function testExec(): void {
  checkEqual("exec from a thread ends the others", inChild(() => {
    close(1);
    threadCreate(sleepAlways, 0);
    threadCreate(countUp, 0);
    threadCreate(execs, 0);
    for (;;) sleepMs(1000);
  }), 0);
  checkEqual("two threads exec at once", inChild(() => {
    close(1);
    threadCreate(execs, 0);
    threadCreate(execs, 0);
    for (;;) sleepMs(1000);
  }), 0);
  checkEqual("a failing exec ends nobody", inChild(() => {
    const other = threadCreate(execsNothing, 0)!;
    return threadJoin(other) as i32 == -1 ? 12 : 13;
  }), 12 << 8);
}

/** Fork in a thread: the child has that thread alone. */
function forks(_arg: usize): usize {
  const pid = fork();
  if (pid == 0) {
    counter = at(2);
    const before = count();
    sleepMs(50);
    _exit(count() == before ? 14 : 15);
  }
  wait4(pid, addressof(statusWord), 0, 0);
  return statusWord[0] as usize;
}

function testFork(): void {
  checkEqual("fork copies the calling thread only", inChild(() => {
    counter = at(2);
    threadCreate(countUp, 0);
    const forker = threadCreate(forks, 0)!;
    return threadJoin(forker) as i32 >> 8;
  }), 14 << 8);
}

function readAgain(address: usize): usize {
  for (;;) {
    load<i32>(address);
    fetchAdd(at(5), 1);
  }
}

function writeAgain(address: usize): usize {
  for (;;) {
    store<i32>(address, 1);
    fetchAdd(at(5), 1);
  }
}

/** A child whose other thread uses a page in a loop while `change` happens to the page; its wait status. */
function useWhile(user: (address: usize) => usize, change: (address: usize) => i32): i32 {
  pageUser = user;
  pageChange = change;
  return inChild(() => {
    const page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0);
    store<i32>(page, 1);
    store<i32>(at(5), 0);
    threadCreate(pageUser, page);
    while (get(5) < 1000) sleepMs(10);
    const failed = pageChange(page);
    sleepMs(50);
    return failed == 0 ? 1 : 2;
  });
}

// Function values capture nothing, so these two travel in globals.
let pageUser: (address: usize) => usize = readAgain;
let pageChange: (address: usize) => i32 = unmapPage;

function unmapPage(address: usize): i32 {
  return munmap(address, 4096);
}

function protectPage(address: usize): i32 {
  return mprotect(address, 4096, PROT_READ);
}

/** What one thread does to memory, the others see at once, on whatever processor they are. */
function testMemory(): void {
  checkEqual("munmap", useWhile(readAgain, unmapPage), SIGSEGV);
  checkEqual("mprotect", useWhile(writeAgain, protectPage), SIGSEGV);
  checkEqual("mprotect leaves reading", useWhile(readAgain, protectPage), 1 << 8);
}

// ---------------------------------------------------------------------------------------------------- mutex and condition

let mutex!: Embed<Mutex>;
let changed!: Embed<Condition>;
let total: i32 = 0;

/** A long addition, which would lose some if two did it at once. */
function addMany(arg: usize): usize {
  for (let i: usize = 0; i < arg; i++) {
    mutex.lock();
    const before = load<i32>(addressof(total));
    if (i % 16 == 0) schedYield();
    store<i32>(addressof(total), before + 1);
    mutex.unlock();
  }
  return 0;
}

function testMutex(): void {
  store<i32>(addressof(total), 0);
  const list: Thread[] = [];
  for (let i: i32 = 0; i < 4; i++) list.push(threadCreate(addMany, 500)!);
  for (const thread of list) threadJoin(thread);
  checkEqual("a mutex lets one in at a time", load<i32>(addressof(total)), 2000);
  check("it is free", mutex.tryLock());
  check("it is not", !mutex.tryLock());
  mutex.unlock();
}

let queue!: FixedArray<i32, 4>;
let head: i32 = 0;
let tail: i32 = 0;

function consume(_arg: usize): usize {
  let sum: i32 = 0;
  for (;;) {
    mutex.lock();
    while (load<i32>(addressof(head)) == load<i32>(addressof(tail))) changed.wait(mutex);
    const value = queue[load<i32>(addressof(tail)) & 3];
    store<i32>(addressof(tail), load<i32>(addressof(tail)) + 1);
    changed.broadcast();
    mutex.unlock();
    if (value == 0) return sum as usize;
    sum += value;
  }
}

function produce(value: i32): void {
  mutex.lock();
  while (load<i32>(addressof(head)) - load<i32>(addressof(tail)) == 4) changed.wait(mutex);
  queue[load<i32>(addressof(head)) & 3] = value;
  store<i32>(addressof(head), load<i32>(addressof(head)) + 1);
  changed.broadcast();
  mutex.unlock();
}

function testCondition(): void {
  const one = threadCreate(consume, 0)!;
  const two = threadCreate(consume, 0)!;
  for (let i: i32 = 1; i <= 100; i++) produce(i);
  produce(0);
  produce(0);
  checkEqual("everything through a queue of four", (threadJoin(one) + threadJoin(two)) as i32, 5050);
}

function allocateMuch(arg: usize): usize {
  let bad: usize = 0;
  for (let i: u32 = 0; i < 300; i++) {
    const block = malloc(64);
    store<usize>(block, arg + i);
    if (i % 8 == 0) schedYield();
    if (load<usize>(block) != arg + i) bad++;
    mfree(block);
  }
  return bad;
}

function testHeap(): void {
  const list: Thread[] = [];
  for (let i: i32 = 1; i <= 4; i++) list.push(threadCreate(allocateMuch, (i * 1000) as usize)!);
  let bad: usize = 0;
  for (const thread of list) bad += threadJoin(thread);
  checkEqual("the heap serves all threads", bad as i32, 0);
}

function main(args: string[]): i32 {
  handle(SIGUSR2, SIG_IGN, SA_RESTART);
  counter = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
  testCreate();
  testBadCreate();
  testLimit();
  testNoLeak();
  testErrno();
  testFpu();
  testTimes();
  testOneThread();
  testMasks();
  testPending();
  testAlternateStack();
  testRedirect();
  testOutlives();
  testStop();
  testKill();
  testExit();
  testExec();
  testFork();
  testMemory();
  testMutex();
  testCondition();
  testHeap();
  checkEqual("no child is left", wait4(-1, 0, WNOHANG, 0), -1);
  return verdict("threads");
}

setMain(main);
