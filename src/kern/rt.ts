// Kernel memory for `new`, arrays and strings. Small blocks come from pages cut into blocks of one size class; larger ones
// are runs of whole pages. Blocks are 16-byte aligned up to 1 KiB classes' natural cut, page-aligned above 2 KiB, and
// never move. What __init() allocates before the page allocator exists comes from a fixed area and is never returned.
//
// Rules: never call from an interrupt handler. malloc never sleeps; it panics when the last reserve is gone.

import { VmPage, vmPageAllocRun, vmPageFreeRun, vmPagesReady, paToPage, PG_SLAB } from './vm_page.ts';
import { ptov, vtop } from 'machine/pmap.ts';
import { panic } from './panic.ts';

const PAGE: u32 = 4096;
const CLASSES: i32 = 13;
const LARGEST: u32 = 2032;
const EARLY_BYTES: u32 = 32768;

let classSize!: FixedArray<u32, 13>;
/** Pages of a class that have at least one free block. */
let partial!: FixedArray<VmPage | null, 13>;
/** Size class of (bytes + 15) >> 4. */
let classOf!: FixedArray<u8, 128>;
let classesReady: bool = false;

let early!: FixedArray<u32, 8192>;
let earlyUsed: u32 = 0;
let bytesInUse: u32 = 0;

/** Allocate `size` bytes, contents undefined. Never returns 0. */
export function malloc(size: usize): usize {
  if (!vmPagesReady) return earlyAlloc(size);
  if (!classesReady) fillClasses();
  if (size > LARGEST) return bigAlloc(size);
  const c = classOf[(size + 15) >> 4] as i32;
  let page = partial[c];
  if (page == null) page = newSlab(c);
  return takeBlock(page!, c);
}

/** The same, full of zeros. */
export function mallocZeroed(size: usize): usize {
  const block = malloc(size);
  memory.fill(block, 0, size);
  return block;
}

/** Return a block of malloc. 0 is ignored. */
export function mfree(address: usize): void {
  if (address == 0) return;
  const start = addressof(early);
  if (address >= start && address < start + EARLY_BYTES) return;
  const page = paToPage(vtop(address));
  if ((page.flags & PG_SLAB) == 0) {
    bytesInUse -= page.pindex * PAGE;
    vmPageFreeRun(page, page.pindex);
  } else {
    giveBlock(page, address);
  }
}

/** The compiler's run-time checks end here. */
export function rtPanic(message: string): void {
  panic(message);
}

/** Bytes of kernel memory handed out. */
export function mallocInUse(): u32 {
  return bytesInUse;
}

/** What a block of `size` bytes counts for in mallocInUse. */
export function mallocSize(size: usize): u32 {
  return size > LARGEST ? (size + PAGE - 1) & ~(PAGE - 1) : classSize[classOf[(size + 15) >> 4] as i32]!;
}

function earlyAlloc(size: usize): usize {
  const at = earlyUsed;
  earlyUsed += (size + 15) & 0xfffffff0;
  if (earlyUsed > EARLY_BYTES) panic("malloc: early memory is used up");
  return addressof(early) + at;
}

function fillClasses(): void {
  // 16 32 48 64 96 128 192 256 384 512 672 1008 2032: each cuts a page with little waste.
  classSize[0] = 16; classSize[1] = 32; classSize[2] = 48; classSize[3] = 64; classSize[4] = 96;
  classSize[5] = 128; classSize[6] = 192; classSize[7] = 256; classSize[8] = 384; classSize[9] = 512;
  classSize[10] = 672; classSize[11] = 1008; classSize[12] = LARGEST;
  let c: i32 = 0;
  for (let units: u32 = 0; units <= LARGEST >> 4; units++) {
    if (units << 4 > classSize[c]!) c++;
    classOf[units] = c as u8;
  }
  classesReady = c == CLASSES - 1;
}

function bigAlloc(size: usize): usize {
  const pages = (size + PAGE - 1) >> 12;
  const first = vmPageAllocRun(pages);
  if (first == null) panic("malloc: out of memory");
  first!.pindex = pages;
  bytesInUse += pages * PAGE;
  return ptov(first!.pa);
}

/** A slab page keeps its class in `pindex`, blocks in use in `wire`, its first free block in `aux`. */
function newSlab(c: i32): VmPage {
  const page = vmPageAllocRun(1);
  if (page == null) panic("malloc: out of memory");
  const p = page!;
  const size = classSize[c]!;
  const base = ptov(p.pa);
  p.flags = PG_SLAB;
  p.pindex = c as u32;
  p.wire = 0;
  let next: usize = 0;
  for (let at = PAGE / size * size; at != 0; at -= size) {
    store<usize>(base + at - size, next);
    next = base + at - size;
  }
  p.aux = next;
  p.qPrev = null;
  p.qNext = null;
  partial[c] = p;
  return p;
}

function takeBlock(page: VmPage, c: i32): usize {
  const block = page.aux;
  page.aux = load<usize>(block);
  page.wire = (page.wire + 1) as u16;
  if (page.aux == 0) unlinkPartial(page, c);
  bytesInUse += classSize[c]!;
  return block;
}

function giveBlock(page: VmPage, address: usize): void {
  const c = page.pindex as i32;
  if (page.aux == 0) linkPartial(page, c);
  store<usize>(address, page.aux);
  page.aux = address;
  page.wire = (page.wire - 1) as u16;
  bytesInUse -= classSize[c]!;
  if (page.wire == 0 && (page.qNext != null || page.qPrev != null)) {  // keep the last partial page of a class
    unlinkPartial(page, c);
    page.flags = 0;
    page.aux = 0;
    vmPageFreeRun(page, 1);
  }
}

function linkPartial(page: VmPage, c: i32): void {
  const head = partial[c];
  page.qPrev = null;
  page.qNext = head;
  if (head != null) head.qPrev = page;
  partial[c] = page;
}

function unlinkPartial(page: VmPage, c: i32): void {
  if (page.qNext != null) page.qNext.qPrev = page.qPrev;
  if (page.qPrev != null) page.qPrev.qNext = page.qNext;
  else partial[c] = page.qNext;
  page.qNext = null;
  page.qPrev = null;
}
