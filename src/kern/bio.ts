// The buffer cache: blocks of metadata (bitmaps, inodes, directories, indirect blocks), 4 KiB each. Writes are delayed until
// the buffer is needed for another block or bflush.
//
// A fresh block of names or pointers is written with bwrite before anything refers to it, so that after a power cut nothing
// leads to what an earlier owner left in it.
//
// Rules: bread and bzero return a held buffer, to be given back with brelse; change it only while it is held, and say so
// with bdirty. A block that is freed is forgotten with bforget, so that it is never written over its next owner.

import { blockForget, blockRead } from './blockcache.ts';
import { BLOCK_SIZE, DiskBatch, diskGive, diskMove, diskQueue, diskTake, diskWait } from './diskqueue.ts';
import { splhigh, splx } from 'machine/intr.ts';
import { malloc } from 'rt/rt.ts';

const BUCKETS: u32 = 128;
const MAX_BUFFERS: i32 = 384;
const NO_BLOCK: u32 = 0xffffffff;

export class Buf {
  block: u32 = NO_BLOCK;
  data: usize = 0;
  refs: i32 = 0;
  dirty: bool = false;
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
  if (b == null) return null;
  if (blockRead(block, b.data) == 0) return hold(b);
  bforget(block);
  return null;
}

/** A buffer of zeros for a block that is new, held and dirty; null when the disk fails. */
export function bzero(block: u32): Buf | null {
  let b = lookup(block);
  if (b == null) b = take(block);
  if (b == null) return null;
  memory.fill(b.data, 0, BLOCK_SIZE);
  b.dirty = true;
  return hold(b);
}

export function bdirty(b: Buf): void {
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

/** Write the buffer now: 0 or the disk's error. */
export function bwrite(b: Buf): i32 {
  b.dirty = true;
  return writeBack(b);
}

/** Write every changed buffer: 0 or the first error. */
export function bflush(): i32 {
  const batch = new DiskBatch();
  let error: i32 = 0;
  const s = splhigh();
  for (let b = oldest; b != null; b = b.newer) {
    if (b.dirty) diskQueue(b.block, b.data, true, null, batch);
    b.dirty = false;
  }
  splx(s);
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

function writeBack(b: Buf): i32 {
  if (!b.dirty) return 0;
  const error = diskMove(b.block, b.data, true);
  blockForget(b.block);
  if (error == 0) b.dirty = false;
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

/** A buffer for a block that has none: a new one, or the one unused for longest. Null when that can't be written. */
function take(block: u32): Buf | null {
  let b: Buf | null = null;
  if (bufferCount >= MAX_BUFFERS) {
    b = oldest;
    while (b != null && b.refs != 0) b = b.newer;
  }
  if (b == null) return enter(newBuffer(), block);
  if (writeBack(b) != 0) return null;
  if (b.block != NO_BLOCK) unhash(b);
  return enter(b, block);
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
