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
import { clearKick, comeBack, cyclesInside, leaveKernel, several, thisCpu } from './cpu.ts';
import { fastCalls } from './fastcall.ts';
import { fpuReady } from '../kern/fpu.ts';
import { interruptPending, splhigh, splopen } from './intr.ts';

/** Takes signals, interrupts and reschedules until none is left. Called and returns at splhigh. */
function settle(lwp: Lwp): void {
  while (interruptPending() || userPending(lwp)) {
    splopen();
    userret(lwp);
    splhigh();
    clearKick();
  }
}

type Run = (id: usize, command: i32, frame: usize, tls: usize, kick: usize) => i32;

/**
 * vmspace_ctl(id, RUN, frame, tls), unless the word at `kick` is not 0: then nothing runs. Not 0 when it is an error. The
 * arguments lie where the real kernel wants them.
 */
function enterProcess(): void {
  naked();
  asm`mov ecx, [esp+20]
      mov eax, 488
      cmp dword ptr [ecx], 0
      jne kicked
      int 0x80
      sbb eax, eax
      ret
      kicked:
      xor eax, eax
      ret`;
}

/** The same by SYSENTER, which continues at offset 26: at the `ret` behind it. */
function enterFast(): void {
  naked();
  asm`mov edx, [esp+20]
      mov eax, 488
      mov ecx, esp
      cmp dword ptr [edx], 0
      mov edx, ${enterFast}
      lea edx, [edx+26]
      jne kicked
      sysenter
      ret
      kicked:
      xor eax, eax
      ret`;
}

// Offsets in enterProcess: where it looks, and where it goes; and the same in enterFast.
const LOOK: u32 = 9;
const GO: u32 = 14;
const FAST_LOOK: u32 = 11;
const FAST_GO: u32 = 24;

/** A signal has come at `eip`: where to continue, so that neither of the two misses what its handler does. */
export function lookAgain(eip: usize): usize {
  const at = eip - codeof(enterProcess);
  if (at > LOOK && at <= GO) return codeof(enterProcess) + LOOK;
  const fast = eip - codeof(enterFast);
  return fast > FAST_LOOK && fast <= FAST_GO ? codeof(enterFast) : eip;
}

/** lwp has spent so many cycles in user mode; it enters the kernel now. */
function charge(lwp: Lwp, cycles: u32): void {
  lwp.userCycles += cycles as u64;
  if (lwp.ve != null) lwp.ve.cycles += cycles as u64;
  lwp.cycleStamp = thisCpu.came;
}

/** Runs the current thread's process. Never returns: exit switches away for good. */
export function goUser(): void {
  const lwp = curLwp;
  const run = changetype<Run>(fastCalls ? codeof(enterFast) : codeof(enterProcess));
  for (;;) {
    splhigh();
    clearKick();
    if (interruptPending() || needResched || signalPending(lwp)) settle(lwp);
    const frame = lwp.frame;
    if (consGathered()) consFlush();
    chargeSystem(lwp);
    frame.trapno = 0;
    frame.xflags = fpuReady(lwp) ? 0 : PGEX_FPFAULT;
    const cpu = thisCpu;
    const tls = changetype<usize>(tlsOf(lwp));
    const space = lwp.vmspace.pmap.space;
    if (several) {
      frame.isp = cpu.used;
      leaveKernel();
    }
    const failed = run(space, 1, changetype<usize>(frame), tls, changetype<usize>(cpu));
    if (several) {
      comeBack(cpu);
      charge(lwp, cyclesInside(frame.isp));
    } else chargeUser(lwp);
    splopen();
    if (failed != 0) panic("vmspace_ctl");
    frame.xflags |= PGEX_U;
    if (frame.trapno == T_SYSCALL80) syscall(frame);
    else if (frame.trapno != 0) trap(frame);
  }
}
