// How the virtual kernel runs a process: vmspace_ctl(RESUME), or with off=resume vmspace_ctl(RUN), hands its registers, TLS descriptors and VM space to the real
// kernel and returns when the process traps, faults, calls the system or a signal (an interrupt of ours) has come. The
// other half of this conversation is vkernelTrap in the real kernel (src/kern/vmspace.ts).

import { PGEX_FPFAULT, PGEX_U, PGEX_W, T_PAGEFLT, T_SYSCALL80, TrapFrame, VMSPACE_CTL_RESUME, VMSPACE_CTL_RUN } from '../abi/frames.ts';
import { PROT_READ, PROT_WRITE, VM_MAX_USER_ADDRESS } from '../abi/mman.ts';
import { panic } from '../kern/panic.ts';
import { curLwp, Lwp, tlsOf } from '../kern/proc.ts';
import { chargeSystem, chargeUser } from '../kern/cputime.ts';
import { needResched } from '../kern/sched.ts';
import { signalPending } from '../kern/signal.ts';
import { syscall } from '../kern/syscall.ts';
import { trap, userPending, userret } from '../kern/trap.ts';
import { consFlush, consGathered } from './console.ts';
import { pmapAnnounced } from './pmap.ts';
import { expectOn, resumeOn } from '../kern/tuning.ts';
import { clearKick, leaveKernel, returnToKernel, several, thisCpu } from './cpu.ts';
import { expectAgain, expectHeap, expectStart, noteStore } from './expect.ts';
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
 * vmspace_ctl(id, command, frame, tls), unless the word at `kick` is not 0: then nothing runs, and KICKED is answered. 0, or an errno.
 * The arguments lie where the real kernel wants them.
 */
function enterProcess(): void {
  naked();
  asm`mov ecx, [esp+20]
      mov eax, 488
      cmp dword ptr [ecx], 0
      jne kicked
      int 0x80
      ret
      kicked:
      or eax, -1
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
      or eax, -1
      ret`;
}

const KICKED: i32 = -1;

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

/** Runs the process until it stops, and tells the real kernel before what has changed and that `enter` is there now. 0 or KICKED. */
function resume(run: Run, lwp: Lwp, frame: TrapFrame, enter: u32): i32 {
  const cpu = thisCpu;
  const space = lwp.vmspace.pmap.space;
  cpu.wish.vframe = changetype<usize>(tlsOf(lwp));
  cpu.wish.enter = enter;
  cpu.wish.count = 0;
  if (cpu.changes.space == space) {
    cpu.wish.ranges = addressof(cpu.changes.ranges);
    cpu.wish.count = cpu.changes.count;
  }
  if (several) return runAmong(run, lwp, frame, VMSPACE_CTL_RESUME, changetype<usize>(cpu.wish));
  const answer = run(space, VMSPACE_CTL_RESUME, changetype<usize>(frame), changetype<usize>(cpu.wish), changetype<usize>(cpu));
  if (answer != 0) return answer;
  const used = (cpu.wish.left - cpu.wish.entered) as u64;          // it was the end of a stretch of system time, and the beginning of the next
  lwp.sysCycles += (cpu.wish.entered - lwp.cycleStamp) as u64;
  lwp.userCycles += used;
  lwp.cycleStamp = cpu.wish.left;
  if (lwp.ve != null) lwp.ve.cycles += used;
  if (cpu.changes.space == space) pmapAnnounced();
  return 0;
}

/** With several CPUs another may be in the kernel meanwhile, and the real kernel says how long this one's process has run. */
function runAmong(run: Run, lwp: Lwp, frame: TrapFrame, command: i32, last: usize): i32 {
  const cpu = thisCpu;
  const pm = lwp.vmspace.pmap;
  chargeSystem(lwp);
  leaveKernel(pm);
  const answer = run(pm.space, command, changetype<usize>(frame), last, changetype<usize>(cpu));
  returnToKernel(cpu, pm, answer == 0);
  const used = answer == 0 ? frame.isp as u64 : 0;
  lwp.userCycles += used;
  if (lwp.ve != null) lwp.ve.cycles += used;
  lwp.cycleStamp = cpu.came;
  return answer;
}

/** The same as resume, by RUN. */
function runOnly(run: Run, lwp: Lwp, frame: TrapFrame): i32 {
  const last = changetype<usize>(tlsOf(lwp));
  if (several) return runAmong(run, lwp, frame, VMSPACE_CTL_RUN, last);
  chargeSystem(lwp);
  const answer = run(lwp.vmspace.pmap.space, VMSPACE_CTL_RUN, changetype<usize>(frame), last, changetype<usize>(thisCpu));
  chargeUser(lwp);
  return answer;
}

/** What to enter for a process that has faulted, when its fault has been resolved: nothing where no process has pages. */
function faultPage(lwp: Lwp, frame: TrapFrame): u32 {
  if (frame.err >= VM_MAX_USER_ADDRESS) return 0;
  const page = frame.err & 0xfffff000;
  if ((frame.xflags & PGEX_W) == 0) return page | (PROT_READ as u32);
  noteStore(lwp.vmspace.pmap.space, page);
  return page | (PROT_WRITE as u32);
}

/** The address space is new, or has changed: what will be touched in it? `end` was the end of the heap; answers where that is now. */
function expect(lwp: Lwp, end: u32): u32 {
  const vm = lwp.vmspace;
  if (expectOn) {
    if (end == 0 || vm.dataEnd == vm.dataStart) expectStart(lwp);
    else if (vm.dataEnd > end) expectHeap(lwp, end);
    else if (vm.dataEnd == end) expectAgain(lwp);
  }
  return vm.dataEnd;
}

/** Runs the current thread's process. Never returns: exit switches away for good. */
export function goUser(): void {
  const lwp = curLwp;
  const run = changetype<Run>(fastCalls ? codeof(enterFast) : codeof(enterProcess));
  let enter: u32 = 0;
  let end: u32 = 0;
  let stamp: u32 = 0;
  for (;;) {
    if (lwp.vmspace.timestamp != stamp) {
      end = expect(lwp, end);
      stamp = lwp.vmspace.timestamp;
    }
    splhigh();
    clearKick();
    if (interruptPending() || needResched || signalPending(lwp)) settle(lwp);
    const frame = lwp.frame;
    if (consGathered()) consFlush();
    frame.trapno = 0;
    frame.xflags = fpuReady(lwp) ? 0 : PGEX_FPFAULT;
    const answer = resumeOn ? resume(run, lwp, frame, enter) : runOnly(run, lwp, frame);
    splopen();
    if (answer != 0 && answer != KICKED) panic("vmspace_ctl");
    frame.xflags |= PGEX_U;
    enter = 0;
    if (frame.trapno == T_SYSCALL80) syscall(frame);
    else if (frame.trapno != 0) {
      if (frame.trapno == T_PAGEFLT) enter = faultPage(lwp, frame);
      trap(frame);
    }
  }
}
