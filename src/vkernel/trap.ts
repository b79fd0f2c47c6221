// How the virtual kernel runs a process: vmspace_ctl(RUN) hands its registers, TLS descriptors and VM space to the real
// kernel and returns when the process traps, faults, calls the system or a signal (an interrupt of ours) has come. The
// other half of this conversation is vkernelTrap in the real kernel (src/kern/vmspace.ts).

import { PGEX_FPFAULT, PGEX_U, T_SYSCALL80 } from '../abi/frames.ts';
import { panic } from '../kern/panic.ts';
import { curLwp, Lwp, tlsOf } from '../kern/proc.ts';
import { chargeSystem, chargeUser } from '../kern/cputime.ts';
import { needResched } from '../kern/sched.ts';
import { signalPending } from '../kern/signal.ts';
import { syscall } from '../kern/syscall.ts';
import { trap, userPending, userret } from '../kern/trap.ts';
import { consFlush, consGathered } from './console.ts';
import { fpuReady } from '../kern/fpu.ts';
import { interruptPending, splhigh, splopen } from './intr.ts';

/** Takes signals, interrupts and reschedules until none is left. Called and returns at splhigh. */
function settle(lwp: Lwp): void {
  while (interruptPending() || userPending(lwp)) {
    splopen();
    userret(lwp);
    splhigh();
  }
}

/** vmspace_ctl(RUN); the result, and all ones when it is an error. */
function runSpace(id: usize, frame: usize, tls: usize): i32 {
  let failed: i32 = 0;
  asm`push ${tls}
      push ${frame}
      push 1
      push ${id}
      push 0
      mov eax, 488
      int 0x80
      lea esp, [esp+20]
      sbb eax, eax
      mov ${failed}, eax`;
  return failed;
}

/** Runs the current thread's process. Never returns: exit switches away for good. */
export function goUser(): void {
  const lwp = curLwp;
  for (;;) {
    splhigh();
    if (interruptPending() || needResched || signalPending(lwp)) settle(lwp);
    const frame = lwp.frame;
    if (consGathered()) consFlush();
    chargeSystem(lwp);
    frame.trapno = 0;
    frame.xflags = fpuReady(lwp) ? 0 : PGEX_FPFAULT;
    const failed = runSpace(lwp.vmspace.pmap.space, changetype<usize>(frame), changetype<usize>(tlsOf(lwp)));
    chargeUser(lwp);
    splopen();
    if (failed != 0) panic("vmspace_ctl");
    frame.xflags |= PGEX_U;
    if (frame.trapno == T_SYSCALL80) syscall(frame);
    else if (frame.trapno != 0) trap(frame);
  }
}
