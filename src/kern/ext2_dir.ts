// ext2 directories: blocks of entries, each as long as the distance to the next; the last reaches to the end of its block.
// A free entry has inode 0. Directories never shrink.

import { bdirtyNames, bread, brelse, Buf, bzero } from './bio.ts';
import { BLOCK_SIZE } from './diskqueue.ts';
import { fail, fileTime, fsError } from './ext2_fs.ts';
import { BAD_BLOCK, blockOf } from './ext2_map.ts';
import type { Ext2Node } from './ext2_node.ts';
import { Uio, uiomove } from './uio.ts';
import { EINVAL, EIO, ENOENT, ENOSPC } from '../abi/errno.ts';
import { Dirent, DIRENT_NAME, DT_BLK, DT_CHR, DT_DIR, DT_FIFO, DT_LNK, DT_REG } from '../abi/file.ts';

/** The head of an entry; its name follows at ENTRY_NAME. */
export class Entry {
  ino: u32 = 0;
  length: u16 = 0;
  nameLength: u8 = 0;
  type: u8 = 0;
}
export const ENTRY_NAME: u32 = 8;

// Entry types on disk.
export const FT_REG: u8 = 1;
export const FT_DIR: u8 = 2;
export const FT_CHR: u8 = 3;
export const FT_BLK: u8 = 4;
export const FT_FIFO: u8 = 5;
export const FT_LNK: u8 = 7;

// What dirFind found: position of the entry in the directory, and of the one before it in the same block (or itself).
let foundAt: u32 = 0;
let foundBefore: u32 = 0;

function room(nameLength: u32): u32 {
  return (ENTRY_NAME + nameLength + 3) & 0xfffffffc;
}

/** The held buffer of block `index` of a directory, or null with fsError. */
function dirBlock(dir: Ext2Node, index: u32): Buf | null {
  const block = blockOf(dir, index, false);
  if (block == BAD_BLOCK) return null;
  const b = block == 0 ? null : bread(block);
  if (b == null) fail(EIO);
  return b;
}

/** The entry at an offset of a block, or null with fsError when it makes no sense. */
function entryAt(b: Buf, offset: u32): Entry | null {
  const e = changetype<Entry>(b.data + offset);
  const length = e.length as u32;
  if (length >= ENTRY_NAME && offset + length <= BLOCK_SIZE && (length & 3) == 0) return e;
  fail(EIO);
  return null;
}

function nameIs(e: Entry, name: usize, length: u32): bool {
  return e.ino != 0 && (e.nameLength as u32) == length && memory.compare(changetype<usize>(e) + ENTRY_NAME, name, length) == 0;
}

/** Inode of a name; 0 with fsError, ENOENT if it is not there. */
export function dirFind(dir: Ext2Node, name: usize, length: u32): u32 {
  fail(ENOENT);
  for (let start: u32 = 0; start < dir.size; start += BLOCK_SIZE) {
    const b = dirBlock(dir, start / BLOCK_SIZE);
    if (b == null) return 0;
    const ino = findIn(b, start, name, length);
    brelse(b);
    if (ino != 0) return ino;
  }
  return 0;
}

function findIn(b: Buf, start: u32, name: usize, length: u32): u32 {
  let before: u32 = 0;
  let at: u32 = 0;
  while (at < BLOCK_SIZE) {
    const e = entryAt(b, at);
    if (e == null) return 0;
    if (nameIs(e, name, length)) {
      foundAt = start + at;
      foundBefore = start + before;
      return e.ino;
    }
    before = at;
    at += e.length as u32;
  }
  return 0;
}

/** Add a name, which must not be there: 0, or ENOSPC, EIO; ENOENT when the directory itself is removed. */
export function dirAdd(dir: Ext2Node, name: usize, length: u32, ino: u32, type: u8): i32 {
  if (dir.d.links == 0) return ENOENT;
  let at: u32 = 0;
  while (at < dir.size) {
    const b = dirBlock(dir, at / BLOCK_SIZE);
    if (b == null) return fsError;
    const e = roomIn(b, room(length));
    if (e != null) fill(e, name, length, ino, type);
    if (e != null) bdirtyNames(b);
    brelse(b);
    if (e != null) return touch(dir);
    at += BLOCK_SIZE;
  }
  return addBlock(dir, name, length, ino, type);
}

/** A free entry of at least `need` bytes in the block, cut off a longer one if need be; or null. */
function roomIn(b: Buf, need: u32): Entry | null {
  let at: u32 = 0;
  while (at < BLOCK_SIZE) {
    const e = entryAt(b, at);
    if (e == null) return null;
    const length = e.length as u32;
    const used = e.ino == 0 ? 0 : room(e.nameLength as u32);
    if (length - used >= need) {
      if (used == 0) return e;
      const rest = changetype<Entry>(b.data + at + used);
      rest.length = (length - used) as u16;
      e.length = used as u16;
      return rest;
    }
    at += length;
  }
  return null;
}

function fill(e: Entry, name: usize, length: u32, ino: u32, type: u8): void {
  e.ino = ino;
  e.nameLength = length as u8;
  e.type = type;
  memory.copy(changetype<usize>(e) + ENTRY_NAME, name, length);
}

function addBlock(dir: Ext2Node, name: usize, length: u32, ino: u32, type: u8): i32 {
  const block = blockOf(dir, dir.size / BLOCK_SIZE, true);
  if (block == BAD_BLOCK) return fsError;
  const b = bzero(block);
  const e = changetype<Entry>(b.data);
  e.length = BLOCK_SIZE as u16;
  fill(e, name, length, ino, type);
  brelse(b);
  dir.size += BLOCK_SIZE;
  return touch(dir);
}

function touch(dir: Ext2Node): i32 {
  dir.d.mtime = fileTime();
  dir.d.ctime = dir.d.mtime;
  dir.dirty = true;
  return 0;
}

/** The first block of a new directory: `.` and `..`. */
export function dirInit(dir: Ext2Node, parent: u32): i32 {
  const error = addBlock(dir, changetype<usize>("..") + 4, 1, dir.ino, FT_DIR);
  return error != 0 ? error : dirAdd(dir, changetype<usize>("..") + 4, 2, parent, FT_DIR);
}

/** Remove a name: 0, ENOENT or EIO. */
export function dirRemove(dir: Ext2Node, name: usize, length: u32): i32 {
  if (dirFind(dir, name, length) == 0) return fsError;
  const b = dirBlock(dir, foundAt / BLOCK_SIZE);
  if (b == null) return fsError;
  const e = changetype<Entry>(b.data + foundAt % BLOCK_SIZE);
  const before = changetype<Entry>(b.data + foundBefore % BLOCK_SIZE);
  if (foundBefore != foundAt) before.length = (before.length + e.length) as u16;
  else e.ino = 0;
  bdirtyNames(b);
  brelse(b);
  return touch(dir);
}

/** Let an existing name mean another inode: 0, ENOENT or EIO. */
export function dirReplace(dir: Ext2Node, name: usize, length: u32, ino: u32, type: u8): i32 {
  if (dirFind(dir, name, length) == 0) return fsError;
  const b = dirBlock(dir, foundAt / BLOCK_SIZE);
  if (b == null) return fsError;
  const e = changetype<Entry>(b.data + foundAt % BLOCK_SIZE);
  e.ino = ino;
  e.type = type;
  bdirtyNames(b);
  brelse(b);
  return touch(dir);
}

/** Only `.` and `..` are in the directory. False also when it can't be read. */
export function dirIsEmpty(dir: Ext2Node): bool {
  for (let start: u32 = 0; start < dir.size; start += BLOCK_SIZE) {
    const b = dirBlock(dir, start / BLOCK_SIZE);
    if (b == null) return false;
    const empty = onlyDots(b);
    brelse(b);
    if (!empty) return false;
  }
  return true;
}

function onlyDots(b: Buf): bool {
  let at: u32 = 0;
  while (at < BLOCK_SIZE) {
    const e = entryAt(b, at);
    if (e == null) return false;
    const dots = changetype<usize>("..") + 4;
    if (e.ino != 0 && !nameIs(e, dots, 1) && !nameIs(e, dots, 2)) return false;
    at += e.length as u32;
  }
  return true;
}

/** Copy the name that means `ino` to `kva`, and return its length; 0 if there is none. */
export function dirNameOf(dir: Ext2Node, ino: u32, kva: usize): u32 {
  for (let start: u32 = 0; start < dir.size; start += BLOCK_SIZE) {
    const b = dirBlock(dir, start / BLOCK_SIZE);
    if (b == null) return 0;
    let length: u32 = 0;
    let at: u32 = 0;
    while (at < BLOCK_SIZE && length == 0) {
      const e = entryAt(b, at);
      if (e == null) break;
      if (e.ino == ino) length = e.nameLength as u32;
      if (length != 0) memory.copy(kva, changetype<usize>(e) + ENTRY_NAME, length);
      at += e.length as u32;
    }
    brelse(b);
    if (length != 0) return length;
  }
  return 0;
}

class DirentBuffer {
  head!: Embed<Dirent>;
  name!: FixedArray<u8, 264>;
}
let out!: Embed<DirentBuffer>;

function direntType(type: u8): u8 {
  switch (type) {
    case FT_REG: return DT_REG as u8;
    case FT_DIR: return DT_DIR as u8;
    case FT_CHR: return DT_CHR as u8;
    case FT_BLK: return DT_BLK as u8;
    case FT_FIFO: return DT_FIFO as u8;
    case FT_LNK: return DT_LNK as u8;
    default: return 0;
  }
}

/** Copy entries from position uio.offset on, which moves to the entry after the last one copied. */
export function dirRead(dir: Ext2Node, uio: Uio): i32 {
  const before = uio.resid;
  while (uio.offset < dir.size) {
    const start = uio.offset & ~(BLOCK_SIZE - 1);
    const b = dirBlock(dir, start / BLOCK_SIZE);
    if (b == null) return fsError;
    const error = readBlock(b, start, uio);
    brelse(b);
    if (error == ENOSPC) return before == uio.resid ? EINVAL : 0;
    if (error != 0) return error;
  }
  return 0;
}

/** The entries of one block from uio.offset on; ENOSPC when the next one does not fit any more. */
function readBlock(b: Buf, start: u32, uio: Uio): i32 {
  let at: u32 = 0;
  while (at < BLOCK_SIZE) {
    const e = entryAt(b, at);
    if (e == null) return EIO;
    const next = start + at + (e.length as u32);
    if (e.ino != 0 && start + at >= uio.offset) {
      const error = putDirent(e, uio);
      if (error != 0) return error;
    }
    if (next > uio.offset || start + at >= uio.offset) uio.offset = next;
    at = next - start;
  }
  return 0;
}

function putDirent(e: Entry, uio: Uio): i32 {
  const length = e.nameLength as u32;
  const bytes = (DIRENT_NAME + length + 8) & 0xfffffff8;
  if (bytes > uio.resid) return ENOSPC;
  const position = uio.offset;
  memory.fill(addressof(out), 0, bytes);
  out.head.ino = e.ino;
  out.head.namlen = length as u16;
  out.head.type = direntType(e.type);
  memory.copy(addressof(out) + DIRENT_NAME, changetype<usize>(e) + ENTRY_NAME, length);
  const error = uiomove(addressof(out), bytes, uio);
  uio.offset = position;
  return error;
}
