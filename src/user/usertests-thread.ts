// Cases about threads: LWPs of one process and what they share, umtx, and signals and exits in a process of several threads.

import { EBUSY, EINVAL, ESRCH, EWOULDBLOCK, EINTR } from '../abi/errno.ts';
import { SIGALRM, SIGKILL, SIGUSR1, SA_RESTART } from '../abi/signal.ts';
import { Thread, threadCreate, threadJoin } from '../libc/thread.ts';
import { _exit, errno, getpid, kill, lwpGettid, lwpKill, setErrno, umtxSleep, umtxWakeup } from '../libc/sys.ts';
import { alarmAfter, bit, check, checkChild, checkEqual, checkError, handle, inChild, milliseconds, setMask, sharedMemory, sleepMs, spawn,
  statusOf, test } from './usertests-harness.ts';

let words!: FixedArray<i32, 8>;
let point!: FixedArray<f64, 4>;
let area: usize = 0;

function start(fn: (arg: usize) => usize, arg: usize): Thread {
  const thread = threadCreate(fn, arg);
  check("threadCreate", thread != null);
  return thread!;
}

function double(arg: usize): usize {
  return arg * 2;
}

function store7(arg: usize): usize {
  store<i32>(arg, 7);
  return lwpGettid() as usize;
}

function failing(_arg: usize): usize {
  kill(29999, 0);
  return errno() as usize;
}

function counting(arg: usize): usize {
  for (let i: i32 = 0; i < 20000; i++) {
    asm`mov eax, ${arg}
        lock inc dword ptr [eax]`;
  }
  return 0;
}

function waitForWord(arg: usize): usize {
  while (load<i32>(arg) == 0) umtxSleep(arg, 0, 0);
  return load<i32>(arg) as usize;
}

function sleeper(_arg: usize): usize {
  for (;;) sleepMs(50);
  return 0;
}

function exiting(_arg: usize): usize {
  sleepMs(20);
  _exit(9);
  return 0;
}

function floating(arg: usize): usize {
  const at = addressof(point) + arg * 8;
  asm`mov eax, ${at}
      fld qword ptr [eax]`;
  const until = milliseconds() + 80;
  while (milliseconds() < until) continue;
  asm`mov eax, ${at}
      fstp qword ptr [eax+16]`;
  return 0;
}

let caught: i32 = 0;
let caughtBy: i32 = 0;

function onSignal(_sig: i32): void {
  caught++;
  caughtBy = lwpGettid();
}

function spinUntilCaught(_arg: usize): usize {
  const until = milliseconds() + 2000;
  while (caught == 0 && milliseconds() < until) continue;
  return lwpGettid() as usize;
}

export function threadCases(): void {
  test("thread-join", () => {
    checkEqual("result", threadJoin(start(double, 21)) as i32, 42);
  });
  test("thread-shares-memory", () => {
    const tid = threadJoin(start(store7, addressof(words))) as i32;
    checkEqual("its store", words[0], 7);
    check("an id of its own", tid != lwpGettid());
  });
  test("thread-errno", () => {
    setErrno(5);
    checkEqual("its error", threadJoin(start(failing, 0)) as i32, ESRCH);
    checkEqual("not ours", errno(), 5);
  });
  test("thread-many", () => {
    const threads: Thread[] = [];
    for (let i: usize = 0; i < 20; i++) threads.push(start(double, i));
    let sum: usize = 0;
    for (const thread of threads) sum += threadJoin(thread);
    checkEqual("all of them", sum as i32, 380);
  });
  test("thread-atomic", () => {
    const a = start(counting, addressof(words));
    const b = start(counting, addressof(words));
    counting(addressof(words));
    threadJoin(a);
    threadJoin(b);
    checkEqual("locked increments", words[0], 60000);
  });
  test("thread-fpu", () => {
    point[0] = 1.25;
    point[1] = 2.5;
    const thread = start(floating, 0);
    floating(1);
    threadJoin(thread);
    check("each has its own registers", point[2] == 1.25 && point[3] == 2.5);
  });
  test("thread-exit-of-process", () => {
    checkEqual("any thread ends all", inChild(() => {
      start(exiting, 0);
      for (;;) sleepMs(50);
      return 0;
    }), 9 << 8);
    checkEqual("the first one, too", inChild(() => {
      start(sleeper, 0);
      return 4;
    }), 4 << 8);
  });
  test("thread-killed", () => {
    const pid = spawn(() => {
      start(sleeper, 0);
      start(sleeper, 0);
      return sleepMs(10000);
    });
    sleepMs(60);
    const begin = milliseconds();
    kill(pid, SIGKILL);
    checkEqual("with all its threads", statusOf(pid), SIGKILL);
    check("at once", milliseconds() - begin < 1000);
  });
  test("thread-fork", () => {
    start(sleeper, 0);
    checkChild("only the caller goes on in the child", () => threadJoin(start(double, 4)) == 8 ? 0 : 1);
  });
  test("thread-signal-mask", () => {
    handle(SIGUSR1, codeof(onSignal), 0);
    const thread = start(spinUntilCaught, 0);
    sleepMs(20);                    // it spins
    setMask(bit(SIGUSR1));
    kill(getpid(), SIGUSR1);
    const tid = threadJoin(thread) as i32;
    checkEqual("taken by the one that lets it through", caughtBy, tid);
  });
  test("thread-lwp-kill", () => {
    handle(SIGUSR1, codeof(onSignal), 0);
    const thread = start(spinUntilCaught, 0);
    while (thread.tid == 0) sleepMs(5);
    checkEqual("to that thread", lwpKill(getpid(), thread.tid, SIGUSR1), 0);
    checkEqual("and no other", threadJoin(thread) as i32, caughtBy);
    checkError("to nobody", lwpKill(getpid(), 999, SIGUSR1), ESRCH);
  });
  test("umtx-value", () => {
    words[0] = 5;
    checkError("another value", umtxSleep(addressof(words), 6, 0), EBUSY);
    checkError("odd address", umtxSleep(addressof(words) + 1, 5, 10), 14);
    checkError("negative time", umtxSleep(addressof(words), 5, -1), EINVAL);
    const begin = milliseconds();
    checkError("time over", umtxSleep(addressof(words), 5, 60000), EWOULDBLOCK);
    check("sixty milliseconds", milliseconds() - begin >= 60);
  });
  test("umtx-wakes-thread", () => {
    const thread = start(waitForWord, addressof(words));
    sleepMs(30);
    words[0] = 8;
    umtxWakeup(addressof(words), 1);
    checkEqual("it saw the word", threadJoin(thread) as i32, 8);
  });
  test("umtx-between-processes", () => {
    area = sharedMemory(8);
    const pid = spawn(() => waitForWord(area) as i32);
    sleepMs(30);
    store<i32>(area, 3);
    umtxWakeup(area, 0);
    checkEqual("through shared memory", statusOf(pid), 3 << 8);
  });
  test("umtx-signal", () => {
    handle(SIGALRM, codeof(onSignal), SA_RESTART);
    alarmAfter(30, 0);
    checkError("ends the sleep", umtxSleep(addressof(words), 0, 0), EINTR);
  });
}
