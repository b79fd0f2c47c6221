// Pages that a fault brings beside its own, so that the next accesses need no fault: neighbours that are in memory, those that a
// page table of the owner shows, and zero-filled ones ahead of a process that touches its memory in order.
//
// Rules: nothing here sleeps, reads a file or takes memory that others need. A page gets no permission that a fault at its own
// address would not have given, and nothing changes in the entries of a VPAGETABLE mapping. What a program sees is the same without.

import { Vmspace, VmMapEntry, VME_NEEDS_COPY, VME_STACK, VME_VPAGETABLE } from './vm_map.ts';
import { OBJ_ANON, OBJ_VNODE, vmObjectHolePage } from './vm_object.ts';
import { VmPage, PG_DIRTY, memoryPlenty, memoryScarce, vmPageAlloc, vmPageHold, vmPageLookup, vmPageRelease } from './vm_page.ts';
import { pmapEnter, pmapFill, pmapTable } from './ptable.ts';
import { aheadOn, neighboursOn, programOn } from './tuning.ts';
import { PAGE_SIZE, PROT_WRITE, VPTE_A, VPTE_M, VPTE_PS, VPTE_RW, VPTE_V } from '../abi/mman.ts';

/** How a fault came by its page. */
export const FOUND_RESIDENT: i32 = 0;
export const FOUND_READ: i32 = 1;        // from a file, or in memory after all
export const FOUND_ZEROED: i32 = 2;
export const FOUND_COPIED: i32 = 3;

const CLUSTER: u32 = 16;
const AROUND: u32 = 16;           // the same in a VPAGETABLE mapping, where the owner of the table has chosen neighbours once already
const PROGRAM: u32 = 32;         // pages of a part of a program
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

/** The mapping shows the object as it lies there: page after page, from where its offset or its root entry says. */
export function isLinear(e: VmMapEntry): bool {
  return (e.flags & VME_VPAGETABLE) == 0 || (e.root & (VPTE_PS | VPTE_RW)) == (VPTE_PS | VPTE_RW);
}

/** What pays beside the page at `va` of a linear mapping, which the fault came by in the way `how`. */
export function enterMore(vm: Vmspace, e: VmMapEntry, va: u32, how: i32, write: bool): void {
  const fresh = how == FOUND_ZEROED || (how == FOUND_READ && write && (e.flags & VME_VPAGETABLE) != 0);
  if (fresh && aheadOn) zeroAhead(vm, e, va);
  else if (how <= FOUND_READ && neighboursOn) enterNeighbours(vm, e, va);
}

/** Index in the object of what a linear mapping shows at `at`. */
function indexAt(e: VmMapEntry, at: u32): u32 {
  const index = (e.offset + (at - e.start)) >>> 12;
  return (e.flags & VME_VPAGETABLE) == 0 ? index : (e.root >>> 12) + index;
}

/** Enter the resident pages around `va`, within its aligned cluster. */
function enterNeighbours(vm: Vmspace, e: VmMapEntry, va: u32): void {
  const base = va & ~(CLUSTER * PAGE_SIZE - 1);
  const table = pmapTable(vm.pmap, va)!;
  for (let i: u32 = 0; i < CLUSTER; i++) {
    const at = base + i * PAGE_SIZE;
    if (at < e.start || at >= e.end || isMapped(table, at)) continue;
    const page = residentPage(e, indexAt(e, at));
    if (page != null) fill(vm, table, at, page, mayWrite(e, page, page.object == e.object));
  }
}

/** A space begins with a program in it: enter what is in memory of the parts that can only be read. They will be needed at once. */
export function enterProgram(vm: Vmspace): void {
  if (!programOn || memoryScarce()) return;
  for (let e = vm.first; e != null; e = e.next) {
    if (e.object != null && e.object.kind == OBJ_VNODE && (e.prot & PROT_WRITE) == 0 && (e.flags & VME_VPAGETABLE) == 0) enterFirst(vm, e);
  }
}

function enterFirst(vm: Vmspace, e: VmMapEntry): void {
  const end = least(e.end, e.start + PROGRAM * PAGE_SIZE, e.end);
  for (let at = e.start; at < end; at += PAGE_SIZE) {
    const page = vmPageLookup(e.object!, indexAt(e, at));
    if (page == null) continue;
    vmPageHold(page);
    const full = pmapEnter(vm.pmap, at, page, false) != 0;
    vmPageRelease(page);
    if (full) return;
  }
}

function isMapped(table: Ptr<u32>, at: u32): bool {
  return table[(at >>> 12) & 1023] != 0;
}

function fill(vm: Vmspace, table: Ptr<u32>, at: u32, page: VmPage, write: bool): void {
  vmPageHold(page);
  pmapFill(vm.pmap, table, at, page, write);
  vmPageRelease(page);
}

/**
 * The same in a VPAGETABLE mapping: what the entries around va's in its `table` show. Only entries with A are taken, and only
 * those with M become writable, so that nothing changes in them. `modified`: the entries above have M and allow writing.
 */
export function enterAccessed(vm: Vmspace, e: VmMapEntry, va: u32, table: usize, modified: bool): void {
  const slot = ((e.offset + (va - e.start)) >>> 12) & 1023;
  const within = (va >>> 12) & (AROUND - 1);
  const before = least(within, slot, (va - e.start) >>> 12);
  const after = least(AROUND - within, 1024 - slot, (e.end - va) >>> 12);
  const own = pmapTable(vm.pmap, va)!;
  let entry = table + (slot - before) * 4;
  let at = va - before * PAGE_SIZE;
  for (let left = before + after; left != 0; left--) {
    const vpte = load<u32>(entry);
    if ((vpte & (VPTE_V | VPTE_A)) == (VPTE_V | VPTE_A) && !isMapped(own, at)) enterOne(vm, e, own, at, vpte, modified);
    entry += 4;
    at += PAGE_SIZE;
  }
}

function least(a: u32, b: u32, c: u32): u32 {
  const d = a < b ? a : b;
  return d < c ? d : c;
}

/** One page of enterAccessed, in `own` table; one that has been written according to its entry, but is still a hole, is made. */
function enterOne(vm: Vmspace, e: VmMapEntry, own: Ptr<u32>, at: u32, vpte: u32, modified: bool): void {
  const writable = modified && (vpte & (VPTE_RW | VPTE_M)) == (VPTE_RW | VPTE_M);
  let page = residentPage(e, vpte >>> 12);
  if (page == null && writable && aheadOn && memoryPlenty()) page = holePage(e, vpte >>> 12);
  if (page == null) return;
  fill(vm, own, at, page, writable && mayWrite(e, page, page.object == e.object));
}

/** A page for a hole of the file that the entry shows, if a store there would make it. */
function holePage(e: VmMapEntry, pindex: u32): VmPage | null {
  return (e.flags & VME_NEEDS_COPY) == 0 ? vmObjectHolePage(e.object!, pindex) : null;
}

/**
 * A page of zeros was made for a fault at `va`. Was that where memory touched in order would fault next, then make those that follow
 * too (on a stack those that precede), to the end of an aligned run that doubles each time.
 */
function zeroAhead(vm: Vmspace, e: VmMapEntry, va: u32): void {
  const down = (e.flags & VME_STACK) != 0;
  let next = va;
  if (va == e.expected && memoryPlenty()) {
    e.run = e.run == 0 ? FIRST_RUN : e.run == LAST_RUN ? LAST_RUN : e.run * 2;
    const mask = e.run * PAGE_SIZE - 1;
    const last = down ? va & ~mask : va | mask & ~(PAGE_SIZE - 1);
    const table = pmapTable(vm.pmap, va)!;
    while (next != last && zeroPageAt(vm, e, table, down ? next - PAGE_SIZE : next + PAGE_SIZE)) next = down ? next - PAGE_SIZE : next + PAGE_SIZE;
  } else e.run = 0;
  e.expected = down ? next - PAGE_SIZE : next + PAGE_SIZE;
}

/** Make the page at `at`. False: there is something already, or it can't be. */
function zeroPageAt(vm: Vmspace, e: VmMapEntry, table: Ptr<u32>, at: u32): bool {
  if (at < e.start || at >= e.end || isMapped(table, at)) return false;
  const index = indexAt(e, at);
  let page: VmPage | null = null;
  if (isEmpty(e, index)) page = vmPageAlloc(e.object, index, true);
  else if ((e.flags & VME_VPAGETABLE) != 0 && residentPage(e, index) == null) page = holePage(e, index);
  if (page != null) fill(vm, table, at, page, mayWrite(e, page, true));
  return page != null;
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
