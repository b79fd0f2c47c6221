// Judges processes: fork and wait, exec and its stack, signals (handlers, masks, suspension, restart, default actions, stop
// and continue), pipes, timers, times, TLS, preemption, and that bad selectors hurt only their owner.

import { EBADF, ECHILD, EFAULT, EINTR, EINVAL, ENOENT, ERANGE, ESRCH } from '../../src/abi/errno.ts';
import { CpTime, CTL_KERN, KERN_CPTIME, KERN_PLATFORM, WNOHANG, WUNTRACED } from '../../src/abi/file.ts';
import { TrapFrame } from '../../src/abi/frames.ts';
import {
  MC_FRAME, SA_NODEFER, SA_RESETHAND, SA_RESTART, SA_SIGINFO, SIG_BLOCK, SIG_IGN, SIG_SETMASK, SIGALRM, SIGBUS, SIGCHLD,
  SIGCONT, SIGFPE, SIGILL, SIGKILL, SIGPIPE, SIGSEGV, SIGSTOP, SIGTERM, SIGTRAP, SIGUSR1, SIGUSR2, SigAction, SigSet, UC_MCONTEXT,
} from '../../src/abi/signal.ts';
import { Itimerval, Rusage, Timespec, TlsInfo } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { vectorOf } from '../../src/libc/process.ts';
import {
  _exit, clockGettime, close, dup2, execve, fork, getpid, getppid, getrusage, kill, nanosleep, pipe, read, setitimer, setTlsArea,
  sigaction, sigprocmask, sigsuspend, sysctl, wait4, write,
} from '../../src/libc/sys.ts';
import { check, checkEqual, checkError, inChild, verdict } from './harness.ts';

let statusWord!: FixedArray<i32, 1>;
let fds!: FixedArray<i32, 2>;
let bytes!: FixedArray<u8, 64>;
let set!: Embed<SigSet>;
let oldSet!: Embed<SigSet>;
let when!: Embed<Timespec>;
let timer!: Embed<Itimerval>;
let usage!: Embed<Rusage>;

function waitStatus(pid: i32, options: i32): i32 {
  return wait4(pid, addressof(statusWord), options, 0);
}

function milliseconds(): i32 {
  clockGettime(4, addressof(when));
  return when.sec * 1000 + when.nsec / 1000000;
}

function sleepMs(ms: i32): i32 {
  when.sec = ms / 1000;
  when.nsec = ms % 1000 * 1000000;
  return nanosleep(addressof(when), 0);
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

function setMask(mask: u32): void {
  set.w0 = mask;
  sigprocmask(SIG_SETMASK, addressof(set), 0);
}

let words!: FixedArray<u32, 2>;

function onVirtualKernel(): bool {
  words[0] = CTL_KERN as u32;
  words[1] = KERN_PLATFORM as u32;
  const length = addressof(fds);
  store<u32>(length, 64);
  sysctl(addressof(words), 2, addressof(bytes), length, 0, 0);
  return bytes[0] == 118;               // "vkernel"
}

/** The host kernel's code segment; its data segment follows. */
const KERNEL_CODE: u32 = 8;

function testForkWait(): void {
  const parent = getpid();
  let pid = fork();
  if (pid == 0) _exit(getppid() == parent && getpid() != parent ? 7 : 8);
  checkEqual("wait4 gives the child's id", waitStatus(pid, 0), pid);
  checkEqual("exit status", statusWord[0], 7 << 8);
  checkError("no children left", waitStatus(-1, 0), ECHILD);
  checkError("not our child", waitStatus(1, 0), ECHILD);
  pid = fork();
  if (pid == 0) {
    sleepMs(50);
    _exit(0);
  }
  checkEqual("WNOHANG before the end", waitStatus(pid, WNOHANG), 0);
  checkEqual("waiting for it", waitStatus(pid, 0), pid);
}

let shared: i32 = 1;

function testCopyOnWrite(): void {
  shared = 1;
  const status = inChild(() => {
    shared = 2;
    return shared;
  });
  checkEqual("the child's store", status, 2 << 8);
  checkEqual("does not reach the parent", shared, 1);
}

function testManyChildren(): void {
  let sum: i32 = 0;
  for (let i: i32 = 1; i <= 10; i++) {
    if (fork() == 0) _exit(i);
  }
  for (let i: i32 = 1; i <= 10; i++) {
    waitStatus(-1, 0);
    sum += statusWord[0] >> 8;
  }
  checkEqual("ten children, all statuses", sum, 55);
}

function testDeaths(): void {
  checkEqual("null pointer", inChild(() => load<u8>(0) as i32), SIGSEGV);
  checkEqual("ud2", inChild(() => {
    asm`ud2`;
    return 0;
  }), SIGILL);
  checkEqual("int3", inChild(() => {
    asm`int3`;
    return 0;
  }), SIGTRAP);
  checkEqual("division by zero", inChild(() => {
    asm`xor edx, edx
        mov eax, 1
        xor ecx, ecx
        div ecx`;
    return 0;
  }), SIGFPE);
  checkEqual("privileged instruction", inChild(() => {
    asm`cli`;
    return 0;
  }), SIGBUS);
  checkEqual("kernel memory", inChild(() => load<u8>(0xc0100000) as i32), SIGSEGV);
  checkEqual("bad system call", inChild(() => {
    asm`mov eax, 549
        int 0x80`;
    return 0;
  }), 12);
}

/** Selectors that do not exist fault when the kernel returns, and that is a SIGBUS like any other. */
function testBadSelectors(): void {
  checkEqual("bad gs", inChild(() => {
    asm`mov eax, 0xfff3
        mov gs, ax`;
    return 0;
  }), SIGBUS);
  checkEqual("bad selectors through sigreturn", inChild(() => {
    handle(SIGUSR1, codeof(spoilSelectors), SA_SIGINFO);
    kill(getpid(), SIGUSR1);
    return 0;
  }), SIGBUS);
  // A virtual kernel's users get their cs, ds, es and ss from the real kernel, whatever the frame says.
  checkEqual("bad stack segment through sigreturn", inChild(() => {
    handle(SIGUSR1, codeof(spoilStack), SA_SIGINFO);
    kill(getpid(), SIGUSR1);
    return 0;
  }), onVirtualKernel() ? 0 : SIGBUS);
  checkEqual("privileged flags through sigreturn", inChild(() => {
    handle(SIGUSR1, codeof(spoilFlags), SA_SIGINFO);
    kill(getpid(), SIGUSR1);
    return 0;
  }), SIGILL);
  checkEqual("ring 0 through sigreturn", inChild(() => {
    handle(SIGUSR1, codeof(spoilRing), SA_SIGINFO);
    kill(getpid(), SIGUSR1);
    return 0;
  }), SIGILL);
}

function frameOf(context: usize): TrapFrame {
  return changetype<TrapFrame>(context + UC_MCONTEXT + MC_FRAME);
}

function spoilSelectors(sig: i32, info: usize, context: usize): void {
  frameOf(context).fs = 0xfff3;
}

function spoilStack(sig: i32, info: usize, context: usize): void {
  frameOf(context).ss = 0xfff3;
}

function spoilRing(sig: i32, info: usize, context: usize): void {
  frameOf(context).cs = KERNEL_CODE;
  frameOf(context).ss = KERNEL_CODE + 8;
}

function spoilFlags(sig: i32, info: usize, context: usize): void {
  frameOf(context).eflags |= 0x3000;
}

let caught: i32 = 0;
let caughtMask: u32 = 0;

function count(sig: i32): void {
  caught++;
  sigprocmask(SIG_BLOCK, 0, addressof(oldSet));
  caughtMask = oldSet.w0;
}

function testHandlers(): void {
  caught = 0;
  handle(SIGUSR1, codeof(count), 0);
  kill(getpid(), SIGUSR1);
  checkEqual("handler ran before kill returned", caught, 1);
  check("its signal was masked meanwhile", (caughtMask & bit(SIGUSR1)) != 0);
  sigprocmask(SIG_BLOCK, 0, addressof(oldSet));
  check("and is not afterwards", (oldSet.w0 & bit(SIGUSR1)) == 0);
  handle(SIGUSR1, codeof(count), SA_NODEFER);
  kill(getpid(), SIGUSR1);
  check("SA_NODEFER leaves it open", (caughtMask & bit(SIGUSR1)) == 0);
  setMask(bit(SIGUSR1));
  kill(getpid(), SIGUSR1);
  kill(getpid(), SIGUSR1);
  checkEqual("masked: not delivered", caught, 2);
  setMask(0);
  checkEqual("unmasked: delivered once", caught, 3);
  handle(SIGUSR1, SIG_IGN, 0);
  kill(getpid(), SIGUSR1);
  checkEqual("ignored", caught, 3);
  checkEqual("SA_RESETHAND", inChild(() => {
    handle(SIGUSR2, codeof(count), SA_RESETHAND);
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR2);
    return 0;
  }), SIGUSR2);
  checkError("signal 65", kill(getpid(), 65), EINVAL);
  checkError("nobody", kill(29999, 0), ESRCH);
  checkError("catching SIGKILL", catchKill(), EINVAL);
}

function catchKill(): i32 {
  const act = new SigAction();
  act.handler = codeof(count);
  return sigaction(SIGKILL, changetype<usize>(act), 0);
}

/** All registers, flags included, survive a handler. */
function testRegistersSurvive(): void {
  handle(SIGALRM, codeof(count), SA_RESTART);
  caught = 0;
  timer.intervalUsec = 10000;
  timer.valueUsec = 10000;
  setitimer(0, addressof(timer), 0);
  let bad: u32 = 0;
  const until = milliseconds() + 200;
  while (milliseconds() < until) bad |= spin();
  timer.intervalUsec = 0;
  timer.valueUsec = 0;
  setitimer(0, addressof(timer), 0);
  check("the timer fired again and again", caught >= 5);
  checkEqual("registers survive handlers", bad as i32, 0);
}

function spin(): u32 {
  let bad: u32 = 0;
  asm`push ebx; push esi; push edi
      mov ebx, 0x11111111
      mov esi, 0x22222222
      mov edi, 0x33333333
      mov edx, 0x44444444
      mov ecx, 20000
      again:
      dec ecx
      jnz again
      mov eax, 0
      cmp ebx, 0x11111111
      setne al
      cmp esi, 0x22222222
      setne ah
      cmp edi, 0x33333333
      jne wrong
      cmp edx, 0x44444444
      je right
      wrong:
      mov eax, 1
      right:
      pop edi; pop esi; pop ebx
      mov ${bad}, eax`;
  return bad;
}

function testInterruptedSleep(): void {
  handle(SIGALRM, codeof(count), 0);
  timer.intervalUsec = 0;
  timer.valueUsec = 30000;
  setitimer(0, addressof(timer), 0);
  checkError("a signal ends nanosleep", sleepMs(5000), EINTR);
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  setitimer(0, addressof(timer), 0);
  checkError("and a read without SA_RESTART", read(fds[0], addressof(bytes), 1), EINTR);
  handle(SIGALRM, codeof(writeByte), SA_RESTART);
  setitimer(0, addressof(timer), 0);
  checkEqual("with SA_RESTART the read goes on", read(fds[0], addressof(bytes), 1), 1);
  close(fds[0]);
  close(fds[1]);
}

function writeByte(sig: i32): void {
  write(fds[1], addressof(bytes), 1);
}

function testSuspend(): void {
  handle(SIGUSR1, codeof(count), 0);
  setMask(bit(SIGUSR1));
  caught = 0;
  const parent = getpid();
  const pid = fork();
  if (pid == 0) {
    kill(parent, SIGUSR1);
    _exit(0);
  }
  waitStatus(pid, 0);
  checkEqual("pending while masked", caught, 0);
  set.w0 = 0;
  checkError("sigsuspend ends with EINTR", sigsuspend(addressof(set)), EINTR);
  checkEqual("after the handler", caught, 1);
  sigprocmask(SIG_BLOCK, 0, addressof(oldSet));
  check("the old mask is back", (oldSet.w0 & bit(SIGUSR1)) != 0);
  setMask(0);
}

function testStop(): void {
  const pid = fork();
  if (pid == 0) {
    for (;;) sleepMs(10);
  }
  sleepMs(20);
  kill(pid, SIGSTOP);
  checkEqual("WUNTRACED reports the stop", waitStatus(pid, WUNTRACED), pid);
  checkEqual("as a stop", statusWord[0], (SIGSTOP << 8) | 0x7f);
  checkEqual("once", waitStatus(pid, WUNTRACED | WNOHANG), 0);
  kill(pid, SIGCONT);
  kill(pid, SIGTERM);
  waitStatus(pid, 0);
  checkEqual("continued and terminated", statusWord[0], SIGTERM);
  const second = fork();
  if (second == 0) {
    for (;;) continue;
  }
  kill(second, SIGSTOP);
  waitStatus(second, WUNTRACED);
  kill(second, SIGKILL);
  waitStatus(second, 0);
  checkEqual("SIGKILL ends the stopped", statusWord[0], SIGKILL);
}

function testPipes(): void {
  pipe(changetype<Ptr<i32>>(addressof(fds)));
  const pid = fork();
  if (pid == 0) {
    close(fds[0]);
    for (let i: i32 = 0; i < 2000; i++) write(fds[1], addressof(bytes), 64);
    _exit(0);
  }
  close(fds[1]);
  let total: i32 = 0;
  for (;;) {
    const n = read(fds[0], addressof(bytes), 64);
    if (n <= 0) break;
    total += n;
  }
  close(fds[0]);
  waitStatus(pid, 0);
  checkEqual("all bytes through the pipe, then end", total, 128000);
  checkError("read of nothing open", read(33, addressof(bytes), 1), EBADF);
  checkEqual("SIGPIPE", inChild(() => {
    pipe(changetype<Ptr<i32>>(addressof(fds)));
    close(fds[0]);
    write(fds[1], addressof(bytes), 1);
    return 0;
  }), SIGPIPE);
}

function testPreemption(): void {
  const pid = fork();
  if (pid == 0) {
    for (;;) continue;
  }
  const start = milliseconds();
  while (milliseconds() - start < 100) continue;
  check("two loops share the CPU", milliseconds() - start < 1000);
  kill(pid, SIGKILL);
  waitStatus(pid, 0);
  wait4(-1, 0, WNOHANG, 0);
  getrusage(-1, addressof(usage));
  check("its time is counted", usage.utimeUsec >= 20000 || usage.utimeSec > 0);
}

function testExec(): void {
  checkError("no such file", execve("/nowhere", 0, 0), ENOENT);
  checkError("arguments at a bad address", execve("/bin/echo", 0xbfff0000, 0), EFAULT);
  check("a directory does not run", execve("/", 0, 0) == -1);
  checkEqual("arguments arrive", inChild(() => {
    pipe(changetype<Ptr<i32>>(addressof(fds)));
    if (fork() == 0) {
      redirect();
      const args: string[] = ["echo", "one", "", "two words"];
      execve("/bin/echo", vectorOf(args), 0);
      _exit(1);
    }
    close(fds[1]);
    let n: i32 = 0;
    for (;;) {
      const got = read(fds[0], addressof(bytes) + (n as u32), 64 - (n as u32));
      if (got <= 0) break;
      n += got;
    }
    return n;
  }), 15 << 8);
}

/** The pipe's end becomes standard output. */
function redirect(): void {
  dup2(fds[1], 1);
  close(fds[0]);
  close(fds[1]);
}

let area!: FixedArray<u32, 4>;
let tlsInfo!: Embed<TlsInfo>;

function testTls(): void {
  area[0] = 0x12345678;
  tlsInfo.base = addressof(area);
  tlsInfo.size = 16;
  const selector = setTlsArea(1, addressof(tlsInfo), 8);
  checkEqual("selector of slot 1", selector, 0x83);
  checkError("slot 3", setTlsArea(3, addressof(tlsInfo), 8), ERANGE);
  let value: u32 = 0;
  asm`mov eax, ${selector}
      mov fs, ax
      mov eax, fs:[0]
      mov ${value}, eax`;
  checkEqual("the word at its base", value as i32, 0x12345678);
  const status = inChild(() => {
    area[0] = 5;
    let mine: u32 = 0;
    asm`mov eax, fs:[0]
        mov ${mine}, eax`;
    return mine as i32;
  });
  checkEqual("a child inherits descriptors", status, 5 << 8);
}

let point: f64 = 0.0;

/** FPU registers belong to each process, and a handler's do not leak. */
function testFpu(): void {
  const pid = fork();
  if (pid == 0) _exit(fpuLoop(1.5));
  const mine = fpuLoop(2.5);
  waitStatus(pid, 0);
  checkEqual("FPU registers of this process", mine, 0);
  checkEqual("and of the other", statusWord[0], 0);
}

function fpuLoop(value: f64): i32 {
  point = value;
  const at = addressof(point);
  asm`mov eax, ${at}
      fld qword ptr [eax]`;
  const until = milliseconds() + 150;
  while (milliseconds() < until) continue;
  point = 0.0;
  asm`mov eax, ${at}
      fstp qword ptr [eax]`;
  return point == value ? 0 : 1;
}

function testNanosleep(): void {
  const start = milliseconds();
  checkEqual("nanosleep", sleepMs(100), 0);
  const slept = milliseconds() - start;
  check("sleeps long enough, not much longer", slept >= 100 && slept < 1000);
}

let cpTimeName!: FixedArray<i32, 2>;
let cpTimeLength!: FixedArray<u32, 1>;
let cpTime!: Embed<CpTime>;
let cpTimeBefore!: Embed<CpTime>;

/** The kernel's times never go back, not by a microsecond, whatever the clock does. */
function testTimes(): void {
  cpTimeName[0] = CTL_KERN;
  cpTimeName[1] = KERN_CPTIME;
  let back: i32 = 0;
  for (let i: i32 = 0; i < 200; i++) {
    cpTimeLength[0] = sizeof<CpTime>();
    if (sysctl(addressof(cpTimeName), 2, addressof(cpTime), addressof(cpTimeLength), 0, 0) != 0) back++;
    for (let at: usize = 0; at < sizeof<CpTime>(); at += 8) {
      const sec = load<i32>(addressof(cpTime) + at) - load<i32>(addressof(cpTimeBefore) + at);
      if (sec < 0 || sec * 1000000 + load<i32>(addressof(cpTime) + at, 4) < load<i32>(addressof(cpTimeBefore) + at, 4)) back++;
    }
    memory.copy(addressof(cpTimeBefore), addressof(cpTime), sizeof<CpTime>());
    if (i % 50 == 0) sleepMs(10);
  }
  checkEqual("processor times only grow", back, 0);
}

function main(args: string[]): i32 {
  handle(SIGCHLD, 0, 0);
  testForkWait();
  testCopyOnWrite();
  testManyChildren();
  testDeaths();
  testBadSelectors();
  testHandlers();
  testRegistersSurvive();
  testInterruptedSleep();
  testSuspend();
  testStop();
  testPipes();
  testPreemption();
  testExec();
  testTls();
  testFpu();
  testNanosleep();
  testTimes();
  return verdict("process");
}

setMain(main);
