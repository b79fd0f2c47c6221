// Page faults: from an address and an access to a page in the page tables, or to the reason for a signal.
//
// Rules: may sleep while a page is read from its file; if the map changed meanwhile the fault starts over. A page of a file
// is entered writable only after the write marked it dirty; copy-on-write pages are entered read-only for a read, and so are those
// of VPAGETABLE mappings, unless every entry of the walk says modified already (then the first store has nothing to tell).
// What else a fault brings is in vm_around.ts.

import { Vmspace, VmMapEntry, VME_NEEDS_COPY, VME_VPAGETABLE, vmMapLookup, entryLimit } from './vm_map.ts';
import { VmObject, OBJ_VNODE, vmObjectAnon, vmObjectRef, vmObjectRelease, vmObjectGetPage, vmObjectShadow, vmObjectCollapse,
  vmGetPageError } from './vm_object.ts';
import { VmPage, copyPage, paToPage, vmPageLookup, vmPageAlloc, vmPageHold, vmPageRelease, vmPageSetDirty, vmPageTouch, vmBalance,
  vmMakeRoom, memoryScarce } from './vm_page.ts';
import { enterAccessed, enterMore, isLinear, mayWrite, FOUND_COPIED, FOUND_READ, FOUND_RESIDENT, FOUND_ZEROED } from './vm_around.ts';
import { switchCount } from './sched.ts';
import { vptAboveModified, vptIndex, vptModified, vptTable, vptWalk } from './vpagetable.ts';
import { vtop } from 'machine/pmap.ts';
import { aroundOn, modifiedOn } from './tuning.ts';
import { kprint, kprintNumber, kputc } from './kprintf.ts';
import { curLwp, Lwp } from './proc.ts';
import { pmapEnter } from './ptable.ts';
import { psignal } from './sigpost.ts';
import { sigIsMember } from './sigset.ts';
import { PROT_WRITE } from '../abi/mman.ts';
import { SEGV_MAPERR, SEGV_ACCERR, SIGKILL } from '../abi/signal.ts';
import { ENOMEM } from '../abi/errno.ts';

/** Access bits, as PROT_READ and PROT_WRITE. */
export const VM_READ: i32 = 1;
export const VM_WRITE: i32 = 2;

/** Besides SEGV_MAPERR and SEGV_ACCERR: memory is out, the process is going to end. */
export const FAULT_NOMEM: i32 = 100;
const FAULT_RETRY: i32 = -1;

/** What the last entryPage found. Valid until anything else runs that may sleep or fault. */
export let foundPage: VmPage | null = null;
let foundTop: bool = false;        // in the entry's own object
let foundHow: i32 = 0;             // FOUND_RESIDENT ...

/**
 * Resolve a fault at `va`, of the current process or of the kernel on its behalf: 0, SEGV_MAPERR, SEGV_ACCERR or, when nothing is left
 * to write out, FAULT_NOMEM, and the process is going to end. May sleep.
 */
export function vmFault(vm: Vmspace, va: usize, access: i32): i32 {
  for (;;) {
    const result = faultOnce(vm, va & 0xfffff000, access);
    if (result == 0) return 0;
    if (result == FAULT_RETRY || (result == FAULT_NOMEM && vmMakeRoom())) continue;
    if (result == FAULT_NOMEM) killForMemory(curLwp);
    return result;
  }
}

/** Memory is out: who asks for more is ended, and the console says so once. */
function killForMemory(lwp: Lwp): void {
  if (sigIsMember(lwp.siglist, SIGKILL)) return;
  const p = lwp.proc;
  kprint("pid ");
  kprintNumber(p.pid as u32);
  kprint(" (");
  for (let i: i32 = 0; p.comm[i] != 0; i++) kputc(p.comm[i] as i32);
  kprint("): killed, memory is out\n");
  psignal(p, SIGKILL);
}

/**
 * The page at `va` for a software access by the kernel, entered in the page tables as a fault would; null if not allowed.
 * Use it at once, or hold it. May sleep.
 */
export function vmFaultPage(vm: Vmspace, va: usize, access: i32): VmPage | null {
  return vmFault(vm, va, access) == 0 ? foundPage : null;
}

function faultOnce(vm: Vmspace, va: u32, access: i32): i32 {
  vmBalance();
  const e = vmMapLookup(vm, va);
  if (e == null) return SEGV_MAPERR;
  const write = (access & VM_WRITE) != 0;
  if (write ? (e.prot & PROT_WRITE) == 0 : e.prot == 0) return SEGV_ACCERR;
  const walks = (e.flags & VME_VPAGETABLE) != 0;
  let pindex = (e.offset + (va - e.start)) >>> 12;
  if (walks) {
    const failed = vptWalk(vm, e, va, access);
    if (failed != 0) return failed;
    pindex = vptIndex;
  }
  const modified = walks && modifiedOn && vptModified;
  const table = walks && aroundOn ? vptTable : 0;
  const error = entryPage(vm, e, pindex, write);
  return error != 0 ? error : enterFound(vm, e, va, write, modified, table);
}

/**
 * Enter foundPage at `va`, and what else pays. `modified` and `table` are what vptWalk found: it still holds, because entryPage has
 * not slept. 0 or FAULT_NOMEM.
 */
function enterFound(vm: Vmspace, e: VmMapEntry, va: u32, write: bool, modified: bool, table: usize): i32 {
  const page = foundPage!;
  const walks = (e.flags & VME_VPAGETABLE) != 0;
  const how = foundHow;
  const above = vptAboveModified;
  vmPageHold(page);
  if (table != 0) vmPageHold(paToPage(vtop(table)));
  const full = pmapEnter(vm.pmap, va, page, write || ((!walks || modified) && mayWrite(e, page, foundTop))) != 0;
  if (!full && !memoryScarce()) {
    if (table != 0) enterAccessed(vm, e, va, table, modifiedOn && above);
    else if (isLinear(e)) enterMore(vm, e, va, how, write);
  }
  if (table != 0) vmPageRelease(paToPage(vtop(table)));
  vmPageRelease(page);
  foundPage = page;
  return full ? FAULT_NOMEM : 0;
}

/**
 * Find page `pindex` of the entry's object chain in foundPage: read or created as needed, and for a write copied to the
 * front object and marked dirty. 0, SEGV_ACCERR, FAULT_NOMEM or FAULT_RETRY.
 */
export function entryPage(vm: Vmspace, e: VmMapEntry, pindex: u32, write: bool): i32 {
  if (e.object == null) e.object = vmObjectAnon(entryLimit(e));
  if (write) makeWritable(e);
  const top = e.object!;
  const error = chainPage(vm, top, pindex);
  if (error != 0) return error;
  if (foundPage == null) return zeroFill(top, pindex);
  if (!write) return 0;
  if (!foundTop) return copyUp(top, pindex);
  vmPageSetDirty(foundPage!);
  return 0;
}

/** Before a write: give the entry an object of its own, and shorten its chain. */
function makeWritable(e: VmMapEntry): void {
  const object = e.object!;
  if ((e.flags & VME_NEEDS_COPY) != 0) {
    if (object.kind == OBJ_VNODE || object.refs != 1) e.object = vmObjectShadow(object, entryLimit(e));
    e.flags &= ~VME_NEEDS_COPY;
  }
  if (e.object!.shadow != null) e.object = vmObjectCollapse(e.object!);
}

/** Search the chain; foundPage is null if no object has the page. */
function chainPage(vm: Vmspace, top: VmObject, pindex: u32): i32 {
  let object: VmObject | null = top;
  while (object != null) {
    const page = vmPageLookup(object, pindex);
    if (page != null) {
      vmPageTouch(page);
      return found(page, object == top, FOUND_RESIDENT);
    }
    if (object.kind == OBJ_VNODE) return filePage(vm, object, pindex, object == top);
    if (pindex >= object.shadowLimit) break;
    object = object.shadow;
  }
  foundPage = null;
  return 0;
}

function found(page: VmPage, top: bool, how: i32): i32 {
  foundPage = page;
  foundTop = top;
  foundHow = how;
  return 0;
}

/** Get a page of a file. While we slept anything may have changed, the entry's objects too: then the fault starts over. */
function filePage(vm: Vmspace, object: VmObject, pindex: u32, top: bool): i32 {
  const stamp = vm.timestamp;
  const before = switchCount;
  vmObjectRef(object);
  const page = vmObjectGetPage(object, pindex);
  const error = vmGetPageError;
  if (page != null) vmPageHold(page);
  vmObjectRelease(object);
  if (page == null) return error == ENOMEM ? FAULT_NOMEM : SEGV_ACCERR;
  vmPageRelease(page);
  if (vm.timestamp != stamp || switchCount != before) return FAULT_RETRY;
  return found(page, top, FOUND_READ);
}

function zeroFill(top: VmObject, pindex: u32): i32 {
  const page = vmPageAlloc(top, pindex, true);
  if (page == null) return FAULT_NOMEM;
  return found(page, true, FOUND_ZEROED);
}

/** Copy the found page of an object behind to the front object. */
function copyUp(top: VmObject, pindex: u32): i32 {
  const from = foundPage!;
  vmPageHold(from);
  const page = vmPageAlloc(top, pindex, false);
  vmPageRelease(from);
  if (page == null) return FAULT_NOMEM;
  copyPage(from.pa, page.pa);
  return found(page, true, FOUND_COPIED);
}
