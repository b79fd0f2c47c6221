// Page tables of user space: two levels of 32-bit entries, in the i386's own form. On the PC the CPU walks them; in a virtual
// kernel they are VPTEs, which the kernel below walks. What differs is in machine/pmap.ts: what else a new table needs, how
// it comes into effect, and how changes are announced.
//
// Rules: an entry that becomes valid or more permissive needs no announcement. One that is cleared or write-protected is
// announced by pmapInvalidate before the function returns, once for a whole range; only then may the page be used
// again. pmapEnter never takes write permission away. Pages of files get a reverse mapping for every entry made here.
// Entries are made with A, and writable ones with M: the kernel tracks changes by write faults and reads neither.
//
// Most of a process's space is empty. `tables` has a bit for each directory slot in use; of each table, aux in its page's
// record counts the entries in use, and pindex has a bit for each group of 32 entries that may have any.

import { INVALV_MOST, INVALV_READ, VPTE_A, VPTE_FRAME, VPTE_M, VPTE_RW, VPTE_U, VPTE_V, VM_MAX_USER_ADDRESS } from '../abi/mman.ts';
import { ENOMEM } from '../abi/errno.ts';
import { batchOn, teardownOn } from './tuning.ts';
import { pmapAttach, pmapDetach, pmapInvalidate, pmapInvalidateRanges, ptov, vtop } from 'machine/pmap.ts';
import { VmPage, PG_MANAGED, memoryExhausted, memoryTight, vmPageAlloc, vmPageFree, paToPage } from './vm_page.ts';
import { pvInsert, pvRemove } from './pv.ts';
import { panic } from './panic.ts';

const PAGE: u32 = 4096;
const GROUP_BYTES: u32 = 0x20000;      // 32 pages
const TABLE_BYTES: u32 = 0x400000;
const USER_TABLES: u32 = VM_MAX_USER_ADDRESS >>> 22;

export class Pmap {
  pdPa: u32 = 0;
  pd: Ptr<u32> = changetype<Ptr<u32>>(0);
  /** User pages mapped. */
  resident: u32 = 0;
  tables!: FixedArray<u32, 24>;
  /** The id of its VM space, where machine/pmap.ts needs one, and what else that wants to know of it. */
  space: usize = 0;
  running: u32 = 0;
  onItsWay: usize = 0;
}

// What the operation in progress has changed, for the announcement.
let changedFrom: usize = 0;
let changedTo: usize = 0;

// Changes of several ranges are gathered between pmapGather and pmapAnnounce. `quiet`: nobody needs to hear of them at all.
let gathering: bool = false;
let quiet: bool = false;
let gathered: u32 = 0;
let ranges!: FixedArray<u32, 32>;      // start and length of each

/** What is changed in `pm` from here to pmapAnnounce is announced there, all at once. Nothing in between may sleep. */
export function pmapGather(): void {
  gathering = batchOn;
  gathered = 0;
}

/** The end of pmapGather. */
export function pmapAnnounce(pm: Pmap): void {
  gathering = false;
  if (gathered != 0) pmapInvalidateRanges(pm, addressof(ranges), gathered);
  gathered = 0;
}

function announce(pm: Pmap, start: usize, end: usize, removed: bool): void {
  if (quiet) return;
  if (!gathering) {
    pmapInvalidate(pm, start, end);
    return;
  }
  if (gathered == INVALV_MOST) {
    pmapInvalidateRanges(pm, addressof(ranges), gathered);
    gathered = 0;
  }
  ranges[gathered * 2] = removed ? start : start | INVALV_READ;
  ranges[gathered * 2 + 1] = end - start;
  gathered++;
}

/** Unmap everything of a page table that nobody will use again: pmapDestroy follows, before anyone could run on it. */
export function pmapRemoveAll(pm: Pmap): void {
  quiet = teardownOn;
  pmapRemove(pm, 0, VM_MAX_USER_ADDRESS);
  quiet = false;
}

/** A page table with an empty user half; null if there can't be one. */
export function pmapCreate(): Pmap | null {
  const page = vmPageAlloc(null, 0, true);
  if (page == null) return null;
  const pm = new Pmap();
  pm.pdPa = page.pa;
  pm.pd = changetype<Ptr<u32>>(ptov(pm.pdPa));
  if (!pmapAttach(pm)) {
    vmPageFree(page);
    free(pm);
    return null;
  }
  tablePages++;
  return pm;
}

/** Free a page table whose mappings are all removed. */
export function pmapDestroy(pm: Pmap): void {
  if (pm.resident != 0) panic("pmapDestroy");
  pmapDetach(pm);
  for (let slot = usedTable(pm, 0); slot < USER_TABLES; slot = usedTable(pm, slot + 1)) {
    vmPageFree(paToPage(pm.pd[slot] & VPTE_FRAME));
    tablePages--;
  }
  vmPageFree(paToPage(pm.pdPa));
  tablePages--;
  free(pm);
}

/** First directory slot at or after `slot` that has a table; USER_TABLES or more if there is none. */
function usedTable(pm: Pmap, slot: u32): u32 {
  let at = slot;
  while (at < USER_TABLES) {
    const bits = pm.tables[at >>> 5] >>> (at & 31);
    if (bits == 0) at = (at | 31) + 1;
    else if ((bits & 1) == 0) at++;
    else return at;
  }
  return at;
}

/** The table of `va`, or null. */
function tableOf(pm: Pmap, va: usize): Ptr<u32> | null {
  const pde = pm.pd[va >>> 22];
  return pde != 0 ? changetype<Ptr<u32>>(ptov(pde & VPTE_FRAME)) : null;
}

/** The page that a table is. */
function pageOf(table: Ptr<u32>): VmPage {
  return paToPage(vtop(changetype<usize>(table)));
}

/** Pages that are page tables or directories, for vm.stats. */
export let tablePages: u32 = 0;

function makeTable(pm: Pmap, va: usize): Ptr<u32> | null {
  const page = vmPageAlloc(null, 0, true);
  if (page == null) return null;
  const slot = va >>> 22;
  tablePages++;
  page.aux = 0;
  pm.pd[slot] = page.pa | VPTE_U | VPTE_A | VPTE_M | VPTE_RW | VPTE_V;
  pm.tables[slot >>> 5] |= (1 as u32) << (slot & 31);
  return changetype<Ptr<u32>>(ptov(page.pa));
}

/** Map `page` at the page-aligned user address `va`. Returns 0 or ENOMEM. */
export function pmapEnter(pm: Pmap, va: usize, page: VmPage, write: bool): i32 {
  if (memoryExhausted()) return ENOMEM;
  let table = tableOf(pm, va);
  if (table == null && !memoryTight()) table = makeTable(pm, va);
  if (table == null) return ENOMEM;
  const slot = (va >>> 12) & 1023;
  const old = table[slot];
  const wanted = page.pa | VPTE_U | VPTE_A | VPTE_V | (write ? VPTE_RW | VPTE_M : 0);
  if (old != 0 && (old & VPTE_FRAME) == page.pa) {
    table[slot] = old | wanted;
    return 0;
  }
  if (old != 0) {
    table[slot] = 0;
    pm.resident--;
    pageOf(table).aux--;
    forget(pm, old, va);
    pmapInvalidate(pm, va, va + PAGE);
  }
  pmapFill(pm, table, va, page, write);
  return 0;
}

/** The table that maps `va`, for pmapFill; null if there is none. It stays until pmapDestroy. */
export function pmapTable(pm: Pmap, va: usize): Ptr<u32> | null {
  return tableOf(pm, va);
}

/** Map `page` at `va`, where nothing is mapped, in `table`, which is the one for it. For few pages at a time, unless memory is scarce. */
export function pmapFill(pm: Pmap, table: Ptr<u32>, va: usize, page: VmPage, write: bool): void {
  const slot = (va >>> 12) & 1023;
  const record = pageOf(table);
  table[slot] = page.pa | VPTE_U | VPTE_A | VPTE_V | (write ? VPTE_RW | VPTE_M : 0);
  pm.resident++;
  record.aux++;
  record.pindex |= (1 as u32) << (slot >>> 5);
  if ((page.flags & PG_MANAGED) != 0) pvInsert(page, pm, va);
}

/** The entry `old` for `va` is no more. */
function forget(pm: Pmap, old: u32, va: usize): void {
  const page = paToPage(old & VPTE_FRAME);
  if ((page.flags & PG_MANAGED) != 0) pvRemove(page, pm, va);
}

/** Unmap [start, end). */
export function pmapRemove(pm: Pmap, start: usize, end: usize): void {
  if (pm.resident != 0) changeRange(pm, start, end, true);
}

/** Take write permission from [start, end). */
export function pmapProtect(pm: Pmap, start: usize, end: usize): void {
  changeRange(pm, start, end, false);
}

/** Unmap or write-protect what is mapped in [start, end), and announce it. */
function changeRange(pm: Pmap, start: usize, end: usize, remove: bool): void {
  changedFrom = 0;
  changedTo = 0;
  let va = start;
  while (va < end) {
    const slot = usedTable(pm, va >>> 22);
    if (slot >= USER_TABLES) break;
    if (slot != va >>> 22) va = slot << 22;
    const next = (slot << 22) + TABLE_BYTES;
    if (va < end) changeTable(pm, tableOf(pm, va)!, va, end < next ? end : next, remove);
    va = next;
  }
  if (changedTo != 0) announce(pm, changedFrom, changedTo, remove);
}

/** The part of changeRange that lies in one table, group by group. */
function changeTable(pm: Pmap, table: Ptr<u32>, start: usize, end: usize, remove: bool): void {
  const record = pageOf(table);
  let va = start;
  while (va < end && record.aux != 0) {
    const next = (va & ~(GROUP_BYTES - 1)) + GROUP_BYTES;
    if (((record.pindex >>> ((va >>> 17) & 31)) & 1) != 0) {
      if (remove) clearGroup(pm, table, va, end < next ? end : next);
      else protectGroup(table, va, end < next ? end : next);
    }
    va = next;
  }
  if (record.aux == 0) record.pindex = 0;
}

function clearGroup(pm: Pmap, table: Ptr<u32>, start: usize, end: usize): void {
  let slot = (start >>> 12) & 1023;
  let cleared: u32 = 0;
  for (let va = start; va < end; va += PAGE) {
    const old = table[slot]!;
    if (old != 0) {
      table[slot] = 0;
      cleared++;
      forget(pm, old, va);
      if (changedTo == 0) changedFrom = va;
      changedTo = va + PAGE;
    }
    slot++;
  }
  pm.resident -= cleared;
  pageOf(table).aux -= cleared;
}

function protectGroup(table: Ptr<u32>, start: usize, end: usize): void {
  let slot = (start >>> 12) & 1023;
  for (let va = start; va < end; va += PAGE) {
    const old = table[slot]!;
    if ((old & VPTE_RW) != 0) {
      table[slot] = old & ~VPTE_RW;
      if (changedTo == 0) changedFrom = va;
      changedTo = va + PAGE;
    }
    slot++;
  }
}

/** Unmap the one page at `va`. */
export function pmapRemovePage(pm: Pmap, va: usize): void {
  changeRange(pm, va, va + PAGE, true);
}

/** Take write permission from the one page at `va`. */
export function pmapProtectPage(pm: Pmap, va: usize): void {
  changeRange(pm, va, va + PAGE, false);
}

/** What is mapped at `va`: the physical page | VPTE_V, | VPTE_RW if writable; 0 if nothing is. */
export function pmapExtract(pm: Pmap, va: usize): u32 {
  const table = tableOf(pm, va);
  return table != null ? table[(va >>> 12) & 1023] & (VPTE_FRAME | VPTE_RW | VPTE_V) : 0;
}
