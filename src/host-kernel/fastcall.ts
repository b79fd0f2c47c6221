// System calls by SYSENTER and back by SYSEXIT, for a program that makes many: the virtual kernel. eax is the number, arguments are on the
// stack as for int 0x80, and since the instruction saves nothing the caller says where it is: ecx = its stack pointer, edx = where to
// continue. It gets eax and the carry flag; ecx, edx and the other flags are lost. From inside a VM space it is a system call exit.
//
// The frame that fastEntry makes is that of int 0x80, so everybody else need not know; only xflags tells. Whatever is not a plain
// return (a second result in edx, a signal, flags that SYSEXIT would not restore) goes the way of every trap, by IRET.
//
// Pitfalls. SYSENTER leaves TF set, so that a traced caller traps in our first instruction, on the word that was to give us a stack:
// there is room for that frame below it (segments.ts), and `steppedIn` makes it good. It leaves NT set, which would turn our own IRET
// into a task switch. No user code has VM set.

import { PSL_D, PSL_T, T_TRCTRAP, TrapFrame } from "../abi/frames.ts";
import { Sys } from "../abi/syscalls.ts";
import { curLwp } from "../kern/proc.ts";
import { needResched } from "../kern/sched.ts";
import { signalPending } from "../kern/signal.ts";
import { fastCallOn, laneOn } from "../kern/tuning.ts";
import { writeMsr } from "./io.ts";
import { enterSpace, leaveSpace } from "./lane.ts";
import { trapStackWord } from "./segments.ts";
import { doreti, userTrap } from "./trap.ts";

const SYSENTER_CS: u32 = 0x174;
const SYSENTER_ESP: u32 = 0x175;
const SYSENTER_EIP: u32 = 0x176;
const KERNEL_CODE: u32 = 0x08;
const CPUID_SEP: u32 = 0x800;
const PSL_NT: u32 = 0x4000;
const PSL_AC: u32 = 0x40000;
const ODD: u32 = PSL_T | PSL_NT | PSL_AC;      // flags for which there is no quick way back

/** TrapFrame.xflags of a system call that SYSENTER has made, and SYSEXIT may end. */
export const FAST: u32 = 0x100;

/** Programs may use SYSENTER. */
export let fastCalls: bool = false;

/** Tell the processor, if it has the instructions, where they lead. */
export function fastCallInit(): void {
  fastCalls = fastCallOn && hasSysenter();
  if (!fastCalls) return;
  writeMsr(SYSENTER_CS, KERNEL_CODE);
  writeMsr(SYSENTER_ESP, trapStackWord());
  writeMsr(SYSENTER_EIP, codeof(fastEntry));
}

/** CPUID's word for it; the first models of family 6 say so and have not. */
function hasSysenter(): bool {
  let signature: u32 = 0;
  let features: u32 = 0;
  asm`push ebx
      mov eax, 1
      cpuid
      pop ebx
      mov ${signature}, eax
      mov ${features}, edx`;
  return (features & CPUID_SEP) != 0 && !((signature & 0xf00) == 0x600 && (signature & 0xff) < 0x33);
}

const FIRST_BYTES: u32 = 3;      // of the first instruction of fastEntry and of fastStepped

/** Where SYSENTER leads. */
function fastEntry(): void {
  naked();
  asm`mov esp, [esp]
      push 0x2f
      push ecx
      pushfd
      or dword ptr [esp], 0x200
      push 0x1f
      push edx
      push 2
      push 128
      push ${FAST}
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
      test dword ptr [eax+68], ${ODD}
      jnz odd
 plain: sub esp, 80
      push eax
      call ${fastTrap}
      mov esp, eax
      jmp ${doreti}
   odd: mov dword ptr [eax+48], 0
      push 2
      popfd
      jmp plain`;
}

/** The same for a traced caller: it will be traced again. */
function fastStepped(): void {
  naked();
  asm`mov esp, [esp]
      push 0x2f
      push ecx
      pushfd
      or dword ptr [esp], 0x300
      push 0x1f
      push edx
      push 2
      push 128
      push 0
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
      push 2
      popfd
      mov eax, esp
      sub esp, 80
      push eax
      call ${fastTrap}
      mov esp, eax
      jmp ${doreti}`;
}

/** A single step in the kernel: true if it is that of a caller of SYSENTER, who goes on in fastStepped. */
export function steppedIn(frame: TrapFrame): bool {
  const offset = frame.eip - codeof(fastEntry);
  if (frame.trapno != T_TRCTRAP || offset > FIRST_BYTES) return false;
  frame.eip = codeof(fastStepped) + offset;
  frame.eflags &= ~PSL_T;
  return true;
}

/** As hostTrap for int 0x80. */
function fastTrap(frame: TrapFrame): TrapFrame {
  const lwp = curLwp;
  if (laneOn && !needResched && !signalPending(lwp)) {
    if (lwp.ve != null) {
      if (leaveSpace(lwp, frame)) return lwp.frame;
    } else if (frame.eax == (Sys.vmspace_ctl as u32) && enterSpace(lwp, frame)) return lwp.frame;
  }
  return longTrap(frame);
}

function longTrap(frame: TrapFrame): TrapFrame {
  const back = userTrap(frame);
  if (back == frame && isPlain(frame)) returnFast(frame);
  return back;
}

/** SYSEXIT restores all that the caller may rely on. */
export function isPlain(frame: TrapFrame): bool {
  return frame.xflags == FAST && frame.edx == frame.eip && frame.ecx == frame.esp && (frame.eflags & (ODD | PSL_D)) == 0;
}

/** To user mode by SYSEXIT. Does not return. */
export function returnFast(frame: TrapFrame): void {
  naked();
  asm`mov esp, [esp+4]
      jmp ${fastReturn}`;
}

/** The first four instructions are those of doreti, and may fault as they may there. */
export function fastReturn(): void {
  naked();
  asm`pop gs
      pop fs
      pop es
      pop ds
      popad
      mov edx, [esp+12]
      mov ecx, [esp+24]
      bt dword ptr [esp+20], 0
      sti
      sysexit`;
}
