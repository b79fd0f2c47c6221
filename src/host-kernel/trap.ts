// Traps and interrupts of the PC. The stubs in vectors.ts bring each here with a TrapFrame at the top of the stack. What
// comes from user mode goes on to kern/trap; what comes from the kernel is an interrupt, an access to user memory that
// copyio expects may fail, a bad user selector found on the way out, or our own bug.

import {
  PGEX_P, PGEX_U, PGEX_W, T_PAGEFLT, T_PROTFLT, T_SYSCALL80, TrapFrame, TRAPFRAME_SIZE,
} from "../abi/frames.ts";
import { VM_MAX_USER_ADDRESS } from "../abi/mman.ts";
import { Sys } from "../abi/syscalls.ts";
import { kprint, kprintHex } from "../kern/kprintf.ts";
import { panic } from "../kern/panic.ts";
import { curLwp, Lwp } from "../kern/proc.ts";
import { chargeSystem, chargeUser } from "../kern/cputime.ts";
import { interruptBegin, interruptEnd, needResched } from "../kern/sched.ts";
import { signalPending } from "../kern/signal.ts";
import { trap, userPending, userret } from "../kern/trap.ts";
import { vmFault, VM_READ, VM_WRITE } from "../kern/vm_fault.ts";
import { laneOn } from "../kern/tuning.ts";
import { readCr2 } from "./io.ts";
import { intrDispatch, splhigh, splx, T_INTR } from "./intr.ts";
import { fastReturn, isPlain, returnFast, steppedIn } from "./fastcall.ts";
import { enterSpace, laneFault, leaveSpace } from "./lane.ts";

const PSL_I: u32 = 0x200;
const ENABLED: i32 = 0x200;   // for splx: interrupts on

/** Every trap and interrupt. Answers the frame that doreti returns by. */
export function hostTrap(frame: TrapFrame): TrapFrame {
  if ((frame.cs & 3) == 3) {
    if (frame.trapno == T_SYSCALL80 && laneOn) {
      const lwp = curLwp;
      if (lwp.ve != null) {
        if (!needResched && !signalPending(lwp) && leaveSpace(lwp, frame)) return lwp.frame;
      } else if (frame.eax == (Sys.vmspace_ctl as u32) && !needResched && !signalPending(lwp) && enterSpace(lwp, frame)) return lwp.frame;
    }
    return userTrap(frame);
  }
  if (frame.trapno >= T_INTR && frame.trapno < T_INTR + 16) {
    interruptBegin();
    intrDispatch(frame.trapno - T_INTR);
    interruptEnd();
  } else kernelTrap(frame);
  return frame;
}

/** A trap of user mode that is more than a switch. */
export function userTrap(frame: TrapFrame): TrapFrame {
  const lwp = curLwp;
  chargeUser(lwp);
  if (frame.trapno >= T_INTR && frame.trapno < T_INTR + 16) {
    intrDispatch(frame.trapno - T_INTR);
  } else {
    if (frame.trapno == T_PAGEFLT) return faultTrap(lwp, frame);
    if (frame.trapno == T_SYSCALL80) frame.err = 2;
    splx(ENABLED);
    trap(frame);
  }
  leaveKernel(lwp);
  return lwp.frame;
}

/** A page fault of user mode. If it ends the run of a VM space, the owner's vmspace_ctl returns, by SYSEXIT if it can. */
function faultTrap(lwp: Lwp, frame: TrapFrame): TrapFrame {
  faultAddress(frame);
  splx(ENABLED);
  trap(frame);
  leaveKernel(lwp);
  const back = lwp.frame;
  if (back != frame && isPlain(back)) returnFast(back);
  return back;
}

/** Page faults carry the address in err and the error code's bits in xflags. */
function faultAddress(frame: TrapFrame): void {
  frame.xflags = frame.err & (PGEX_P | PGEX_W | PGEX_U);
  frame.err = readCr2();
}

/** Do what is pending, and return with interrupts off: nothing can become pending before the iret. */
function leaveKernel(lwp: Lwp): void {
  splhigh();
  while (userPending(lwp) || lwp.restoreMask) {
    splx(ENABLED);
    userret(lwp);
    splhigh();
  }
  chargeSystem(lwp);
}

/** A new thread's first way to user mode. */
export function hostReturn(): TrapFrame {
  leaveKernel(curLwp);
  return curLwp.frame;
}

function kernelTrap(frame: TrapFrame): void {
  if (frame.trapno == T_PAGEFLT) {
    const enabled = (frame.eflags & PSL_I) != 0;
    faultAddress(frame);
    if (enabled) splx(ENABLED);
    const resolved = copyFault(frame);
    splhigh();
    if (resolved) return;
  } else if (returnFault(frame) || steppedIn(frame)) return;
  trapPanic(frame);
}

/** A fault at a user address in a copy to or from it. */
function copyFault(frame: TrapFrame): bool {
  const pcb = curLwp.pcb;
  const onFault = pcb.onFault;
  if (onFault == 0 || frame.err >= VM_MAX_USER_ADDRESS) return false;
  if (onFault == codeof(laneFault)) {
    frame.eip = onFault;
    return true;
  }
  const error = vmFault(curLwp.vmspace, frame.err, (frame.xflags & PGEX_W) != 0 ? VM_WRITE : VM_READ);
  pcb.onFault = onFault;
  if (error != 0) frame.eip = onFault;
  return true;
}

/**
 * Back to where the frame at esp says. Its first six instructions may fault on what user code left in its selectors:
 * returnFault knows their offsets (0 pop gs, 2 pop fs, 4 pop es, 5 pop ds, 10 iret).
 */
export function doreti(): void {
  naked();
  asm`pop gs
      pop fs
      pop es
      pop ds
      popad
      add esp, 12
      iretd`;
}

const IRET_OFFSET: u32 = 10;
const DS_OFFSET: u32 = 5;

let popped!: Embed<TrapFrame>;

/** A selector that doreti could not load: as if the user's own instruction had done it, a protection fault. */
function returnFault(frame: TrapFrame): bool {
  let offset = frame.eip - codeof(doreti);
  if (offset > IRET_OFFSET) {
    offset = frame.eip - codeof(fastReturn);
    if (offset > DS_OFFSET) return false;
  }
  // What doreti had popped is in the registers that the fault pushed, over the user's frame; the rest is still there.
  memory.copy(addressof(popped), changetype<usize>(frame), TRAPFRAME_SIZE);
  const user = changetype<usize>(curLwp.frame);
  const from = addressof(popped);
  const segments: u32 = offset == IRET_OFFSET ? 16 : offset > 4 ? 12 : offset * 2;
  memory.copy(user, from, segments);
  if (offset == IRET_OFFSET) memory.copy(user + 16, from + 16, 32);
  store<u32>(user, T_PROTFLT, offsetof<TrapFrame>("trapno"));
  store<u32>(user, 0, offsetof<TrapFrame>("err"));
  store<u32>(user, 0, offsetof<TrapFrame>("xflags"));
  restart(user);
  return true;
}

/** Drop everything below the user frame and take it as a trap. Does not return. */
function restart(frame: usize): void {
  naked();
  asm`mov eax, [esp+4]
      lea esp, [eax-80]
      push eax
      call ${hostTrap}
      mov esp, eax
      jmp ${doreti}`;
}

function trapPanic(frame: TrapFrame): void {
  kprint("trap ");
  kprintHex(frame.trapno);
  kprint(" err ");
  kprintHex(frame.err);
  kprint(" eip ");
  kprintHex(frame.eip);
  kprint("\n");
  backtrace(frame.ebp);
  panic("trap in the kernel");
}

/** Return addresses of the frames above, for a debugger or objdump. */
function backtrace(ebp: u32): void {
  for (let i: i32 = 0; i < 16 && ebp >= 0xc0000000; i++) {
    kprint("  ");
    kprintHex(load<u32>(ebp, 4));
    kprint("\n");
    ebp = load<u32>(ebp);
  }
}
