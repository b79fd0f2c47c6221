// VM objects: what a mapping shows. An anonymous object holds zero-filled memory, and may stand in front of another object
// (its shadow) whose pages show through until they are copied; a vnode object is the page cache of a file, shared by read,
// write and mmap.
//
// Page indices are the same along a shadow chain, so nothing is ever translated. refs counts map entries and the objects in
// front. A vnode object with refs > 0 holds one reference to its vnode; with refs == 0 it stays as a cache until the vnode
// goes. Invariant: an anonymous object has no page at or above `size`.

import { VmPage, PG_BAD, PG_BUSY, PG_DIRTY, vmPageLookup, vmPageAlloc, vmPageFree, vmPageTouch, vmPageUnmap, vmPageWriteBegin, vmPageWriteEnd,
  vmPageHold, vmPageRelease, manyPagesFree, MOST_BATCH, vmPageRename, vmPageSetClean, vmPageSetDirty } from './vm_page.ts';
import { blockAhead, blockForget, blockGive, blockPage, blockWait, GROUP } from './blockcache.ts';
import { DiskBatch } from './diskqueue.ts';
import { fsHeldOnce, fsIdle, fsLock, fsPause, fsResume, fsUnlock } from './lock.ts';
import { readAheadOn } from './tuning.ts';
import { NO_BLOCK, Vnode } from './vnode.ts';
import { ptov } from 'machine/pmap.ts';
import { EINVAL, EIO, ENOMEM } from '../abi/errno.ts';

export const OBJ_ANON: i32 = 0;
export const OBJ_VNODE: i32 = 1;

/** Object flag: dirty pages are written only by fsync, or when memory is short, never by sync. */
export const OBJ_NOSYNC: i32 = 1;

export const NO_LIMIT: u32 = 0xffffffff;

export class VmObject {
  kind: i32 = 0;
  flags: i32 = 0;
  refs: i32 = 0;
  /** Anonymous: end of the indices in use. */
  size: u32 = 0;
  vnode: Vnode | null = null;
  shadow: VmObject | null = null;
  /** Pages of the shadow show through below this index. */
  shadowLimit: u32 = 0;
  pages: VmPage | null = null;
  pageCount: u32 = 0;
}

/** Why the last vmObjectGetPage returned null: an errno. Read it before anything else runs. */
export let vmGetPageError: i32 = 0;

/** Objects that exist, for vm.stats. */
export let objectCount: u32 = 0;

/** A new anonymous object with one reference. */
export function vmObjectAnon(size: u32): VmObject {
  const object = new VmObject();
  objectCount++;
  object.kind = OBJ_ANON;
  object.refs = 1;
  object.size = size;
  return object;
}

/** The page cache of `vp`, made on first use. Takes no reference. */
export function vmObjectOf(vp: Vnode): VmObject {
  if (vp.object == null) {
    const object = new VmObject();
    objectCount++;
    object.kind = OBJ_VNODE;
    object.vnode = vp;
    vp.object = object;
  }
  return vp.object!;
}

/** Add a reference: a map entry or a front object. */
export function vmObjectRef(object: VmObject): void {
  if (object.refs == 0 && object.kind == OBJ_VNODE) object.vnode!.ref();
  object.refs++;
}

/** Drop a reference; the last one frees anonymous memory. May sleep (the vnode may go). */
export function vmObjectRelease(object: VmObject): void {
  let o: VmObject | null = object;
  while (o != null) {
    o.refs--;
    if (o.refs != 0) return;
    if (o.kind == OBJ_VNODE) {
      o.vnode!.unref();
      return;
    }
    const shadow: VmObject | null = o.shadow;
    while (o.pages != null) vmPageFree(o.pages);
    objectCount--;
    free(o);
    o = shadow;
  }
}

/** Pages that `bytes` bytes take. */
function pagesOf(bytes: u32): u32 {
  return (bytes >>> 12) + ((bytes & 4095) != 0 ? 1 : 0);
}

/**
 * Page `pindex` of `object` with its contents: resident, zero-filled (anonymous) or read from the file. Null with
 * vmGetPageError: EINVAL beyond the end of the file, ENOMEM, or what the file system said. May sleep for files. Hold the
 * page before anything else runs that may allocate.
 */
export function vmObjectGetPage(object: VmObject, pindex: u32): VmPage | null {
  const found = vmPageLookup(object, pindex);
  if (found != null) {
    vmPageTouch(found);
    return found;
  }
  const vp = object.vnode;
  if (vp == null) {
    const p = vmPageAlloc(object, pindex, true);
    return p != null ? p : noPage(ENOMEM);
  }
  fsLock();
  const page = filePage(object, pindex, vp);
  fsUnlock();
  return page;
}

/**
 * A page of a file, from the disk. Who took the file system's lock only for this gives it up while the disk works, and looks at
 * everything again after.
 */
function filePage(object: VmObject, pindex: u32, vp: Vnode): VmPage | null {
  let waited = false;
  for (;;) {
    const found = vmPageLookup(object, pindex);
    if (found != null) {
      vmPageTouch(found);
      return found;
    }
    if (pindex >= pagesOf(vp.size)) return noPage(EINVAL);
    const block = vp.findBlock(pindex, false);
    if (block == NO_BLOCK) return noPage(vp.blockError());
    const page = block != 0 ? blockPage(block) : vmPageAlloc(object, pindex, true);
    if (page == null) return noPage(ENOMEM);
    if (block == 0) return page;
    if ((page.flags & PG_BUSY) == 0) return arrived(page, block, object, pindex, waited);
    vmPageHold(page);
    if (readAheadOn && !waited) readAhead(object, pindex, block, vp);
    waited = true;
    const depth = fsHeldOnce() ? fsPause() : 0;
    blockWait(page);
    fsResume(depth);
    vmPageRelease(page);
  }
}

/** The block of page `pindex` is in memory, or can't be read. */
function arrived(page: VmPage, block: u32, object: VmObject, pindex: u32, waited: bool): VmPage | null {
  if ((page.flags & PG_BAD) != 0) {
    blockForget(block);
    return noPage(EIO);
  }
  blockGive(page, object, pindex);
  if (readAheadOn && !waited && block % GROUP == 0) {
    vmPageHold(page);
    readAhead(object, pindex, block, object.vnode!);
    vmPageRelease(page);
  }
  return page;
}

/** Who reads page `pindex` after those before it will soon want what lies in the next group. */
function readAhead(object: VmObject, pindex: u32, block: u32, vp: Vnode): void {
  if (pindex != 0 && vmPageLookup(object, pindex - 1) == null) return;
  const next = pindex + GROUP - block % GROUP;
  if (next >= pagesOf(vp.size) || vmPageLookup(object, next) != null || !manyPagesFree()) return;
  const follows = vp.findBlock(next, false);
  if (follows != 0 && follows != NO_BLOCK) blockAhead(follows);
}

/**
 * Page `pindex` of a vnode object for a caller that overwrites all of it or knows it is new, and holds the file system's lock: zero-filled
 * if not resident.
 */
export function vmObjectNewPage(object: VmObject, pindex: u32): VmPage | null {
  const found = vmPageLookup(object, pindex);
  if (found != null) return found;
  const p = vmPageAlloc(object, pindex, true);
  return p != null ? p : noPage(ENOMEM);
}

/**
 * A page of zeros for a hole in a file, which nothing has in memory yet, as a store there would find it: dirty. Null when it is not
 * certain to be a hole. Never sleeps.
 */
export function vmObjectHolePage(object: VmObject, pindex: u32): VmPage | null {
  const vp = object.vnode;
  if (vp == null || !fsIdle() || pindex >= pagesOf(vp.size) || !vp.isHole(pindex)) return null;
  const p = vmPageAlloc(object, pindex, true);
  if (p != null) vmPageSetDirty(p);
  return p;
}

function noPage(error: i32): VmPage | null {
  vmGetPageError = error;
  return null;
}

/** Some page must be written before the object can go. */
export function vmObjectIsDirty(object: VmObject): bool {
  let p = object.pages;
  while (p != null && (p.flags & PG_DIRTY) == 0) p = p.objNext;
  return p != null;
}

/**
 * Write every dirty page of a vnode object, for a caller that holds the file system's lock. May sleep. Returns 0 or the first
 * error.
 */
export function vmObjectFlush(object: VmObject): i32 {
  let batch = new DiskBatch();
  let error: i32 = 0;
  let p = object.pages;
  while (p != null && error == 0) {
    vmPageHold(p);                       // so that it still has its place on the list afterwards
    error = vmPageWriteBegin(p, batch);
    if (error == 0 && batch.pending == MOST_BATCH) {
      error = vmPageWriteEnd(batch);
      batch = new DiskBatch();
    }
    vmPageRelease(p);
    p = p.objNext;
  }
  const failed = vmPageWriteEnd(batch);
  return error != 0 ? error : failed;
}

/** The file now ends at `bytes`: drop the pages beyond, clear the rest of the last one. */
export function vmObjectTruncate(object: VmObject, bytes: u32): void {
  freePagesFrom(object, pagesOf(bytes));
  if ((bytes & 4095) == 0) return;
  const last = vmPageLookup(object, bytes >>> 12);
  if (last != null) {
    memory.fill(ptov(last.pa) + (bytes & 4095), 0, 4096 - (bytes & 4095));
    vmPageSetDirty(last);
  }
}

/** Drop every page, dirty or not, and the object itself: the vnode is going away. */
export function vmObjectDestroy(object: VmObject): void {
  freePagesFrom(object, 0);
  if (object.vnode != null) object.vnode.object = null;
  objectCount--;
  free(object);
}

function freePagesFrom(object: VmObject, start: u32): void {
  let p = object.pages;
  while (p != null) {
    const next = p.objNext;
    if (p.pindex >= start) dropPage(p);
    p = next;
  }
}

/** Free one page of a file wherever it is mapped. A page held by a transfer in progress keeps its place and is only cleaned. */
function dropPage(p: VmPage): void {
  vmPageUnmap(p);
  if (p.wire != 0) vmPageSetClean(p);
  else vmPageFree(p);
}

/** Free the pages [start, end) of an anonymous object; nothing may map them. */
export function vmObjectFreeRange(object: VmObject, start: u32, end: u32): void {
  if (end - start <= object.pageCount) {
    for (let i = start; i < end; i++) {
      const p = vmPageLookup(object, i);
      if (p != null) vmPageFree(p);
    }
    return;
  }
  let p = object.pages;
  while (p != null) {
    const next = p.objNext;
    if (p.pindex >= start && p.pindex < end) vmPageFree(p);
    p = next;
  }
}

/** An empty anonymous object in front of `back`, whose reference it takes over; back shows through below `limit`. */
export function vmObjectShadow(back: VmObject, limit: u32): VmObject {
  const front = vmObjectAnon(limit);
  front.shadow = back;
  front.shadowLimit = limit;
  return front;
}

/**
 * Shorten the chain below `top` and return its new head: an object with one reference and the anonymous one behind it, if
 * that has no other reference either, become one. Without this the memory of a process that forks again and again would
 * grow. The work is proportional to the pages copied since the forks, not to those of the object behind.
 */
export function vmObjectCollapse(top: VmObject): VmObject {
  let head = top;
  let before: VmObject | null = null;
  let object = top;
  for (;;) {
    const back = object.shadow;
    if (back == null || back.kind != OBJ_ANON) return head;
    if (object.refs == 1 && back.refs == 1) {
      object = mergeBehind(object, back);
      if (before == null) head = object;
      else before.shadow = object;
    } else {
      before = object;
      object = back;
    }
  }
}

function mergeBehind(front: VmObject, back: VmObject): VmObject {
  if (back.size > front.shadowLimit) vmObjectFreeRange(back, front.shadowLimit, back.size);
  while (front.pages != null) {
    const p = front.pages;
    const hidden = vmPageLookup(back, p.pindex);
    if (hidden != null) vmPageFree(hidden);
    vmPageRename(p, back);
  }
  back.size = front.size;
  if (back.shadowLimit > front.shadowLimit) back.shadowLimit = front.shadowLimit;
  objectCount--;
  free(front);
  return back;
}
