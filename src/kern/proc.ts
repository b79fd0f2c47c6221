// Processes and their threads (LWPs): the records, the table of all of them, and who is running.
//
// Rules. A Proc is found through the list or by pfind(); it stays valid while it is on the list, and only its parent's
// wait4 takes it off. Every Proc has at least one Lwp until it is reaped; lwp.ts makes and ends the others. curLwp is the
// thread on the CPU and is changed by miSwitch alone. Fields that interrupts touch (state, queues, siglist) are changed
// only at splhigh.

import { TRAPFRAME_SIZE } from "../abi/frames.ts";
import type { TrapFrame, VextFrame } from "../abi/frames.ts";
import type { SigSet } from "../abi/signal.ts";
import type { Callout } from "./callout.ts";
import type { FileDesc } from "./file.ts";
import { kprint, kprintNumber, kputc } from "./kprintf.ts";
import type { Klist } from "./knote.ts";
import { SigActs, sigactsCopy } from "./sigacts.ts";
import type { Vmspace } from "./vm_map.ts";
import type { VkernelProc, VmspaceEntry } from "./vmspace.ts";
import type { Pcb } from "machine/pcb.ts";
import { splhigh, splx } from "machine/intr.ts";
import { memoryTight, vmKernelRoom } from "./vm_page.ts";
import { malloc, mfree } from "rt/rt.ts";

/**
 * Bytes of a thread's kernel stack. At the very top lies the frame of its own user registers, below it that of the VM space it
 * runs inside of, and below both the stack proper.
 */
export const KSTACK_SIZE: u32 = 16384;
const KSTACK_MAGIC: u32 = 0x57ac4bed;

// Proc.state
export const PS_ACTIVE: i32 = 1;
export const PS_STOP: i32 = 2;
export const PS_ZOMBIE: i32 = 3;

// Lwp.state
export const LS_RUN: i32 = 1;       // running or on the run queue
export const LS_SLEEP: i32 = 2;
export const LS_STOP: i32 = 3;      // by a stop signal
export const LS_ZOMBIE: i32 = 4;

const MAXCOMLEN: i32 = 16;

export class Proc {
  pid: i32 = 0;
  pgid: i32 = 0;
  sid: i32 = 0;
  state: i32 = PS_ACTIVE;
  system: bool = false;             // a kernel process: never enters user mode, takes no signals
  parent: Proc | null = null;
  children: Proc | null = null;     // linked by sibling
  sibling: Proc | null = null;
  next: Proc | null = null;         // list of all processes
  lwps: Lwp | null = null;          // its threads, the newest first, linked by sibling
  lwpCount: i32 = 0;
  lastTid: i32 = 0;
  ender: Lwp | null = null;         // the thread that has begun to end all others: by exit, or by exec
  siglist!: Embed<SigSet>;          // pending, for whichever thread lets it through
  vmspace!: Vmspace;
  vkernel: VkernelProc | null = null; // VM spaces it owns
  fd: FileDesc | null = null;       // descriptors, working directory, umask
  sigacts!: SigActs;
  comm!: FixedArray<u8, 16>;         // name of the program, NUL padded
  exitStatus: i32 = 0;              // as wait4 reports it
  stopReported: bool = false;       // wait4(WUNTRACED) has seen this stop
  continued: bool = false;          // SIGCONT has ended a stop, and wait4(WCONTINUED) has not seen that
  userCycles: u64 = 0;              // of threads that have ended
  sysCycles: u64 = 0;
  childUserCycles: u64 = 0;         // of reaped children and theirs
  childSysCycles: u64 = 0;
  minorFaults: i32 = 0;
  switches: i32 = 0;
  itimerInterval: i32 = 0;          // ITIMER_REAL, in ticks
  itimer!: Embed<Callout>;
  notes!: Embed<Klist>;             // knotes on its signals, forks and end
}

export class Lwp {
  proc!: Proc;
  tid: i32 = 0;                     // from 1, unique in the process
  sibling: Lwp | null = null;
  state: i32 = LS_RUN;
  kstack: usize = 0;
  frame!: TrapFrame;                // user registers in use: ownFrame, or inside a VM space innerFrame
  pcb!: Embed<Pcb>;
  vmspace!: Vmspace;                // the space in use: that of proc, or of `ve`; none in kernel processes
  tls!: Embed<VextFrame>;           // TLS descriptors of its own

  // system call in progress
  args!: FixedArray<u32, 8>;
  retval0: u32 = 0;
  retval1: u32 = 0;
  scratch!: FixedArray<u32, 8>;     // for records on their way in or out: copies may sleep, so no global will do
  fetched: u32 = 0;                 // what fuword read

  // signals
  sigmask!: Embed<SigSet>;
  siglist!: Embed<SigSet>;          // pending for this thread alone
  signalled: bool = false;          // cursig may have something to do; always true when it has
  oldMask!: Embed<SigSet>;          // to restore after the handler that ends sigsuspend
  restoreMask: bool = false;
  altSp: usize = 0;                 // sigaltstack; size 0: none
  altSize: u32 = 0;
  onAltStack: bool = false;

  // scheduling
  runNext: Lwp | null = null;
  onRunQueue: bool = false;
  priority: i32 = 0;                // 0 best
  quantum: i32 = 0;                 // ticks used of the present turn
  cycleStamp: u32 = 0;              // when the present stretch of user or system time began
  userCycles: u64 = 0;              // processor time so far
  sysCycles: u64 = 0;

  // sleeping
  wchan: usize = 0;
  wmesg: string = "";
  sleepFlags: i32 = 0;
  sleepNext: Lwp | null = null;
  timedOut: bool = false;
  sigWoken: bool = false;
  sleepCallout!: Embed<Callout>;

  // running inside an owned VM space (vmspace.ts); ve == null: in its own
  ve: VmspaceEntry | null = null;
  ownFrame!: TrapFrame;
  innerFrame!: TrapFrame;
  innerTls!: Embed<VextFrame>;
  userTframe: usize = 0;            // where the owner wants the registers back
  innerUsed: u32 = 0;               // usedCycles when it went in
  userLeft: usize = 0;              // where it wants to know when the space was left; 0: it does not
}

let procList: Proc | null = null;
let procCount: i32 = 0;
let lastPid: i32 = -1;

/** The thread on the CPU. */
export let curLwp!: Lwp;

/** Called by miSwitch and by start-up only. */
export function setCurLwp(lwp: Lwp): void {
  curLwp = lwp;
}

/** First process of the list of all, linked by `next`. */
export function allProcs(): Proc | null {
  return procList;
}

/** The process with this id, zombies included, or null. */
export function pfind(pid: i32): Proc | null {
  let p = procList;
  while (p != null && p.pid != pid) p = p.next;
  return p;
}

/** Some process of group pgid exists. */
export function pgrpExists(pgid: i32): bool {
  for (let p = procList; p != null; p = p.next) {
    if (p.pgid == pgid && p.state != PS_ZOMBIE) return true;
  }
  return false;
}

const MAXPROC: i32 = 512;

/** There can't be another process. */
export function procsFull(): bool {
  return procCount >= MAXPROC;
}

/** A new process on the list: of parent's group and session, its signal actions, a thread of its own. */
export function procAlloc(parent: Proc | null): Proc {
  const p = new Proc();
  p.pid = nextPid();
  lwpLink(lwpAlloc(p));
  p.sigacts = parent != null ? sigactsCopy(parent.sigacts) : new SigActs();
  if (parent != null) {
    p.pgid = parent.pgid;
    p.sid = parent.sid;
    linkChild(parent, p);
  }
  const s = splhigh();
  p.next = procList;
  procList = p;
  procCount++;
  splx(s);
  return p;
}

/** Take a zombie off every list and give its memory back. */
export function procFree(p: Proc): void {
  if (p.parent != null) unlinkChild(p.parent, p);
  const s = splhigh();
  if (procList == p) procList = p.next;
  else {
    let q = procList;
    while (q!.next != p) q = q!.next;
    q!.next = p.next;
  }
  procCount--;
  splx(s);
  lwpFree(p.lwps!);
  free(p);
}

function nextPid(): i32 {
  do {
    lastPid++;
    if (lastPid > 30000) lastPid = 100;
  } while (pfind(lastPid) != null || pgrpExists(lastPid));
  return lastPid;
}

/** A thread for p with a kernel stack and a tid, on no list yet. */
export function lwpAlloc(p: Proc): Lwp {
  const lwp = new Lwp();
  lwp.proc = p;
  do {
    p.lastTid++;
    if (p.lastTid <= 0) p.lastTid = 1;
  } while (lwpFind(p, p.lastTid) != null);
  lwp.tid = p.lastTid;
  lwpSetStack(lwp, kstackAlloc());
  return lwp;
}

/** Put lwp on its process's list. */
export function lwpLink(lwp: Lwp): void {
  const p = lwp.proc;
  const s = splhigh();
  lwp.sibling = p.lwps;
  p.lwps = lwp;
  p.lwpCount++;
  splx(s);
}

/** Take lwp off its process's list; the process keeps its times. */
export function lwpUnlink(lwp: Lwp): void {
  const p = lwp.proc;
  const s = splhigh();
  if (p.lwps == lwp) p.lwps = lwp.sibling;
  else {
    let q = p.lwps!;
    while (q.sibling != lwp) q = q.sibling!;
    q.sibling = lwp.sibling;
  }
  p.lwpCount--;
  p.userCycles += lwp.userCycles;
  p.sysCycles += lwp.sysCycles;
  splx(s);
}

/** Give back the memory of a thread that is on no list and not on its stack. */
export function lwpFree(lwp: Lwp): void {
  kstackFree(lwp.kstack);
  free(lwp);
}

/** The thread of p with this id, or null. */
export function lwpFind(p: Proc, tid: i32): Lwp | null {
  let lwp = p.lwps;
  while (lwp != null && lwp.tid != tid) lwp = lwp.sibling;
  return lwp;
}

/** Processor cycles that all threads of p, past and present, have spent in user mode. */
export function procUserCycles(p: Proc): u64 {
  let sum = p.userCycles;
  for (let lwp = p.lwps; lwp != null; lwp = lwp.sibling) sum += lwp.userCycles;
  return sum;
}

/** The same for system time. */
export function procSysCycles(p: Proc): u64 {
  let sum = p.sysCycles;
  for (let lwp = p.lwps; lwp != null; lwp = lwp.sibling) sum += lwp.sysCycles;
  return sum;
}

/** Give lwp the kernel stack at `stack`, and its user frames at the top of it. */
export function lwpSetStack(lwp: Lwp, stack: usize): void {
  lwp.kstack = stack;
  lwp.ownFrame = changetype<TrapFrame>(stack + KSTACK_SIZE - TRAPFRAME_SIZE);
  lwp.innerFrame = changetype<TrapFrame>(stack + KSTACK_SIZE - 2 * TRAPFRAME_SIZE);
  lwp.frame = lwp.ownFrame;
  store<u32>(stack, KSTACK_MAGIC);
}

/** The lowest word of lwp's kernel stack is as it was: the stack has not overflowed. */
export function kstackIntact(lwp: Lwp): bool {
  return load<u32>(lwp.kstack) == KSTACK_MAGIC;
}

// Some stacks of the dead are kept for the next: a stack is a run of contiguous pages, the one large thing fork needs.
const SPARE_STACKS: u32 = 16;
let freeStacks: usize = 0;
/** Stacks that are kept, for vm.stats. */
export let spareStacks: u32 = 0;

function kstackAlloc(): usize {
  const stack = freeStacks;
  if (stack == 0) return malloc(KSTACK_SIZE);
  freeStacks = load<usize>(stack);
  spareStacks--;
  return stack;
}

/** Have a stack for the next thread; false: memory is out, or lies in pieces. May sleep. */
export function kstackReady(): bool {
  if (freeStacks != 0) return !memoryTight() || vmKernelRoom(0);
  if (!vmKernelRoom(KSTACK_SIZE)) return false;
  kstackFree(malloc(KSTACK_SIZE));
  return true;
}

function kstackFree(stack: usize): void {
  if (spareStacks == SPARE_STACKS) {
    mfree(stack);
    return;
  }
  store<usize>(stack, freeStacks);
  freeStacks = stack;
  spareStacks++;
}

/** The TLS descriptors in use. */
export function tlsOf(lwp: Lwp): VextFrame {
  return lwp.ve != null ? lwp.innerTls : lwp.tls;
}

/** Make `p` a child of `parent`, whose child it is not yet. */
export function linkChild(parent: Proc, p: Proc): void {
  p.parent = parent;
  p.sibling = parent.children;
  parent.children = p;
}

export function unlinkChild(parent: Proc, p: Proc): void {
  if (parent.children == p) parent.children = p.sibling;
  else {
    let q = parent.children;
    while (q!.sibling != p) q = q!.sibling;
    q!.sibling = p.sibling;
  }
  p.parent = null;
  p.sibling = null;
}

/** Set the program name shown by ps, from a path: its last component. */
export function procSetName(p: Proc, path: string): void {
  const base = path.lastIndexOf("/") + 1;
  for (let i: i32 = 0; i < MAXCOMLEN; i++) {
    const c = base + i < path.length && i < MAXCOMLEN - 1 ? path.charCodeAt(base + i) : 0;
    p.comm[i] = c as u8;
  }
}

/** One line for each process on the console, for somebody who wonders what the kernel does. May be called from interrupts. */
export function reportProcesses(): void {
  for (let p = procList; p != null; p = p.next) {
    kprint("pid ");
    kprintNumber(p.pid as u32);
    kprint(p.state == PS_ZOMBIE ? " dead " : p.state == PS_STOP ? " stopped " : p == curLwp.proc ? " running " : " active ");
    for (let i: i32 = 0; i < MAXCOMLEN && p.comm[i] != 0; i++) kputc(p.comm[i] as i32);
    kprint("\n");
  }
}
