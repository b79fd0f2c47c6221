// Page tables of the virtual kernel's processes. The tables are VPTEs in the image, which the real kernel walks when a
// process faults (kern/ptable.ts makes them). Each belongs to an emulated VM space of the real kernel. Making such a space takes
// ten system calls, so a few that are not in use are kept: giving one of them another tree takes one call. Kernel memory is the image itself, mapped linearly at KERNBASE.
//
// Changes of a space that nobody runs can wait until the call that lets it run (RESUME, trap.ts), which announces them and saves a call. This is
// what a page that has been unmapped relies on when it is used again:
//
//   No thread executes in a space that has not been told of all that changed in it before the thread was let in.
//
// 1. Changes of a space that another virtual CPU runs (`running`) are announced at once: the real kernel's MADV_INVAL reaches all CPUs.
// 2. Other changes wait in a list (Changes) of the CPU that is in the kernel, for one space at a time: a change of another, and a full list, are
//    announced. With several CPUs the list is announced, too, when this one leaves the kernel for anything but that space (pmapDepart); so it never
//    lies where the next CPU in the kernel does not see it, and that CPU's list is empty or its own.
// 3. With one CPU all this is trivial: nothing runs while the kernel does, and the list may wait while other spaces run.
// 4. A CPU that leaves for the space takes the list along. Until its RESUME has been carried out the list is on its way: the lock is free, and
//    another CPU may come into the kernel before. If that CPU lets a second thread into the same space, it announces the list first itself
//    (`onItsWay`). What else it changes there is announced at once, by 1. Announcing twice does no harm: an entry that was
//    made in between is found again.
// 5. A CPU that was kicked comes back without having called: its list, if nobody has announced it, is as it was before it left.
//
// That a VPTE has become valid nobody need be told, so the page that RESUME enters is looked up when it is entered: what it finds then counts.

import { Pmap } from '../kern/ptable.ts';
import { Lwp } from '../kern/proc.ts';
import { INVALV_MOST, MADV_INVAL, MADV_INVALV, MADV_NOSYNC, MADV_SETMAP, MAP_FIXED, MAP_SHARED, MAP_VPAGETABLE, PROT_READ, PROT_WRITE, VM_MAX_USER_ADDRESS,
  VPTE_RW, VPTE_V } from '../abi/mman.ts';
import { panic } from '../kern/panic.ts';
import { poolOn, resumeOn } from '../kern/tuning.ts';
import { vmspaceCreate, vmspaceDestroy, vmspaceMmap } from '../libc/sys.ts';
import { hostMcontrol } from './fastcall.ts';
import { several, thisCpu } from './cpu.ts';
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

/**
 * Maps one piece of user space to the image; the file offset equals the address, so that the walk's index is va >> 12. False: the
 * real kernel refuses.
 */
function mapPiece(id: usize, start: u32, end: u32, root: u32): bool {
  const bytes = end - start;
  const mapped = vmspaceMmap(id, start, bytes, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_SHARED | MAP_VPAGETABLE, imageFd, start);
  if (mapped != start) return false;
  hostMcontrol(id, start, bytes, MADV_NOSYNC, 0);
  return hostMcontrol(id, start, bytes, MADV_SETMAP, root) >= 0;
}

let spare!: FixedArray<usize, 16>;    // ids of spaces that are mapped, but run by nobody
let spares: u32 = 0;
let lastId: usize = 0;

/** A new page table: the image, seen through it, becomes the contents of a VM space. False: the real kernel has no more. */
export function pmapAttach(pm: Pmap): bool {
  const root = pm.pdPa | VPTE_V | VPTE_RW;
  if (spares != 0) {
    spares--;
    pm.space = spare[spares];
    if (hostMcontrol(pm.space, 0, VM_MAX_USER_ADDRESS, MADV_SETMAP, root) < 0) panic("vmspace_mcontrol");
    return true;
  }
  lastId++;
  pm.space = lastId;
  if (vmspaceCreate(pm.space, 0, 0) < 0) return false;
  if (mapPiece(pm.space, 0, GIGABYTE, root) && mapPiece(pm.space, GIGABYTE, 2 * GIGABYTE, root)
      && mapPiece(pm.space, 2 * GIGABYTE, VM_MAX_USER_ADDRESS, root)) return true;
  vmspaceDestroy(pm.space);
  return false;
}

/** A page table goes away: nobody runs its VM space until that has another, and getting one forgets all. */
export function pmapDetach(pm: Pmap): void {
  if (thisCpu.changes.space == pm.space) pmapAnnounced();
  if (poolOn && spares < SPARES) {
    spare[spares] = pm.space;
    spares++;
  } else if (vmspaceDestroy(pm.space) < 0) panic("vmspace_destroy");
}

/** Changes of one space that it has not been told of. */
export class Changes {
  space: usize = 0;                   // 0: none
  count: u32 = 0;
  ranges!: FixedArray<u32, 32>;       // start and length of each
}

/** Those of the CPU in the kernel have been announced, or nobody need know. */
export function pmapAnnounced(): void {
  const changes = thisCpu.changes;
  changes.space = 0;
  changes.count = 0;
}

/** Announce them now. */
export function pmapFlush(): void {
  const changes = thisCpu.changes;
  if (changes.count != 0) announce(changes);
  pmapAnnounced();
}

function announce(changes: Changes): void {
  if (hostMcontrol(changes.space, addressof(changes.ranges), changes.count, MADV_INVALV, 0) < 0) panic("vmspace_mcontrol");
}

/** With several CPUs: this one is about to leave the kernel for `pm`. */
export function pmapDepart(pm: Pmap): void {
  const changes = thisCpu.changes;
  if (changes.space != pm.space) pmapFlush();
  if (pm.onItsWay != 0) announce(changetype<Changes>(pm.onItsWay));
  pm.onItsWay = changes.count != 0 ? changetype<usize>(changes) : 0;
  pm.running++;
}

/** It is back; `told`: its RESUME has been carried out. */
export function pmapArrive(pm: Pmap, told: bool): void {
  const own = changetype<usize>(thisCpu.changes);
  pm.running--;
  if (told || pm.onItsWay != own) pmapAnnounced();
  if (pm.onItsWay == own) pm.onItsWay = 0;
}

/** The range can wait until the space runs. */
function waits(pm: Pmap, start: usize, bytes: usize): bool {
  if (!resumeOn || pm.running != 0) return false;
  const changes = thisCpu.changes;
  if (changes.space != pm.space || changes.count == INVALV_MOST) pmapFlush();
  changes.space = pm.space;
  changes.ranges[changes.count * 2] = start;
  changes.ranges[changes.count * 2 + 1] = bytes;
  changes.count++;
  return true;
}

/** The space will touch the page of `address` when it runs, by `access` (VM_READ or VM_WRITE): the call that runs it shall enter the page, unless other CPUs could have to announce that. */
export function pmapExpect(pm: Pmap, address: usize, access: i32): void {
  if (!several) waits(pm, (address & 0xfffff000) | (access as u32), 0);
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
