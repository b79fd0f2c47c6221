// Posting signals: to a process, to a group, to one thread; and kill and lwp_kill, which do so.
//
// A signal for a process is pending in the process until some thread takes it. It is announced to one thread that lets it through
// (Lwp.signalled), the current one rather than a waiting one, a running one rather than a sleeping one. When that thread
// blocks the signal or ends, redirectSignals finds another. SIGKILL goes to every thread, none of which runs user code again.
//
// Rules: posting may be done from interrupts.

import { EINVAL, ESRCH } from "../abi/errno.ts";
import {
  NSIG, SIG_DFL, SIG_IGN, SIGCHLD, SIGCONT, SIGINFO, SIGIO, SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH,
} from "../abi/signal.ts";
import { splhigh, splx } from "machine/intr.ts";
import { cpuCount, cpuInterrupt } from "./cpu.ts";
import { knoteNotify } from "./knote.ts";
import {
  allProcs, curLwp, LS_RUN, LS_SLEEP, LS_STOP, Lwp, lwpFind, pfind, Proc, PS_ACTIVE, PS_STOP, PS_ZOMBIE,
} from "./proc.ts";
import { PCATCH, setRunQueue, unsleep, wakeup } from "./sched.ts";
import { sigAct } from "./sigacts.ts";
import { CONT_SIGNAL, sigAdd, sigDelete, sigFirst, sigIsMember, STOP_SIGNALS } from "./sigset.ts";

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

/** Without a handler, sig stops a process. */
export function stopsByDefault(sig: i32): bool {
  return defaultAction(sig) == Default.STOP;
}

/** sig does nothing to p. */
export function ignores(p: Proc, sig: i32): bool {
  const handler = sigAct(p.sigacts, sig).handler;
  if (handler == SIG_IGN) return true;
  if (handler != SIG_DFL) return false;
  const action = defaultAction(sig);
  return action == Default.IGNORE || (p.pid == 1 && action == Default.KILL && sig != SIGKILL);
}

/** Post sig to a process. */
export function psignal(p: Proc, sig: i32): void {
  if (!mayPost(p, sig)) return;
  const s = splhigh();
  if (p.notes.first != null) knoteNotify(p.notes, sig as u32);
  jobControl(p, sig);
  if (sig == SIGKILL) {
    for (let lwp = p.lwps; lwp != null; lwp = lwp.sibling) killLwp(lwp);
    if (p.state == PS_STOP) procContinue(p);
  } else if (!ignores(p, sig)) {
    sigAdd(p.siglist, sig);
    announce(p, sig);
  }
  splx(s);
}

/** Post sig to one thread. What it stops, continues or kills is the process. */
export function lwpSignal(lwp: Lwp, sig: i32): void {
  const p = lwp.proc;
  if (sig == SIGKILL) {
    psignal(p, sig);
    return;
  }
  if (!mayPost(p, sig)) return;
  const s = splhigh();
  if (p.notes.first != null) knoteNotify(p.notes, sig as u32);
  jobControl(p, sig);
  if (!ignores(p, sig)) {
    sigAdd(lwp.siglist, sig);
    if (!sigIsMember(lwp.sigmask, sig)) poke(lwp);
  }
  splx(s);
}

/** Post sig to every process of a group. */
export function pgsignal(pgid: i32, sig: i32): void {
  for (let p = allProcs(); p != null; p = p.next) {
    if (p.pgid == pgid) psignal(p, sig);
  }
}

function mayPost(p: Proc, sig: i32): bool {
  return !p.system && p.state != PS_ZOMBIE && (p.pid != 1 || sig != SIGKILL);
}

/** A thread that must end. At splhigh. */
export function killLwp(lwp: Lwp): void {
  sigAdd(lwp.siglist, SIGKILL);
  poke(lwp);
  if (lwp.state == LS_STOP) setRunQueue(lwp);
}

/** Have lwp call cursig as soon as it can. */
function poke(lwp: Lwp): void {
  lwp.signalled = true;
  if (cpuCount > 1) cpuInterrupt(lwp);
  if (lwp.state == LS_SLEEP && (lwp.sleepFlags & PCATCH) != 0) {
    lwp.sigWoken = true;
    unsleep(lwp);
  }
}

/** SIGCONT continues a process and takes back stop signals, and these take back SIGCONT. */
function jobControl(p: Proc, sig: i32): void {
  if (sig == SIGCONT) {
    forgetSignals(p, STOP_SIGNALS);
    if (p.state == PS_STOP) procContinue(p);
  } else if (stopsByDefault(sig)) {
    forgetSignals(p, CONT_SIGNAL);
  }
}

/** Signals of the first word are pending nowhere in p any more. */
function forgetSignals(p: Proc, w0: u32): void {
  p.siglist.w0 &= ~w0;
  for (let lwp = p.lwps; lwp != null; lwp = lwp.sibling) lwp.siglist.w0 &= ~w0;
}

/** sig, which p ignores now, is pending nowhere in p any more. At splhigh. */
export function forgetSignal(p: Proc, sig: i32): void {
  sigDelete(p.siglist, sig);
  for (let lwp = p.lwps; lwp != null; lwp = lwp.sibling) sigDelete(lwp.siglist, sig);
}

/** The process has stopped in the current thread: no other goes on to user mode. Those that sleep stay asleep. */
export function stopOthers(but: Lwp): void {
  for (let lwp = but.proc.lwps; lwp != null; lwp = lwp.sibling) {
    if (lwp == but) continue;
    lwp.signalled = true;
    if (cpuCount > 1) cpuInterrupt(lwp);
  }
}

function procContinue(p: Proc): void {
  p.state = PS_ACTIVE;
  p.continued = true;
  wakeup(changetype<usize>(p.parent!));
  for (let lwp = p.lwps; lwp != null; lwp = lwp.sibling) {
    if (lwp.state == LS_STOP) setRunQueue(lwp);
  }
}

/** Tell the thread of p that takes sig soonest. */
function announce(p: Proc, sig: i32): void {
  let best: Lwp | null = null;
  let rank: i32 = 0;
  for (let lwp = p.lwps; lwp != null; lwp = lwp.sibling) {
    if (sigIsMember(lwp.sigmask, sig)) continue;
    const its = readiness(lwp);
    if (its < rank) continue;
    rank = its;
    best = lwp;
  }
  if (best != null) poke(best);
}

function readiness(lwp: Lwp): i32 {
  if (lwp == curLwp) return 4;
  if (lwp.state == LS_RUN) return 3;
  return lwp.state == LS_SLEEP && (lwp.sleepFlags & PCATCH) != 0 ? 2 : 1;
}

/** Announce again what is pending in p: the thread that knew of it has blocked it, or is gone. At splhigh. */
export function redirectSignals(p: Proc): void {
  if ((p.siglist.w0 | p.siglist.w1) == 0) return;
  for (let sig: i32 = 1; sig <= NSIG; sig++) {
    if (sigIsMember(p.siglist, sig)) announce(p, sig);
  }
}

/** The current thread has another signal mask. */
export function maskChanged(lwp: Lwp): void {
  const s = splhigh();
  if (pendingSignal(lwp) != 0) lwp.signalled = true;
  if (lwp.proc.lwpCount > 1) redirectSignals(lwp.proc);
  splx(s);
}

/** The lowest signal that is pending for lwp or its process, and that its mask lets through; 0: none. */
export function pendingSignal(lwp: Lwp): i32 {
  const own = sigFirst(lwp.siglist, lwp.sigmask);
  const shared = sigFirst(lwp.proc.siglist, lwp.sigmask);
  if (own == 0 || shared == 0) return own | shared;
  return own < shared ? own : shared;
}

/** A pending signal is pending no more: lwp takes it. At splhigh. */
export function takeSignal(lwp: Lwp, sig: i32): void {
  if (sigIsMember(lwp.siglist, sig)) sigDelete(lwp.siglist, sig);
  else sigDelete(lwp.proc.siglist, sig);
}

export function validSignal(sig: i32): bool {
  return sig > 0 && sig <= NSIG;
}

/** kill(pid, sig) */
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

/** lwp_kill(pid, tid, sig): pid -1 is the caller's process. The thread must be named, and a group can't be. */
export function sysLwpKill(lwp: Lwp, a: Ptr<u32>): i32 {
  const pid = a[0] as i32;
  const sig = a[2] as i32;
  if ((a[1] as i32) == -1 || pid < -1 || pid == 0) return EINVAL;
  if (sig != 0 && !validSignal(sig)) return EINVAL;
  const p = pid == -1 ? lwp.proc : pfind(pid);
  if (p == null || p.state == PS_ZOMBIE) return ESRCH;
  const target = lwpFind(p, a[1] as i32);
  if (target == null) return ESRCH;
  if (sig != 0) lwpSignal(target, sig);
  return 0;
}
