// Page tables of the virtual kernel's processes. The tables are VPTEs in the image, which the real kernel walks when a
// process faults (kern/ptable.ts makes them). Each belongs to an emulated VM space of the real kernel. Making such a space takes
// ten system calls, so a few that are not in use are kept: giving one of them another tree takes one call. Kernel memory is the image itself, mapped linearly at KERNBASE.
//
// With one processor no space runs while this kernel does. What has changed in the space that ran last is then announced by the call that
// lets it run again (trap.ts), and before that only if another space changes too.

import { Pmap } from '../kern/ptable.ts';
import { Lwp } from '../kern/proc.ts';
import { INVALV_MOST, MADV_INVAL, MADV_INVALV, MADV_NOSYNC, MADV_SETMAP, MAP_FIXED, MAP_SHARED, MAP_VPAGETABLE, PROT_READ, PROT_WRITE, VM_MAX_USER_ADDRESS,
  VPTE_RW, VPTE_V } from '../abi/mman.ts';
import { panic } from '../kern/panic.ts';
import { poolOn, resumeOn } from '../kern/tuning.ts';
import { vmspaceCreate, vmspaceDestroy, vmspaceMmap } from '../libc/sys.ts';
import { hostMcontrol } from './fastcall.ts';
import { several } from './cpu.ts';
import { imageFd } from './image.ts';

/** Where the image is mapped: kernel address of physical address 0. */
export const KERNBASE: u32 = 0x40000000;
/** Memory that was never used is a hole in the image: zeros. */
export const FRESH_IS_ZERO: bool = true;
const GIGABYTE: u32 = 0x40000000;
const SPARES: u32 = 16;

/** Kernel address of a physical address. */
export function ptov(pa: u32): usize {
  return pa + KERNBASE;
}

/** Physical address of a kernel address. */
export function vtop(va: usize): u32 {
  return va - KERNBASE;
}

/** Maps one piece of user space to the image; the file offset equals the address, so that the walk's index is va >> 12. */
function mapPiece(id: usize, start: u32, end: u32, root: u32): void {
  const bytes = end - start;
  const mapped = vmspaceMmap(id, start, bytes, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, imageFd, start);
  if (mapped != start) panic("vmspace_mmap");
  hostMcontrol(id, start, bytes, MADV_NOSYNC, 0);
  if (hostMcontrol(id, start, bytes, MADV_SETMAP, root) < 0) panic("vmspace_mcontrol");
}

let spare!: FixedArray<usize, 16>;    // ids of spaces that are mapped, but run by nobody
let spares: u32 = 0;
let lastId: usize = 0;

/** A new page table: the image, seen through it, becomes the contents of a VM space. */
export function pmapAttach(pm: Pmap): void {
  const root = pm.pdPa | VPTE_V | VPTE_RW;
  if (spares != 0) {
    spares--;
    pm.space = spare[spares];
    if (hostMcontrol(pm.space, 0, VM_MAX_USER_ADDRESS, MADV_SETMAP, root) < 0) panic("vmspace_mcontrol");
    return;
  }
  lastId++;
  pm.space = lastId;
  if (vmspaceCreate(pm.space, 0, 0) < 0) panic("vmspace_create");
  mapPiece(pm.space, 0, GIGABYTE, root);
  mapPiece(pm.space, GIGABYTE, 2 * GIGABYTE, root);
  mapPiece(pm.space, 2 * GIGABYTE, VM_MAX_USER_ADDRESS, root);
}

/** A page table goes away: nobody runs its VM space until that has another, and getting one forgets all. */
export function pmapDetach(pm: Pmap): void {
  if (changedSpace == pm.space) pmapAnnounced();
  if (poolOn && spares < SPARES) {
    spare[spares] = pm.space;
    spares++;
  } else if (vmspaceDestroy(pm.space) < 0) panic("vmspace_destroy");
}

/** The space that has changed and not been told so; 0: none. */
export let changedSpace: usize = 0;
/** Ranges of it. */
export let changedCount: u32 = 0;
let changed!: FixedArray<u32, 32>;    // start and length of each

/** Address of the ranges. */
export function changedRanges(): usize {
  return addressof(changed);
}

/** They have been announced, or nobody need know. */
export function pmapAnnounced(): void {
  changedSpace = 0;
  changedCount = 0;
}

/** Announce them now. */
export function pmapFlush(): void {
  if (changedCount != 0 && hostMcontrol(changedSpace, addressof(changed), changedCount, MADV_INVALV, 0) < 0) panic("vmspace_mcontrol");
  pmapAnnounced();
}

/** The range can wait until the space runs. */
function waits(pm: Pmap, start: usize, bytes: usize): bool {
  if (!resumeOn || several) return false;
  if (changedSpace != pm.space || changedCount == INVALV_MOST) pmapFlush();
  changedSpace = pm.space;
  changed[changedCount * 2] = start;
  changed[changedCount * 2 + 1] = bytes;
  changedCount++;
  return true;
}

/** Entries of [start, end) were cleared or write-protected: the real kernel forgets what it knows of them. */
export function pmapInvalidate(pm: Pmap, start: usize, end: usize): void {
  if (waits(pm, start, end - start)) return;
  if (hostMcontrol(pm.space, start, end - start, MADV_INVAL, 0) < 0) panic("vmspace_mcontrol");
}

/** The same for `count` ranges, start and length of each at `ranges`: one call for all. */
export function pmapInvalidateRanges(pm: Pmap, ranges: usize, count: u32): void {
  let i: u32 = 0;
  while (i < count && waits(pm, load<u32>(ranges + i * 8), load<u32>(ranges + i * 8, 4))) i++;
  if (count != 0 && i == count) return;
  if (hostMcontrol(pm.space, ranges, count, MADV_INVALV, 0) < 0) panic("vmspace_mcontrol");
}

/** The space that runs is named at each RUN: nothing to do here. */
export function pmapActivate(_lwp: Lwp): void {}

/** Kernel threads need no user space: nothing to do. */
export function pmapActivateKernel(): void {}
