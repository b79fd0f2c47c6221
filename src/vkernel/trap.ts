// How the virtual kernel runs a process: vmspace_ctl(RUN) hands its registers, TLS descriptors and VM space to the real
// kernel and returns when the process traps, faults, calls the system or a signal (an interrupt of ours) has come. The
// other half of this conversation is vkernelTrap in the real kernel (src/kern/vmspace.ts).

import { PGEX_FPFAULT, PGEX_U, TrapFrame, VMSPACE_CTL_RUN } from '../abi/frames.ts';
import { panic } from '../kern/panic.ts';
import { curLwp, Lwp } from '../kern/proc.ts';
import { chargeSystem, chargeUser } from '../kern/sched.ts';
import { trap, userPending, userret } from '../kern/trap.ts';
import { vmspaceCtl } from '../libc/sys.ts';
import { consFlush } from './console.ts';
import { fpuReady } from './fpu.ts';
import { interruptPending, splhigh, splx } from './intr.ts';
import { spaceId } from './pmap.ts';

/** Takes signals, interrupts and reschedules until none is left; returns at splhigh. */
function settle(lwp: Lwp, frame: TrapFrame): void {
  splhigh();
  while (interruptPending() || userPending(lwp)) {
    splx(0);
    userret(lwp, frame);
    splhigh();
  }
}

/** Runs the current thread's process. Never returns: exit switches away for good. */
export function goUser(): void {
  const lwp = curLwp;
  const frame = lwp.frame;
  for (;;) {
    settle(lwp, frame);
    consFlush();
    chargeSystem(lwp);
    frame.trapno = 0;
    frame.xflags = fpuReady(lwp) ? 0 : PGEX_FPFAULT;
    const result = vmspaceCtl(spaceId(lwp.vmspace!.pmap), VMSPACE_CTL_RUN, changetype<usize>(frame), changetype<usize>(lwp.tls));
    chargeUser(lwp);
    splx(0);
    if (result < 0) panic("vmspace_ctl");
    frame.xflags |= PGEX_U;
    if (frame.trapno != 0) trap(frame);
  }
}
