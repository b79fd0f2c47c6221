// Entry stubs: one for each vector. Each completes what the CPU pushed to a TrapFrame: an error code where the CPU has
// none, the trap number, then all registers; and calls hostTrap with it. In the kernel fs and gs are null: what user code
// had in them may no longer be loadable when a nested trap returns. The room of one frame stays free below the frame: after
// a trap of a thread's own user code that is where the registers of a VM space go (kern/proc.ts). hostTrap answers by
// which frame to return.

import { setGate, loadIdt } from "./segments.ts";
import { doreti, hostTrap } from "./trap.ts";

const INTERRUPT_GATE: u32 = 14;

function trapEntry(): void {
  naked();
  asm`push 0
      pushad
      push ds
      push es
      push fs
      push gs
      mov eax, 0x10
      mov ds, ax
      mov es, ax
      xor eax, eax
      mov fs, ax
      mov gs, ax
      cld
      mov eax, esp
      sub esp, 80
      push eax
      call ${hostTrap}
      mov esp, eax
      jmp ${doreti}`;
}

// Exceptions, with their trap numbers (abi/frames.ts). All are interrupt gates: hostTrap enables interrupts when it has
// read what the next fault would change.
function vecDivide(): void { naked(); asm`push 0; push 18; jmp ${trapEntry}`; }
function vecDebug(): void { naked(); asm`push 0; push 10; jmp ${trapEntry}`; }
function vecNmi(): void { naked(); asm`push 0; push 19; jmp ${trapEntry}`; }
function vecBreakpoint(): void { naked(); asm`push 0; push 3; jmp ${trapEntry}`; }
function vecOverflow(): void { naked(); asm`push 0; push 20; jmp ${trapEntry}`; }
function vecBound(): void { naked(); asm`push 0; push 21; jmp ${trapEntry}`; }
function vecInvalid(): void { naked(); asm`push 0; push 1; jmp ${trapEntry}`; }
function vecNoFpu(): void { naked(); asm`push 0; push 22; jmp ${trapEntry}`; }
function vecDouble(): void { naked(); asm`push 23; jmp ${trapEntry}`; }
function vecFpuSegment(): void { naked(); asm`push 0; push 24; jmp ${trapEntry}`; }
function vecTss(): void { naked(); asm`push 25; jmp ${trapEntry}`; }
function vecNotPresent(): void { naked(); asm`push 26; jmp ${trapEntry}`; }
function vecStack(): void { naked(); asm`push 27; jmp ${trapEntry}`; }
function vecProtection(): void { naked(); asm`push 9; jmp ${trapEntry}`; }
function vecPage(): void { naked(); asm`push 12; jmp ${trapEntry}`; }
function vecFpu(): void { naked(); asm`push 0; push 6; jmp ${trapEntry}`; }
function vecAlignment(): void { naked(); asm`push 14; jmp ${trapEntry}`; }
function vecMachine(): void { naked(); asm`push 0; push 28; jmp ${trapEntry}`; }
function vecSyscall(): void { naked(); asm`push 0; push 128; jmp ${trapEntry}`; }

// Interrupt lines: trap number 0x40 + line.
function irq0(): void { naked(); asm`push 0; push 64; jmp ${trapEntry}`; }
function irq1(): void { naked(); asm`push 0; push 65; jmp ${trapEntry}`; }
function irq2(): void { naked(); asm`push 0; push 66; jmp ${trapEntry}`; }
function irq3(): void { naked(); asm`push 0; push 67; jmp ${trapEntry}`; }
function irq4(): void { naked(); asm`push 0; push 68; jmp ${trapEntry}`; }
function irq5(): void { naked(); asm`push 0; push 69; jmp ${trapEntry}`; }
function irq6(): void { naked(); asm`push 0; push 70; jmp ${trapEntry}`; }
function irq7(): void { naked(); asm`push 0; push 71; jmp ${trapEntry}`; }
function irq8(): void { naked(); asm`push 0; push 72; jmp ${trapEntry}`; }
function irq9(): void { naked(); asm`push 0; push 73; jmp ${trapEntry}`; }
function irq10(): void { naked(); asm`push 0; push 74; jmp ${trapEntry}`; }
function irq11(): void { naked(); asm`push 0; push 75; jmp ${trapEntry}`; }
function irq12(): void { naked(); asm`push 0; push 76; jmp ${trapEntry}`; }
function irq13(): void { naked(); asm`push 0; push 77; jmp ${trapEntry}`; }
function irq14(): void { naked(); asm`push 0; push 78; jmp ${trapEntry}`; }
function irq15(): void { naked(); asm`push 0; push 79; jmp ${trapEntry}`; }

function exception(vector: u32, handler: () => void): void {
  setGate(vector, changetype<usize>(handler), INTERRUPT_GATE, 0);
}

function irq(line: u32, handler: () => void): void {
  setGate(0x20 + line, changetype<usize>(handler), INTERRUPT_GATE, 0);
}

/** Fill and load the IDT. */
export function vectorsInit(): void {
  exception(0, vecDivide);
  exception(1, vecDebug);
  exception(2, vecNmi);
  setGate(3, changetype<usize>(vecBreakpoint), INTERRUPT_GATE, 3);
  setGate(4, changetype<usize>(vecOverflow), INTERRUPT_GATE, 3);
  exception(5, vecBound);
  exception(6, vecInvalid);
  exception(7, vecNoFpu);
  exception(8, vecDouble);
  exception(9, vecFpuSegment);
  exception(10, vecTss);
  exception(11, vecNotPresent);
  exception(12, vecStack);
  exception(13, vecProtection);
  exception(14, vecPage);
  exception(16, vecFpu);
  exception(17, vecAlignment);
  exception(18, vecMachine);
  setGate(0x80, changetype<usize>(vecSyscall), INTERRUPT_GATE, 3);
  irq(0, irq0);
  irq(1, irq1);
  irq(2, irq2);
  irq(3, irq3);
  irq(4, irq4);
  irq(5, irq5);
  irq(6, irq6);
  irq(7, irq7);
  irq(8, irq8);
  irq(9, irq9);
  irq(10, irq10);
  irq(11, irq11);
  irq(12, irq12);
  irq(13, irq13);
  irq(14, irq14);
  irq(15, irq15);
  loadIdt();
}
