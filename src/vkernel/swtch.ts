// Changing threads in the virtual kernel: only the kernel stack moves, perhaps on to another virtual CPU. Address space, TLS descriptors and registers of a
// process are named at each RUN, and the right to the FPU is asked for there.

import { cpuCount } from '../kern/cpu.ts';
import { fpuRelease } from '../kern/fpu.ts';
import { Lwp } from '../kern/proc.ts';
import { switchStacks } from '../kern/thread.ts';
import { splx } from './intr.ts';
import { goUser } from './trap.ts';

/** Leave `from`, continue `to` where it left. At splhigh; curLwp is `to` already. */
export function cpuSwitch(from: Lwp, to: Lwp): void {
  if (cpuCount > 1) fpuRelease(from);
  switchStacks(changetype<usize>(from.pcb), to.pcb.esp);
}

/** goUser takes the registers from lwp.frame each time: nothing to do here. */
export function frameActivate(_lwp: Lwp): void {}

/** First code of every thread but the first: interrupts on, run the function in esi, then the process for ever. */
export function threadStart(): void {
  naked();
  asm`push 0
      call ${splx}
      add esp, 4
      call esi
      call ${goUser}
      ud2`;
}
