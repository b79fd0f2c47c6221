// Signals: posting them to processes, deciding what a pending one does, and carrying that out on the way to user mode.
//
// Rules. psignal may be called from interrupts. A signal takes effect only in its own process's context: in cursig, which
// tsleep(PCATCH) and userret call (ignored signals vanish there, stops happen there), and in postsig, which runs the
// handler or ends the process. A thread inside an owned VM space leaves it before a handler or a death.

import { EINVAL, EINTR, EJUSTRETURN, ERESTART, ESRCH } from "../abi/errno.ts";
import type { TrapFrame } from "../abi/frames.ts";
import {
  NSIG, SA_NOCLDSTOP, SA_NODEFER, SA_ONSTACK, SA_RESETHAND, SA_RESTART, SIG_BLOCK, SIG_DFL, SIG_IGN, SIG_SETMASK,
  SIG_UNBLOCK, SIGCHLD, SIGCONT, SIGILL, SIGINFO, SIGIO, SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH,
  SigAction, SigSet,
} from "../abi/signal.ts";
import { splhigh, splx } from "machine/intr.ts";
import { copyin, copyout } from "machine/copyio.ts";
import { sigexit } from "./exit.ts";
import { pgrpOrphaned } from "./jobs.ts";
import { knoteNotify } from "./knote.ts";
import { allProcs, LS_SLEEP, LS_STOP, Lwp, pfind, Proc, PS_ACTIVE, PS_STOP, PS_ZOMBIE } from "./proc.ts";
import { miSwitch, PCATCH, setRunQueue, tsleep, unsleep, wakeup } from "./sched.ts";
import { sendsig, sigreturnFrame } from "./sendsig.ts";
import { sigAct } from "./sigacts.ts";
import { CANT_MASK, CONT_SIGNAL, sigAdd, sigCopy, sigDelete, sigFirst, sigIsMember, STOP_SIGNALS } from "./sigset.ts";
import { vkernelTrap } from "./vmspace.ts";

enum Default { KILL, STOP, IGNORE }

function defaultAction(sig: i32): Default {
  switch (sig) {
    case SIGSTOP: case SIGTSTP: case SIGTTIN: case SIGTTOU:
      return Default.STOP;
    case SIGCHLD: case SIGURG: case SIGCONT: case SIGIO: case SIGWINCH: case SIGINFO:
      return Default.IGNORE;
    default:
      return Default.KILL;
  }
}

function ignores(p: Proc, sig: i32): bool {
  const handler = sigAct(p.sigacts, sig).handler;
  if (handler == SIG_IGN) return true;
  if (handler != SIG_DFL) return false;
  const action = defaultAction(sig);
  return action == Default.IGNORE || (p.pid == 1 && action == Default.KILL && sig != SIGKILL);
}

/** Post sig to a process. May be called from interrupts. */
export function psignal(p: Proc, sig: i32): void {
  if (p.system || p.state == PS_ZOMBIE || (p.pid == 1 && sig == SIGKILL)) return;
  const s = splhigh();
  const lwp = p.lwp;
  if (p.notes.first != null) knoteNotify(p.notes, sig as u32);
  if (sig == SIGCONT) {
    lwp.siglist.w0 &= ~STOP_SIGNALS;
    if (p.state == PS_STOP) procContinue(p);
  } else if (defaultAction(sig) == Default.STOP) {
    lwp.siglist.w0 &= ~CONT_SIGNAL;
  }
  if (!ignores(p, sig)) {
    sigAdd(lwp.siglist, sig);
    if (sig == SIGKILL && p.state == PS_STOP) procContinue(p);
    if (lwp.state == LS_SLEEP && (lwp.sleepFlags & PCATCH) != 0 && !sigIsMember(lwp.sigmask, sig)) {
      lwp.sigWoken = true;
      unsleep(lwp);
    }
  }
  splx(s);
}

/** Post sig to every process of a group. */
export function pgsignal(pgid: i32, sig: i32): void {
  for (let p = allProcs(); p != null; p = p.next) {
    if (p.pgid == pgid) psignal(p, sig);
  }
}

/** A signal that lwp's mask lets through is pending. */
export function signalPending(lwp: Lwp): bool {
  return ((lwp.siglist.w0 & ~lwp.sigmask.w0) | (lwp.siglist.w1 & ~lwp.sigmask.w1)) != 0;
}

/** The pending signal of the current thread that has a handler or kills; 0 when none. Stops are taken here. */
export function cursig(lwp: Lwp): i32 {
  for (;;) {
    const sig = sigFirst(lwp.siglist, lwp.sigmask);
    if (sig == 0) return 0;
    const p = lwp.proc;
    const act = sigAct(p.sigacts, sig);
    let stops = act.handler == SIG_DFL && defaultAction(sig) == Default.STOP;
    if (!stops && !ignores(p, sig)) return sig;
    if (sig != SIGSTOP && stops && pgrpOrphaned(p.pgid)) stops = false;
    const s = splhigh();
    sigDelete(lwp.siglist, sig);
    if (stops) procStop(lwp, sig);
    splx(s);
  }
}

function procStop(lwp: Lwp, sig: i32): void {
  const p = lwp.proc;
  p.state = PS_STOP;
  p.exitStatus = (sig << 8) | 0x7f;
  p.stopReported = false;
  p.continued = false;
  const parent = p.parent!;
  if ((sigAct(parent.sigacts, SIGCHLD).flags & SA_NOCLDSTOP) == 0) psignal(parent, SIGCHLD);
  wakeup(changetype<usize>(parent));
  lwp.state = LS_STOP;
  miSwitch();
}

function procContinue(p: Proc): void {
  p.state = PS_ACTIVE;
  p.continued = true;
  wakeup(changetype<usize>(p.parent!));
  if (p.lwp.state == LS_STOP) setRunQueue(p.lwp);
}

/** What an interrupted call answers: ERESTART when sig's handler restarts calls, else EINTR. */
export function sleepInterruption(lwp: Lwp, sig: i32): i32 {
  return (sigAct(lwp.proc.sigacts, sig).flags & SA_RESTART) != 0 ? ERESTART : EINTR;
}

/** Take pending signal sig: run its handler next, or end the process. */
export function postsig(lwp: Lwp, sig: i32): void {
  const act = sigAct(lwp.proc.sigacts, sig);
  const s = splhigh();
  sigDelete(lwp.siglist, sig);
  splx(s);
  if (lwp.ve != null) {
    lwp.frame.trapno = 0;
    vkernelTrap(lwp, lwp.frame);
  }
  if (act.handler == SIG_DFL) sigexit(lwp, sig);
  deliver(lwp, lwp.frame, act, sig, 0, 0);
}

/** A trap of lwp's own user code: run the handler at once; where it may not run, the process ends. */
export function trapSignal(lwp: Lwp, frame: TrapFrame, sig: i32, code: i32, addr: usize): void {
  const act = sigAct(lwp.proc.sigacts, sig);
  if (act.handler == SIG_DFL || act.handler == SIG_IGN || sigIsMember(lwp.sigmask, sig)) sigexit(lwp, sig);
  deliver(lwp, frame, act, sig, code, addr);
}

function deliver(lwp: Lwp, frame: TrapFrame, act: SigAction, sig: i32, code: i32, addr: usize): void {
  const saved: SigSet = lwp.restoreMask ? lwp.oldMask : lwp.sigmask;
  const error = sendsig(lwp, frame, act, sig, code, addr, saved, useAltStack(lwp, act));
  lwp.restoreMask = false;
  const s = splhigh();
  lwp.sigmask.w0 |= act.m0 & ~CANT_MASK;
  lwp.sigmask.w1 |= act.m1;
  if ((act.flags & SA_NODEFER) == 0) sigAdd(lwp.sigmask, sig);
  if ((act.flags & SA_RESETHAND) != 0) act.handler = SIG_DFL;
  splx(s);
  if (error != 0) sigexit(lwp, SIGILL);
}

function useAltStack(lwp: Lwp, act: SigAction): bool {
  return (act.flags & SA_ONSTACK) != 0 && lwp.altSize != 0 && !lwp.onAltStack;
}

/** sigsuspend is over and no handler took the old mask with it: put it back. */
export function restoreSuspendMask(lwp: Lwp): void {
  if (!lwp.restoreMask) return;
  lwp.restoreMask = false;
  sigCopy(lwp.sigmask, lwp.oldMask);
}

function validSignal(sig: i32): bool {
  return sig > 0 && sig <= NSIG;
}

export function sysKill(lwp: Lwp, a: Ptr<u32>): i32 {
  const pid = a[0] as i32;
  const sig = a[1] as i32;
  if (sig != 0 && !validSignal(sig)) return EINVAL;
  if (pid > 0) {
    const p = pfind(pid);
    if (p == null || p.state == PS_ZOMBIE) return ESRCH;
    if (sig != 0) psignal(p, sig);
    return 0;
  }
  return killMany(lwp.proc, pid, sig) > 0 ? 0 : ESRCH;
}

/** kill of a group (0: the caller's, -n: group n) or of everyone else (-1). Returns how many there were. */
function killMany(self: Proc, pid: i32, sig: i32): i32 {
  const pgid = pid == 0 ? self.pgid : -pid;
  let count: i32 = 0;
  for (let p = allProcs(); p != null; p = p.next) {
    if (p.system || p.state == PS_ZOMBIE) continue;
    if (pid == -1 ? p == self || p.pid == 1 : p.pgid != pgid) continue;
    if (sig != 0) psignal(p, sig);
    count++;
  }
  return count;
}

export function sysSigaction(lwp: Lwp, a: Ptr<u32>): i32 {
  const sig = a[0] as i32;
  if (!validSignal(sig)) return EINVAL;
  const act = sigAct(lwp.proc.sigacts, sig);
  const scratch = changetype<usize>(lwp.scratch);
  const old = new SigAction();
  memory.copy(changetype<usize>(old), changetype<usize>(act), sizeof<SigAction>());
  let error: i32 = 0;
  if (a[1] != 0) {
    if (sig == SIGKILL || sig == SIGSTOP) error = EINVAL;
    else error = copyin(a[1], scratch, sizeof<SigAction>());
    if (error == 0) setAction(lwp, act, changetype<SigAction>(scratch), sig);
  }
  if (error == 0 && a[2] != 0) error = copyout(changetype<usize>(old), a[2], sizeof<SigAction>());
  free(old);
  return error;
}

function setAction(lwp: Lwp, act: SigAction, next: SigAction, sig: i32): void {
  const s = splhigh();
  memory.copy(changetype<usize>(act), changetype<usize>(next), sizeof<SigAction>());
  act.m0 &= ~CANT_MASK;
  if (ignores(lwp.proc, sig)) sigDelete(lwp.siglist, sig);
  splx(s);
}

export function sysSigprocmask(lwp: Lwp, a: Ptr<u32>): i32 {
  const set = changetype<SigSet>(lwp.scratch);
  const w0 = lwp.sigmask.w0;
  const w1 = lwp.sigmask.w1;
  if (a[1] != 0) {
    const error = copyin(a[1], changetype<usize>(set), sizeof<SigSet>());
    if (error != 0) return error;
    if (!changeMask(lwp.sigmask, a[0] as i32, set)) return EINVAL;
  }
  if (a[2] == 0) return 0;
  set.w0 = w0;
  set.w1 = w1;
  set.w2 = 0;
  set.w3 = 0;
  return copyout(changetype<usize>(set), a[2], sizeof<SigSet>());
}

function changeMask(mask: SigSet, how: i32, set: SigSet): bool {
  if (how == SIG_BLOCK) {
    mask.w0 |= set.w0;
    mask.w1 |= set.w1;
  } else if (how == SIG_UNBLOCK) {
    mask.w0 &= ~set.w0;
    mask.w1 &= ~set.w1;
  } else if (how == SIG_SETMASK) {
    sigCopy(mask, set);
  } else return false;
  mask.w0 &= ~CANT_MASK;
  return true;
}

export function sysSigpending(lwp: Lwp, a: Ptr<u32>): i32 {
  return copyout(changetype<usize>(lwp.siglist), a[0], sizeof<SigSet>());
}

export function sysSigsuspend(lwp: Lwp, a: Ptr<u32>): i32 {
  const set = changetype<SigSet>(lwp.scratch);
  const error = copyin(a[0], changetype<usize>(set), sizeof<SigSet>());
  if (error != 0) return error;
  sigCopy(lwp.oldMask, lwp.sigmask);
  lwp.restoreMask = true;
  const s = splhigh();
  sigCopy(lwp.sigmask, set);
  lwp.sigmask.w0 &= ~CANT_MASK;
  while (tsleep(changetype<usize>(lwp.oldMask), PCATCH, "pause", 0) == 0) continue;
  splx(s);
  return EINTR;
}

const SS_ONSTACK: u32 = 1;
const SS_DISABLE: u32 = 4;

/** sigaltstack(ss, old); stack_t is sp, size, flags. */
export function sysSigaltstack(lwp: Lwp, a: Ptr<u32>): i32 {
  const stack = lwp.scratch;
  const sp = lwp.altSp;
  const size = lwp.altSize;
  if (a[0] != 0) {
    const error = copyin(a[0], changetype<usize>(stack), 12);
    if (error != 0) return error;
    if (lwp.onAltStack) return EINVAL;
    lwp.altSp = stack[0];
    lwp.altSize = (stack[2] & SS_DISABLE) != 0 ? 0 : stack[1];
  }
  if (a[1] == 0) return 0;
  stack[0] = sp;
  stack[1] = size;
  stack[2] = lwp.onAltStack ? SS_ONSTACK : size == 0 ? SS_DISABLE : 0;
  return copyout(changetype<usize>(stack), a[1], 12);
}

/** Return from a handler: registers, mask and FPU state as the context at a[0] says. */
export function sysSigreturn(lwp: Lwp, a: Ptr<u32>): i32 {
  const error = sigreturnFrame(lwp, a[0]);
  if (error != 0) sigexit(lwp, SIGILL);
  return EJUSTRETURN;
}
