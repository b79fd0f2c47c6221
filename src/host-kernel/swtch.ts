// Changing threads on the PC: with the kernel stack go the trap stack, the address space, the TLS descriptors and the right
// to the FPU.

import { TRAPFRAME_SIZE } from "../abi/frames.ts";
import { fpuReady } from "../kern/fpu.ts";
import { Lwp, tlsOf } from "../kern/proc.ts";
import { switchStacks } from "../kern/thread.ts";
import { fpuArm } from "./fpu.ts";
import { pmapActivate } from "./pmap.ts";
import { setTlsDescriptors, setTrapStack } from "./segments.ts";
import { doreti, hostReturn } from "./trap.ts";

/** Leave `from`, continue `to` where it left. At splhigh; curLwp is `to` already. */
export function cpuSwitch(from: Lwp, to: Lwp): void {
  frameActivate(to);
  if (changetype<usize>(to.vmspace) != 0) {
    pmapActivate(to);
    setTlsDescriptors(tlsOf(to));
  }
  fpuArm(fpuReady(to));
  switchStacks(changetype<usize>(from.pcb), to.pcb.esp);
}

/** The next trap from user mode leaves its registers in lwp.frame. */
export function frameActivate(lwp: Lwp): void {
  setTrapStack(changetype<usize>(lwp.frame) + TRAPFRAME_SIZE);
}

/** First code of every thread but the first: run the function in esi, then return to user mode by the frame above. */
export function threadStart(): void {
  naked();
  asm`sti
      call esi
      call ${hostReturn}
      mov esp, eax
      jmp ${doreti}`;
}
