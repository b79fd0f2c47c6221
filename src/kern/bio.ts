// The buffer cache: blocks of metadata (bitmaps, inodes, directories, indirect blocks), 4 KiB each. Nothing is written before bflush, and
// then in this order, each kind when the one before is on the disk: fresh blocks of names or pointers, so that nothing ever
// leads to what an earlier owner left in them; then inodes, pointers and counts; then names, so that a name never comes before what it
// names.
//
// Rules: bread and bzero return a held buffer, to be given back with brelse; change it only while it is held, and say so
// with bdirty or, in a directory, with bdirtyNames. A block that is freed is forgotten with bforget, so that it is never written over its next
// owner. A buffer that is unused for longest makes room for another block; when all have changes, they are written first.

import { blockForget, blockRead } from './blockcache.ts';
import { ext2Commit } from './ext2_fs.ts';
import { BLOCK_SIZE, DiskBatch, diskGive, diskQueue, diskTake, diskWait } from './diskqueue.ts';
import { memoryTight } from './vm_page.ts';
import { splhigh, splx } from 'machine/intr.ts';
import { malloc } from 'rt/rt.ts';

const BUCKETS: u32 = 128;
const MAX_BUFFERS: i32 = 384;
const NO_BLOCK: u32 = 0xffffffff;
const FRESH: u8 = 0;
const OTHER: u8 = 1;
const NAMES: u8 = 2;

export class Buf {
  block: u32 = NO_BLOCK;
  data: usize = 0;
  refs: i32 = 0;
  dirty: bool = false;
  /** When dirty: one of the kinds below. */
  kind: u8 = 0;
  hashNext: Buf | null = null;
  newer: Buf | null = null;   // all buffers, by last use
  older: Buf | null = null;
}

let buckets!: FixedArray<Buf | null, 128>;
let oldest: Buf | null = null;
let newest: Buf | null = null;
/** Buffers that exist, for vm.stats. */
export let bufferCount: i32 = 0;

/** The buffer with the contents of a block, held; null when the disk fails. */
export function bread(block: u32): Buf | null {
  const found = lookup(block);
  if (found != null) return hold(found);
  const b = take(block);
  if (blockRead(block, b.data) == 0) return hold(b);
  bforget(block);
  return null;
}

/** A buffer of zeros for a new block of names or pointers, held and dirty. */
export function bzero(block: u32): Buf {
  let b = lookup(block);
  if (b == null) b = take(block);
  memory.fill(b.data, 0, BLOCK_SIZE);
  b.dirty = true;
  b.kind = FRESH;
  return hold(b);
}

export function bdirty(b: Buf): void {
  if (!b.dirty) b.kind = OTHER;
  b.dirty = true;
}

export function bdirtyNames(b: Buf): void {
  if (!b.dirty) b.kind = NAMES;
  b.dirty = true;
}

export function brelse(b: Buf): void {
  b.refs--;
}

/** The block is free now: drop what the cache has of it. */
export function bforget(block: u32): void {
  const b = lookup(block);
  if (b == null) return;
  unhash(b);
  b.block = NO_BLOCK;
  b.dirty = false;
  toOldest(b);
}

/** Write every changed buffer: 0 or the first error, after which the following kinds are not written. */
export function bflush(): i32 {
  let error: i32 = 0;
  for (let kind: u8 = FRESH; kind <= NAMES && error == 0; kind++) error = bflushEnd(queueKind(kind));
  return error;
}

/** Queue the fresh blocks, to be written together with data: between them they lie on the disk, and nothing leads to either yet. */
export function bflushFresh(): DiskBatch {
  return queueKind(FRESH);
}

function queueKind(kind: u8): DiskBatch {
  const batch = new DiskBatch();
  const s = splhigh();
  for (let b = oldest; b != null; b = b.newer) {
    if (!b.dirty || b.kind != kind) continue;
    diskQueue(b.block, b.data, true, null, batch);
    b.dirty = false;
  }
  splx(s);
  return batch;
}

/** Have the buffers of the batch written: 0 or the first error; those that could not be written are changed still. */
export function bflushEnd(batch: DiskBatch): i32 {
  let error: i32 = 0;
  diskWait(batch);
  for (let r = diskTake(batch); r != null; r = diskTake(batch)) {
    blockForget(r.block);
    if (r.error != 0) {
      error = r.error;
      lookup(r.block)!.dirty = true;
    }
    diskGive(r);
  }
  free(batch);
  return error;
}

function lookup(block: u32): Buf | null {
  let b = buckets[block & (BUCKETS - 1)];
  while (b != null && b.block != block) b = b.hashNext;
  return b;
}

function hold(b: Buf): Buf {
  b.refs++;
  if (b != newest) {
    unlink(b);
    toNewest(b);
  }
  return b;
}

/** A buffer for a block that has none: a new one, or, when there are enough or memory is short, the clean one unused for longest. */
function take(block: u32): Buf {
  let b = bufferCount < MAX_BUFFERS && !memoryTight() ? null : unusedBuffer();
  if (b == null && bufferCount < MAX_BUFFERS) return enter(newBuffer(), block);
  if (b == null) {
    ext2Commit();
    b = unusedBuffer();
  }
  if (b == null) return enter(newBuffer(), block);
  if (b.block != NO_BLOCK) unhash(b);
  return enter(b, block);
}

function unusedBuffer(): Buf | null {
  let b = oldest;
  while (b != null && (b.refs != 0 || b.dirty)) b = b.newer;
  return b;
}

function newBuffer(): Buf {
  const b = new Buf();
  b.data = malloc(BLOCK_SIZE);
  bufferCount++;
  toNewest(b);
  return b;
}

function enter(b: Buf, block: u32): Buf {
  b.block = block;
  b.dirty = false;
  const at = block & (BUCKETS - 1);
  b.hashNext = buckets[at];
  buckets[at] = b;
  return b;
}

function unhash(b: Buf): void {
  const at = b.block & (BUCKETS - 1);
  const head = buckets[at];
  if (head == b) {
    buckets[at] = b.hashNext;
    return;
  }
  let q = head!;
  while (q.hashNext != b) q = q.hashNext!;
  q.hashNext = b.hashNext;
}

function unlink(b: Buf): void {
  if (b.newer != null) b.newer.older = b.older;
  else newest = b.older;
  if (b.older != null) b.older.newer = b.newer;
  else oldest = b.newer;
}

function toNewest(b: Buf): void {
  b.newer = null;
  b.older = newest;
  if (newest != null) newest.newer = b;
  else oldest = b;
  newest = b;
}

function toOldest(b: Buf): void {
  unlink(b);
  b.older = null;
  b.newer = oldest;
  if (oldest != null) oldest.older = b;
  else newest = b;
  oldest = b;
}
