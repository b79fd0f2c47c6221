// Pages that a fault brings beside its own, so that the next accesses need no fault: neighbours that are in memory, those that a
// page table of the owner shows, and zero-filled ones ahead of a process that touches its memory in order.
//
// Rules: nothing here sleeps, reads a file or takes memory that others need. A page gets no permission that a fault at its own
// address would not have given, and nothing changes in the entries of a VPAGETABLE mapping. What a program sees is the same without.

import { Vmspace, VmMapEntry, VME_NEEDS_COPY, VME_STACK } from './vm_map.ts';
import { OBJ_ANON, OBJ_VNODE } from './vm_object.ts';
import { VmPage, PG_BUSY, PG_DIRTY, memoryPlenty, vmPageAlloc, vmPageHold, vmPageLookup, vmPageRelease } from './vm_page.ts';
import { pmapEnter, pmapExtract } from './ptable.ts';
import { PAGE_SIZE, PROT_WRITE, VPTE_A, VPTE_M, VPTE_RW, VPTE_V } from '../abi/mman.ts';

const CLUSTER: u32 = 16;
const AROUND: u32 = 4;           // the same in a VPAGETABLE mapping, where the owner of the table has chosen neighbours once already
const FIRST_RUN: u32 = 2;        // pages of the first run, the fault's own among them
const LAST_RUN: u32 = 16;

/** May a page be entered writable although nobody writes now? `top`: it is in the entry's own object. */
export function mayWrite(e: VmMapEntry, page: VmPage, top: bool): bool {
  if ((e.prot & PROT_WRITE) == 0 || !top || (e.flags & VME_NEEDS_COPY) != 0) return false;
  return page.object!.kind == OBJ_ANON || (page.flags & PG_DIRTY) != 0;
}

/** What the entry shows at `pindex`, if it is in memory. */
function residentPage(e: VmMapEntry, pindex: u32): VmPage | null {
  let object = e.object;
  while (object != null) {
    const page = vmPageLookup(object, pindex);
    if (page != null || pindex >= object.shadowLimit) return page;
    object = object.shadow;
  }
  return null;
}

/** Enter the resident pages around `va`, within its aligned cluster. */
export function enterNeighbours(vm: Vmspace, e: VmMapEntry, va: u32): void {
  const base = va & ~(CLUSTER * PAGE_SIZE - 1);
  for (let i: u32 = 0; i < CLUSTER; i++) {
    const at = base + i * PAGE_SIZE;
    if (at == va || at < e.start || at >= e.end || pmapExtract(vm.pmap, at) != 0) continue;
    const page = residentPage(e, (e.offset + (at - e.start)) >>> 12);
    if (page == null || (page.flags & PG_BUSY) != 0) continue;
    if (!enterHeld(vm, at, page, mayWrite(e, page, page.object == e.object))) return;
  }
}

/** False: there is no room for it in the page tables. */
function enterHeld(vm: Vmspace, at: u32, page: VmPage, write: bool): bool {
  vmPageHold(page);
  const full = pmapEnter(vm.pmap, at, page, write) != 0;
  vmPageRelease(page);
  return !full;
}

/**
 * The same in a VPAGETABLE mapping: what the entries around va's in its `table` show. Only entries with A are taken, and only
 * those with M become writable, so that nothing changes in them. `modified`: the entries above have M and allow writing.
 */
export function enterAccessed(vm: Vmspace, e: VmMapEntry, va: u32, table: usize, modified: bool): void {
  const base = va & ~(AROUND * PAGE_SIZE - 1);
  const slot = ((e.offset + (base - e.start)) >>> 12) & 1023;
  if (base < e.start || base + AROUND * PAGE_SIZE > e.end || slot > 1024 - AROUND) return;
  const first = table + slot * 4;
  for (let i: u32 = 0; i < AROUND; i++) {
    const vpte = load<u32>(first + i * 4);
    if ((vpte & (VPTE_V | VPTE_A)) != (VPTE_V | VPTE_A)) continue;
    const at = base + i * PAGE_SIZE;
    if (pmapExtract(vm.pmap, at) == 0 && !enterOne(vm, e, at, vpte, modified)) return;
  }
}

/** One page of enterAccessed. False: there is no room for it. */
function enterOne(vm: Vmspace, e: VmMapEntry, at: u32, vpte: u32, modified: bool): bool {
  const page = residentPage(e, vpte >>> 12);
  if (page == null || (page.flags & PG_BUSY) != 0) return true;
  const writable = modified && (vpte & (VPTE_RW | VPTE_M)) == (VPTE_RW | VPTE_M);
  return enterHeld(vm, at, page, writable && mayWrite(e, page, page.object == e.object));
}

/**
 * A page of zeros was made for a fault at `va`. Was that where memory touched in order would fault next, then make those that follow
 * too (on a stack those that precede), to the end of an aligned run that doubles each time.
 */
export function zeroAhead(vm: Vmspace, e: VmMapEntry, va: u32): void {
  const down = (e.flags & VME_STACK) != 0;
  let next = va;
  if (va == e.expected && memoryPlenty()) {
    e.run = e.run == 0 ? FIRST_RUN : e.run == LAST_RUN ? LAST_RUN : e.run * 2;
    const mask = e.run * PAGE_SIZE - 1;
    const last = down ? va & ~mask : va | mask & ~(PAGE_SIZE - 1);
    while (next != last && zeroPageAt(vm, e, down ? next - PAGE_SIZE : next + PAGE_SIZE)) next = down ? next - PAGE_SIZE : next + PAGE_SIZE;
  } else e.run = 0;
  e.expected = down ? next - PAGE_SIZE : next + PAGE_SIZE;
}

/** Make the page at `at`. False: there is something already, or it can't be. */
function zeroPageAt(vm: Vmspace, e: VmMapEntry, at: u32): bool {
  if (at < e.start || at >= e.end) return false;
  const pindex = (e.offset + (at - e.start)) >>> 12;
  if (!isEmpty(e, pindex)) return false;
  const page = vmPageAlloc(e.object, pindex, true);
  return page != null && enterHeld(vm, at, page, mayWrite(e, page, true));
}

/** Nothing shows at `pindex` yet: a fault there would make a page of zeros in the entry's own object. */
function isEmpty(e: VmMapEntry, pindex: u32): bool {
  let object = e.object;
  while (object != null) {
    if (object.kind == OBJ_VNODE || vmPageLookup(object, pindex) != null) return false;
    if (pindex >= object.shadowLimit) return true;
    object = object.shadow;
  }
  return true;
}
