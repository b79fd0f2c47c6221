// The last part of the check: bitmaps and counts are made anew from what is in use.

import { bread, brelse } from './bio.ts';
import { BLOCK_SIZE } from './diskqueue.ts';
import { claimed, isTable, links, repaired, setBit, testBit, typeOfInode } from './ext2_check.ts';
import { countsChanged, groupAt, groupCount, super_ } from './ext2_fs.ts';
import { S_IFDIR } from '../abi/file.ts';
import { malloc, mfree } from 'rt/rt.ts';

let freeBlocks: u32 = 0;
let freeInodes: u32 = 0;
let directories: u32 = 0;

/** Make bitmaps, descriptors and superblock say what `claimed` and `links` say: false when the disk fails. */
export function remakeMaps(): bool {
  let allFreeBlocks: u32 = 0;
  let allFreeInodes: u32 = 0;
  const map = malloc(BLOCK_SIZE);
  let ok = true;
  for (let group: u32 = 0; group < groupCount && ok; group++) {
    fillBlocks(map, group);
    ok = writeMap(groupAt(group).blockBitmap, map);
    fillInodes(map, group);
    ok = ok && writeMap(groupAt(group).inodeBitmap, map);
    const g = groupAt(group);
    g.freeBlocks = freeBlocks as u16;
    g.freeInodes = freeInodes as u16;
    g.usedDirs = directories as u16;
    allFreeBlocks += freeBlocks;
    allFreeInodes += freeInodes;
  }
  mfree(map);
  super_.freeBlocks = allFreeBlocks;
  super_.freeInodes = allFreeInodes;
  countsChanged();
  return ok;
}

/** The group's block bitmap; bits behind the volume's end are set. */
function fillBlocks(map: usize, group: u32): void {
  memory.fill(map, 0, BLOCK_SIZE);
  freeBlocks = 0;
  const start = group * super_.blocksPerGroup;
  for (let i: u32 = 0; i < BLOCK_SIZE * 8; i++) {
    const block = start + i;
    const inside = i < super_.blocksPerGroup && block < super_.blocks;
    if (!inside || testBit(claimed, block) || isTable(block)) setBit(map, i);
    else freeBlocks++;
  }
}

/** The group's inode bitmap; the reserved inodes and bits behind the last one are set. */
function fillInodes(map: usize, group: u32): void {
  memory.fill(map, 0, BLOCK_SIZE);
  freeInodes = 0;
  directories = 0;
  for (let i: u32 = 0; i < BLOCK_SIZE * 8; i++) {
    const ino = group * super_.inodesPerGroup + i + 1;
    if (i >= super_.inodesPerGroup || ino < super_.firstInode || links[ino] != 0) setBit(map, i);
    else freeInodes++;
    if (i < super_.inodesPerGroup && (ino == 2 || (links[ino] != 0 && typeOfInode(ino) == S_IFDIR))) directories++;
  }
}

function writeMap(block: u32, map: usize): bool {
  const b = bread(block);
  if (b == null) return false;
  if (memory.compare(b.data, map, BLOCK_SIZE) != 0) {
    memory.copy(b.data, map, BLOCK_SIZE);
    repaired(b);
  }
  brelse(b);
  return true;
}
