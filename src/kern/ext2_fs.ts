// The ext2 volume: superblock, group descriptors, mounting, writing back. 4 KiB blocks, 128-byte inodes, directory entries
// with file types, sparse files; no journal. Files stay below 2 GiB, so the double indirect block is the last one needed.
//
// Writing back (ext2Commit) goes in an order in which every step is right whenever the power fails: data and fresh pointers; inodes and the others; names; then
// the inodes of files that have lost their last name. Only then are blocks free that files have given up. So after a power cut a name means the
// file that it meant at the last commit, or all of the one that it was given since.
//
// Guarantees: a volume that was not unmounted is checked before it is mounted (ext2_check.ts); from ext2Mount to ext2Unmount the superblock on disk says "not clean"; after ext2Unmount everything is
// written, files without a name are freed, counts are right, and it says "clean".

import { bdirty, bflush, bflushEnd, bflushFresh, bread, Buf } from './bio.ts';
import { BLOCK_SECTORS, BLOCK_SIZE } from './diskqueue.ts';
import { ext2Check } from './ext2_check.ts';
import { freeGivenUp, givenUp } from './ext2_alloc.ts';
import { deadBlocks, deadCount, freeDead, freeOrphans, flushNodes, iget, Ext2Node, ROOT_INO, updateNodes } from './ext2_node.ts';
import { FsStats } from '../abi/file.ts';
import { kprint } from './kprintf.ts';
import { clockAtLeast, tickSeconds } from './time.ts';
import type { Vnode } from './vnode.ts';
import { vmFlushDirty } from './vm_page.ts';
import { diskInit, diskSize } from 'machine/disk.ts';

const MAGIC: u16 = 0xef53;
const STATE_CLEAN: u16 = 1;
const LOG_BLOCK: u32 = 2;              // 1024 << 2
const INCOMPAT_FILETYPE: u32 = 2;
const RO_COMPAT_KNOWN: u32 = 3;        // sparse superblocks, large files
const SUPER_AT: u32 = 1024;
const MAX_GROUPS: u32 = 128;           // descriptors in one block

class Ext2Super {
  inodes: u32 = 0;
  blocks: u32 = 0;
  reservedBlocks: u32 = 0;
  freeBlocks: u32 = 0;
  freeInodes: u32 = 0;
  firstDataBlock: u32 = 0;
  logBlock: u32 = 0;
  logFragment: u32 = 0;
  blocksPerGroup: u32 = 0;
  fragmentsPerGroup: u32 = 0;
  inodesPerGroup: u32 = 0;
  mountTime: u32 = 0;
  writeTime: u32 = 0;
  mountCount: u16 = 0;
  maxMountCount: u16 = 0;
  magic: u16 = 0;
  state: u16 = 0;
  errors: u16 = 0;
  minorRevision: u16 = 0;
  lastCheck: u32 = 0;
  checkInterval: u32 = 0;
  creator: u32 = 0;
  revision: u32 = 0;
  reservedUid: u16 = 0;
  reservedGid: u16 = 0;
  firstInode: u32 = 0;
  inodeSize: u16 = 0;
  groupOfCopy: u16 = 0;
  compat: u32 = 0;
  incompat: u32 = 0;
  roCompat: u32 = 0;
}

class Ext2Group {
  blockBitmap: u32 = 0;
  inodeBitmap: u32 = 0;
  inodeTable: u32 = 0;
  freeBlocks: u16 = 0;
  freeInodes: u16 = 0;
  usedDirs: u16 = 0;
  pad: u16 = 0;
  reserved0: u32 = 0;
  reserved1: u32 = 0;
  reserved2: u32 = 0;
}

/** The superblock, in its buffer, which is held while mounted. */
export let super_!: Ext2Super;
export let groupCount: u32 = 0;
/** Why the last operation that reports failure by 0 or null failed. Read it at once. */
export let fsError: i32 = 0;

/** How often everything has been written, and one. */
export let commitCount: u32 = 1;
let commitsHeld: i32 = 0;
let superBuf!: Buf;
let groupBuf!: Buf;
let rootNode!: Ext2Node;

/** Set fsError; returns 0 for the caller to pass on. */
export function fail(error: i32): u32 {
  fsError = error;
  return 0;
}

/** Seconds since 1970: what files are stamped with. */
export function fileTime(): u32 {
  return tickSeconds();
}

/** The descriptor of a block group, in its buffer. */
export function groupAt(group: u32): Ext2Group {
  return changetype<Ext2Group>(groupBuf.data + group * sizeof<Ext2Group>());
}

/** The counts in superblock and descriptors have changed. */
export function countsChanged(): void {
  bdirty(superBuf);
  bdirty(groupBuf);
}

/** Mount the disk: null, or what is wrong with it. `readOnly`: as it is. */
export function ext2Mount(readOnly: bool): string | null {
  if (diskInit() != 0) return "no disk";
  const first = bread(0);
  if (first == null) return "the disk can't be read";
  superBuf = first;
  super_ = changetype<Ext2Super>(first.data + SUPER_AT);
  const problem = unsupported(super_);
  if (problem != null) return problem;
  groupCount = (super_.blocks - super_.firstDataBlock + super_.blocksPerGroup - 1) / super_.blocksPerGroup;
  if (groupCount > MAX_GROUPS) return "it is too large";
  const second = bread(1);
  if (second == null) return "the disk can't be read";
  groupBuf = second;
  if (!readOnly && (super_.state & STATE_CLEAN) == 0 && !recover()) return "it was not unmounted, and the disk can't be read";
  const root = iget(ROOT_INO);
  if (root == null) return "the root directory can't be read";
  rootNode = root;
  if (!readOnly) markInUse();
  return null;
}

function unsupported(s: Ext2Super): string | null {
  if (s.magic != MAGIC) return "no ext2 file system is on the disk";
  if (s.logBlock != LOG_BLOCK || s.firstDataBlock != 0) return "its blocks are not 4 KiB";
  if (s.revision != 1 || s.inodeSize != 128) return "its inodes are not 128 bytes";
  if (s.incompat != INCOMPAT_FILETYPE || (s.roCompat & ~RO_COMPAT_KNOWN) != 0) return "it has features that are not supported";
  if (s.blocks * BLOCK_SECTORS > diskSize() || s.blocksPerGroup > BLOCK_SIZE * 8) return "it is larger than the disk";
  return null;
}

/** After a power cut. */
function recover(): bool {
  kprint("root file system: was not unmounted\n");
  const count = ext2Check();
  if (count > 0) kprint(`root file system: ${count} repairs\n`);
  return count >= 0 && bflush() == 0;
}

function markInUse(): void {
  super_.state = 0;
  clockAtLeast((super_.writeTime > super_.mountTime ? super_.writeTime : super_.mountTime) + 1);
  super_.mountTime = fileTime();
  super_.mountCount = (super_.mountCount + 1) as u16;
  bdirty(superBuf);
  bflush();
}

/** How full the volume is. */
export function ext2Stats(stats: FsStats): void {
  stats.blockSize = BLOCK_SIZE;
  stats.blocks = super_.blocks;
  stats.freeBlocks = super_.freeBlocks + givenUp + deadBlocks();
  stats.inodes = super_.inodes;
  stats.freeInodes = super_.freeInodes + deadCount;
}

export function ext2Root(): Vnode {
  return rootNode;
}

/** Until letCommit, ext2Commit does nothing. */
export function holdCommit(): void {
  commitsHeld++;
}

export function letCommit(): void {
  commitsHeld--;
}

/** Write all data, inodes and metadata, if this is the time for it: 0 or the first error. */
export function ext2Commit(): i32 {
  if (commitsHeld != 0) return 0;
  holdCommit();
  commitCount++;
  const fresh = bflushFresh();
  const data = vmFlushDirty(0xffffffff);
  let error = bflushEnd(fresh);
  if (error == 0) error = updateNodes();
  if (error == 0) error = bflush();
  if (error == 0) error = forgetDead();
  letCommit();
  return data != 0 ? data : error;
}

/** The names are written: the inodes that no name leads to go, and then what they had. */
function forgetDead(): i32 {
  const any = deadCount != 0;
  freeDead();
  const error = any ? bflush() : 0;
  if (error == 0) freeGivenUp();
  return error;
}

/** Leave the volume clean: 0 or the first error. */
export function ext2Unmount(): i32 {
  const data = flushNodes();
  let error = ext2Commit();
  if (data != 0 || error != 0) return data != 0 ? data : error;
  freeOrphans();
  error = bflush();
  freeGivenUp();
  if (error == 0) error = bflush();
  if (error != 0) return error;
  super_.state = STATE_CLEAN;
  super_.writeTime = fileTime();
  bdirty(superBuf);
  return bflush();
}
