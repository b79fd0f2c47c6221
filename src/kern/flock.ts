// flock: advisory locks on whole files, shared or exclusive. A lock belongs to an open file, and so to all descriptors that dup and
// fork made of it; it ends with LOCK_UN or when the last of them is closed. Changing a lock from one kind to the other first
// gives up the old one, as BSD's flock may.

import { EBADF, EINVAL, EOPNOTSUPP, EWOULDBLOCK } from "../abi/errno.ts";
import { LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN } from "../abi/file.ts";
import { fdGet, File, fileDrop, fileHold } from "./file.ts";
import { fsPause, fsResume } from "./lock.ts";
import type { Lwp } from "./proc.ts";
import { PCATCH, tsleep, wakeup } from "./sched.ts";
import { Vnode } from "./vnode.ts";

/** Where waiters for a lock on vp sleep. */
function channel(vp: Vnode): usize {
  return changetype<usize>(vp) + 1;
}

/** Give up the lock that `file` has, if any. */
export function flockRelease(file: File): void {
  const vp = file.vnode;
  if (file.lock == 0 || vp == null) return;
  if (file.lock == LOCK_EX) vp.lockExclusive = false;
  else vp.lockShared--;
  file.lock = 0;
  wakeup(channel(vp));
}

/** Take a lock of kind LOCK_SH or LOCK_EX, whatever lock the file has: 0, EWOULDBLOCK without `wait`, or an interruption. */
export function flockTake(file: File, kind: i32, wait: bool): i32 {
  const vp = file.vnode;
  if (vp == null) return EOPNOTSUPP;
  if (file.lock == kind) return 0;
  flockRelease(file);
  while (vp.lockExclusive || (kind == LOCK_EX && vp.lockShared != 0)) {
    if (!wait) return EWOULDBLOCK;
    const held = fsPause();
    const error = tsleep(channel(vp), PCATCH, "flock", 0);
    fsResume(held);
    if (error != 0) return error;
  }
  file.lock = kind;
  if (kind == LOCK_EX) vp.lockExclusive = true;
  else vp.lockShared++;
  return 0;
}

/** flock(fd, operation) */
export function sysFlock(lwp: Lwp, a: Ptr<u32>): i32 {
  const file = fdGet(lwp.proc.fd!, a[0] as i32);
  if (file == null) return EBADF;
  const operation = (a[1] as i32) & ~LOCK_NB;
  if (operation == LOCK_UN) {
    flockRelease(file);
    return 0;
  }
  if (operation != LOCK_SH && operation != LOCK_EX) return EINVAL;
  fileHold(file);
  const error = flockTake(file, operation, ((a[1] as i32) & LOCK_NB) == 0);
  fileDrop(file);
  return error;
}
