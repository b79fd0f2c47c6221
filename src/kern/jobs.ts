// Job control: which process groups and sessions there are, which groups are orphaned, and what the end of a session leader means for its
// terminal. A group is orphaned when none of its members has a parent in the same session but in another group: then nobody
// could continue it, so its members are not stopped from the terminal, and stopped ones are sent SIGHUP and SIGCONT.

import { EPERM, EINVAL, ESRCH } from "../abi/errno.ts";
import { SIGCONT, SIGHUP } from "../abi/signal.ts";
import { allProcs, Lwp, pfind, pgrpExists, Proc, PS_STOP, PS_ZOMBIE } from "./proc.ts";
import { pgsignal } from "./sigpost.ts";
import { consoleTty, ttyHangup } from "./tty.ts";

/** Nobody outside group pgid, but in its session, is parent of one of its members. */
export function pgrpOrphaned(pgid: i32): bool {
  for (let p = allProcs(); p != null; p = p.next) {
    if (p.pgid != pgid || p.state == PS_ZOMBIE) continue;
    const parent = p.parent;
    if (parent != null && parent.pgid != pgid && parent.sid == p.sid && parent.state != PS_ZOMBIE) return false;
  }
  return true;
}

/** Group pgid has a member in session sid. */
export function pgrpInSession(pgid: i32, sid: i32): bool {
  for (let p = allProcs(); p != null; p = p.next) {
    if (p.pgid == pgid && p.state != PS_ZOMBIE) return p.sid == sid;
  }
  return false;
}

function pgrpStopped(pgid: i32): bool {
  for (let p = allProcs(); p != null; p = p.next) {
    if (p.pgid == pgid && p.state == PS_STOP) return true;
  }
  return false;
}

/** Group pgid has stopped members that somebody could continue: if that changes, pgrpHangup is due. */
export function pgrpHeld(pgid: i32): bool {
  return pgrpStopped(pgid) && !pgrpOrphaned(pgid);
}

/** If group pgid is orphaned now and has stopped members: tell them. */
export function pgrpHangup(pgid: i32): void {
  if (!pgrpStopped(pgid) || !pgrpOrphaned(pgid)) return;
  pgsignal(pgid, SIGHUP);
  pgsignal(pgid, SIGCONT);
}

/** A process ends: if it leads a session, the terminal is free, and the foreground group hears of it. */
export function sessionExit(p: Proc): void {
  if (p.pid == p.sid && consoleTty.sid == p.sid) ttyHangup(consoleTty);
}

export function sysGetpgrp(lwp: Lwp, a: Ptr<u32>): i32 {
  lwp.retval0 = lwp.proc.pgid as u32;
  return 0;
}

/** The process named by an argument, 0 for the caller; null if there is none. */
function named(lwp: Lwp, pid: u32): Proc | null {
  return pid == 0 ? lwp.proc : pfind(pid as i32);
}

/** getpgid(pid) */
export function sysGetpgid(lwp: Lwp, a: Ptr<u32>): i32 {
  const p = named(lwp, a[0]);
  if (p == null) return ESRCH;
  lwp.retval0 = p.pgid as u32;
  return 0;
}

/** getsid(pid) */
export function sysGetsid(lwp: Lwp, a: Ptr<u32>): i32 {
  const p = named(lwp, a[0]);
  if (p == null) return ESRCH;
  lwp.retval0 = p.sid as u32;
  return 0;
}

/** setpgid(pid, pgid): of the caller or one of its children; 0 stands for the caller, and for the process's own id. */
export function sysSetpgid(lwp: Lwp, a: Ptr<u32>): i32 {
  const self = lwp.proc;
  const p = named(lwp, a[0]);
  if (p == null || (p != self && p.parent != self)) return ESRCH;
  const pgid = a[1] == 0 ? p.pid : a[1] as i32;
  if (pgid < 0) return EINVAL;
  if (p.sid != self.sid || p.pid == p.sid) return EPERM;
  if (pgid != p.pid && !pgrpInSession(pgid, p.sid)) return EPERM;
  const before = p.pgid;
  const held = pgrpHeld(before);
  p.pgid = pgid;
  if (held) pgrpHangup(before);
  for (let child = p.children; child != null; child = child.sibling) pgrpHangup(child.pgid);
  return 0;
}

/** setsid: a new session and group, without a terminal; not for the leader of a group. */
export function sysSetsid(lwp: Lwp, a: Ptr<u32>): i32 {
  const p = lwp.proc;
  if (p.pgid == p.pid || pgrpExists(p.pid)) return EPERM;
  const before = p.pgid;
  const held = pgrpHeld(before);
  p.pgid = p.pid;
  p.sid = p.pid;
  if (held) pgrpHangup(before);
  lwp.retval0 = p.pid as u32;
  return 0;
}
