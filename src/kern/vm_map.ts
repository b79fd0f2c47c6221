// Address spaces: a pmap and a sorted list of map entries, each a range of addresses that shows a range of an object.
//
// Copy-on-write: an entry with VME_NEEDS_COPY shows an object that is not (only) its own; the first write puts an anonymous
// object in front of it. Fork shares every private object that way and write-protects the parent.
//
// Rules: `timestamp` changes whenever entries do, so that a fault that slept can notice. Addresses are page-aligned here;
// callers round. Every removal clears the page tables before it drops objects.

import { VmObject, OBJ_ANON, OBJ_VNODE, OBJ_NOSYNC, NO_LIMIT, vmObjectAnon, vmObjectRef, vmObjectRelease, vmObjectFreeRange,
  vmObjectFlush } from './vm_object.ts';
import { Pmap, pmapAnnounce, pmapCreate, pmapDestroy, pmapGather, pmapRemove, pmapRemoveAll, pmapProtect } from './ptable.ts';
import { PROT_READ, PROT_WRITE, VM_MAX_USER_ADDRESS, PAGE_SIZE, MADV_NORMAL, MADV_FREE, MADV_NOSYNC, MADV_AUTOSYNC, MADV_INVAL,
  MADV_SETMAP } from '../abi/mman.ts';
import { ldtDrop, ldtFork } from './ldt.ts';
import { VmPage, vmKernelRoom } from './vm_page.ts';
import { enterProgram } from './vm_around.ts';
import { EINVAL, ENOMEM, EACCES } from '../abi/errno.ts';

export const VME_NEEDS_COPY: i32 = 1;
export const VME_COW: i32 = 2;          // private
export const VME_SHARED: i32 = 4;       // stays shared over fork
export const VME_VPAGETABLE: i32 = 8;
export const VME_STACK: i32 = 16;
export const VME_NOSYNC: i32 = 32;

/** Where mappings without an address go: above the largest heap. */
const MMAP_BASE: u32 = 0x20000000;

export class VmMapEntry {
  start: u32 = 0;
  end: u32 = 0;
  object: VmObject | null = null;
  /** Byte offset of `start` in the object. */
  offset: u32 = 0;
  prot: i32 = 0;
  maxProt: i32 = 0;
  flags: i32 = 0;
  /** Where a process that touches the range in order will fault next, and how many pages the last fault made (vm_around.ts). */
  expected: u32 = 0;
  run: u32 = 0;
  /** Root VPTE of a VME_VPAGETABLE entry. */
  root: u32 = 0;
  /** The tables of the last walk, if it is a VME_VPAGETABLE entry: of the directory level, and of the level below (vpagetable.ts). */
  directory: VmPage | null = null;
  table: VmPage | null = null;
  next: VmMapEntry | null = null;
}

// What there is of each, for vm.stats.
export let vmspaceCount: u32 = 0;
export let mapEntryCount: u32 = 0;

/** Map entries that an address space may have, and still be split. */
export const MAX_ENTRIES: i32 = 4096;

export class Vmspace {
  pmap: Pmap;
  first: VmMapEntry | null = null;
  hint: VmMapEntry | null = null;
  refs: i32 = 1;
  timestamp: u32 = 0;
  entryCount: i32 = 0;
  /** Heap: starts at the end of the program's data, ends at the current break. */
  dataStart: u32 = 0;
  dataEnd: u32 = 0;
  /** Its local descriptor table; 0: the kernel's (ldt.ts). */
  ldt: usize = 0;
  constructor(pmap: Pmap) { this.pmap = pmap; }
}

/** A new empty address space with one reference; null if there can't be one. */
export function vmspaceAlloc(): Vmspace | null {
  const pm = pmapCreate();
  if (pm == null) return null;
  vmspaceCount++;
  return new Vmspace(pm);
}

export function vmspaceRef(vm: Vmspace): void {
  vm.refs++;
}

/** Drop a reference; the last one frees everything in it. May sleep. */
export function vmspaceFree(vm: Vmspace): void {
  vm.refs--;
  if (vm.refs != 0) return;
  ldtDrop(vm);
  pmapRemoveAll(vm.pmap);
  vmMapRemove(vm, 0, VM_MAX_USER_ADDRESS);
  pmapDestroy(vm.pmap);
  vmspaceCount--;
  free(vm);
}

/** The entry that covers `va`, or null. */
export function vmMapLookup(vm: Vmspace, va: u32): VmMapEntry | null {
  const h = vm.hint;
  if (h != null && va >= h.start && va < h.end) return h;
  let e = h != null && va >= h.end ? h.next : vm.first;
  while (e != null && va >= e.end) e = e.next;
  if (e == null || va < e.start) return null;
  vm.hint = e;
  return e;
}

/** The last entry that ends at or below `va`, or null. */
function entryBefore(vm: Vmspace, va: u32): VmMapEntry | null {
  let before: VmMapEntry | null = null;
  let e = vm.first;
  if (vm.hint != null && vm.hint.end <= va) {
    before = vm.hint;
    e = vm.hint.next;
  }
  while (e != null && e.end <= va) {
    before = e;
    e = e.next;
  }
  return before;
}

/** Is [start, start+len) inside user space? */
export function vmRangeOk(start: u32, len: u32): bool {
  return len <= VM_MAX_USER_ADDRESS && start <= VM_MAX_USER_ADDRESS - len;
}

function pagesEnd(offset: u32, len: u32): u32 {
  return (offset >>> 12) + (len >>> 12);
}

/**
 * Map [start, start+len), which must be free, to `object` from `offset`; takes over the caller's reference. Null object:
 * private zero-filled memory. Returns 0, EINVAL outside user space, ENOMEM when the range is in use (the reference then stays).
 */
export function vmMapInsert(vm: Vmspace, start: u32, len: u32, object: VmObject | null, offset: u32, prot: i32, maxProt: i32,
    flags: i32): i32 {
  if (len == 0 || !vmRangeOk(start, len)) return EINVAL;
  const before = entryBefore(vm, start);
  const after = before != null ? before.next : vm.first;
  if (after != null && after.start < start + len) return ENOMEM;
  vm.timestamp++;
  if (object == null && before != null && extendEntry(before, start, len, prot, maxProt, flags)) return 0;
  const e = new VmMapEntry();
  e.start = start;
  e.end = start + len;
  e.object = object;
  e.offset = offset;
  e.prot = prot;
  e.maxProt = maxProt;
  e.flags = flags;
  linkAfter(vm, before, e);
  return 0;
}

/** Grow private memory upward in place, when the object's last page is the entry's last page and no one else sees it. */
function extendEntry(e: VmMapEntry, start: u32, len: u32, prot: i32, maxProt: i32, flags: i32): bool {
  if (e.end != start || e.prot != prot || e.maxProt != maxProt || (e.flags | VME_NEEDS_COPY) != (flags | VME_NEEDS_COPY)) return false;
  if ((flags & (VME_SHARED | VME_VPAGETABLE | VME_STACK)) != 0) return false;
  const object = e.object;
  if (object != null) {
    const size = pagesEnd(e.offset, e.end - e.start);
    if (object.kind != OBJ_ANON || object.refs != 1 || object.size != size) return false;
    object.size = size + (len >>> 12);
  }
  e.end += len;
  return true;
}

function linkAfter(vm: Vmspace, before: VmMapEntry | null, e: VmMapEntry): void {
  mapEntryCount++;
  if (before == null) {
    e.next = vm.first;
    vm.first = e;
  } else {
    e.next = before.next;
    before.next = e;
  }
  vm.entryCount++;
}

/** Free address range of `len` bytes at or above `hint` (0: anywhere), a multiple of `align`; 0 if there is none. */
export function vmMapFindSpace(vm: Vmspace, hint: u32, len: u32, align: u32): u32 {
  const found = searchSpace(vm, hint != 0 ? hint : MMAP_BASE, len, align);
  if (found != 0) return found;
  return searchSpace(vm, vm.dataEnd > PAGE_SIZE ? vm.dataEnd : PAGE_SIZE, len, align);
}

function searchSpace(vm: Vmspace, from: u32, len: u32, align: u32): u32 {
  const mask = align - 1;
  let at = (from + mask) & ~mask;
  if (at < from) return 0;
  for (let e = vm.first; e != null; e = e.next) {
    if (e.end <= at) continue;
    if (e.start >= at && e.start - at >= len) break;
    at = (e.end + mask) & ~mask;
    if (at < e.end) return 0;
  }
  return vmRangeOk(at, len) ? at : 0;
}

/** Can the entries of [start, end) be made entries of their own? Not if that splits one and there is no room for more. May sleep. */
export function vmMapMayClip(vm: Vmspace, start: u32, end: u32): bool {
  if (vmKernelRoom(0) && vm.entryCount < MAX_ENTRIES) return true;
  return isBoundary(vm, start) && isBoundary(vm, end);
}

function isBoundary(vm: Vmspace, va: u32): bool {
  const e = vmMapLookup(vm, va);
  return e == null || e.start == va;
}

/** Split the entry at `va`, if one covers it, so that an entry boundary is there. */
function clipAt(vm: Vmspace, va: u32): void {
  const e = vmMapLookup(vm, va);
  if (e == null || e.start == va) return;
  const tail = new VmMapEntry();
  tail.start = va;
  tail.end = e.end;
  tail.object = e.object;
  tail.offset = e.offset + (va - e.start);
  tail.prot = e.prot;
  tail.maxProt = e.maxProt;
  tail.flags = e.flags;
  tail.root = e.root;
  if (e.object != null) vmObjectRef(e.object);
  e.end = va;
  linkAfter(vm, e, tail);
  vm.timestamp++;
}

/** Drop the pages of a private anonymous entry's part that no one else can see. The page tables are already clear. */
function dropPages(e: VmMapEntry, start: u32, end: u32): void {
  const object = e.object;
  if (object == null || object.kind != OBJ_ANON || object.refs != 1 || (e.flags & VME_VPAGETABLE) != 0) return;
  const first = pagesEnd(e.offset, start - e.start);
  const last = pagesEnd(e.offset, end - e.start);
  vmObjectFreeRange(object, first, last);
  if (last == object.size && object.shadow == null) object.size = first;
}

/** Unmap [start, end). Holes are fine. May sleep. Returns 0. */
export function vmMapRemove(vm: Vmspace, start: u32, end: u32): i32 {
  if (start >= end) return 0;
  pmapRemove(vm.pmap, start, end);
  const whole = vmMapLookup(vm, start);
  if (whole != null && (start != whole.start || end < whole.end)) {
    dropPages(whole, start, end < whole.end ? end : whole.end);
  }
  clipAt(vm, start);
  clipAt(vm, end);
  let removed = unlinkRange(vm, start, end);
  while (removed != null) {
    const e: VmMapEntry = removed;
    removed = e.next;
    if (e.object != null) vmObjectRelease(e.object);
    mapEntryCount--;
    free(e);
  }
  return 0;
}

/** Take the entries of [start, end), which clipping has made whole, out of the map; returns them as a list. */
function unlinkRange(vm: Vmspace, start: u32, end: u32): VmMapEntry | null {
  const before = entryBefore(vm, start);
  const first = before != null ? before.next : vm.first;
  if (first == null || first.start >= end) return null;
  let last = first;
  vm.entryCount--;
  while (last.next != null && last.next.start < end) {
    last = last.next;
    vm.entryCount--;
  }
  if (before != null) before.next = last.next;
  else vm.first = last.next;
  last.next = null;
  vm.hint = before;
  vm.timestamp++;
  return first;
}

/** Set the protection of the entries in [start, end). EACCES beyond an entry's maximum, ENOMEM if nothing is mapped there. */
export function vmMapProtect(vm: Vmspace, start: u32, end: u32, prot: i32): i32 {
  if (start >= end) return 0;
  if (!vmMapMayClip(vm, start, end)) return ENOMEM;
  let any: bool = false;
  for (let e = vm.first; e != null && e.start < end; e = e.next) {
    if (e.end <= start) continue;
    any = true;
    if ((prot & ~e.maxProt) != 0) return EACCES;
    if ((e.flags & VME_VPAGETABLE) != 0 && (prot & PROT_WRITE) == 0) return EINVAL;
  }
  if (!any) return ENOMEM;
  clipAt(vm, start);
  clipAt(vm, end);
  for (let e = vm.first; e != null && e.start < end; e = e.next) {
    if (e.start >= start) e.prot = prot;
  }
  vm.timestamp++;
  if ((prot & PROT_READ) == 0) pmapRemove(vm.pmap, start, end);
  else if ((prot & PROT_WRITE) == 0) pmapProtect(vm.pmap, start, end);
  return 0;
}

/** A copy of `old` for a child: shared entries share, private ones become copy-on-write on both sides. Null if there can't be one. */
export function vmspaceFork(old: Vmspace): Vmspace | null {
  const vm = vmspaceAlloc();
  if (vm == null) return null;
  old.timestamp++;                  // its entries need copies from now on
  vm.dataStart = old.dataStart;
  vm.dataEnd = old.dataEnd;
  ldtFork(old, vm);
  let last: VmMapEntry | null = null;
  pmapGather();
  for (let e = old.first; e != null; e = e.next) {
    const copy = new VmMapEntry();
    shareEntry(old, e);
    copy.start = e.start;
    copy.end = e.end;
    copy.object = e.object;
    copy.offset = e.offset;
    copy.prot = e.prot;
    copy.maxProt = e.maxProt;
    copy.flags = e.flags;
    copy.root = e.root;
    linkAfter(vm, last, copy);
    last = copy;
  }
  pmapAnnounce(old.pmap);
  enterProgram(vm);
  return vm;
}

/** Make the parent's entry ready to be seen by a second entry, and count that one's reference. */
function shareEntry(vm: Vmspace, e: VmMapEntry): void {
  if (e.object == null) {
    if ((e.flags & VME_SHARED) == 0) return;
    e.object = vmObjectAnon(entryLimit(e));
  }
  vmObjectRef(e.object!);
  if ((e.flags & (VME_SHARED | VME_NEEDS_COPY)) != 0) return;
  e.flags |= VME_NEEDS_COPY;
  pmapProtect(vm.pmap, e.start, e.end);
}

/** First page index of the object that the entry cannot reach. */
export function entryLimit(e: VmMapEntry): u32 {
  if ((e.flags & VME_VPAGETABLE) != 0) return NO_LIMIT;
  return pagesEnd(e.offset, e.end - e.start);
}

/**
 * madvise and mcontrol on `vm`. INVAL drops the page tables' view of the range; SETMAP stores `value` as the root VPTE of
 * the range's VPAGETABLE entries and drops it too. Holes are skipped.
 */
export function kernMadvise(vm: Vmspace, address: u32, len: u32, behaviour: i32, value: u32): i32 {
  if (behaviour < MADV_NORMAL || behaviour > MADV_SETMAP) return EINVAL;
  if (address + len < address || !vmRangeOk(address, len)) return EINVAL;
  const start = address & 0xfffff000;
  const end = (address + len + 4095) & 0xfffff000;
  if (start >= end) return 0;
  if (behaviour == MADV_INVAL) {
    vm.timestamp++;                 // a fault that sleeps between its walk and its end walks again
    pmapRemove(vm.pmap, start, end);
    return 0;
  }
  if (behaviour == MADV_SETMAP) return setMap(vm, start, end, value);
  if (behaviour == MADV_FREE || behaviour == MADV_NOSYNC || behaviour == MADV_AUTOSYNC) advise(vm, start, end, behaviour);
  return 0;
}

function setMap(vm: Vmspace, start: u32, end: u32, value: u32): i32 {
  let error: i32 = 0;
  if (!vmMapMayClip(vm, start, end)) return ENOMEM;
  clipAt(vm, start);
  clipAt(vm, end);
  for (let e = vm.first; e != null && e.start < end; e = e.next) {
    if (e.end <= start) continue;
    if ((e.flags & VME_VPAGETABLE) != 0) e.root = value;
    else error = EINVAL;
  }
  vm.timestamp++;
  pmapRemove(vm.pmap, start, end);
  return error;
}

function advise(vm: Vmspace, start: u32, end: u32, behaviour: i32): void {
  for (let e = vm.first; e != null && e.start < end; e = e.next) {
    if (e.end <= start) continue;
    if (behaviour == MADV_FREE) freeAdvised(vm, e, e.start > start ? e.start : start, e.end < end ? e.end : end);
    else adviseSync(e, behaviour == MADV_NOSYNC);
  }
}

/** The contents of private memory may go: the next touch finds zeros. */
function freeAdvised(vm: Vmspace, e: VmMapEntry, start: u32, end: u32): void {
  const object = e.object;
  if (object == null || object.kind != OBJ_ANON || object.refs != 1 || object.shadow != null) return;
  if ((e.flags & (VME_VPAGETABLE | VME_SHARED)) != 0) return;
  pmapRemove(vm.pmap, start, end);
  vmObjectFreeRange(object, pagesEnd(e.offset, start - e.start), pagesEnd(e.offset, end - e.start));
}

function adviseSync(e: VmMapEntry, noSync: bool): void {
  const object = e.object;
  if (object == null || object.kind != OBJ_VNODE || (e.flags & VME_SHARED) == 0) return;
  if (noSync) {
    e.flags |= VME_NOSYNC;
    object.flags |= OBJ_NOSYNC;
  } else if ((e.flags & VME_NOSYNC) != 0) {
    e.flags &= ~VME_NOSYNC;
    object.flags &= ~OBJ_NOSYNC;
    vmObjectFlush(object);
  }
}
