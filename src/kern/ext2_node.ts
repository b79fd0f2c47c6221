// ext2 inodes in memory. Each has its record as on disk (`d`), which goes back to the inode table when it is recycled or
// synchronised. Nodes that nobody refers to stay, with their pages, until there are more than MAX_IDLE of them, or twice as many that must be
// written.
//
// A file that is gone, but that the disk still has under its last name, is dead: it keeps its blocks and its inode until the disk has lost that name.
// So whatever a power cut leaves, a name leads to the old file or to the new one, never to a part.
//
// Invariant: a node is on the idle list exactly while refs == 0 and it has links; d.size lags behind `size` and is set by update().

import { bdirty, bread, brelse, bzero } from './bio.ts';
import { BLOCK_SECTORS, BLOCK_SIZE } from './diskqueue.ts';
import { allocInode, firstBlockOf, freeInode, inodeBlock, inodeOffset } from './ext2_alloc.ts';
import { dirAdd, dirFind, dirInit, dirIsEmpty, dirNameOf, dirRead, dirRemove, dirReplace, FT_BLK, FT_CHR, FT_DIR, FT_FIFO, FT_LNK,
  FT_REG } from './ext2_dir.ts';
import { commitCount, ext2Commit, fail, fileTime, fsError, holdCommit, letCommit } from './ext2_fs.ts';
import { BAD_BLOCK, blockOf, freeBlocksFrom, isHole } from './ext2_map.ts';
import type { Nameidata } from './namei.ts';
import { Uio } from './uio.ts';
import { MAX_FILE_SIZE, Vnode, VT_CHR, VT_DIR, VT_LNK, VT_OTHER, VT_REG } from './vnode.ts';
import { vmGetPageError, vmObjectDestroy, vmObjectFlush, vmObjectGetPage, vmObjectIsDirty, vmObjectOf, vmObjectTruncate } from './vm_object.ts';
import { EFBIG, EINVAL, EIO, EISDIR, EMLINK, ENOTDIR, ENOTEMPTY, EPERM } from '../abi/errno.ts';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, Stat } from '../abi/file.ts';

export const ROOT_INO: u32 = 2;
const MAX_IDLE: i32 = 768;
const MAX_DEAD: u32 = 512;
const CANDIDATES: i32 = 16;
const BUCKETS: u32 = 256;
const LINK_MAX: u32 = 32000;
const FAST_SYMLINK: u32 = 60;

/** An inode on disk: 128 bytes. */
export class Ext2Inode {
  mode: u16 = 0;
  uid: u16 = 0;
  size: u32 = 0;
  atime: u32 = 0;
  ctime: u32 = 0;
  mtime: u32 = 0;
  dtime: u32 = 0;
  gid: u16 = 0;
  links: u16 = 0;
  blocks: u32 = 0;          // of 512 bytes, pointer blocks included
  flags: u32 = 0;
  version: u32 = 0;
  block!: FixedArray<u32, 15>;
  generation: u32 = 0;
  fileAcl: u32 = 0;
  sizeHigh: u32 = 0;
  fragment: u32 = 0;
  os0: u32 = 0;
  os1: u32 = 0;
  os2: u32 = 0;
}

let buckets!: FixedArray<Ext2Node | null, 256>;
let idleOldest: Ext2Node | null = null;
let idleNewest: Ext2Node | null = null;
let idleCount: i32 = 0;
let dead: Ext2Node | null = null;
/** Files that are dead. */
export let deadCount: u32 = 0;
/** Nodes in memory, for vm.stats. */
export let nodeCount: u32 = 0;

export class Ext2Node extends Vnode {
  ino: u32 = 0;
  d!: Embed<Ext2Inode>;
  dirty: bool = false;
  /** Where the next block of the file should go. */
  goal: u32 = 0;
  hashNext: Ext2Node | null = null;
  idleNewer: Ext2Node | null = null;
  idleOlder: Ext2Node | null = null;
  nextDead: Ext2Node | null = null;
  /** How often everything had been written when the file was made. */
  madeAt: u32 = 0;

  /** Nothing on the disk refers to the file or its blocks. */
  isNew(): bool {
    return this.madeAt == commitCount;
  }

  override inactive(): void {
    if (this.d.links == 0) {
      reclaim(this);
      return;
    }
    toIdle(this);
    if (idleCount > MAX_IDLE) recycle();
  }

  override findBlock(pindex: u32, allocate: bool): u32 {
    if (!allocate) return blockOf(this, pindex, false);
    holdCommit();                        // the caller may be in the middle of it
    const block = blockOf(this, pindex, true);
    letCommit();
    return block;
  }

  override blockError(): i32 {
    return fsError;
  }

  override reserve(pindex: u32): i32 {
    return blockOf(this, pindex, true) == BAD_BLOCK ? fsError : 0;
  }

  override isAllocated(pindex: u32): bool {
    const block = blockOf(this, pindex, false);
    return block != 0 && block != BAD_BLOCK;
  }

  override isHole(pindex: u32): bool {
    return isHole(this, pindex);
  }

  override truncate(size: u32): i32 {
    if (this.type != VT_REG) return this.type == VT_DIR ? EISDIR : EINVAL;
    if (size > MAX_FILE_SIZE) return EFBIG;
    let error: i32 = 0;
    if (size <= this.size) {
      error = loadTail(this, size);
      if (error != 0) return error;
      if (this.object != null) vmObjectTruncate(this.object, size);
      error = freeBlocksFrom(this, (size + BLOCK_SIZE - 1) / BLOCK_SIZE);
    }
    this.size = size;
    stamp(this);
    return error;
  }

  override wrote(size: u32): void {
    if (size > this.size) this.size = size;
    stamp(this);
  }

  override mode(): u32 {
    return this.d.mode as u32;
  }

  override stat(st: Stat): void {
    memory.fill(changetype<usize>(st), 0, sizeof<Stat>());
    st.ino = this.ino;
    st.nlink = this.d.links as u32;
    st.dev = 1;
    st.mode = this.d.mode;
    st.uid = this.d.uid as u32;
    st.gid = this.d.gid as u32;
    st.rdev = this.rdev;
    st.atime = this.d.atime;
    st.mtime = this.d.mtime;
    st.ctime = this.d.ctime;
    st.size = this.size;
    st.blocks = this.d.blocks;
    st.blksize = BLOCK_SIZE;
  }

  override chmod(mode: u32): i32 {
    this.d.mode = (((this.d.mode as u32) & S_IFMT) | (mode & 0xfff)) as u16;
    changed(this);
    return 0;
  }

  override fsync(): i32 {
    const data = this.object != null ? vmObjectFlush(this.object) : 0;
    const rest = ext2Commit();
    return data != 0 ? data : rest;
  }

  override lookup(nd: Nameidata): i32 {
    const ino = dirFind(this, nd.name, nd.length);
    const node = ino == 0 ? null : iget(ino);
    nd.vp = node;
    return node == null ? fsError : 0;
  }

  override create(nd: Nameidata, mode: u32, rdev: u32): i32 {
    const node = newNode(this, mode);
    if (node == null) return fsError;
    node.d.links = 1;
    node.rdev = rdev;
    if ((mode & S_IFMT) == S_IFCHR || (mode & S_IFMT) == S_IFBLK) node.d.block[0] = rdev;
    return enter(this, nd, node);
  }

  override mkdir(nd: Nameidata, mode: u32): i32 {
    if ((this.d.links as u32) >= LINK_MAX) return EMLINK;
    const node = newNode(this, S_IFDIR | (mode & 0xfff));
    if (node == null) return fsError;
    node.d.links = 2;
    let error = dirInit(node, this.ino);
    if (error == 0) error = enter(this, nd, node);
    else abandon(node);
    if (error == 0) addLink(this, 1);
    return error;
  }

  override symlink(nd: Nameidata, target: usize, length: u32): i32 {
    const node = newNode(this, S_IFLNK | 0x1ff);
    if (node == null) return fsError;
    node.d.links = 1;
    node.size = length;
    const error = writeTarget(node, target, length);
    if (error == 0) return enter(this, nd, node);
    abandon(node);
    return error;
  }

  override link(nd: Nameidata, vp: Vnode): i32 {
    const node = vp as Ext2Node;
    if (node.type == VT_DIR) return EPERM;
    if ((node.d.links as u32) >= LINK_MAX) return EMLINK;
    const error = dirAdd(this, nd.name, nd.length, node.ino, entryType(node));
    if (error == 0) addLink(node, 1);
    return error;
  }

  override remove(nd: Nameidata): i32 {
    const node = nd.vp! as Ext2Node;
    const error = dirRemove(this, nd.name, nd.length);
    if (error == 0) addLink(node, -1);
    return error;
  }

  override rmdir(nd: Nameidata): i32 {
    const node = nd.vp! as Ext2Node;
    if (node.type != VT_DIR) return ENOTDIR;
    if (node == this) return EINVAL;
    if (!dirIsEmpty(node)) return ENOTEMPTY;
    const error = dirRemove(this, nd.name, nd.length);
    if (error != 0) return error;
    addLink(node, -2);
    addLink(this, -1);
    return 0;
  }

  override rename(from: Nameidata, to: Nameidata): i32 {
    const node = from.vp! as Ext2Node;
    const toDir = to.dir! as Ext2Node;
    const old: Ext2Node | null = to.vp == null ? null : to.vp as Ext2Node;
    if (old == node) return 0;
    let error = mayRename(node, toDir, old);
    if (error != 0) return error;
    if (old != null) error = dirReplace(toDir, to.name, to.length, node.ino, entryType(node));
    else error = dirAdd(toDir, to.name, to.length, node.ino, entryType(node));
    if (error != 0) return error;
    error = dirRemove(this, from.name, from.length);
    if (old != null) addLink(old, old.type == VT_DIR ? -2 : -1);
    if (old != null && old.type == VT_DIR) addLink(toDir, -1);
    if (error == 0 && node.type == VT_DIR && toDir != this) error = moveParent(node, this, toDir);
    changed(node);
    return error;
  }

  override readdir(uio: Uio): i32 {
    return this.type == VT_DIR ? dirRead(this, uio) : ENOTDIR;
  }

  override nameOf(child: Vnode, kva: usize): u32 {
    return dirNameOf(this, (child as Ext2Node).ino, kva);
  }

  override readlink(kva: usize, room: u32): u32 {
    const n = this.size < room ? this.size : room;
    if (this.d.blocks == 0) memory.copy(kva, changetype<usize>(this.d.block), n < FAST_SYMLINK ? n : FAST_SYMLINK);
    else return readTarget(this, kva, n);
    return n;
  }
}

/** The node of an inode, with a reference; null with fsError when the disk fails. */
export function iget(ino: u32): Ext2Node | null {
  let node = buckets[ino & (BUCKETS - 1)];
  while (node != null && node.ino != ino) node = node.hashNext;
  if (node == null) return readNode(ino);
  if (node.refs == 0) fromIdle(node);
  node.refs++;
  return node;
}

function readNode(ino: u32): Ext2Node | null {
  const b = bread(inodeBlock(ino));
  if (b == null) {
    fail(EIO);
    return null;
  }
  const node = hashNode(ino);
  memory.copy(changetype<usize>(node.d), b.data + inodeOffset(ino), sizeof<Ext2Inode>());
  brelse(b);
  node.size = node.d.size;
  setType(node);
  if (node.type == VT_CHR) node.rdev = node.d.block[0];
  return node;
}

function hashNode(ino: u32): Ext2Node {
  const node = new Ext2Node();
  nodeCount++;
  node.ino = ino;
  node.refs = 1;
  node.goal = firstBlockOf(ino);
  const at = ino & (BUCKETS - 1);
  node.hashNext = buckets[at];
  buckets[at] = node;
  return node;
}

function setType(node: Ext2Node): void {
  switch ((node.d.mode as u32) & S_IFMT) {
    case S_IFREG: node.type = VT_REG; break;
    case S_IFDIR: node.type = VT_DIR; break;
    case S_IFCHR: node.type = VT_CHR; break;
    case S_IFLNK: node.type = VT_LNK; break;
    default: node.type = VT_OTHER;
  }
}

function entryType(node: Ext2Node): u8 {
  switch ((node.d.mode as u32) & S_IFMT) {
    case S_IFDIR: return FT_DIR;
    case S_IFCHR: return FT_CHR;
    case S_IFBLK: return FT_BLK;
    case S_IFIFO: return FT_FIFO;
    case S_IFLNK: return FT_LNK;
    default: return FT_REG;
  }
}

/** A new inode near `parent`, without links; null with fsError. */
function newNode(parent: Ext2Node, mode: u32): Ext2Node | null {
  const ino = allocInode(parent.ino, (mode & S_IFMT) == S_IFDIR);
  if (ino == 0) return null;
  const node = hashNode(ino);
  node.madeAt = commitCount;
  node.d.mode = mode as u16;
  node.d.atime = fileTime();
  setType(node);
  stamp(node);
  return node;
}

/** Give a new node its name and the caller its reference; without success it is gone. */
function enter(dir: Ext2Node, nd: Nameidata, node: Ext2Node): i32 {
  const error = dirAdd(dir, nd.name, nd.length, node.ino, entryType(node));
  nd.vp = error == 0 ? node : null;
  if (error != 0) abandon(node);
  return error;
}

/** A new node that could not get a name. */
function abandon(node: Ext2Node): void {
  node.d.links = 0;
  node.unref();
}

function stamp(node: Ext2Node): void {
  node.d.mtime = fileTime();
  changed(node);
}

function changed(node: Ext2Node): void {
  node.d.ctime = fileTime();
  node.dirty = true;
}

function addLink(node: Ext2Node, n: i32): void {
  node.d.links = ((node.d.links as i32) + n) as u16;
  changed(node);
}

/** Have the page in which the file will end in the cache, where its rest is cleared, unless it is a hole. */
function loadTail(node: Ext2Node, size: u32): i32 {
  if (size % BLOCK_SIZE == 0 || !node.isAllocated(size / BLOCK_SIZE)) return 0;
  return vmObjectGetPage(vmObjectOf(node), size / BLOCK_SIZE) == null ? vmGetPageError : 0;
}

function writeTarget(node: Ext2Node, target: usize, length: u32): i32 {
  if (length < FAST_SYMLINK) {
    memory.copy(changetype<usize>(node.d.block), target, length);
    return 0;
  }
  const block = blockOf(node, 0, true);
  if (block == BAD_BLOCK) return fsError;
  const b = bzero(block);
  memory.copy(b.data, target, length);
  brelse(b);
  return 0;
}

/** The target of a long symbolic link is in its only block: the number of bytes copied. */
function readTarget(node: Ext2Node, kva: usize, n: u32): u32 {
  const block = blockOf(node, 0, false);
  const b = block == 0 || block == BAD_BLOCK ? null : bread(block);
  if (b == null) return 0;
  memory.copy(kva, b.data, n < BLOCK_SIZE ? n : BLOCK_SIZE);
  brelse(b);
  return n;
}

/** Is `dir` the directory `node` or below it? */
function isBelow(dir: Ext2Node, node: Ext2Node): bool {
  let ino = dir.ino;
  while (ino != ROOT_INO) {
    if (ino == node.ino) return true;
    const d = iget(ino);
    if (d == null) return true;
    ino = dirFind(d, changetype<usize>("..") + 4, 2);
    d.unref();
    if (ino == 0) return true;
  }
  return false;
}

function mayRename(node: Ext2Node, toDir: Ext2Node, old: Ext2Node | null): i32 {
  if (node.type == VT_DIR && isBelow(toDir, node)) return EINVAL;
  if (old == null) return 0;
  if (old.type != VT_DIR) return node.type == VT_DIR ? ENOTDIR : 0;
  if (node.type != VT_DIR) return EISDIR;
  return dirIsEmpty(old) ? 0 : ENOTEMPTY;
}

/** A directory has moved: let its `..` mean the new parent. */
function moveParent(node: Ext2Node, from: Ext2Node, to: Ext2Node): i32 {
  addLink(from, -1);
  addLink(to, 1);
  return dirReplace(node, changetype<usize>("..") + 4, 2, to.ino, FT_DIR);
}

/** Copy the record into the inode table's buffer: 0 or EIO. */
function update(node: Ext2Node): i32 {
  if (!node.dirty) return 0;
  const b = bread(inodeBlock(node.ino));
  if (b == null) return EIO;
  node.d.size = node.size;
  memory.copy(b.data + inodeOffset(node.ino), changetype<usize>(node.d), sizeof<Ext2Inode>());
  bdirty(b);
  brelse(b);
  node.dirty = false;
  return 0;
}

/** Free the file of a node without links or references, and the node: now, or when the disk has lost its name. */
function reclaim(node: Ext2Node): void {
  if (node.object != null) vmObjectDestroy(node.object);
  if (node.isNew()) {
    freeFile(node);
    dropNode(node);
    return;
  }
  node.nextDead = dead;
  dead = node;
  deadCount++;
  if (deadCount > MAX_DEAD) ext2Commit();
}

/** The disk has no name of dead files any more: free them. */
export function freeDead(): void {
  while (dead != null) {
    const node = dead;
    dead = node.nextDead;
    freeFile(node);
    dropNode(node);
  }
  deadCount = 0;
}

/** Blocks of dead files. */
export function deadBlocks(): u32 {
  let count: u32 = 0;
  for (let node = dead; node != null; node = node.nextDead) count += node.d.blocks / BLOCK_SECTORS;
  return count;
}

function dropNode(node: Ext2Node): void {
  unhash(node);
  nodeCount--;
  free(node);
}

/** Free blocks and inode of a file without links. */
function freeFile(node: Ext2Node): void {
  const inline = node.type == VT_CHR || node.type == VT_OTHER || (node.type == VT_LNK && node.d.blocks == 0);
  if (inline) memory.fill(changetype<usize>(node.d.block), 0, 60);
  else freeBlocksFrom(node, 0);
  node.size = 0;
  node.d.dtime = fileTime();
  node.dirty = true;
  update(node);
  freeInode(node.ino, node.type == VT_DIR);
}

function unhash(node: Ext2Node): void {
  const at = node.ino & (BUCKETS - 1);
  if (buckets[at] == node) {
    buckets[at] = node.hashNext;
    return;
  }
  let q = buckets[at]!;
  while (q.hashNext != node) q = q.hashNext!;
  q.hashNext = node.hashNext;
}

function toIdle(node: Ext2Node): void {
  node.idleNewer = null;
  node.idleOlder = idleNewest;
  if (idleNewest != null) idleNewest.idleNewer = node;
  else idleOldest = node;
  idleNewest = node;
  idleCount++;
}

function fromIdle(node: Ext2Node): void {
  if (node.idleNewer != null) node.idleNewer.idleOlder = node.idleOlder;
  else idleNewest = node.idleOlder;
  if (node.idleOlder != null) node.idleOlder.idleNewer = node.idleNewer;
  else idleOldest = node.idleNewer;
  idleCount--;
}

/** Forget one of the nodes that are idle for longest, whose pages are written. If there is none, all are written when they become too many. */
function recycle(): void {
  let node = idleOldest;
  for (let n: i32 = 1; node != null && isUnwritten(node); n++) node = n < CANDIDATES ? node.idleNewer : null;
  if (node != null) forget(node);
  else if (idleCount > MAX_IDLE * 2) ext2Commit();
}

function isUnwritten(node: Ext2Node): bool {
  return node.object != null && vmObjectIsDirty(node.object);
}

/** It stays when its record can't be read. */
function forget(node: Ext2Node): void {
  const object = node.object;
  if (update(node) != 0) return;
  if (object != null) vmObjectDestroy(object);
  fromIdle(node);
  dropNode(node);
}

/** Copy all changed records to the inode table, but those of files without a name, of which the disk has the last one still: 0 or EIO. */
export function updateNodes(): i32 {
  let error: i32 = 0;
  for (let i: u32 = 0; i < BUCKETS; i++) {
    for (let node = buckets[i]; node != null; node = node.hashNext) {
      if (node.d.links != 0 && update(node) != 0) error = EIO;
    }
  }
  return error;
}

/** Write the changed pages of all files, those that sync leaves alone included: 0 or the first error. */
export function flushNodes(): i32 {
  let error: i32 = 0;
  for (let i: u32 = 0; i < BUCKETS; i++) {
    for (let node = buckets[i]; node != null; node = node.hashNext) {
      const e = node.object != null ? vmObjectFlush(node.object) : 0;
      if (error == 0) error = e;
    }
  }
  return error;
}

/** At the end of the system, when everything is written: free the files that have no name but are still open. */
export function freeOrphans(): void {
  for (let i: u32 = 0; i < BUCKETS; i++) {
    for (let node = buckets[i]; node != null; node = node.hashNext) {
      if (node.d.links != 0 || node.refs == 0) continue;
      if (node.object != null) vmObjectTruncate(node.object, 0);
      freeFile(node);
    }
  }
}
