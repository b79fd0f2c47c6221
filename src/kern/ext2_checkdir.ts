// The directories' part of the check: entries that make sense and lead to something that is there. A block that is no list of
// entries is cut off where it stops being one; `.` and `..` are put back where they belong.

import { bread, brelse, Buf } from './bio.ts';
import { BLOCK_SIZE } from './diskqueue.ts';
import { directoryBlock, links, parents, repaired, typeOfInode } from './ext2_check.ts';
import { Entry, ENTRY_NAME, FT_BLK, FT_CHR, FT_DIR, FT_FIFO, FT_LNK, FT_REG } from './ext2_dir.ts';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK } from '../abi/file.ts';

let found!: Ptr<u32>;        // directories met in the one being checked
let foundCount: u32 = 0;

/** Check directory `ino`, whose parent is known. Writes the directories in it to `into`; how many. */
export function checkDirectory(ino: u32, into: usize): u32 {
  found = changetype<Ptr<u32>>(into);
  foundCount = 0;
  for (let index: u32 = 0; ; index++) {
    const block = directoryBlock(ino, index);
    if (block == 0) break;
    const b = bread(block);
    if (b == null) break;
    shape(b);
    let first: u32 = 0;
    if (index == 0) first = dots(b, ino);
    for (let at = first; at < BLOCK_SIZE; at += entry(b, at).length as u32) checkEntry(b, entry(b, at), ino);
    brelse(b);
  }
  return foundCount;
}

function entry(b: Buf, at: u32): Entry {
  return changetype<Entry>(b.data + at);
}

/** Make the block a list of entries: what follows the last one that is in order is free. */
function shape(b: Buf): void {
  let at: u32 = 0;
  let before: u32 = 0;
  while (at < BLOCK_SIZE) {
    const e = entry(b, at);
    const length = e.length as u32;
    if (length < ENTRY_NAME || (length & 3) != 0 || at + length > BLOCK_SIZE || ENTRY_NAME + (e.nameLength as u32) > length) break;
    before = at;
    at += length;
  }
  if (at == BLOCK_SIZE) return;
  if (at == 0) entry(b, 0).ino = 0;
  entry(b, before).length = (BLOCK_SIZE - before) as u16;
  repaired(b);
}

/** The first block begins with `.` and `..`; answers where the other entries begin. */
function dots(b: Buf, ino: u32): u32 {
  links[ino] = links[ino]! + 1;
  links[parents[ino]!] = links[parents[ino]!]! + 1;
  const self = entry(b, 0);
  const second = self.length as u32;
  if (!isDots(self, 1) || second != 12 || !isDots(entry(b, 12), 2)) {
    memory.fill(b.data, 0, 24);
    writeDots(entry(b, 0), ino, 12, 1);
    writeDots(entry(b, 12), parents[ino]!, BLOCK_SIZE - 12, 2);
    repaired(b);
  } else if (self.ino != ino || entry(b, 12).ino != parents[ino]!) {
    self.ino = ino;
    entry(b, 12).ino = parents[ino]!;
    repaired(b);
  }
  return 12 + (entry(b, 12).length as u32);
}

function isDots(e: Entry, count: u32): bool {
  const name = changetype<usize>(e) + ENTRY_NAME;
  return (e.nameLength as u32) == count && load<u8>(name) == 46 && load<u8>(name + count - 1) == 46;
}

function writeDots(e: Entry, ino: u32, length: u32, count: u32): void {
  e.ino = ino;
  e.length = length as u16;
  e.nameLength = count as u8;
  e.type = FT_DIR;
  memory.fill(changetype<usize>(e) + ENTRY_NAME, 46, count);
}

/** Keep an entry that leads to a live inode, and to a directory only if no other entry does. */
function checkEntry(b: Buf, e: Entry, directory: u32): void {
  if (e.ino == 0) return;
  const type = nameOk(e) ? typeOfInode(e.ino) : 0;
  if (type == 0 || (type == S_IFDIR && (parents[e.ino] != 0 || directoryBlock(e.ino, 0) == 0))) {
    e.ino = 0;
    repaired(b);
    return;
  }
  links[e.ino] = links[e.ino]! + 1;
  if (type == S_IFDIR) {
    parents[e.ino] = directory;
    found[foundCount] = e.ino;
    foundCount++;
  }
  if (e.type != entryTypeOf(type)) {
    e.type = entryTypeOf(type);
    repaired(b);
  }
}

function nameOk(e: Entry): bool {
  const length = e.nameLength as u32;
  for (let i: u32 = 0; i < length; i++) {
    const c = load<u8>(changetype<usize>(e) + ENTRY_NAME + i);
    if (c == 0 || c == 47) return false;
  }
  return length > 0 && !(length <= 2 && isDots(e, length));
}

function entryTypeOf(type: u32): u8 {
  switch (type) {
    case S_IFDIR: return FT_DIR;
    case S_IFCHR: return FT_CHR;
    case S_IFBLK: return FT_BLK;
    case S_IFIFO: return FT_FIFO;
    case S_IFLNK: return FT_LNK;
    default: return FT_REG;
  }
}
