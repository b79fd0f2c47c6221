// Physical pages: one 44-byte record each, a hash from (object, index) to page, and four states.
//
//   free      on freeQueue
//   clean     page of a file, same as on disk: on cleanQueue in order of last use, may be taken away at any time
//   dirty     page of a file that must be written first: on dirtyQueue, or on imageQueue when its object is OBJ_NOSYNC, which is
//             written only by fsync or when the other queues no longer yield memory (the image of a virtual kernel)
//   other     anonymous memory, page tables, kernel memory, and pages that are being written: on no queue
//
// Rules: never called from interrupt handlers. Allocation never sleeps: it takes clean pages away when free ones are
// scarce, and leaves a reserve to the kernel. Whoever keeps a page across something that may allocate or
// sleep holds it (vmPageHold). A page that is dirty is mapped writable only after a write fault marked it, and is
// write-protected everywhere before it is written back, so no dirty bit of the hardware is ever consulted.

import { VmObject, OBJ_VNODE, OBJ_NOSYNC } from './vm_object.ts';
import { PvEntry, pvUnmapAll, pvProtectAll } from './pv.ts';
import { FRESH_IS_ZERO, ptov } from 'machine/pmap.ts';
import { blockForget } from './blockcache.ts';
import { DiskBatch, diskGive, diskQueue, diskTake, diskWait } from './diskqueue.ts';
import { fsLock, fsUnlock } from './lock.ts';
import { panic } from './panic.ts';
import { curLwp } from './proc.ts';
import { NO_BLOCK } from './vnode.ts';
import { splhigh, splx } from 'machine/intr.ts';

export const PG_DIRTY: u8 = 1;
export const PG_BUSY: u8 = 2;      // being read from disk (blockcache.ts)
export const PG_BAD: u8 = 4;       // it could not be read
export const PG_SLAB: u8 = 8;      // cut into small blocks by malloc
export const PG_MANAGED: u8 = 16;  // keeps reverse mappings
export const PG_ZERO: u8 = 32;     // never used: zeros

const Q_NONE: u8 = 0;
const Q_FREE: u8 = 1;
const Q_CLEAN: u8 = 2;
const Q_DIRTY: u8 = 3;
const Q_IMAGE: u8 = 4;

const PAGE: u32 = 4096;
const BATCH: u32 = 64;
const RUN_TRIES: i32 = 4;
export const MOST_BATCH: u32 = 512; // pages that are written together
// What must stay free, each level above the one before, so that who stops at one leaves those below to others:
let reserve: u32 = 0;              // of free pages, for the kernel alone: a 32nd of memory
let low: u32 = 0;                  // fewer free pages than this: clean ones are taken away
let floor: u32 = 0;                // of free and clean pages, against anonymous memory: programs could not run without a page cache

export class VmPage {
  pa: u32 = 0;
  object: VmObject | null = null;
  pindex: u32 = 0;
  hashNext: VmPage | null = null;
  objNext: VmPage | null = null;
  objPrev: VmPage | null = null;
  qNext: VmPage | null = null;
  qPrev: VmPage | null = null;
  pv: PvEntry | null = null;
  /** Of kernel pages: malloc's first free block, or the entries in use of a page table. */
  aux: usize = 0;
  wire: u16 = 0;
  queue: u8 = 0;
  flags: u8 = 0;
}

/** A doubly linked list of pages through qNext and qPrev. */
class PageQueue {
  head: VmPage | null = null;
  tail: VmPage | null = null;
  count: u32 = 0;

  /** Put `p` first. */
  unshift(p: VmPage, name: u8): void {
    p.queue = name;
    p.qPrev = null;
    p.qNext = this.head;
    if (this.head == null) this.tail = p;
    else this.head.qPrev = p;
    this.head = p;
    this.count++;
  }

  /** Put `p` last. */
  push(p: VmPage, name: u8): void {
    p.queue = name;
    p.qNext = null;
    p.qPrev = this.tail;
    if (this.tail == null) this.head = p;
    else this.tail.qNext = p;
    this.tail = p;
    this.count++;
  }

  remove(p: VmPage): void {
    if (p.qPrev == null) this.head = p.qNext;
    else p.qPrev.qNext = p.qNext;
    if (p.qNext == null) this.tail = p.qPrev;
    else p.qNext.qPrev = p.qPrev;
    p.qNext = null;
    p.qPrev = null;
    p.queue = Q_NONE;
    this.count--;
  }
}

let freeQueue!: Embed<PageQueue>;
let cleanQueue!: Embed<PageQueue>;
let dirtyQueue!: Embed<PageQueue>;
let imageQueue!: Embed<PageQueue>;

/** Image pages that were written out for want of memory. */
export let pagedOut: u32 = 0;

let pagesWritten: u32 = 0;         // pages of files and images that went to the disk

/** False until vmPageStartup: malloc then uses its early area. */
export let vmPagesReady: bool = false;
let pageRecords: usize = 0;
let firstPa: u32 = 0;
let pageCount: u32 = 0;
let fresh: u32 = 0;                // pages from this one on were never used: free, without a record
let hashTable: Ptr<VmPage | null> = changetype<Ptr<VmPage | null>>(0);
let hashMask: u32 = 0;
let firstUsable: u32 = 0;          // pages below hold the hash and the records
let runHint: u32 = 0;

/** Take over the physical memory [first, end); both are page-aligned. Its beginning holds the hash and the page records. */
export function vmPageStartup(first: u32, end: u32): void {
  pageCount = (end - first) >> 12;
  firstPa = first;
  reserve = pageCount >> 5;
  low = reserve + BATCH * 2;
  floor = low + BATCH * 3;
  if (floor < reserve * 2) floor = reserve * 2;
  let buckets: u32 = 1024;
  while (buckets < pageCount >> 1) buckets <<= 1;
  hashMask = buckets - 1;
  hashTable = changetype<Ptr<VmPage | null>>(ptov(first));
  for (let at: u32 = 0; at < buckets * 4; at += 4096) zeroPage(first + at);
  pageRecords = ptov(first) + buckets * 4;
  fresh = (buckets * 4 + pageCount * sizeof<VmPage>() + 4095) >> 12;
  firstUsable = fresh;
  runHint = fresh;
  vmPagesReady = true;
}

/** The next page that was never used, or null; its record begins to count now. */
function freshPage(): VmPage | null {
  if (fresh == pageCount) return null;
  const p = pageAt(fresh);
  memory.fill(changetype<usize>(p), 0, sizeof<VmPage>());
  p.pa = firstPa + (fresh << 12);
  p.flags = FRESH_IS_ZERO ? PG_ZERO : 0;
  fresh++;
  return p;
}

/** Free pages. */
function freeCount(): u32 {
  return freeQueue.count + (pageCount - fresh);
}

/** The record of the page at physical address `pa` (any byte of it). */
export function paToPage(pa: u32): VmPage {
  return pageAt((pa - firstPa) >> 12);
}

function pageAt(index: u32): VmPage {
  return changetype<VmPage>(pageRecords + index * sizeof<VmPage>());
}

/** Pages that an allocation could get: free ones and clean pages of files. */
export function freePageCount(): u32 {
  return freeCount() + cleanQueue.count;
}

/** Memory is so short that nothing big, like a process, should be started. */
export function memoryScarce(): bool {
  return freePageCount() < reserve;
}

/** There is so much that pages may be given before anybody asks for them. */
export function memoryPlenty(): bool {
  return freePageCount() > floor + (pageCount >>> 4);
}

/** Enough that reading more than was asked for takes nothing away that is needed. */
export function manyPagesFree(): bool {
  return freePageCount() > floor + BATCH * 3;
}

/** So short that reverse mappings may not grow: what is left is for malloc, which cannot fail. */
export function memoryExhausted(): bool {
  return freePageCount() < reserve >>> 1;
}

/** So short that what the kernel keeps for users must not grow: what is left is little more than paging needs to go on. */
export function memoryTight(): bool {
  return freePageCount() < low + BATCH * 2;
}

/** Pages of images that memory alone has. */
export function imagePageCount(): u32 {
  return imageQueue.count;
}

/** The first physical address behind memory. */
export function memoryEnd(): u32 {
  return firstPa + (pageCount << 12);
}

/** All pages, for HW_PHYSMEM. */
export function totalPageCount(): u32 {
  return pageCount;
}

function bucketOf(object: VmObject, pindex: u32): u32 {
  return (pindex + (changetype<u32>(object) >>> 4) * 61) & hashMask;
}

/** The resident page `pindex` of `object`, or null. */
export function vmPageLookup(object: VmObject, pindex: u32): VmPage | null {
  let p = hashTable[bucketOf(object, pindex)];
  while (p != null && (p.pindex != pindex || p.object != object)) p = p.hashNext;
  return p;
}

/**
 * Allocate a page as `pindex` of `object`, or for the kernel when object is null; zero-filled on request. Null when
 * memory is out (kernel allocations may go into the reserve).
 */
export function vmPageAlloc(object: VmObject | null, pindex: u32, zero: bool): VmPage | null {
  if (freeCount() < low) reclaimClean();
  if (object != null && !mayTake(object)) return null;
  const p = takeFree();
  if (p == null) return null;
  const clear = (p.flags & PG_ZERO) == 0;
  p.pindex = pindex;
  p.wire = 0;
  p.flags = 0;
  if (object != null) enterObject(p, object);
  if (zero && clear) zeroPage(p.pa);
  return p;
}

/** Users may not take the reserve, nor with anonymous memory what is below the floor; process 1, whose end would be everyone's, may. */
function mayTake(object: VmObject): bool {
  return freeCount() > reserve && (object.kind == OBJ_VNODE || freePageCount() > floor || curLwp.proc.pid == 1);
}

/** A page that was freed last, or else a fresh one: memory that was never needed stays untouched. */
function takeFree(): VmPage | null {
  const p = freeQueue.head;
  if (p == null) return freshPage();
  freeQueue.remove(p);
  return p;
}

/** Clear a physical page. */
export function zeroPage(pa: u32): void {
  const at = ptov(pa);
  asm`push edi
      mov edi, ${at}
      mov ecx, 1024
      xor eax, eax
      rep stosd
      pop edi`;
}

/** Copy a physical page. */
export function copyPage(from: u32, to: u32): void {
  const source = ptov(from);
  const target = ptov(to);
  asm`push esi
      push edi
      mov esi, ${source}
      mov edi, ${target}
      mov ecx, 1024
      rep movsd
      pop edi
      pop esi`;
}

/** Free a page: it must be unmapped and unheld. */
export function vmPageFree(p: VmPage): void {
  if (p.wire != 0 || p.pv != null || p.queue == Q_FREE) panic("vmPageFree");
  vmPageDequeue(p);
  if (p.object != null) leaveObject(p);
  p.flags = 0;
  freeQueue.unshift(p, Q_FREE);
}

/** Move a page of an anonymous object to the same index of another, where that index must be empty. */
export function vmPageRename(p: VmPage, to: VmObject): void {
  leaveObject(p);
  enterObject(p, to);
}

/** Move a clean page of a vnode object to index `pindex` of another, where that index must be empty. */
export function vmPageMove(p: VmPage, to: VmObject, pindex: u32): void {
  cleanQueue.remove(p);
  leaveObject(p);
  p.pindex = pindex;
  enterObject(p, to);
}

function enterObject(p: VmPage, object: VmObject): void {
  p.object = object;
  const b = bucketOf(object, p.pindex);
  p.hashNext = hashTable[b]!;
  hashTable[b] = p;
  p.objPrev = null;
  p.objNext = object.pages;
  if (object.pages != null) object.pages.objPrev = p;
  object.pages = p;
  object.pageCount++;
  p.flags &= PG_BUSY;
  if (object.kind == OBJ_VNODE) {
    p.flags |= PG_MANAGED;
    cleanQueue.push(p, Q_CLEAN);
  }
}

function leaveObject(p: VmPage): void {
  const object = p.object!;
  const b = bucketOf(object, p.pindex);
  if (hashTable[b] == p) {
    hashTable[b] = p.hashNext;
  } else {
    let q = hashTable[b]!;
    while (q.hashNext != p) q = q.hashNext!;
    q.hashNext = p.hashNext;
  }
  if (p.objPrev == null) object.pages = p.objNext;
  else p.objPrev.objNext = p.objNext;
  if (p.objNext != null) p.objNext.objPrev = p.objPrev;
  p.objNext = null;
  p.objPrev = null;
  p.hashNext = null;
  p.object = null;
  object.pageCount--;
}

function vmPageDequeue(p: VmPage): void {
  if (p.queue == Q_CLEAN) cleanQueue.remove(p);
  else if (p.queue == Q_DIRTY) dirtyQueue.remove(p);
  else if (p.queue == Q_IMAGE) imageQueue.remove(p);
}

/** Keep `p` from being taken away until the matching vmPageRelease. */
export function vmPageHold(p: VmPage): void {
  p.wire = (p.wire + 1) as u16;
}

export function vmPageRelease(p: VmPage): void {
  if (p.wire == 0) panic("vmPageRelease");
  p.wire = (p.wire - 1) as u16;
}

/** Note a use of a file's page, so that others are taken away before it. */
export function vmPageTouch(p: VmPage): void {
  if (p.queue != Q_CLEAN || p == cleanQueue.tail) return;
  cleanQueue.remove(p);
  cleanQueue.push(p, Q_CLEAN);
}

/** The page of a file is about to be written in memory. Anonymous pages have no such state. */
export function vmPageSetDirty(p: VmPage): void {
  if ((p.flags & (PG_DIRTY | PG_MANAGED)) != PG_MANAGED) return;
  vmPageDequeue(p);
  p.flags |= PG_DIRTY;
  if ((p.object!.flags & OBJ_NOSYNC) == 0) dirtyQueue.push(p, Q_DIRTY);
  else imageQueue.push(p, Q_IMAGE);
}

/** Forget that `p` is dirty, without writing it. */
export function vmPageSetClean(p: VmPage): void {
  if ((p.flags & PG_DIRTY) == 0) return;
  vmPageDequeue(p);
  p.flags &= 0xff ^ PG_DIRTY;
  cleanQueue.push(p, Q_CLEAN);
}

/** Remove `p` from every page table. */
export function vmPageUnmap(p: VmPage): void {
  if (p.pv != null) pvUnmapAll(p);
}

/**
 * Begin to write a page to its file, if it is dirty, with the file system's lock and others of the batch. May sleep. Returns 0 or
 * errno. The page is held until vmPageWriteEnd.
 */
export function vmPageWriteBegin(p: VmPage, batch: DiskBatch): i32 {
  if ((p.flags & PG_DIRTY) == 0) return 0;
  if (p.pv != null) pvProtectAll(p);
  vmPageDequeue(p);
  p.flags &= 0xff ^ PG_DIRTY;
  vmPageHold(p);
  const vp = p.object!.vnode!;
  const block = vp.findBlock(p.pindex, true);
  if (block == NO_BLOCK) {
    vmPageRelease(p);
    vmPageSetDirty(p);
    return vp.blockError();
  }
  const s = splhigh();
  diskQueue(block, ptov(p.pa), true, p, batch);
  splx(s);
  return 0;
}

/** Have the pages of the batch written. Returns 0 or the first error; pages that could not be written are dirty again. */
export function vmPageWriteEnd(batch: DiskBatch): i32 {
  let error: i32 = 0;
  diskWait(batch);
  for (let r = diskTake(batch); r != null; r = diskTake(batch)) {
    const p = r.page!;
    blockForget(r.block);
    vmPageRelease(p);
    if (r.error != 0) {
      error = r.error;
      vmPageSetDirty(p);
    } else {
      pagesWritten++;
      if (p.queue == Q_NONE) cleanQueue.push(p, Q_CLEAN);   // else it was changed meanwhile
    }
    diskGive(r);
  }
  free(batch);
  return error;
}

/** Take clean pages away until low + BATCH are free or none is left: first unmapped ones, then any. */
function reclaimClean(): void {
  takeClean(false);
  if (freeCount() < low) takeClean(true);
}

function takeClean(mapped: bool): void {
  let steps = cleanQueue.count;
  while (steps != 0 && freeCount() < low + BATCH) {
    const p = cleanQueue.head!;
    if (p.wire != 0 || (p.flags & PG_BUSY) != 0 || (p.pv != null && !mapped)) {
      vmPageTouch(p);
    } else {
      vmPageUnmap(p);
      vmPageFree(p);
    }
    steps--;
  }
}

/**
 * Write dirty pages before memory is so short that an allocation fails. May sleep: called where nothing is locked, at the start of
 * faults and of writes to files.
 */
export function vmBalance(): void {
  if (freePageCount() >= floor + BATCH) return;
  fsLock();
  vmFlushDirty(BATCH * 2);
  if (freePageCount() < floor + BATCH) pageOutImages(BATCH);
  fsUnlock();
}

/**
 * An allocation has failed: write pages until there is enough for any user. False: nothing is left that could be written, memory
 * is out. May sleep.
 */
export function vmMakeRoom(): bool {
  let fruitless: u32 = 0;
  fsLock();                              // whoever writes pages now has it, and they will be free
  while (!isRoom() && fruitless <= imageQueue.count / BATCH) {
    const before = pagesWritten;
    vmFlushDirty(BATCH * 2);
    pageOutImages(BATCH);
    fruitless = pagesWritten != before ? 0 : fruitless + 1;
  }
  fsUnlock();
  return isRoom();
}

/**
 * The kernel may take `bytes` of its memory in one piece, at once, for what a user wants: changed pages are written until that is so.
 * False: memory is out, or lies in pieces. May sleep.
 */
export function vmKernelRoom(bytes: u32): bool {
  if (memoryTight() && !vmMakeRoom() && memoryTight()) return false;
  return bytes <= PAGE || makeRun((bytes + PAGE - 1) >>> 12);
}

/** Have `n` pages in a row that are free or can be taken, if need be by writing those that are changed. */
function makeRun(n: u32): bool {
  for (let tries: i32 = 0; tries < RUN_TRIES; tries++) {
    if (n <= pageCount - fresh || findRun(n, RUN_CLEAN) != null) return true;
    fsLock();
    const first = findRun(n, RUN_CHANGED);
    if (first != null) writeRun(first, n);
    fsUnlock();
    if (first == null) return false;
  }
  return findRun(n, RUN_CLEAN) != null;
}

function writeRun(first: VmPage, n: u32): void {
  const batch = new DiskBatch();
  const start = (first.pa - firstPa) >> 12;
  for (let i: u32 = 0; i < n; i++) {
    const p = pageAt(start + i);
    if ((p.flags & PG_DIRTY) == 0 || p.object == null) continue;       // it may have changed while others were begun
    vmPageUnmap(p);
    vmPageWriteBegin(p, batch);
  }
  vmPageWriteEnd(batch);
}

/** Any user may have pages. */
function isRoom(): bool {
  if (freeCount() < low) reclaimClean();
  return freeCount() > reserve && freePageCount() > floor;
}

/**
 * Write up to `limit` pages of images, those longest dirty first. Each is taken out of every page table by its reverse
 * mappings before, so that the pages still in use fault, and are then not the next to be taken away.
 */
function pageOutImages(limit: u32): void {
  const batch = new DiskBatch();
  let left = imageQueue.count < limit ? imageQueue.count : limit;
  while (left != 0 && imageQueue.head != null) {
    const p = imageQueue.head;
    left--;
    if (p.wire != 0) {
      imageQueue.remove(p);
      imageQueue.push(p, Q_IMAGE);
      continue;
    }
    vmPageUnmap(p);
    if (vmPageWriteBegin(p, batch) == 0) pagedOut++;
  }
  vmPageWriteEnd(batch);
}

/** Write up to `limit` dirty pages, oldest first, with the file system's lock. Returns the first error. */
export function vmFlushDirty(limit: u32): i32 {
  let error: i32 = 0;
  let left = dirtyQueue.count < limit ? dirtyQueue.count : limit;
  while (left != 0 && dirtyQueue.head != null) {
    const batch = new DiskBatch();
    for (let n: u32 = 0; n < MOST_BATCH && left != 0 && dirtyQueue.head != null; n++) {
      const e = vmPageWriteBegin(dirtyQueue.head, batch);
      if (e != 0 && error == 0) error = e;
      left--;
    }
    const e = vmPageWriteEnd(batch);
    if (e != 0 && error == 0) error = e;
  }
  return error;
}

/** Dirty pages waiting to be written. */
export function dirtyPageCount(): u32 {
  return dirtyQueue.count;
}

/** Allocate `n` physically consecutive pages for the kernel. Returns the first, or null. */
export function vmPageAllocRun(n: u32): VmPage | null {
  if (n == 1) return vmPageAlloc(null, 0, false);
  if (n <= pageCount - fresh) return freshRun(n);
  let first = findRun(n, RUN_FREE);
  if (first == null) first = findRun(n, RUN_CLEAN);
  if (first == null) return null;
  const start = (first.pa - firstPa) >> 12;
  for (let i: u32 = 0; i < n; i++) {
    const p = pageAt(start + i);
    if (p.queue == Q_CLEAN) {
      vmPageUnmap(p);
      vmPageFree(p);
    }
    freeQueue.remove(p);
    p.pindex = 0;
    p.wire = 0;
  }
  runHint = start + n;
  return first;
}

function freshRun(n: u32): VmPage {
  const first = freshPage()!;
  first.flags = 0;
  for (let i: u32 = 1; i < n; i++) freshPage()!.flags = 0;
  return first;
}

/** Free the pages of vmPageAllocRun. */
export function vmPageFreeRun(first: VmPage, n: u32): void {
  const start = (first.pa - firstPa) >> 12;
  for (let i: u32 = 0; i < n; i++) vmPageFree(pageAt(start + i));
}

// What findRun takes: each kind those before as well.
const RUN_FREE: i32 = 0;
const RUN_CLEAN: i32 = 1;
const RUN_CHANGED: i32 = 2;

function isUsable(p: VmPage, kind: i32): bool {
  if (p.queue == Q_FREE) return true;
  if (p.wire != 0 || (p.flags & PG_BUSY) != 0) return false;
  return (kind >= RUN_CLEAN && p.queue == Q_CLEAN) || (kind >= RUN_CHANGED && (p.queue == Q_DIRTY || p.queue == Q_IMAGE));
}

/** Search once around, from where the last search ended, for `n` pages in a row of a kind. */
function findRun(n: u32, kind: i32): VmPage | null {
  let length: u32 = 0;
  let at = runHint;
  for (let steps: u32 = 0; steps < fresh + n; steps++) {
    if (at >= fresh) {
      at = firstUsable;
      length = 0;
    }
    const p = pageAt(at);
    length = isUsable(p, kind) ? length + 1 : 0;
    if (length == n) return pageAt(at + 1 - n);
    at++;
  }
  return null;
}
