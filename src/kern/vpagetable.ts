// MAP_VPAGETABLE: a mapping that is not linear. Its pages are chosen by a two-level tree of 32-bit entries (VPTEs, the bits
// of abi/mman.ts) that lives in the mapped object itself, below a root entry that MADV_SETMAP stored.
//
// The walk starts from the index of the address *in the object*, so one image shows the same at two addresses. It stops at
// an entry with PS or after two levels. Write permission is needed at every level. Each table word that the walk follows
// gets A, and M as well when the access is a write that the word allows; the page of that word becomes dirty. The result is
// entered in the page tables read-only unless the access is a write or M is set all the way, so that a write that has to set M
// is always seen here.

import { tablesOn } from './tuning.ts';
import { Vmspace, VmMapEntry, VME_NEEDS_COPY } from './vm_map.ts';
import { entryPage, foundPage } from './vm_fault.ts';
import { PG_DIRTY, VmPage } from './vm_page.ts';
import { ptov } from 'machine/pmap.ts';
import { PROT_READ, PROT_WRITE, VPTE_V, VPTE_RW, VPTE_A, VPTE_M, VPTE_PS } from '../abi/mman.ts';
import { SEGV_MAPERR } from '../abi/signal.ts';

const ALL_NOTED: u32 = VPTE_RW | VPTE_A | VPTE_M;

/** Page index in the object that the last successful vptWalk found. */
export let vptIndex: u32 = 0;
/** Every entry that it followed has M, so that a store would change none of them. */
export let vptModified: bool = false;
/** The same of all but the leaf entry. */
export let vptAboveModified: bool = false;
/** The page of the leaf entry that it followed; 0 when the walk ended above. */
export let vptTable: usize = 0;

/** Find the page of `va`, for `access` PROT_READ, PROT_WRITE or both. 0 and vptIndex, or a fault code. May sleep. */
export function vptWalk(vm: Vmspace, e: VmMapEntry, va: u32, access: i32): i32 {
  const index = (e.offset + (va - e.start)) >>> 12;
  let vpte = e.root;
  let remaining: u32 = 20;
  let modified: u32 = VPTE_RW | VPTE_M;
  vptTable = 0;
  for (;;) {
    if ((vpte & VPTE_V) == 0) return SEGV_MAPERR;
    if ((access & PROT_WRITE) != 0 && (vpte & VPTE_RW) == 0) return SEGV_MAPERR;
    if (remaining == 0 || (vpte & VPTE_PS) != 0) break;
    let page = remaining == 20 ? e.directory : e.table;
    if (page == null || !isTable(e, page, vpte >>> 12)) {
      const error = entryPage(vm, e, vpte >>> 12, true);
      if (error != 0) return error;
      page = foundPage!;
      if (remaining == 20) e.directory = page;
      else e.table = page;
    }
    remaining -= 10;
    const table = ptov(page.pa);
    vpte = readWord(table + ((index >>> remaining) & 1023) * 4, access);
    if (remaining == 0) {
      vptTable = table;
      vptAboveModified = modified == (VPTE_RW | VPTE_M) && (e.root & VPTE_RW) != 0;
    }
    modified &= vpte;
  }
  vptModified = modified == (VPTE_RW | VPTE_M) && (e.root & VPTE_RW) != 0;
  vptIndex = (vpte >>> 12) + (index & ((1 << remaining) - 1));
  return 0;
}

/**
 * `page` is what entryPage would find for a write at `pindex`, without a search: still that page of the entry's own object, and
 * dirty already. A page record outlives its page, so asking it is safe whatever has become of the page.
 */
function isTable(e: VmMapEntry, page: VmPage, pindex: u32): bool {
  return page.pindex == pindex && page.object == e.object && (page.flags & PG_DIRTY) != 0
    && (e.flags & VME_NEEDS_COPY) == 0 && tablesOn;
}

/** Read a word of a table and note the access in it. The table's page is dirty, because it was got for writing. */
function readWord(address: usize, access: i32): u32 {
  const vpte = load<u32>(address);
  if ((vpte & VPTE_V) == 0 || (vpte & ALL_NOTED) == ALL_NOTED) return vpte;
  let noted = vpte;
  if ((access & PROT_READ) != 0) noted |= VPTE_A;
  if ((access & PROT_WRITE) != 0 && (vpte & VPTE_RW) != 0) noted |= VPTE_A | VPTE_M;
  if (noted != vpte) store<u32>(address, noted);
  return vpte;
}
