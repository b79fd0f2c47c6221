// Judges several threads of one process inside VM spaces: in different ones and in the same, what changes from outside do to them,
// signals for one of them, stop and continue, and that fork, exec, exit and SIGKILL leave no space, page or reference behind.
//
// The image has a directory and a table for each of four spaces. Page 16 is code at CODE in all of them; page 32 + n is space n's
// own data at DATA.

import { EBUSY, ENOENT } from '../../src/abi/errno.ts';
import { VmStats, WUNTRACED } from '../../src/abi/file.ts';
import { PGEX_FPFAULT, SEL_TLS0, T_DNA, T_PAGEFLT, T_SYSCALL80, TrapFrame, VextFrame } from '../../src/abi/frames.ts';
import { MADV_INVAL, MADV_SETMAP, MAP_FIXED, MAP_SHARED, MAP_VPAGETABLE, VPTE_RW, VPTE_V } from '../../src/abi/mman.ts';
import { SIGCONT, SIGKILL, SIGSTOP, SIGTERM, SIGUSR1, SigAction } from '../../src/abi/signal.ts';
import { Timespec } from '../../src/abi/time.ts';
import { setMain } from '../../src/libc/crt.ts';
import { vectorOf, waitFor } from '../../src/libc/process.ts';
import { _exit, close, errno, execve, fork, kill, lwpGettid, lwpKill, nanosleep, sigaction, vmspaceCreate, vmspaceCtl, vmspaceDestroy,
  vmspaceMcontrol, vmspaceMmap, vmspaceMunmap, wait4 } from '../../src/libc/sys.ts';
import { Thread, threadCreate, threadJoin } from '../../src/libc/thread.ts';
import { check, checkEqual, checkError, enableVkernel, freeMemory, inChild, mapFile, readStats, scratchFile, verdict } from './harness.ts';

const RW: i32 = 3;
const PAGE: u32 = 4096;
const IMAGE: u32 = 0x100000;
const SPAN: u32 = 0x400000;
const VW: u32 = VPTE_V | VPTE_RW;
const CODE: u32 = 0x10000;
const DATA: u32 = 0x20000;
const STACK: u32 = 0x31000;
const SPACES: u32 = 4;

let image: i32 = -1;
let linear: usize = 0;

/** A thread's registers in a space, and what its RUN has come to. */
class Runner {
  id: usize = 0;
  frame!: Embed<TrapFrame>;
  ext!: Embed<VextFrame>;
  result: i32 = 0;
  error: i32 = 0;
  runs: i32 = 0;
}

function pause(ms: i32): void {
  const time = new Timespec();
  time.sec = ms / 1000;
  time.nsec = ms % 1000 * 1000000;
  nanosleep(changetype<usize>(time), 0);
  free(time);
}

function vpteAt(space: u32, slot: u32): usize {
  return linear + (space * 2 + 1) * PAGE + slot * 4;
}

/** Space n, with id n + 1: its tree, and the pages it shows. */
function makeSpace(n: u32): void {
  store<u32>(linear + n * 2 * PAGE, (n * 2 + 1) * PAGE | VW);
  store<u32>(vpteAt(n, 16), 16 * PAGE | VW);
  store<u32>(vpteAt(n, 17), 17 * PAGE | VW);
  store<u32>(vpteAt(n, 32), (32 + n) * PAGE | VW);
  store<u32>(vpteAt(n, 48), (48 + n) * PAGE | VW);
  check("make a space", vmspaceCreate(n + 1, 0, 0) == 0 && vmspaceMmap(n + 1, 0, SPAN, RW, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, image, 0) == 0
    && vmspaceMcontrol(n + 1, 0, SPAN, MADV_SETMAP, n * 2 * PAGE | VW) == 0);
}

/** Write code, hexadecimal, at `offset` of the code page. */
function code(offset: u32, bytes: string): void {
  let at = linear + 16 * PAGE + offset;
  for (let i: i32 = 0; i + 1 < bytes.length; i += 2) {
    store<u8>(at, (digit(bytes.charCodeAt(i)) * 16 + digit(bytes.charCodeAt(i + 1))) as u8);
    at++;
  }
}

function digit(c: i32): i32 {
  return c < 58 ? c - 48 : c - 87;
}

// Where the programs begin in the code page.
const COUNT: u32 = 0;         // inc dword [esi]; jmp back
const CALL: u32 = 0x40;       // mov eax, gs:[0]; int 0x80; jmp back
const SUM: u32 = 0x80;        // fld1; faddp; int 0x80; jmp back

function writePrograms(): void {
  code(COUNT, "ff06ebfc");
  code(CALL, "65a100000000cd80ebf6");
  code(SUM, "d9e8dec1cd80ebf8");
}

function runner(id: usize, start: u32): Runner {
  const r = new Runner();
  r.id = id;
  r.frame.eip = CODE + start;
  r.frame.esp = STACK;
  r.frame.esi = DATA;
  return r;
}

function counter(n: u32): i32 {
  return load<i32>(linear + (32 + n) * PAGE);
}

/** One RUN; what came of it is in the record. */
function runOnce(arg: usize): usize {
  const r = changetype<Runner>(arg);
  r.result = vmspaceCtl(r.id, 1, changetype<usize>(r.frame), changetype<usize>(r.ext));
  r.error = r.result < 0 ? errno() : 0;
  r.runs++;
  return r.frame.trapno;
}

/** RUN again after every signal. */
function runThrough(arg: usize): usize {
  const r = changetype<Runner>(arg);
  for (;;) {
    runOnce(arg);
    if (r.result != 0 || r.frame.trapno != 0) return r.frame.trapno;
  }
}

function launch(r: Runner): Thread {
  return threadCreate(runOnce, changetype<usize>(r))!;
}

/** Space n's counter goes up. */
function counts(n: u32): bool {
  const before = counter(n);
  for (let i: i32 = 0; i < 50 && counter(n) == before; i++) pause(10);
  return counter(n) != before;
}

/** Take the page with the counter away from space n: who counts in it faults. */
function takeData(n: u32): void {
  store<u32>(vpteAt(n, 32), 0);
  checkEqual("INVAL", vmspaceMcontrol(n + 1, DATA, PAGE, MADV_INVAL, 0), 0);
}

function giveData(n: u32): void {
  store<u32>(vpteAt(n, 32), (32 + n) * PAGE | VW);
}

let stopped!: FixedArray<i32, 1>;

// ---------------------------------------------------------------------------------------------------- inside together

function different(): void {
  const one = runner(1, COUNT);
  const two = runner(2, COUNT);
  const a = launch(one);
  const b = launch(two);
  check("38: two threads count in two spaces", counts(0) && counts(1) && counts(0));
  checkError("4: neither space can go", vmspaceDestroy(1), EBUSY);
  checkError("4: nor the other", vmspaceDestroy(2), EBUSY);
  takeData(0);
  checkEqual("42: INVAL reaches the one inside at once", threadJoin(a) as i32, T_PAGEFLT as i32);
  check("42: at the address", one.frame.err == DATA && one.result == 0);
  check("38: the other counts on", counts(1));
  takeData(1);
  checkEqual("42: until it is its turn", threadJoin(b) as i32, T_PAGEFLT as i32);
  giveData(0);
  giveData(1);
  free(one);
  free(two);
}

/** Two threads in one space, each with its own registers: one counts in its own word. */
function same(): void {
  const one = runner(1, COUNT);
  const two = runner(1, COUNT);
  two.frame.esi = DATA + 0x100;
  const a = launch(one);
  const b = launch(two);
  const other = linear + 32 * PAGE + 0x100;
  check("38: two threads count in one space", counts(0));
  const before = load<i32>(other);
  pause(100);
  check("38: both of them", load<i32>(other) != before);
  lwpKill(-1, a.tid, SIGUSR1);
  checkEqual("30: a signal for one ends its RUN", threadJoin(a) as i32, 0);
  checkError("4: the other is inside still", vmspaceDestroy(1), EBUSY);
  checkEqual("42: munmap from outside", vmspaceMunmap(1, 0, SPAN), 0);
  checkEqual("42: leaves it nothing to run", threadJoin(b) as i32, T_PAGEFLT as i32);
  checkEqual("4: free now", vmspaceDestroy(1), 0);
  const late = runner(1, COUNT);
  checkError("gone for everyone", vmspaceCtl(1, 1, changetype<usize>(late.frame), changetype<usize>(late.ext)), ENOENT);
  makeSpace(0);
  free(one);
  free(two);
  free(late);
}

/** Thousands of switches by four threads, through the short way: each keeps its registers, its TLS and its errno. */
function switches(arg: usize): usize {
  const n = arg - 1;
  const r = runner(arg, CALL);
  const base = DATA + 0x200;
  r.ext.tls0lo = ((base & 0xffff) << 16) | 0xffff;
  r.ext.tls0hi = ((base >> 16) & 0xff) | 0x00cff300 | (base & 0xff000000);
  r.frame.gs = SEL_TLS0;
  r.frame.ebx = 0x1000 * arg;
  store<u32>(linear + (32 + n) * PAGE + 0x200, 0x5eed0 + arg);
  let bad: usize = 0;
  for (let i: u32 = 0; i < 1000; i++) {
    r.frame.ecx = i;
    const result = vmspaceCtl(arg, 1, changetype<usize>(r.frame), changetype<usize>(r.ext));
    if (result != 0 || r.frame.trapno != T_SYSCALL80 || r.frame.eax != 0x5eed0 + arg) bad++;
    if (r.frame.ebx != 0x1000 * arg || r.frame.ecx != i) bad++;
    if (i % 250 == 0 && (close(63) != -1 || errno() != 9)) bad++;
    if (i % 250 == 0) pause(1);
  }
  free(r);
  return bad;
}

function manySwitches(): void {
  const list: Thread[] = [];
  for (let n: usize = 1; n <= SPACES; n++) list.push(threadCreate(switches, n)!);
  let bad: usize = 0;
  for (const thread of list) bad += threadJoin(thread);
  checkEqual("27: registers and TLS of four threads in four spaces", bad as i32, 0);
}

/** Each thread sums ones on its FPU stack inside; all share the processor's FPU. */
function sums(arg: usize): usize {
  const r = runner(arg, SUM);
  let bad: usize = 0;
  const place = changetype<usize>(r) + offsetof<Runner>("result");
  asm`mov eax, ${place}
      fninit
      fldz`;
  r.frame.xflags = PGEX_FPFAULT;
  runOnce(changetype<usize>(r));
  if (r.frame.trapno != T_DNA) bad++;
  for (let i: i32 = 0; i < 200; i++) {
    r.frame.xflags = 0;
    runOnce(changetype<usize>(r));
    if (r.frame.trapno != T_SYSCALL80) bad++;
    if (i % 20 == 0) pause(1);
  }
  let sum: i32 = 0;
  asm`mov eax, ${place}
      fistp dword ptr [eax]`;
  sum = load<i32>(place);
  free(r);
  return bad == 0 && sum == 200 ? 0 : 1;
}

function fpu(): void {
  const list: Thread[] = [];
  for (let n: usize = 1; n <= SPACES; n++) list.push(threadCreate(sums, n)!);
  let bad: usize = 0;
  for (const thread of list) bad += threadJoin(thread);
  checkEqual("35: FPU registers of four threads in four spaces", bad as i32, 0);
}

/** One thread makes and destroys what another runs: it succeeds, or is told that nothing is there. */
let racing: bool = false;

function runsWhatIsThere(arg: usize): usize {
  const r = runner(arg, CALL);
  let bad: usize = 0;
  let ran: i32 = 0;
  while (load<u8>(addressof(racing)) != 0) {
    r.frame.eip = CODE + CALL;
    runOnce(changetype<usize>(r));
    if (r.result == 0) ran++;
    else if (r.error != ENOENT) bad++;
    if (ran % 8 == 0) pause(1);
  }
  free(r);
  return ran > 0 ? bad : 1000;
}

function races(): void {
  store<u8>(addressof(racing), 1);
  const thread = threadCreate(runsWhatIsThere, 4)!;
  let destroyed: i32 = 0;
  let refused: i32 = 0;
  for (let i: i32 = 0; i < 200; i++) {
    if (i % 10 == 0) pause(1);
    if (vmspaceDestroy(4) != 0) {
      if (errno() == EBUSY) refused++;
      continue;
    }
    destroyed++;
    if (vmspaceCreate(4, 0, 0) != 0) break;
    vmspaceMmap(4, 0, SPAN, RW, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, image, 0);
    vmspaceMcontrol(4, 0, SPAN, MADV_SETMAP, 3 * 2 * PAGE | VW);
  }
  store<u8>(addressof(racing), 0);
  checkEqual("4: RUN finds a whole space or none", threadJoin(thread) as i32, 0);
  checkEqual("4: destroy succeeds, or says EBUSY", destroyed + refused, 200);
}

// ---------------------------------------------------------------------------------------------------- signals

let handled: i32 = 0;
let handledBy: i32 = 0;

function onSignal(_sig: i32): void {
  handled++;
  handledBy = lwpGettid();
}

function handle(sig: i32): void {
  const act = new SigAction();
  act.handler = codeof(onSignal);
  sigaction(sig, changetype<usize>(act), 0);
  free(act);
}

function signalForOne(): void {
  handle(SIGUSR1);
  const one = runner(1, COUNT);
  const two = runner(2, COUNT);
  const a = threadCreate(runThrough, changetype<usize>(one))!;
  const b = threadCreate(runThrough, changetype<usize>(two))!;
  check("both count", counts(0) && counts(1));
  handled = 0;
  for (let i: i32 = 1; i <= 5; i++) {
    lwpKill(-1, b.tid, SIGUSR1);
    for (let tries: i32 = 0; tries < 50 && load<i32>(addressof(handled)) < i; tries++) pause(10);
  }
  counts(1);
  checkEqual("30: five signals for one thread", handled, 5);
  checkEqual("30: its handler ran", handledBy, b.tid);
  check("30: it left and came back each time, the other never", two.runs == 5 && one.runs == 0);
  check("30: and they count on", counts(0) && counts(1));
  takeData(0);
  takeData(1);
  threadJoin(a);
  threadJoin(b);
  giveData(0);
  giveData(1);
  free(one);
  free(two);
}

/** A process with a thread in each space, and two in the last. */
function crowd(): void {
  for (let n: usize = 1; n <= SPACES; n++) launch(runner(n, COUNT));
  launch(runner(SPACES, COUNT));
  for (;;) pause(10);
}

/** Spaces are shared over fork: the child runs in those that we made. */
function startCrowd(): i32 {
  const pid = fork();
  if (pid == 0) crowd();
  for (let n: u32 = 0; n < SPACES; n++) counts(n);
  return pid;
}

function sumOfCounters(): i32 {
  let sum: i32 = 0;
  for (let n: u32 = 0; n < SPACES; n++) sum += counter(n);
  return sum;
}

function stopAndContinue(): void {
  const pid = startCrowd();
  kill(pid, SIGSTOP);
  wait4(pid, addressof(stopped), WUNTRACED, 0);
  checkEqual("stopped", stopped[0], (SIGSTOP << 8) | 0x7f);
  const before = sumOfCounters();
  pause(100);
  checkEqual("nobody counts while the process is stopped", sumOfCounters(), before);
  checkError("the threads are inside still", vmspaceDestroy(SPACES), EBUSY);
  kill(pid, SIGCONT);
  check("all count on", counts(0) && counts(1) && counts(2) && counts(3));
  kill(pid, SIGKILL);
  checkEqual("40: killed", waitFor(pid), SIGKILL);
  checkEqual("40: nobody is inside any more", vmspaceDestroy(SPACES), 0);
  makeSpace(SPACES - 1);
}

// ---------------------------------------------------------------------------------------------------- the end

/** Address spaces that the kernel has, VM spaces among them. */
function spaceCount(): i32 {
  const stats = new VmStats();
  readStats(stats);
  const count = stats.spaces as i32;
  free(stats);
  return count;
}

/** In a child, which is the first to own any: new spaces, threads inside, and then the end that `how` says. */
function ends(how: i32): i32 {
  const pid = fork();
  if (pid == 0) {
    for (let n: u32 = 0; n < SPACES; n++) makeSpace(n);
    for (let n: usize = 1; n <= SPACES; n++) launch(runner(n, COUNT));
    launch(runner(1, COUNT));
    pause(60);
    if (how == 1) _exit(3);
    if (how == 2) execve("/bin/echo", vectorOf(nothing()), 0);
    if (how == 3) threadCreate(execsToo, 0);
    if (how == 4) store<u8>(0, 1);
    for (;;) pause(10);
  }
  pause(200);
  if (how == 0) kill(pid, SIGKILL);
  if (how == 5) kill(pid, SIGTERM);
  return waitFor(pid);
}

function nothing(): string[] {
  const args: string[] = ["echo", "-n", ""];
  return args;
}

function execsToo(_arg: usize): usize {
  execve("/bin/echo", vectorOf(nothing()), 0);
  return 0;
}

function endings(): void {
  ends(0);
  ends(2);
  const spaces = spaceCount();
  const memory = freeMemory();
  checkEqual("40: SIGKILL with five threads inside", ends(0), SIGKILL);
  checkEqual("39: no VM space is left", spaceCount(), spaces);
  checkEqual("exit of the first thread, five inside", ends(1), 3 << 8);
  checkEqual("39: none after exit", spaceCount(), spaces);
  checkEqual("exec of the first thread", ends(2), 0);
  checkEqual("39: none after exec", spaceCount(), spaces);
  checkEqual("exec of another", ends(3), 0);
  checkEqual("39: none after that", spaceCount(), spaces);
  checkEqual("a fault outside while others are inside", ends(4), 11);
  checkEqual("SIGTERM", ends(5), SIGTERM);
  checkEqual("39: none", spaceCount(), spaces);
  check("39: no page is lost", freeMemory() + 8 * PAGE >= memory);
}

/** A thread forks while others are inside: the child shares the spaces, and has nobody in them. */
function forkInside(): void {
  checkEqual("39: the child's RUN in a space that a thread of ours is in", inChild(() => {
    for (let n: u32 = 0; n < 2; n++) makeSpace(n);
    launch(runner(1, COUNT));
    counts(0);
    const status = inChild(() => {
      const r = runner(2, CALL);
      r.frame.gs = 0;
      runOnce(changetype<usize>(r));
      return vmspaceDestroy(2) == 0 && vmspaceDestroy(1) == -1 && errno() == EBUSY ? 4 : 5;
    });
    return status == 4 << 8 && counts(0) ? 6 : 7;
  }), 6 << 8);
}

function main(args: string[]): i32 {
  enableVkernel(1);
  handle(SIGUSR1);
  image = scratchFile(IMAGE);
  linear = mapFile(image, IMAGE);
  writePrograms();
  endings();
  forkInside();
  for (let n: u32 = 0; n < SPACES; n++) makeSpace(n);
  different();
  same();
  manySwitches();
  fpu();
  races();
  signalForOne();
  stopAndContinue();
  return verdict("crowd");
}

setMain(main);
