// System call entry: number in eax, 32-bit argument slots on the user stack above a return address, error by carry flag.

import { EINVAL, EJUSTRETURN, ERESTART } from "../abi/errno.ts";
import { PSL_C, TrapFrame } from "../abi/frames.ts";
import { SIGSYS } from "../abi/signal.ts";
import { SYS_MAX } from "../abi/syscalls.ts";
import { copyin } from "machine/copyio.ts";
import { fsLock, fsUnlock } from "./lock.ts";
import { curLwp, Lwp } from "./proc.ts";
import { lwpSignal } from "./sigpost.ts";
import { vkernelTrap } from "./vmspace.ts";

/** A system call: user arguments in, errno out; results go to lwp.retval0 and lwp.retval1. */
export type SysHandler = (lwp: Lwp, a: Ptr<u32>) => i32;

const INDIRECT: u32 = 0;      // syscall(number, ...)
const INDIRECT64: u32 = 198;  // __syscall(number64, ...)

let handlers!: FixedArray<SysHandler | null, 550>;
let slots!: FixedArray<u8, 550>;

/** Register the handler of system call nr, which takes so many argument slots (at most 8). */
export function def(nr: i32, argumentSlots: i32, handler: SysHandler): void {
  handlers[nr] = handler;
  slots[nr] = argumentSlots as u8;
}

const FILE_SYSTEM: u8 = 0x80;

/** The call of this number holds the file system's lock from beginning to end. */
export function holdsFileSystem(nr: i32): void {
  slots[nr] |= FILE_SYSTEM;
}

/** Carry out the system call that the current thread's user frame asks for. */
export function syscall(frame: TrapFrame): void {
  const lwp = curLwp;
  if (lwp.ve != null) {
    vkernelTrap(lwp, frame);
    return;
  }
  lwp.retval0 = 0;
  lwp.retval1 = frame.edx;
  const error = dispatch(lwp, frame);
  if (error == 0) {
    frame.eax = lwp.retval0;
    frame.edx = lwp.retval1;
    frame.eflags &= ~PSL_C;
  } else if (error == ERESTART) {
    frame.eip -= frame.err;
  } else if (error != EJUSTRETURN) {
    frame.eax = error as u32;
    frame.eflags |= PSL_C;
  }
}

function dispatch(lwp: Lwp, frame: TrapFrame): i32 {
  const args = changetype<usize>(lwp.args);
  let nr = frame.eax;
  let at = frame.esp + 4;
  if (nr == INDIRECT || nr == INDIRECT64) {
    const error = copyin(at, args, 4);
    if (error != 0) return error;
    at += nr == INDIRECT ? 4 : 8;
    nr = lwp.args[0];
  }
  const handler = nr < (SYS_MAX as u32) ? handlers[nr] : null;
  if (handler == null) {
    lwpSignal(lwp, SIGSYS);
    return EINVAL;
  }
  const n = (slots[nr] & 0x7f) as u32;
  if (n != 0) {
    const error = copyin(at, args, n * 4);
    if (error != 0) return error;
  }
  if ((slots[nr] & FILE_SYSTEM) == 0) return handler(lwp, changetype<Ptr<u32>>(args));
  fsLock();
  const error = handler(lwp, changetype<Ptr<u32>>(args));
  fsUnlock();
  return error;
}
