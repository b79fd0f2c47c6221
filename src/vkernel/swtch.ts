// Changing threads: only the kernel stack moves. Address space, TLS descriptors and registers of a process are named at
// each RUN, and the right to the FPU is asked for there.

import { PSL_C, TrapFrame, TRAPFRAME_SIZE } from '../abi/frames.ts';
import { Lwp } from '../kern/proc.ts';
import { splx } from './intr.ts';
import { goUser } from './trap.ts';

/** Leave `from`, continue `to` where it left. At splhigh; curLwp is `to` already. */
export function cpuSwitch(from: Lwp, to: Lwp): void {
  switchStacks(changetype<usize>(from.pcb), to.pcb.esp);
}

/** goUser takes the registers from lwp.frame each time: nothing to do here. */
export function frameActivate(_lwp: Lwp): void {}

function switchStacks(save: usize, esp: u32): void {
  naked();
  asm`mov eax, [esp+4]
      mov edx, [esp+8]
      push ebp
      push ebx
      push esi
      push edi
      mov [eax], esp
      mov esp, edx
      pop edi
      pop esi
      pop ebx
      pop ebp
      ret`;
}

/** First code of every thread but the first: interrupts on, run the function in esi, then the process for ever. */
function threadStart(): void {
  naked();
  asm`push 0
      call ${splx}
      add esp, 4
      call esi
      call ${goUser}
      ud2`;
}

/** Have lwp begin in threadStart with `fn` when it is first switched to. */
function prepare(lwp: Lwp, fn: usize): void {
  const esp = changetype<usize>(lwp.innerFrame) - 20;
  store<u32>(esp, 0, 0);                       // edi
  store<u32>(esp, fn, 4);                      // esi
  store<u32>(esp, 0, 8);                       // ebx
  store<u32>(esp, 0, 12);                      // ebp: backtraces end here
  store<u32>(esp, codeof(threadStart), 16);
  lwp.pcb.esp = esp;
}

function nothing(): void {
}

/** The child continues in user mode as its parent, with 0 in eax and 1 in edx. */
export function cpuForkLwp(child: Lwp, parentFrame: TrapFrame): void {
  const frame = child.frame;
  memory.copy(changetype<usize>(frame), changetype<usize>(parentFrame), TRAPFRAME_SIZE);
  frame.eax = 0;
  frame.edx = 1;
  frame.eflags &= ~PSL_C;
  prepare(child, codeof(nothing));
}

/** A thread that runs fn in the kernel; if fn returns, the thread's process runs with the registers in lwp.frame. */
export function cpuStartKthread(lwp: Lwp, fn: () => void): void {
  prepare(lwp, changetype<usize>(fn));
}
