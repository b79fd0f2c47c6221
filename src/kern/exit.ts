// The end of a process, and its parent's wait for it.
//
// exit1 ends all other threads and gives everything back but the Proc, its Lwp and kernel stack: those stay, as a zombie, until
// wait4 has reported the status. Children of the dead become init's.

import { ECHILD } from "../abi/errno.ts";
import { NOTE_EXIT } from "../abi/event.ts";
import { W_CONTINUED, WCONTINUED, WNOHANG, WUNTRACED } from "../abi/file.ts";
import { SA_NOCLDWAIT, SIG_IGN, SIGCHLD } from "../abi/signal.ts";
import { Rusage } from "../abi/time.ts";
import { copyout } from "machine/copyio.ts";
import { fpuExit } from "./fpu.ts";
import { splhigh } from "machine/intr.ts";
import { calloutStop } from "./callout.ts";
import { fdFree } from "./file.ts";
import { pgrpHangup, pgrpHeld, sessionExit } from "./jobs.ts";
import { knoteNotify, knoteOrphan } from "./knote.ts";
import { panic } from "./panic.ts";
import { endOthers, lwpExit } from "./lwp.ts";
import {
  linkChild, LS_ZOMBIE, Lwp, pfind, Proc, procFree, procSysCycles, procUserCycles, PS_STOP, PS_ZOMBIE, unlinkChild,
} from "./proc.ts";
import { chargeSystem, cpuTimeReaped } from "./cputime.ts";
import { miSwitch, PCATCH, tsleep, wakeup } from "./sched.ts";
import { sigAct } from "./sigacts.ts";
import { psignal } from "./sigpost.ts";
import { fillRusage } from "./time.ts";
import { Vmspace, vmspaceFree } from "./vm_map.ts";
import { vkernelExit } from "./vmspace.ts";

export function sysExit(lwp: Lwp, a: Ptr<u32>): i32 {
  exit1(lwp, ((a[0] & 255) << 8) as i32);
  return 0;
}

/** End the process by signal sig. Does not return. */
export function sigexit(lwp: Lwp, sig: i32): void {
  exit1(lwp, sig);
}

/** End the current process, all its threads; status as wait4 reports it. Does not return. */
function exit1(lwp: Lwp, status: i32): void {
  const p = lwp.proc;
  if (p.pid == 1) panic(`init died, status ${status}`);
  if (!endOthers(lwp)) lwpExit(lwp);
  calloutStop(p.itimer);
  knoteNotify(p.notes, NOTE_EXIT);
  knoteOrphan(p);
  vkernelExit(lwp);
  fdFree(p.fd!);
  p.fd = null;
  fpuExit(lwp);
  vmspaceFree(p.vmspace);
  p.vmspace = changetype<Vmspace>(0);
  lwp.vmspace = p.vmspace;
  const held = pgrpHeld(p.pgid);
  abandonChildren(p);
  splhigh();
  chargeSystem(lwp);
  p.exitStatus = status;
  p.state = PS_ZOMBIE;
  sessionExit(p);
  if (held) pgrpHangup(p.pgid);
  tellParent(p);
  lwp.state = LS_ZOMBIE;
  miSwitch();
  panic("exit1: a zombie ran");
}

function abandonChildren(p: Proc): void {
  const init = pfind(1)!;
  while (p.children != null) {
    const child: Proc = p.children;
    unlinkChild(p, child);
    linkChild(init, child);
    if (child.pgid != p.pgid && child.sid == p.sid) pgrpHangup(child.pgid);
    if (child.state == PS_ZOMBIE) wakeup(changetype<usize>(init));
  }
}

function tellParent(p: Proc): void {
  let parent = p.parent!;
  const act = sigAct(parent.sigacts, SIGCHLD);
  if (parent.pid != 1 && (act.handler == SIG_IGN || (act.flags & SA_NOCLDWAIT) != 0)) {
    unlinkChild(parent, p);
    wakeup(changetype<usize>(parent));
    parent = pfind(1)!;
    linkChild(parent, p);
  }
  psignal(parent, SIGCHLD);
  wakeup(changetype<usize>(parent));
}

function matches(p: Proc, child: Proc, pid: i32): bool {
  if (pid > 0) return child.pid == pid;
  if (pid == -1) return true;
  return child.pgid == (pid == 0 ? p.pgid : -pid);
}

export function sysWait4(lwp: Lwp, a: Ptr<u32>): i32 {
  const p = lwp.proc;
  const pid = a[0] as i32;
  const options = a[2] as i32;
  for (;;) {
    let any = false;
    for (let child = p.children; child != null; child = child.sibling) {
      if (!matches(p, child, pid)) continue;
      any = true;
      if (child.state == PS_ZOMBIE) return reap(lwp, child, a);
      if (child.continued && (options & WCONTINUED) != 0) {
        child.continued = false;
        child.exitStatus = W_CONTINUED;
        return report(lwp, child, a);
      }
      if (child.state == PS_STOP && (options & WUNTRACED) != 0 && !child.stopReported) {
        child.stopReported = true;
        return report(lwp, child, a);
      }
    }
    if (!any) return ECHILD;
    if ((options & WNOHANG) != 0) return 0;
    const error = tsleep(changetype<usize>(p), PCATCH, "wait", 0);
    if (error != 0) return error;
  }
}

/** Write child's status and usage where the caller of wait4 wants them. */
function report(lwp: Lwp, child: Proc, a: Ptr<u32>): i32 {
  lwp.retval0 = child.pid as u32;
  lwp.retval1 = 0;
  let error: i32 = 0;
  if (a[1] != 0) error = copyout(changetype<usize>(child) + offsetof<Proc>("exitStatus"), a[1], 4);
  if (error != 0 || a[3] == 0) return error;
  const usage = new Rusage();
  fillRusage(usage, procUserCycles(child) + child.childUserCycles, procSysCycles(child) + child.childSysCycles, child);
  error = copyout(changetype<usize>(usage), a[3], sizeof<Rusage>());
  free(usage);
  return error;
}

function reap(lwp: Lwp, child: Proc, a: Ptr<u32>): i32 {
  const error = report(lwp, child, a);
  const p = lwp.proc;
  p.childUserCycles += procUserCycles(child) + child.childUserCycles;
  p.childSysCycles += procSysCycles(child) + child.childSysCycles;
  cpuTimeReaped(child);
  free(child.sigacts);
  procFree(child);
  return error;
}
