// The FPU, switched lazily. One thread at most owns it: its registers are live; those of every other thread that has used
// it lie in the thread's area. A thread that is not the owner runs so that its first FPU instruction comes back as T_DNA
// (machine/fpu.ts arranges that), and fpuTrap then moves the registers: with FXSAVE and FXRSTOR where the processor has
// them, else with FNSAVE and FRSTOR.

import type { Lwp } from "./proc.ts";
import { curLwp } from "./proc.ts";
import { fpuArm, fpuEnable, fpuReach } from "machine/fpu.ts";
import { FP_VIRTFP } from "machine/pcb.ts";
import { malloc, mfree } from "rt/rt.ts";

const AREA: u32 = 512;
const CPUID_FXSR: u32 = 1 << 24;
/** 53-bit precision, as BSD: f64 arithmetic rounds like everybody's. */
const FCW_DEFAULT: u16 = 0x127f;
const MXCSR: usize = 24;         // offset in an FXSAVE area
const MXCSR_DEFAULT: u32 = 0x1f80;
const MXCSR_BITS: u32 = 0xffbf;

let owner: Lwp | null = null;
let fxsr: bool = false;

/** Find out how to save, and let the platform prepare for lazy switching. */
export function fpuInit(): void {
  let features: u32 = 0;
  asm`push ebx
      mov eax, 1
      cpuid
      pop ebx
      mov ${features}, edx`;
  fxsr = (features & CPUID_FXSR) != 0;
  fpuEnable(fxsr);
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

/** Put the owner's registers into its area; it stays the owner. */
function saveOwner(): void {
  if (owner == null) return;
  fpuReach();
  saveTo(owner.pcb.fpArea);
}

/** lwp may run without hearing of its FPU instructions: its registers are in place, and nobody asked to be told. */
export function fpuReady(lwp: Lwp): bool {
  return owner == lwp && (lwp.pcb.flags & FP_VIRTFP) == 0;
}

/** T_DNA: give the FPU to lwp. True: the owner of the VM space that lwp is in wants to know. */
export function fpuTrap(lwp: Lwp): bool {
  if (owner != lwp) {
    saveOwner();
    fpuReach();
    takeFpu(lwp);
  }
  fpuReach();
  const virtual = (lwp.pcb.flags & FP_VIRTFP) != 0 && lwp.ve != null;
  lwp.pcb.flags &= ~FP_VIRTFP;
  return virtual;
}

/** Load lwp's registers, or clean ones: nothing of the last owner stays. */
function takeFpu(lwp: Lwp): void {
  owner = lwp;
  if (lwp.pcb.fpArea != 0) {
    loadFrom(lwp.pcb.fpArea);
    return;
  }
  const area = malloc(AREA);
  lwp.pcb.fpArea = area;
  memory.fill(area, 0, AREA);
  if (fxsr) {
    store<u16>(area, FCW_DEFAULT);
    store<u32>(area, MXCSR_DEFAULT, MXCSR);
    loadFrom(area);
  } else {
    store<u16>(area, FCW_DEFAULT);
    asm`mov eax, ${area}
        fninit
        fldcw word ptr [eax]`;
  }
}

/** The child has the parent's registers. */
export function fpuFork(parent: Lwp, child: Lwp): void {
  if (parent.pcb.fpArea == 0) return;
  child.pcb.fpArea = malloc(AREA);
  fpuSave(parent, child.pcb.fpArea);
}

/** lwp's FPU state is no more: exit, exec, or the start of a signal handler. */
export function fpuExit(lwp: Lwp): void {
  if (owner == lwp) {
    owner = null;
    fpuArm(false);
  }
  mfree(lwp.pcb.fpArea);
  lwp.pcb.fpArea = 0;
}

/** Copy lwp's state to 512 bytes at kva. False: it has none. */
export function fpuSave(lwp: Lwp, kva: usize): bool {
  if (lwp.pcb.fpArea == 0) return false;
  if (owner == lwp) {
    saveOwner();
    fpuArm(fpuReady(curLwp));
  }
  memory.copy(kva, lwp.pcb.fpArea, AREA);
  return true;
}

/** Replace lwp's state by the 512 bytes at kva. */
export function fpuRestore(lwp: Lwp, kva: usize): void {
  fpuExit(lwp);
  lwp.pcb.fpArea = malloc(AREA);
  memory.copy(lwp.pcb.fpArea, kva, AREA);
  if (fxsr) store<u32>(lwp.pcb.fpArea, load<u32>(kva, MXCSR) & MXCSR_BITS, MXCSR);
}

/** The processor that comes into the kernel brings the owner of its FPU with it (cpu.ts). */
export function fpuArrive(its: Lwp | null): void {
  owner = its;
}

/** The owner of the FPU of the processor that leaves the kernel. */
export function fpuDepart(): Lwp | null {
  return owner;
}

/** lwp may go on on another processor, which has another FPU. */
export function fpuRelease(lwp: Lwp): void {
  if (owner != lwp) return;
  saveOwner();
  owner = null;
}

/** Report lwp's next FPU instruction inside the VM space, or don't. */
export function fpuVirt(lwp: Lwp, on: bool): void {
  if (on) lwp.pcb.flags |= FP_VIRTFP;
  else lwp.pcb.flags &= ~FP_VIRTFP;
  fpuArm(fpuReady(lwp));
}
