// The FPU of the virtual kernel's processes, switched lazily. The owner's registers are live in the process of this kernel;
// every other process is run with PGEX_FPFAULT, so that its first FPU instruction comes back as T_DNA, and fpuTrap then
// moves the registers with FXSAVE and FXRSTOR (FNSAVE and FRSTOR on a processor without them), executed in user mode.

import type { Lwp } from '../kern/proc.ts';
import { malloc, mfree } from 'rt/rt.ts';
import { FP_VIRTFP } from './pcb.ts';

const AREA: u32 = 512;
const CPUID_FXSR: u32 = 1 << 24;

let owner: Lwp | null = null;
let fxsr: bool = false;

/** Find out how to save. */
export function fpuInit(): void {
  let features: u32 = 0;
  asm`push ebx
      mov eax, 1
      cpuid
      pop ebx
      mov ${features}, edx`;
  fxsr = (features & CPUID_FXSR) != 0;
}

function saveTo(area: usize): void {
  if (fxsr) {
    asm`mov eax, ${area}
        fxsave [eax]`;
  } else {
    asm`mov eax, ${area}
        fnsave [eax]
        frstor [eax]`;
  }
}

function loadFrom(area: usize): void {
  if (fxsr) {
    asm`mov eax, ${area}
        fxrstor [eax]`;
  } else {
    asm`mov eax, ${area}
        frstor [eax]`;
  }
}

/** lwp may run without hearing of its FPU instructions: its registers are in place, and nobody asked to be told. */
export function fpuReady(lwp: Lwp): bool {
  return owner == lwp && (lwp.pcb.flags & FP_VIRTFP) == 0;
}

/** T_DNA: give the FPU to lwp. True: the owner of the VM space that lwp is in wants to know. */
export function fpuTrap(lwp: Lwp): bool {
  if (owner != lwp) {
    if (owner != null) saveTo(owner.pcb.fpArea);
    takeFpu(lwp);
  }
  const virtual = (lwp.pcb.flags & FP_VIRTFP) != 0 && lwp.ve != null;
  lwp.pcb.flags &= ~FP_VIRTFP;
  return virtual;
}

function takeFpu(lwp: Lwp): void {
  owner = lwp;
  if (lwp.pcb.fpArea != 0) {
    loadFrom(lwp.pcb.fpArea);
    return;
  }
  lwp.pcb.fpArea = malloc(AREA);
  memory.fill(lwp.pcb.fpArea, 0, AREA);
  asm`fninit
      push 0x127f
      fldcw word ptr [esp]
      add esp, 4`;   // 53-bit precision, as BSD: f64 arithmetic rounds like everybody's
}

/** The child has the parent's registers. */
export function fpuFork(parent: Lwp, child: Lwp): void {
  if (parent.pcb.fpArea == 0) return;
  child.pcb.fpArea = malloc(AREA);
  fpuSave(parent, child.pcb.fpArea);
}

/** lwp's FPU state is no more: exit, exec, or the start of a signal handler. */
export function fpuExit(lwp: Lwp): void {
  if (owner == lwp) owner = null;
  mfree(lwp.pcb.fpArea);
  lwp.pcb.fpArea = 0;
}

/** Copy lwp's state to 512 bytes at kva. False: it has none. */
export function fpuSave(lwp: Lwp, kva: usize): bool {
  if (lwp.pcb.fpArea == 0) return false;
  if (owner == lwp) saveTo(lwp.pcb.fpArea);
  memory.copy(kva, lwp.pcb.fpArea, AREA);
  return true;
}

const MXCSR: usize = 24;
const MXCSR_BITS: u32 = 0xffbf;

/** Replace lwp's state by the 512 bytes at kva. */
export function fpuRestore(lwp: Lwp, kva: usize): void {
  fpuExit(lwp);
  lwp.pcb.fpArea = malloc(AREA);
  memory.copy(lwp.pcb.fpArea, kva, AREA);
  if (fxsr) store<u32>(lwp.pcb.fpArea, load<u32>(kva, MXCSR) & MXCSR_BITS, MXCSR);
}

/** Report lwp's next FPU instruction inside the VM space, or don't. */
export function fpuVirt(lwp: Lwp, on: bool): void {
  if (on) lwp.pcb.flags |= FP_VIRTFP;
  else lwp.pcb.flags &= ~FP_VIRTFP;
}
