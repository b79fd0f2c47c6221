// What a power cut leaves of an ext2 volume is made consistent again before the volume is mounted. Blocks and inodes were
// written in any order, so nothing is believed but what hangs together from the root directory: pointers that leave the
// volume or point at its own tables are dropped, a block that two files claim stays with the one changed last, directory
// entries that lead nowhere are removed, files that no directory names are freed, and link counts, bitmaps and counts are
// made anew. A name that survives has a whole inode; what fsync wrote is untouched.

import { bdirty, bread, brelse, Buf } from './bio.ts';
import { BLOCK_SIZE } from './diskqueue.ts';
import { inodeBlock, inodeOffset } from './ext2_alloc.ts';
import { checkDirectory } from './ext2_checkdir.ts';
import { remakeMaps } from './ext2_checkmap.ts';
import { groupAt, super_ } from './ext2_fs.ts';
import { Ext2Inode, ROOT_INO } from './ext2_node.ts';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from '../abi/file.ts';
import { malloc, mfree } from 'rt/rt.ts';

const DIRECT: u32 = 12;
const POINTERS: u32 = 1024;
const NO_INDEX: u32 = 0xffffffff;
const INODES_PER_BLOCK: u32 = 32;

/** What is done with a block that an inode names: false drops the pointer. */
type Visit = (block: u32) => bool;

/** Blocks, one bit each. */
export let claimed: usize = 0;
/** Blocks that more than one file names, one bit each. */
let contested: usize = 0;
/** For each inode: the directory that names it (directories only; the root names itself), and how many entries do. */
export let parents!: Ptr<u32>;
export let links!: Ptr<u32>;
/** What has been changed so far; also the disk's failures. */
export let repairs: i32 = 0;
let unreadable: bool = false;

let inode!: Ext2Inode;        // the one being looked at, in its buffer
let inodeBuf!: Buf;
let size: u32 = 0;            // blocks of a file that its size covers
let kept: u32 = 0;            // blocks of the inode, pointer blocks included
let rivals: i32 = 0;          // contested blocks met
let winner: u32 = 0;          // time of the file that a contested block stays with, for `contestedBlock`
let contestedBlock: u32 = 0;

/** Note a change to the buffer. */
export function repaired(b: Buf): void {
  repairs++;
  bdirty(b);
}

/** Check and repair. The superblock and descriptors are in their buffers. How many repairs; -1: the disk can't be read. */
export function ext2Check(): i32 {
  repairs = 0;
  unreadable = false;
  const mapBytes = (super_.blocks + 31) / 32 * 4;
  const inodeBytes = (super_.inodes + 1) * 4;
  claimed = zeroed(mapBytes);
  contested = zeroed(mapBytes);
  parents = changetype<Ptr<u32>>(zeroed(inodeBytes));
  links = changetype<Ptr<u32>>(zeroed(inodeBytes));
  settleClaims();
  walkDirectories();
  settleLinks();
  memory.fill(claimed, 0, mapBytes);
  forAllInodes(mark);
  if (!remakeMaps()) unreadable = true;
  mfree(claimed);
  mfree(contested);
  mfree(changetype<usize>(parents));
  mfree(changetype<usize>(links));
  return unreadable ? -1 : repairs;
}

function zeroed(bytes: u32): usize {
  const at = malloc(bytes);
  memory.fill(at, 0, bytes);
  return at;
}

// ------------------------------------------------------------------------------------------------ inodes

/** Have inode `ino` in `inode`: false when the disk fails. To be given back with closeInode. */
function openInode(ino: u32): bool {
  const b = bread(inodeBlock(ino));
  if (b == null) {
    unreadable = true;
    return false;
  }
  inodeBuf = b;
  inode = changetype<Ext2Inode>(b.data + inodeOffset(ino));
  return true;
}

function closeInode(): void {
  brelse(inodeBuf);
}

/** The inode has links and is of a type that there is. */
function isLive(): bool {
  if (inode.links == 0) return false;
  const type = (inode.mode as u32) & S_IFMT;
  if (type == S_IFLNK) return isWholeLink();
  return type == S_IFREG || type == S_IFDIR || type == S_IFCHR || type == S_IFBLK || type == S_IFIFO;
}

/** A symbolic link has a target of the length that it should have. */
function isWholeLink(): bool {
  if (inode.size == 0 || inode.size >= BLOCK_SIZE) return false;
  if (inode.blocks == 0) return inode.size < 60 && isText(changetype<usize>(inode.block), inode.size);
  const block = inode.block[0];
  if (block == 0 || block >= super_.blocks || isTable(block)) return false;
  const b = bread(block);
  if (b == null) {
    unreadable = true;
    return true;
  }
  const whole = isText(b.data, inode.size);
  brelse(b);
  return whole;
}

function isText(at: usize, length: u32): bool {
  let n: u32 = 0;
  while (n < length && load<u8>(at + n) != 0) n++;
  return n == length && load<u8>(at + n) == 0;
}

/** The type bits of a live inode that entries may name, else 0. */
export function typeOfInode(ino: u32): u32 {
  if (ino < super_.firstInode || ino > super_.inodes || !openInode(ino)) return 0;
  const type = isLive() ? (inode.mode as u32) & S_IFMT : 0;
  closeInode();
  return type;
}

/** Call `visit` for all blocks of all live inodes, and write down what it changes. */
function forAllInodes(visit: Visit): void {
  for (let ino: u32 = 1; ino <= super_.inodes; ino++) {
    if (ino != ROOT_INO && ino < super_.firstInode) continue;
    if (!openInode(ino)) return;
    if (isLive() && hasBlocks()) walkInode(visit);
    closeInode();
  }
}

function hasBlocks(): bool {
  const type = (inode.mode as u32) & S_IFMT;
  return type == S_IFREG || type == S_IFDIR || (type == S_IFLNK && inode.blocks != 0);
}

function walkInode(visit: Visit): void {
  kept = 0;
  size = (inode.size + BLOCK_SIZE - 1) / BLOCK_SIZE;
  const pointers = changetype<Ptr<u32>>(changetype<usize>(inode.block));
  for (let i: u32 = 0; i < 15; i++) {
    const first: u32 = i <= DIRECT ? i : i == DIRECT + 1 ? DIRECT + POINTERS : NO_INDEX;
    if (pointers[i] != 0 && !keeps(pointers[i]!, first, i < DIRECT ? 0 : (i - DIRECT + 1) as i32, visit)) {
      pointers[i] = 0;
      repaired(inodeBuf);
    }
  }
  if (((inode.mode as u32) & S_IFMT) == S_IFDIR) cutAtHole(pointers);
  if (inode.blocks != kept * 8) {
    inode.blocks = kept * 8;
    repaired(inodeBuf);
  }
}

/** A block that names block `first` of the file and, as a table of `depth` levels, those after it: is it to stay? */
function keeps(block: u32, first: u32, depth: i32, visit: Visit): bool {
  if (first >= size || block >= super_.blocks || !visit(block)) return false;
  kept++;
  if (depth == 0) return true;
  const b = bread(block);
  if (b == null) {
    unreadable = true;
    return true;
  }
  const entries = changetype<Ptr<u32>>(b.data);
  const span: u32 = depth == 1 ? 1 : POINTERS;
  for (let i: u32 = 0; i < POINTERS; i++) {
    if (entries[i] == 0 || keeps(entries[i]!, first + i * span, depth - 1, visit)) continue;
    entries[i] = 0;
    repaired(b);
  }
  brelse(b);
  return true;
}

/** A directory has no holes: it ends before the first. Ours have no more than the direct blocks' worth of survivors then. */
function cutAtHole(pointers: Ptr<u32>): void {
  let whole: u32 = 0;
  while (whole < size && blockAt(pointers, whole) != 0) whole++;
  if (inode.size == whole * BLOCK_SIZE) return;
  inode.size = whole * BLOCK_SIZE;
  repaired(inodeBuf);
}

/** Block `index` of the inode with these pointers, up to those of the single indirect table; 0: none. */
function blockAt(pointers: Ptr<u32>, index: u32): u32 {
  if (index < DIRECT) return pointers[index]!;
  if (index >= DIRECT + POINTERS || pointers[DIRECT] == 0) return 0;
  const b = bread(pointers[DIRECT]!);
  if (b == null) return 0;
  const block = load<u32>(b.data + (index - DIRECT) * 4);
  brelse(b);
  return block;
}

/** Directories that hold nothing any more, and files that no directory names, are freed; the others' links are counted. */
function settleLinks(): void {
  for (let ino: u32 = 1; ino <= super_.inodes; ino++) {
    if (ino != ROOT_INO && ino < super_.firstInode) continue;
    if (!openInode(ino)) return;
    if (links[ino] == 0) freeInode();
    else if ((inode.links as u32) != links[ino]!) {
      inode.links = links[ino] as u16;
      repaired(inodeBuf);
    }
    closeInode();
  }
}

function freeInode(): void {
  if (inode.links == 0 && inode.dtime != 0) return;
  if (inode.links == 0 && inode.mode == 0) return;
  memory.fill(changetype<usize>(inode.block), 0, 60);
  inode.links = 0;
  inode.size = 0;
  inode.blocks = 0;
  inode.dtime = inode.ctime == 0 ? 1 : inode.ctime;
  repaired(inodeBuf);
}

/** From the root down: every directory's blocks, and with them who is named by whom. */
function walkDirectories(): void {
  const pending = changetype<Ptr<u32>>(malloc((super_.inodes + 1) * 4));
  let count: u32 = 1;
  pending[0] = ROOT_INO;
  parents[ROOT_INO] = ROOT_INO;
  while (count > 0) {
    count--;
    count += checkDirectory(pending[count]!, changetype<usize>(pending) + count * 4);
  }
  mfree(changetype<usize>(pending));
}

/** Block `index` of a directory, 0 behind its last. */
export function directoryBlock(ino: u32, index: u32): u32 {
  if (!openInode(ino)) return 0;
  const block = index < inode.size / BLOCK_SIZE ? blockAt(changetype<Ptr<u32>>(changetype<usize>(inode.block)), index) : 0;
  closeInode();
  return block;
}

// ------------------------------------------------------------------------------------------------ blocks

export function testBit(map: usize, bit: u32): bool {
  return (load<u32>(map + (bit >>> 5) * 4) & ((1 as u32) << (bit & 31))) != 0;
}

export function setBit(map: usize, bit: u32): void {
  const at = map + (bit >>> 5) * 4;
  store<u32>(at, load<u32>(at) | ((1 as u32) << (bit & 31)));
}

function mark(block: u32): bool {
  setBit(claimed, block);
  return true;
}

/** Drop what is no data, and see which blocks have more than one owner. */
function claim(block: u32): bool {
  if (isTable(block)) return false;
  if (testBit(claimed, block)) {
    setBit(contested, block);
    rivals++;
  }
  setBit(claimed, block);
  return true;
}

/** The block belongs to the volume itself: superblocks, descriptors, bitmaps, inode tables. */
export function isTable(block: u32): bool {
  const group = block / super_.blocksPerGroup;
  const g = groupAt(group);
  if (block == g.blockBitmap || block == g.inodeBitmap) return true;
  if (block >= g.inodeTable && block < g.inodeTable + super_.inodesPerGroup / INODES_PER_BLOCK) return true;
  return hasSuper(group) && block - group * super_.blocksPerGroup <= 1;
}

/** Group 0 has the superblock; all have a copy, or only 1 and the powers of 3, 5 and 7 where copies are sparse. */
function hasSuper(group: u32): bool {
  if (group <= 1 || (super_.roCompat & 1) == 0) return true;
  return isPower(group, 3) || isPower(group, 5) || isPower(group, 7);
}

function isPower(n: u32, base: u32): bool {
  let power = base;
  while (power < n) power *= base;
  return power == n;
}

/** Each contested block goes to the file that was changed last, the first of equals. */
function settleClaims(): void {
  rivals = 0;
  forAllInodes(claim);
  if (rivals == 0) return;
  for (let block: u32 = 0; block < super_.blocks; block++) {
    if (!testBit(contested, block)) continue;
    contestedBlock = block;
    winner = 0;
    forAllInodes(findWinner);
    forAllInodes(dropLosers);
  }
}

function findWinner(block: u32): bool {
  if (block == contestedBlock && inode.ctime > winner) winner = inode.ctime;
  return true;
}

function dropLosers(block: u32): bool {
  if (block != contestedBlock) return true;
  const wins = inode.ctime >= winner && winner != 0xffffffff;
  if (wins) winner = 0xffffffff;
  return wins;
}
