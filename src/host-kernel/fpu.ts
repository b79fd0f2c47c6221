// The FPU, switched lazily: CR0.TS is set whenever the thread on the CPU is not the one whose registers the FPU holds. The
// first FPU instruction then traps (#NM), and fpuTrap moves the registers. State is saved with FXSAVE where the
// processor has it, else with FNSAVE.

import type { Lwp } from "../kern/proc.ts";
import { curLwp } from "../kern/proc.ts";
import { malloc, mfree } from "rt/rt.ts";
import { readCr0, readCr4, writeCr0, writeCr4 } from "./io.ts";
import { FP_VIRTFP } from "./pcb.ts";

const AREA: u32 = 512;
const CR0_MP: u32 = 2;
const CR0_EM: u32 = 4;
const CR0_TS: u32 = 8;
const CR0_NE: u32 = 0x20;
const CR4_OSFXSR: u32 = 0x200;
const CPUID_FXSR: u32 = 1 << 24;
const FCW_DEFAULT: u16 = 0x37f;
const MXCSR: usize = 24;         // offset in an FXSAVE area
const MXCSR_DEFAULT: u32 = 0x1f80;
const MXCSR_BITS: u32 = 0xffbf;

let owner: Lwp | null = null;    // whose registers the FPU holds
let tsSet: bool = false;
let fxsr: bool = false;

/** Set CR0 for lazy switching and find out how to save. */
export function fpuInit(): void {
  let features: u32 = 0;
  asm`push ebx
      mov eax, 1
      cpuid
      pop ebx
      mov ${features}, edx`;
  fxsr = (features & CPUID_FXSR) != 0;
  if (fxsr) writeCr4(readCr4() | CR4_OSFXSR);
  writeCr0((readCr0() & ~CR0_EM) | CR0_MP | CR0_NE | CR0_TS);
  tsSet = true;
}

function setTs(on: bool): void {
  if (on == tsSet) return;
  tsSet = on;
  if (on) writeCr0(readCr0() | CR0_TS);
  else {
    asm`clts`;
  }
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
  setTs(false);
  saveTo(owner.pcb.fpArea);
}

/** lwp is about to run: it may use the FPU freely only if its registers are there. */
export function fpuSwitch(lwp: Lwp): void {
  const on = owner != lwp || (lwp.pcb.flags & FP_VIRTFP) != 0;
  if (on != tsSet) setTs(on);
}

/** #NM: give the FPU to lwp. True: the owner of the VM space that lwp is in wants to know. */
export function fpuTrap(lwp: Lwp): bool {
  if (owner != lwp) {
    saveOwner();
    setTs(false);
    takeFpu(lwp);
  }
  setTs(false);
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
  if (fxsr) {
    store<u16>(lwp.pcb.fpArea, FCW_DEFAULT);
    store<u32>(lwp.pcb.fpArea, MXCSR_DEFAULT, MXCSR);
    loadFrom(lwp.pcb.fpArea);
  } else {
    asm`fninit
        push 0x127f
        fldcw word ptr [esp]
        add esp, 4`;   // 53-bit precision, as BSD: f64 arithmetic rounds like everybody's
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
    setTs(true);
  }
  mfree(lwp.pcb.fpArea);
  lwp.pcb.fpArea = 0;
}

/** Copy lwp's state to 512 bytes at kva. False: it has none. */
export function fpuSave(lwp: Lwp, kva: usize): bool {
  if (lwp.pcb.fpArea == 0) return false;
  if (owner == lwp) {
    saveOwner();
    fpuSwitch(curLwp);
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

/** Report lwp's next FPU instruction inside the VM space, or don't. */
export function fpuVirt(lwp: Lwp, on: bool): void {
  if (on) lwp.pcb.flags |= FP_VIRTFP;
  else lwp.pcb.flags &= ~FP_VIRTFP;
  fpuSwitch(lwp);
}
