// Page tables on the PC. Every page directory has user space below KERNBASE and, above it, all of physical memory linearly
// through 4 MiB supervisor pages, so kernel addresses are always valid and never change. Those pages are global: loading %cr3
// forgets all pages but them.

import { Pmap } from '../kern/ptable.ts';
import { ldtActivate } from './ldt.ts';
import { Lwp } from '../kern/proc.ts';
import { readCr4, writeCr4 } from './io.ts';
import { INVALV_READ, VPTE_G, VPTE_PS, VPTE_RW, VPTE_V } from '../abi/mman.ts';

export const KERNBASE: u32 = 0xc0000000;
/** Memory that was never used holds anything: whoever started the machine may have used it. */
export const FRESH_IS_ZERO: bool = false;
const KERNEL_SLOTS: usize = (KERNBASE >>> 22) * 4;   // offset of the kernel's entries in a directory
const CR4_PGE: u32 = 0x80;
const FEW: u32 = 0x20000;                            // up to so many bytes are flushed page by page

let kernelPd: u32 = 0;
let activePd: u32 = 0;

/** Kernel address of a physical address. */
export function ptov(pa: u32): usize {
  return pa + KERNBASE;
}

/** Physical address of a kernel address. */
export function vtop(va: usize): u32 {
  return va - KERNBASE;
}

function loadCr3(pa: u32): void {
  asm`mov eax, ${pa}
      mov cr3, eax`;
}

function invlpg(va: usize): void {
  asm`mov eax, ${va}
      invlpg [eax]`;
}

/** Build the kernel's own directory at `first`, mapping [0, end), and load it. Returns the first free physical page after it. */
export function pmapBootstrap(first: u32, end: u32): u32 {
  const pd = changetype<Ptr<u32>>(ptov(first));
  memory.fill(ptov(first), 0, 4096);
  for (let pa: u32 = 0; pa < end; pa += 0x400000) pd[(KERNBASE + pa) >>> 22] = pa | VPTE_G | VPTE_PS | VPTE_RW | VPTE_V;
  kernelPd = first;
  activate(first);
  writeCr4(readCr4() | CR4_PGE);
  return first + 4096;
}

/** A new page table: give it the kernel's half. Always true. */
export function pmapAttach(pm: Pmap): bool {
  memory.copy(ptov(pm.pdPa) + KERNEL_SLOTS, ptov(kernelPd) + KERNEL_SLOTS, 4096 - KERNEL_SLOTS);
  return true;
}

/** A page table goes away: it must not be the one in use. */
export function pmapDetach(pm: Pmap): void {
  if (activePd == pm.pdPa) pmapActivateKernel();
}

/** Entries of [start, end) were cleared or write-protected: the TLB forgets them. */
export function pmapInvalidate(pm: Pmap, start: usize, end: usize): void {
  if (pm.pdPa != activePd) return;
  if (end - start > FEW) {
    loadCr3(activePd);
    return;
  }
  for (let va = start; va < end; va += 4096) invlpg(va);
}

/** The same for `count` ranges, start and length of each at `ranges`. */
export function pmapInvalidateRanges(pm: Pmap, ranges: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const start = load<u32>(ranges + i * 8) & ~INVALV_READ;
    pmapInvalidate(pm, start, start + load<u32>(ranges + i * 8, 4));
  }
}

function activate(pd: u32): void {
  activePd = pd;
  loadCr3(pd);
}

/** Make the address space that `lwp` uses the current one. */
export function pmapActivate(lwp: Lwp): void {
  activatePmap(lwp.vmspace.pmap);
  ldtActivate(lwp.vmspace);
}

/** Make a page table the current one. */
export function activatePmap(pm: Pmap): void {
  if (pm.pdPa != activePd) activate(pm.pdPa);
}

/** Make the kernel's own page table, without user space, the current one. */
export function pmapActivateKernel(): void {
  activate(kernelPd);
}
