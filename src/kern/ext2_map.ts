// Where the blocks of an ext2 file are: 12 direct pointers in the inode, one block of 1024 pointers, and one block of
// pointers to such blocks. 0 is a hole.

import { bdirty, bread, brelse, bzero } from './bio.ts';
import { allocBlock, freeBlock } from './ext2_alloc.ts';
import { fail, fsError } from './ext2_fs.ts';
import type { Ext2Node } from './ext2_node.ts';
import { NO_BLOCK } from './vnode.ts';
import { EIO } from '../abi/errno.ts';

const DIRECT: u32 = 12;
const POINTERS: u32 = 1024;
const SECTORS: u32 = 8;

/** Answer of the functions below when fsError tells what went wrong. */
export const BAD_BLOCK: u32 = NO_BLOCK;

/** Disk block of block `index` of a file: 0 for a hole, which `allocate` fills; BAD_BLOCK with fsError. */
export function blockOf(node: Ext2Node, index: u32, allocate: bool): u32 {
  if (index < DIRECT) return inodePointer(node, index, allocate, false);
  let rest = index - DIRECT;
  if (rest < POINTERS) {
    const table = inodePointer(node, DIRECT, allocate, true);
    return tablePointer(node, table, rest, allocate, false);
  }
  rest -= POINTERS;
  const tables = inodePointer(node, DIRECT + 1, allocate, true);
  const table = tablePointer(node, tables, rest / POINTERS, allocate, true);
  return tablePointer(node, table, rest % POINTERS, allocate, false);
}

/** Block `index` is a hole, which the inode alone says, without a look at the disk. False: perhaps it is none. */
export function isHole(node: Ext2Node, index: u32): bool {
  if (index < DIRECT) return node.d.block[index] == 0;
  return node.d.block[index - DIRECT < POINTERS ? DIRECT : DIRECT + 1] == 0;
}

function inodePointer(node: Ext2Node, slot: u32, allocate: bool, table: bool): u32 {
  const block = node.d.block[slot];
  if (block != 0 || !allocate) return block;
  const fresh = newBlock(node, table);
  if (fresh != BAD_BLOCK) node.d.block[slot] = fresh;
  return fresh;
}

/** Entry `slot` of the pointer block `table`, which may be a hole or bad itself. */
function tablePointer(node: Ext2Node, table: u32, slot: u32, allocate: bool, toTable: bool): u32 {
  if (table == 0 || table == BAD_BLOCK) return table;
  const b = bread(table);
  if (b == null) {
    fail(EIO);
    return BAD_BLOCK;
  }
  const at = b.data + slot * 4;
  let block = load<u32>(at);
  if (block == 0 && allocate) {
    block = newBlock(node, toTable);
    if (block != BAD_BLOCK) {
      store<u32>(at, block);
      bdirty(b);
    }
  }
  brelse(b);
  return block;
}

/** A block for the file, next to the last one it got; a pointer block is cleared. BAD_BLOCK with fsError. */
function newBlock(node: Ext2Node, table: bool): u32 {
  const block = allocBlock(node.goal);
  if (block == 0) return BAD_BLOCK;
  node.goal = block + 1;
  node.d.blocks += SECTORS;
  node.dirty = true;
  if (table) brelse(bzero(block));
  return block;
}

function dropBlock(node: Ext2Node, block: u32): void {
  freeBlock(block, !node.isNew());
  node.d.blocks -= SECTORS;
}

/** Free the file's blocks from block `first` on: 0, or EIO when pointers can't be read. */
export function freeBlocksFrom(node: Ext2Node, first: u32): i32 {
  fail(0);
  node.dirty = true;
  for (let i = first; i < DIRECT; i++) {
    if (node.d.block[i] != 0) dropBlock(node, node.d.block[i]);
    node.d.block[i] = 0;
  }
  freeTree(node, DIRECT, first > DIRECT ? first - DIRECT : 0, 1);
  freeTree(node, DIRECT + 1, first > DIRECT + POINTERS ? first - DIRECT - POINTERS : 0, 2);
  return fsError;
}

/** Free the part from entry `first` on of the tree of `depth` levels at pointer `slot` of the inode. */
function freeTree(node: Ext2Node, slot: u32, first: u32, depth: i32): void {
  const table = node.d.block[slot];
  if (table == 0 || first >= (depth == 1 ? POINTERS : POINTERS * POINTERS)) return;
  if (freeTable(node, table, first, depth)) node.d.block[slot] = 0;
}

/** Free what a pointer block names from entry `first` on, and the block itself if that is everything: then true. */
function freeTable(node: Ext2Node, table: u32, first: u32, depth: i32): bool {
  const b = bread(table);
  if (b == null) {
    fail(EIO);
    return false;
  }
  const span: u32 = depth == 1 ? 1 : POINTERS;
  for (let i = first / span; i < POINTERS; i++) {
    const at = b.data + i * 4;
    const block = load<u32>(at);
    if (block == 0) continue;
    if (depth == 1) dropBlock(node, block);
    else if (!freeTable(node, block, i == first / span ? first % span : 0, 1)) continue;
    store<u32>(at, 0);
  }
  bdirty(b);
  brelse(b);
  if (first == 0) dropBlock(node, table);
  return first == 0;
}
