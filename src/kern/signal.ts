// Signals that are pending: deciding what each does, and carrying that out on the way to user mode. sigpost.ts posts them.
//
// Rules. A signal takes effect only in the context of a thread that it is for: in cursig, which tsleep(PCATCH) and userret call
// (ignored signals vanish there, stops happen there), and in postsig, which runs the handler or ends the process. A thread
// inside an owned VM space leaves it before a handler or a death. Whoever changes a thread's mask calls maskChanged.

import { EINVAL, EINTR, EJUSTRETURN, ERESTART } from "../abi/errno.ts";
import type { TrapFrame } from "../abi/frames.ts";
import {
  SA_NOCLDSTOP, SA_NODEFER, SA_ONSTACK, SA_RESETHAND, SA_RESTART, SIG_BLOCK, SIG_DFL, SIG_IGN, SIG_SETMASK, SIG_UNBLOCK, SIGCHLD,
  SIGILL, SIGKILL, SIGSTOP, SigAction, SigSet,
} from "../abi/signal.ts";
import { splhigh, splx } from "machine/intr.ts";
import { copyin, copyout } from "machine/copyio.ts";
import { sigexit } from "./exit.ts";
import { pgrpOrphaned } from "./jobs.ts";
import { LS_STOP, Lwp, PS_STOP } from "./proc.ts";
import { miSwitch, PCATCH, tsleep, wakeup } from "./sched.ts";
import { sendsig, sigreturnFrame } from "./sendsig.ts";
import { sigAct } from "./sigacts.ts";
import { forgetSignal, ignores, maskChanged, pendingSignal, psignal, stopOthers, stopsByDefault, takeSignal, validSignal } from "./sigpost.ts";
import { CANT_MASK, sigAdd, sigCopy, sigIsMember } from "./sigset.ts";
import { vkernelTrap } from "./vmspace.ts";

/** cursig may have something to do for lwp. */
export function signalPending(lwp: Lwp): bool {
  return lwp.signalled;
}

/**
 * The pending signal of the current thread that has a handler or kills; 0 when none. Stops are taken here: of this thread, which
 * then stops the process, and of another, whose process this one is in.
 */
export function cursig(lwp: Lwp): i32 {
  const p = lwp.proc;
  for (;;) {
    while (p.state == PS_STOP && !sigIsMember(lwp.siglist, SIGKILL)) standStill(lwp);
    lwp.signalled = false;
    const sig = pendingSignal(lwp);
    if (sig == 0) return 0;
    lwp.signalled = true;
    const act = sigAct(p.sigacts, sig);
    let stops = act.handler == SIG_DFL && stopsByDefault(sig);
    if (!stops && !ignores(p, sig)) return sig;
    if (sig != SIGSTOP && stops && pgrpOrphaned(p.pgid)) stops = false;
    const s = splhigh();
    takeSignal(lwp, sig);
    if (stops) procStop(lwp, sig);
    splx(s);
  }
}

/** Do not go on before the process is continued. */
function standStill(lwp: Lwp): void {
  const s = splhigh();
  if (lwp.proc.state == PS_STOP) {
    lwp.state = LS_STOP;
    miSwitch();
  }
  splx(s);
}

function procStop(lwp: Lwp, sig: i32): void {
  const p = lwp.proc;
  if (p.ender != null) return;
  p.state = PS_STOP;
  p.exitStatus = (sig << 8) | 0x7f;
  p.stopReported = false;
  p.continued = false;
  const parent = p.parent!;
  if ((sigAct(parent.sigacts, SIGCHLD).flags & SA_NOCLDSTOP) == 0) psignal(parent, SIGCHLD);
  wakeup(changetype<usize>(parent));
  stopOthers(lwp);
  standStill(lwp);
}

/** What an interrupted call answers: ERESTART when sig's handler restarts calls, else EINTR. */
export function sleepInterruption(lwp: Lwp, sig: i32): i32 {
  return (sigAct(lwp.proc.sigacts, sig).flags & SA_RESTART) != 0 ? ERESTART : EINTR;
}

/** Take pending signal sig: run its handler next, or end the process. */
export function postsig(lwp: Lwp, sig: i32): void {
  const act = sigAct(lwp.proc.sigacts, sig);
  const s = splhigh();
  takeSignal(lwp, sig);
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
  maskChanged(lwp);
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
  maskChanged(lwp);
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
  if (ignores(lwp.proc, sig)) forgetSignal(lwp.proc, sig);
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
    maskChanged(lwp);
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
  const set = changetype<SigSet>(lwp.scratch);
  sigCopy(set, lwp.siglist);
  set.w0 |= lwp.proc.siglist.w0;
  set.w1 |= lwp.proc.siglist.w1;
  set.w2 = 0;
  set.w3 = 0;
  return copyout(changetype<usize>(set), a[0], sizeof<SigSet>());
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
  maskChanged(lwp);
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
