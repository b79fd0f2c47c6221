// Reverse mappings: for each page of a file, the places where page tables map it, so that the page can be taken away
// or write-protected everywhere. Anonymous pages have none: they are freed only after every range that shows them is gone.
//
// Rules: only ptable.ts calls pvInsert and pvRemove, once per page table entry that it makes or clears.

import { VmPage } from './vm_page.ts';
import { Pmap, pmapRemovePage, pmapProtectPage } from './ptable.ts';
import { panic } from './panic.ts';

export class PvEntry {
  pmap: Pmap;
  va: usize;
  next: PvEntry | null;
  constructor(pmap: Pmap, va: usize, next: PvEntry | null) {
    this.pmap = pmap;
    this.va = va;
    this.next = next;
  }
}

/** Reverse mappings that exist, for vm.stats. */
export let pvCount: u32 = 0;

// Records that are not in use: a page table that goes away leaves as many as the next one soon takes.
const SPARES: u32 = 2048;
let spare: PvEntry | null = null;
/** Those, for vm.stats. */
export let spares: u32 = 0;

/** Note that `pmap` maps `page` at `va`. */
export function pvInsert(page: VmPage, pmap: Pmap, va: usize): void {
  pvCount++;
  const e = spare;
  if (e == null) {
    page.pv = new PvEntry(pmap, va, page.pv);
    return;
  }
  spare = e.next;
  spares--;
  e.pmap = pmap;
  e.va = va;
  e.next = page.pv;
  page.pv = e;
}

function drop(e: PvEntry): void {
  if (spares == SPARES) {
    free(e);
    return;
  }
  e.next = spare;
  spare = e;
  spares++;
}

/** Forget that `pmap` maps `page` at `va`. */
export function pvRemove(page: VmPage, pmap: Pmap, va: usize): void {
  let previous: PvEntry | null = null;
  let e = page.pv;
  while (e != null && (e.pmap != pmap || e.va != va)) {
    previous = e;
    e = e.next;
  }
  if (e == null) panic("pvRemove");
  if (previous == null) page.pv = e!.next;
  else previous.next = e!.next;
  pvCount--;
  drop(e!);
}

/** Remove `page` from every page table. */
export function pvUnmapAll(page: VmPage): void {
  while (page.pv != null) pmapRemovePage(page.pv.pmap, page.pv.va);
}

/** Make every mapping of `page` read-only, so that the next write faults. */
export function pvProtectAll(page: VmPage): void {
  for (let e = page.pv; e != null; e = e.next) pmapProtectPage(e.pmap, e.va);
}
