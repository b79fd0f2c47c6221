// Changing threads: the kernel stack pointer moves, and with it everything else that belongs to the thread on the CPU:
// trap stack, address space, TLS descriptors, right to the FPU.

import { PSL_C, TrapFrame, TRAPFRAME_SIZE } from "../abi/frames.ts";
import { Lwp, tlsOf } from "../kern/proc.ts";
import { fpuSwitch } from "./fpu.ts";
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
  fpuSwitch(to);
  switchStacks(changetype<usize>(from.pcb), to.pcb.esp);
}

/** The next trap from user mode leaves its registers in lwp.frame. */
export function frameActivate(lwp: Lwp): void {
  setTrapStack(changetype<usize>(lwp.frame) + TRAPFRAME_SIZE);
}

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

/** First code of every thread but the first: run the function in esi, then return to user mode by the frame above. */
function threadStart(): void {
  naked();
  asm`sti
      call esi
      call ${hostReturn}
      mov esp, eax
      jmp ${doreti}`;
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

/** A thread that runs fn in the kernel; if fn returns, the thread goes to user mode with the registers in lwp.frame. */
export function cpuStartKthread(lwp: Lwp, fn: () => void): void {
  prepare(lwp, changetype<usize>(fn));
}
