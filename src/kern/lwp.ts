// Threads of a process beyond its first: making one, ending one, and ending all but one for exit and exec.
//
// Rules. A thread ends only by itself: endOthers posts SIGKILL to the others, and each ends when it takes that signal on its
// way to user mode, after whatever call it was in has come to its end. The last thread of a process ends in exit1, not
// here. A stack is given back only when nobody stands on it any more (lwpBury).

import { EAGAIN, EFAULT, EINVAL, ENOMEM } from "../abi/errno.ts";
import { PSL_I, TRAPFRAME_SIZE, TrapFrame } from "../abi/frames.ts";
import { EXTEXIT_LWP, EXTEXIT_PROC, EXTEXIT_SETINT, EXTEXIT_SIMPLE, LwpParams } from "../abi/lwp.ts";
import { copyin, suword } from "machine/copyio.ts";
import { splhigh, splx } from "machine/intr.ts";
import { fpuExit } from "./fpu.ts";
import { sysExit } from "./exit.ts";
import { panic } from "./panic.ts";
import { kstackReady, Lwp, lwpAlloc, lwpFree, lwpLink, lwpUnlink, LS_ZOMBIE, Proc } from "./proc.ts";
import { chargeSystem } from "./cputime.ts";
import { miSwitch, setRunQueue, tsleep, wakeup } from "./sched.ts";
import { killLwp, redirectSignals } from "./sigpost.ts";
import { sigCopy } from "./sigset.ts";
import { startUserThread } from "./thread.ts";
import { umtxWake } from "./umtx.ts";
import { Vmspace } from "./vm_map.ts";
import { vkernelLeave } from "./vmspace.ts";

/** Threads of one process. */
const MAXLWP: i32 = 256;

let dead: Lwp | null = null;         // ended, perhaps with somebody still on their stacks; linked by sibling

/** lwp_create(params): a thread that shares everything with the caller, has its signal mask and TLS, and begins at func(arg). */
export function sysLwpCreate(lwp: Lwp, a: Ptr<u32>): i32 {
  const params = changetype<LwpParams>(lwp.scratch);
  const error = copyin(a[0], changetype<usize>(params), sizeof<LwpParams>());
  if (error != 0) return error;
  if (!kstackReady()) return ENOMEM;
  if (lwp.proc.lwpCount >= MAXLWP) return EAGAIN;
  const next = lwpAlloc(lwp.proc);
  const failed = prepare(lwp, next, params);
  if (failed != 0 || lwp.proc.ender != null) {
    lwpFree(next);
    return failed != 0 ? failed : EAGAIN;
  }
  lwpLink(next);
  setRunQueue(next);
  return 0;
}

/** Registers, stack and what is inherited. May sleep, so `next` is on no list yet. */
function prepare(lwp: Lwp, next: Lwp, params: LwpParams): i32 {
  next.vmspace = lwp.proc.vmspace;
  next.priority = lwp.priority;
  next.signalled = true;
  sigCopy(next.sigmask, lwp.sigmask);
  memory.copy(changetype<usize>(next.tls), changetype<usize>(lwp.tls), 24);
  setRegisters(next.frame, lwp.frame, params);
  startUserThread(next);
  const arg = params.arg;
  const tid1 = params.tid1;
  const tid2 = params.tid2;
  let error = suword(next.frame.esp + 4, arg);
  if (error == 0) error = suword(next.frame.esp, 0);
  if (error == 0 && tid1 != 0) error = suword(tid1, next.tid as u32);
  if (error == 0 && tid2 != 0) error = suword(tid2, next.tid as u32);
  return error;
}

/** As after a call of func(arg) from nowhere, with the creator's segment registers. */
function setRegisters(frame: TrapFrame, from: TrapFrame, params: LwpParams): void {
  memory.fill(changetype<usize>(frame), 0, TRAPFRAME_SIZE);
  frame.gs = from.gs;
  frame.fs = from.fs;
  frame.es = from.es;
  frame.ds = from.ds;
  frame.cs = from.cs;
  frame.ss = from.ss;
  frame.eflags = PSL_I | 2;
  frame.eip = params.func;
  frame.esp = params.stack - 8;
}

/** lwp_gettid() */
export function sysLwpGettid(lwp: Lwp, a: Ptr<u32>): i32 {
  lwp.retval0 = lwp.tid as u32;
  return 0;
}

/**
 * extexit(how, status, addr): end the process, or with EXTEXIT_LWP the calling thread alone (as the last one, the process).
 * EXTEXIT_SETINT first stores status at addr, and wakes who sleeps there in umtx_sleep; DragonFly only stores it.
 */
export function sysExtexit(lwp: Lwp, a: Ptr<u32>): i32 {
  const who = a[0] & ~(0xffff as u32);
  const action = a[0] & 0xffff;
  if ((who != EXTEXIT_PROC && who != EXTEXIT_LWP) || action > EXTEXIT_SETINT) return EINVAL;
  if (action != EXTEXIT_SIMPLE) {
    if (suword(a[2], a[1]) != 0) return EFAULT;
    umtxWake(lwp, a[2], 0);
  }
  if (who == EXTEXIT_LWP && lwp.proc.lwpCount > 1) lwpExit(lwp);
  a[0] = a[1];
  return sysExit(lwp, a);
}

/** End the current thread, which is not the last of its process. Does not return. */
export function lwpExit(lwp: Lwp): void {
  const p = lwp.proc;
  vkernelLeave(lwp);
  fpuExit(lwp);
  splhigh();
  chargeSystem(lwp);
  lwpUnlink(lwp);
  redirectSignals(p);
  if (p.ender != null) wakeup(changetype<usize>(p.ender) + 3);
  lwp.vmspace = changetype<Vmspace>(0);
  lwp.state = LS_ZOMBIE;
  lwp.sibling = dead;
  dead = lwp;
  miSwitch();
  panic("lwpExit: a zombie ran");
}

/** Free threads that have ended. Called when the CPU has left one stack for another. */
export function lwpBury(): void {
  while (dead != null) {
    const lwp: Lwp = dead;
    dead = lwp.sibling;
    lwpFree(lwp);
  }
}

/**
 * End every other thread of the current one's process; returns when they are gone. False: another thread is doing so already,
 * and the current one has to end too.
 */
export function endOthers(lwp: Lwp): bool {
  const p = lwp.proc;
  if (p.ender != null && p.ender != lwp) return false;
  p.ender = lwp;
  killOthers(p, lwp);
  while (p.lwpCount > 1) tsleep(changetype<usize>(lwp) + 3, 0, "lwpend", 0);
  return true;
}

function killOthers(p: Proc, but: Lwp): void {
  const s = splhigh();
  for (let lwp = p.lwps; lwp != null; lwp = lwp.sibling) {
    if (lwp != but) killLwp(lwp);
  }
  splx(s);
}
