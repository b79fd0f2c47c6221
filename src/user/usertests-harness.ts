// What the cases of usertests share. A case is a function with a name; it runs in a process of its own, in an empty
// directory, and its first failed check ends it. A case that dies of a signal, or takes longer than PATIENCE, has failed too.
// What a case prints is the same whatever kernel runs it, so that transcripts of different kernels can be compared.

import { S_IFDIR, S_IFMT, Stat, O_CREAT, O_RDWR, O_TRUNC } from '../abi/file.ts';
import { TrapFrame } from '../abi/frames.ts';
import { MAP_ANON, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../abi/mman.ts';
import { MC_FRAME, SA_SIGINFO, SIG_DFL, SIG_SETMASK, SIGALRM, SIGKILL, SIGSEGV, SigAction, SigSet, UC_MCONTEXT } from '../abi/signal.ts';
import { CLOCK_MONOTONIC, ITIMER_REAL, Itimerval, Timespec } from '../abi/time.ts';
import { readDirectory } from '../libc/directory.ts';
import { flushAll, print, readFile, writeFile } from '../libc/stdio.ts';
import { _exit, chdir, clockGettime, cstr, errno, fork, kill, lstat, mkdir, mmap, nanosleep, open, rmdir, setErrno, setitimer, setpgid,
  sigaction, sigprocmask, unlink, wait4 } from '../libc/sys.ts';

export const PAGE: u32 = 4096;
export const RW: i32 = PROT_READ | PROT_WRITE;
/** An address in the kernel's part of every address space, and one that is never mapped. */
export const KERNEL_ADDRESS: usize = 0xc0100000;
export const LOW_ADDRESS: usize = 0x10;

const PATIENCE: i32 = 60;         // seconds
const PLACE = "/tmp/usertests";

class Case {
  name: string = "";
  body: ((argument: i32) => void) | null = null;
  argument: i32 = 0;
}
const cases: Case[] = [];
let running: Case = new Case();

/** Adds a case that is one of several with the same body. */
export function testWith(name: string, argument: i32, body: (argument: i32) => void): void {
  const c = new Case();
  c.name = name;
  c.body = body;
  c.argument = argument;
  cases.push(c);
}

/** Adds a case. Names are unique. */
export function test(name: string, body: () => void): void {
  testWith(name, 0, changetype<(argument: i32) => void>(body));
}

export function caseNames(): string[] {
  const names: string[] = [];
  for (const c of cases) names.push(c.name);
  return names;
}

// ---------------------------------------------------------------------------------------------------- checks

function failCase(what: string): void {
  print(`${running.name}: FAILED, ${what}\n`);
  flushAll();
  _exit(1);
}

/** Ends the case unless `ok`. */
export function check(what: string, ok: bool): void {
  if (!ok) failCase(what);
}

export function checkEqual(what: string, got: i32, wanted: i32): void {
  if (got != wanted) failCase(`${what}: got ${got}, expected ${wanted}`);
}

export function checkText(what: string, got: string, wanted: string): void {
  if (got != wanted) failCase(`${what}: got "${got}", expected "${wanted}"`);
}

/** The call answered -1 with this errno. */
export function checkError(what: string, result: i32, error: i32): void {
  const got = result == -1 ? errno() : 0;
  setErrno(0);
  if (got != error) failCase(`${what}: got errno ${got}, expected ${error}`);
}

/** The call did not answer -1; what it answered. */
export function must(what: string, result: i32): i32 {
  if (result == -1) failCase(`${what}: errno ${errno()}`);
  return result;
}

// ---------------------------------------------------------------------------------------------------- processes

let statusWord!: FixedArray<i32, 1>;

/** Waits for a child; its wait status. */
export function statusOf(pid: i32): i32 {
  statusWord[0] = -1;
  checkEqual("wait4", wait4(pid, addressof(statusWord), 0, 0), pid);
  return statusWord[0];
}

/** Starts `body` in a child, which exits with what it returns. */
export function spawn(body: () => i32): i32 {
  flushAll();
  const pid = must("fork", fork());
  if (pid == 0) _exit(body());
  return pid;
}

/** The wait status of a child that ran `body`. */
export function inChild(body: () => i32): i32 {
  return statusOf(spawn(body));
}

/** `body` in a child returned 0: use it where one process must see another's doings. */
export function checkChild(what: string, body: () => i32): void {
  checkEqual(what, inChild(body), 0);
}

let when!: Embed<Timespec>;

export function milliseconds(): i32 {
  clockGettime(CLOCK_MONOTONIC, addressof(when));
  return when.sec * 1000 + when.nsec / 1000000;
}

export function sleepMs(ms: i32): i32 {
  when.sec = ms / 1000;
  when.nsec = ms % 1000 * 1000000;
  return nanosleep(addressof(when), 0);
}

// ---------------------------------------------------------------------------------------------------- signals

export function handle(sig: i32, handler: usize, flags: i32): void {
  const act = new SigAction();
  act.handler = handler;
  act.flags = flags;
  must("sigaction", sigaction(sig, changetype<usize>(act), 0));
  free(act);
}

let set!: Embed<SigSet>;
let oldSet!: Embed<SigSet>;

export function bit(sig: i32): u32 {
  return (1 as u32) << ((sig - 1) as u32);
}

/** Replaces the first word of the signal mask; what it was. */
export function setMask(mask: u32): u32 {
  set.w0 = mask;
  sigprocmask(SIG_SETMASK, addressof(set), addressof(oldSet));
  return oldSet.w0;
}

export function currentMask(): u32 {
  sigprocmask(SIG_SETMASK, 0, addressof(oldSet));
  return oldSet.w0;
}

let timer!: Embed<Itimerval>;

/** SIGALRM after `ms`, and then every `every` milliseconds; 0 ends it. */
export function alarmAfter(ms: i32, every: i32): void {
  timer.intervalSec = every / 1000;
  timer.intervalUsec = every % 1000 * 1000;
  timer.valueSec = ms / 1000;
  timer.valueUsec = ms % 1000 * 1000;
  setitimer(ITIMER_REAL, addressof(timer), 0);
}

// Accesses that may fault are two bytes long, and the handler steps over the one that did.
let faults: i32 = 0;
let faultAt: usize = 0;
let faultCode: i32 = 0;

function onFault(_sig: i32, info: usize, context: usize, address: usize): void {
  faults++;
  faultAt = address;
  faultCode = load<i32>(info, 8);
  changetype<TrapFrame>(context + UC_MCONTEXT + MC_FRAME).eip += 2;
}

/** Catch SIGSEGV for peek and poke. */
export function catchFaults(): void {
  handle(SIGSEGV, codeof(onFault), SA_SIGINFO);
}

export function lastFaultAddress(): usize { return faultAt; }
export function lastFaultCode(): i32 { return faultCode; }

/** The byte at `address`, or -1 after a fault. */
export function peek(address: usize): i32 {
  const before = faults;
  let value: u32 = 0;
  asm`mov ecx, ${address}
      mov eax, 0
      mov al, [ecx]
      mov ${value}, eax`;
  return faults == before ? value as i32 : -1;
}

/** Store a byte; false after a fault. */
export function poke(address: usize, byte: i32): bool {
  const before = faults;
  asm`mov ecx, ${address}
      mov eax, ${byte}
      mov [ecx], al`;
  return faults == before;
}

// ---------------------------------------------------------------------------------------------------- memory and files

/** Private zero-filled memory. */
export function anon(bytes: u32): usize {
  const at = mmap(0, bytes, RW, MAP_PRIVATE | MAP_ANON, -1, 0);
  must("mmap", at as i32);
  return at;
}

/** Zero-filled memory that children share. */
export function sharedMemory(bytes: u32): usize {
  const at = mmap(0, bytes, RW, MAP_SHARED | MAP_ANON, -1, 0);
  must("mmap", at as i32);
  return at;
}

/** Makes a file of this text. */
export function put(path: string, text: string): void {
  check("write " + path, writeFile(path, cstr(text), text.length as u32, 0x1b6));
}

/** The text of a file. */
export function get(path: string): string {
  const text = readFile(path);
  if (text == null) failCase(`read ${path}: errno ${errno()}`);
  return text!;
}

/** A new file, open for reading and writing. */
export function newFile(path: string): i32 {
  return must("open " + path, open(path, O_RDWR | O_CREAT | O_TRUNC, 0x1b6));
}

/** Fills memory with bytes that depend on their place and on `seed`. */
export function fill(at: usize, bytes: u32, seed: u32): void {
  for (let i: u32 = 0; i < bytes; i++) store<u8>(at + i, (i * 7 + (i >>> 8) * 13 + seed) as u8);
}

/** The memory is as `fill` left it. */
export function isFilled(at: usize, bytes: u32, seed: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    if (load<u8>(at + i) != ((i * 7 + (i >>> 8) * 13 + seed) as u8)) return false;
  }
  return true;
}

export function isZero(at: usize, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    if (load<u8>(at + i) != 0) return false;
  }
  return true;
}

let st!: Embed<Stat>;

/** Removes a directory and everything in it. */
export function removeTree(path: string): void {
  const entries = readDirectory(path);
  if (entries == null) return;
  for (const entry of entries) {
    if (entry.name == "." || entry.name == "..") continue;
    const below = path + "/" + entry.name;
    if (lstat(below, addressof(st)) == 0 && ((st.mode as u32) & S_IFMT) == S_IFDIR) removeTree(below);
    else unlink(below);
  }
  rmdir(path);
}

// ---------------------------------------------------------------------------------------------------- running

function runBody(c: Case): void {
  setpgid(0, 0);
  handle(SIGALRM, SIG_DFL, 0);
  const body = c.body!;
  body(c.argument);
  flushAll();
  _exit(0);
}

function onAlarm(_sig: i32): void {}

/** One case from start to end. */
function passes(c: Case): bool {
  running = c;
  mkdir(PLACE, 0x1ff);
  if (chdir(PLACE) < 0) failCase("no directory " + PLACE);
  handle(SIGALRM, codeof(onAlarm), 0);
  flushAll();
  const pid = must("fork", fork());
  if (pid == 0) runBody(c);
  alarmAfter(PATIENCE * 1000, 0);
  const ended = wait4(pid, addressof(statusWord), 0, 0);
  alarmAfter(0, 0);
  kill(-pid, SIGKILL);
  if (ended != pid) wait4(pid, addressof(statusWord), 0, 0);
  chdir("/");
  removeTree(PLACE);
  if (ended != pid) print(`${c.name}: FAILED, still running after ${PATIENCE} seconds\n`);
  else if ((statusWord[0] & 127) != 0) print(`${c.name}: FAILED, ended by signal ${statusWord[0] & 127}\n`);
  else if (statusWord[0] == 0) print(`${c.name}: ok\n`);
  flushAll();
  return ended == pid && statusWord[0] == 0;
}

/** Runs the named cases, or all; how many failed, or -1 after a message when a name is unknown. */
export function runCases(names: string[]): i32 {
  let passed: i32 = 0;
  let failed: i32 = 0;
  for (const c of cases) {
    if (names.length > 0 && names.indexOf(c.name) < 0) continue;
    if (passes(c)) passed++;
    else failed++;
  }
  print(`${passed} passed, ${failed} failed\n`);
  return failed;
}
