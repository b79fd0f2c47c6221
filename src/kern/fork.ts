// fork: a child that is its parent's copy, memory copy-on-write, and returns 0 with edx = 1. Of several threads only the
// caller is copied.

import { EAGAIN, ENOMEM } from "../abi/errno.ts";
import { NOTE_FORK } from "../abi/event.ts";
import { fpuFork } from "./fpu.ts";
import { fdCopy } from "./file.ts";
import { knoteNotify } from "./knote.ts";
import { kstackReady, Lwp, Proc, procAlloc, procsFull } from "./proc.ts";
import { setRunQueue } from "./sched.ts";
import { sigCopy } from "./sigset.ts";
import { forkThread } from "./thread.ts";
import { umtxFork } from "./umtx.ts";
import { Vmspace, vmspaceFork } from "./vm_map.ts";
import { vkernelFork } from "./vmspace.ts";

export function sysFork(lwp: Lwp, a: Ptr<u32>): i32 {
  if (!kstackReady()) return ENOMEM;
  if (procsFull()) return EAGAIN;
  const parent = lwp.proc;
  umtxFork(parent);
  const space = vmspaceFork(parent.vmspace);
  if (space == null) return ENOMEM;
  const child = procAlloc(parent);
  copyProc(parent, child, space);
  const only = child.lwps!;
  copyLwp(lwp, only);
  vkernelFork(parent, child);
  forkThread(only, lwp.frame);
  setRunQueue(only);
  if (parent.notes.first != null) knoteNotify(parent.notes, NOTE_FORK);
  lwp.retval0 = child.pid as u32;
  lwp.retval1 = 0;
  return 0;
}

function copyProc(from: Proc, to: Proc, space: Vmspace): void {
  memory.copy(changetype<usize>(to.comm), changetype<usize>(from.comm), 16);
  to.fd = fdCopy(from.fd!);
  to.vmspace = space;
}

function copyLwp(from: Lwp, to: Lwp): void {
  to.vmspace = to.proc.vmspace;
  to.priority = from.priority;
  to.altSp = from.altSp;
  to.altSize = from.altSize;
  to.onAltStack = from.onAltStack;
  sigCopy(to.sigmask, from.sigmask);
  memory.copy(changetype<usize>(to.tls), changetype<usize>(from.tls), 24);
  fpuFork(from, to);
}
