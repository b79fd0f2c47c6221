// Allocation of ext2 blocks and inodes from the groups' bitmaps. Counts in superblock and descriptors follow at once.
//
// What a file on the disk has given up may not be used again before the disk knows that (ext2_fs.ts): such blocks wait in a list.
// When nothing else is left, everything is written, and they are free.

import { bdirty, bforget, bread, brelse } from './bio.ts';
import { BLOCK_SIZE } from './diskqueue.ts';
import { countsChanged, ext2Commit, fail, fsError, groupAt, groupCount, super_ } from './ext2_fs.ts';
import { deadCount } from './ext2_node.ts';
import { kprint } from './kprintf.ts';
import { EIO, ENOSPC } from '../abi/errno.ts';

const NONE: u32 = 0xffffffff;
const INODE_BYTES: u32 = 128;

/** Consecutive blocks given up. */
class GivenRun {
  first: u32 = 0;
  count: u32 = 0;
  next: GivenRun | null = null;
}

let givenRuns: GivenRun | null = null;
/** Blocks given up that are not free yet. */
export let givenUp: u32 = 0;

/** First clear bit of `map` in [from, end), or NONE. */
function findClear(map: usize, from: u32, end: u32): u32 {
  let at = from;
  while (at < end) {
    if ((at & 31) == 0 && load<u32>(map + (at >>> 3)) == 0xffffffff) at += 32;
    else if (!testBit(map, at)) return at;
    else at++;
  }
  return NONE;
}

function testBit(map: usize, bit: u32): bool {
  return (((load<u8>(map + (bit >>> 3)) as u32) >>> (bit & 7)) & 1) != 0;
}

function flipBit(map: usize, bit: u32): void {
  const at = map + (bit >>> 3);
  store<u8>(at, ((load<u8>(at) as u32) ^ ((1 as u32) << (bit & 7))) as u8);
}

/** Set the first clear bit of the bitmap block in [from, end): its number, or NONE. fsError tells disk failures. */
function takeBit(bitmap: u32, from: u32, end: u32): u32 {
  const b = bread(bitmap);
  if (b == null) {
    fail(EIO);
    return NONE;
  }
  const bit = findClear(b.data, from, end);
  if (bit != NONE) {
    flipBit(b.data, bit);
    bdirty(b);
  }
  brelse(b);
  return bit;
}

/** Clear a bit: false when it was clear already or the disk fails. */
function giveBit(bitmap: u32, bit: u32): bool {
  const b = bread(bitmap);
  if (b == null) return false;
  const set = testBit(b.data, bit);
  if (set) {
    flipBit(b.data, bit);
    bdirty(b);
  }
  brelse(b);
  return set;
}

function blocksIn(group: u32): u32 {
  const left = super_.blocks - group * super_.blocksPerGroup;
  return left < super_.blocksPerGroup ? left : super_.blocksPerGroup;
}

/** Allocate a block, the first free one from `goal` on, going around: its number, or 0 with fsError. */
export function allocBlock(goal: u32): u32 {
  const block = takeBlock(goal);
  return block == 0 && mayFree() ? takeBlock(goal) : block;
}

/** After a failure: there is more than there was. */
function mayFree(): bool {
  return fsError == ENOSPC && (givenUp != 0 || deadCount != 0) && ext2Commit() == 0;
}

function takeBlock(goal: u32): u32 {
  fail(ENOSPC);
  const start = goal < super_.blocks ? goal : 0;
  let group = start / super_.blocksPerGroup;
  let from = start % super_.blocksPerGroup;
  for (let i: u32 = 0; i <= groupCount; i++) {
    const g = groupAt(group);
    if (g.freeBlocks != 0) {
      const bit = takeBit(g.blockBitmap, from, blocksIn(group));
      if (bit != NONE) {
        g.freeBlocks = (g.freeBlocks - 1) as u16;
        super_.freeBlocks--;
        countsChanged();
        return group * super_.blocksPerGroup + bit;
      }
    }
    from = 0;
    group = group + 1 == groupCount ? 0 : group + 1;
  }
  return 0;
}

/** Free a block and what the buffer cache has of it; `later`: the disk has it as a file's. */
export function freeBlock(block: u32, later: bool): void {
  bforget(block);
  if (later) giveUp(block);
  else giveBlock(block);
}

/** Files are freed from their beginning, and mostly lie in one piece. */
function giveUp(block: u32): void {
  givenUp++;
  let run = givenRuns;
  if (run == null || block != run.first + run.count) {
    run = new GivenRun();
    run.first = block;
    run.next = givenRuns;
    givenRuns = run;
  }
  run.count++;
}

/** The disk knows what has been given up: it is free. */
export function freeGivenUp(): void {
  while (givenRuns != null) {
    const run: GivenRun = givenRuns;
    for (let i: u32 = 0; i < run.count; i++) giveBlock(run.first + i);
    givenRuns = run.next;
    free(run);
  }
  givenUp = 0;
}

function giveBlock(block: u32): void {
  const group = block / super_.blocksPerGroup;
  if (block == 0 || group >= groupCount || !giveBit(groupAt(group).blockBitmap, block % super_.blocksPerGroup)) {
    kprint(`ext2: block ${block} freed twice\n`);
    return;
  }
  const g = groupAt(group);
  g.freeBlocks = (g.freeBlocks + 1) as u16;
  super_.freeBlocks++;
  countsChanged();
}

/** Allocate an inode, in the group of `parent` if it has one: its number, or 0 with fsError. */
export function allocInode(parent: u32, directory: bool): u32 {
  const ino = takeInode(parent, directory);
  return ino == 0 && mayFree() ? takeInode(parent, directory) : ino;
}

function takeInode(parent: u32, directory: bool): u32 {
  fail(ENOSPC);
  let group = groupOfInode(parent);
  for (let i: u32 = 0; i < groupCount; i++) {
    const g = groupAt(group);
    if (g.freeInodes != 0) {
      const reserved = group == 0 ? super_.firstInode - 1 : 0;
      const bit = takeBit(g.inodeBitmap, reserved, super_.inodesPerGroup);
      if (bit != NONE) {
        g.freeInodes = (g.freeInodes - 1) as u16;
        if (directory) g.usedDirs = (g.usedDirs + 1) as u16;
        super_.freeInodes--;
        countsChanged();
        return group * super_.inodesPerGroup + bit + 1;
      }
    }
    group = group + 1 == groupCount ? 0 : group + 1;
  }
  return 0;
}

/** Free an inode number. */
export function freeInode(ino: u32, directory: bool): void {
  const g = groupAt(groupOfInode(ino));
  if (!giveBit(g.inodeBitmap, (ino - 1) % super_.inodesPerGroup)) {
    kprint(`ext2: inode ${ino} freed twice\n`);
    return;
  }
  g.freeInodes = (g.freeInodes + 1) as u16;
  if (directory) g.usedDirs = (g.usedDirs - 1) as u16;
  super_.freeInodes++;
  countsChanged();
}

function groupOfInode(ino: u32): u32 {
  return (ino - 1) / super_.inodesPerGroup;
}

/** Block that holds the record of an inode. */
export function inodeBlock(ino: u32): u32 {
  const index = (ino - 1) % super_.inodesPerGroup;
  return groupAt(groupOfInode(ino)).inodeTable + index / (BLOCK_SIZE / INODE_BYTES);
}

/** Byte offset of the record in that block. */
export function inodeOffset(ino: u32): u32 {
  return (ino - 1) % super_.inodesPerGroup % (BLOCK_SIZE / INODE_BYTES) * INODE_BYTES;
}

/** Where the blocks of a file with this inode should go. */
export function firstBlockOf(ino: u32): u32 {
  return groupOfInode(ino) * super_.blocksPerGroup;
}
