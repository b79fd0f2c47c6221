// Traps from user mode, and the way back. Both platforms bring every user trap here with a TrapFrame: trapno per
// abi/frames.ts; for page faults err is the address and xflags the PGEX bits.
//
// A thread inside an owned VM space never gets a signal or a system call here: whatever the kernel can't resolve silently
// goes to the owner through vkernelTrap, and the owner's vmspace_ctl returns.

import {
  PGEX_W, PSL_T, T_ARITHTRAP, T_ASTFLT, T_BOUND, T_BPTFLT, T_DIVIDE, T_DNA, T_FPOPFLT, T_OFLOW, T_PAGEFLT, T_PRIVINFLT,
  T_SYSCALL80, T_TRCTRAP, TrapFrame,
} from "../abi/frames.ts";
import { VM_MAX_USER_ADDRESS } from "../abi/mman.ts";
import { SEGV_ACCERR, SEGV_MAPERR, SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGTRAP } from "../abi/signal.ts";
import { fpuTrap } from "./fpu.ts";
import { sigexit } from "./exit.ts";
import { curLwp, Lwp } from "./proc.ts";
import { needResched, yieldCpu } from "./sched.ts";
import { cursig, postsig, restoreSuspendMask, signalPending, trapSignal } from "./signal.ts";
import { syscall } from "./syscall.ts";
import { FAULT_NOMEM, vmFault, VM_READ, VM_WRITE } from "./vm_fault.ts";
import { vkernelTrap } from "./vmspace.ts";

/** Handle a user trap of the current thread. Interrupts are enabled. The frame is what it will return to. */
export function trap(frame: TrapFrame): void {
  const lwp = curLwp;
  switch (frame.trapno) {
    case T_SYSCALL80:
      syscall(frame);
      return;
    case T_ASTFLT:
      return;
    case T_PAGEFLT:
      pageFault(lwp, frame);
      return;
    case T_DNA:
      if (fpuTrap(lwp)) vkernelTrap(lwp, frame);
      return;
    case T_BPTFLT:
    case T_TRCTRAP:
      frame.eflags &= ~PSL_T;
      break;
  }
  if (lwp.ve != null) vkernelTrap(lwp, frame);
  else trapSignal(lwp, frame, signalOf(frame.trapno), 0, frame.err);
}

function pageFault(lwp: Lwp, frame: TrapFrame): void {
  const address = frame.err;
  let code = SEGV_MAPERR;
  if (address < VM_MAX_USER_ADDRESS) {
    code = vmFault(lwp.vmspace, address, (frame.xflags & PGEX_W) != 0 ? VM_WRITE : VM_READ);
    lwp.proc.minorFaults++;
    if (code == 0) return;
  }
  if (code == FAULT_NOMEM) sigexit(lwp, SIGKILL);
  if (lwp.ve != null) vkernelTrap(lwp, frame);
  else trapSignal(lwp, frame, SIGSEGV, code == SEGV_ACCERR ? SEGV_ACCERR : SEGV_MAPERR, address);
}

function signalOf(trapno: u32): i32 {
  switch (trapno) {
    case T_PRIVINFLT: return SIGILL;
    case T_BPTFLT: case T_TRCTRAP: return SIGTRAP;
    case T_ARITHTRAP: case T_DIVIDE: case T_OFLOW: case T_BOUND: case T_FPOPFLT: return SIGFPE;
    default: return SIGBUS;
  }
}

/** Before user mode: take signals, let others run. Nothing is left to do when userPending then says so at splhigh. */
export function userret(lwp: Lwp): void {
  for (;;) {
    const sig = signalPending(lwp) ? cursig(lwp) : 0;
    if (sig != 0) postsig(lwp, sig);
    else if (lwp.restoreMask) restoreSuspendMask(lwp);
    else if (needResched) yieldCpu();
    else return;
  }
}

/** userret has something to do. */
export function userPending(lwp: Lwp): bool {
  return needResched || signalPending(lwp);
}
