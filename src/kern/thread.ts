// How a thread begins and how the CPU moves from one to another: kernel stacks and the four registers that a function keeps.
// Whatever else belongs to the thread on the CPU is moved by machine/swtch.ts.

import { PSL_C, TrapFrame, TRAPFRAME_SIZE } from "../abi/frames.ts";
import { threadStart } from "machine/swtch.ts";
import type { Lwp } from "./proc.ts";

/** Keep the stack pointer at `save` and continue where the stack at `esp` was left. */
export function switchStacks(save: usize, esp: u32): void {
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

/** Have lwp begin in threadStart, with `fn` in esi, when it is first switched to. */
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
export function forkThread(child: Lwp, parentFrame: TrapFrame): void {
  const frame = child.frame;
  memory.copy(changetype<usize>(frame), changetype<usize>(parentFrame), TRAPFRAME_SIZE);
  frame.eax = 0;
  frame.edx = 1;
  frame.eflags &= ~PSL_C;
  startUserThread(child);
}

/** A thread that goes to user mode with the registers in lwp.frame. */
export function startUserThread(lwp: Lwp): void {
  prepare(lwp, codeof(nothing));
}

/** A thread that runs fn in the kernel; if fn returns, the thread goes to user mode with the registers in lwp.frame. */
export function startThread(lwp: Lwp, fn: () => void): void {
  prepare(lwp, changetype<usize>(fn));
}
