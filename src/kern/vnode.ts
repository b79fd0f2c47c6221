// Vnodes: files of a file system while the kernel has them in memory. Contents are cached as pages of the vnode's VM
// object, which read, write and mmap share; directories and other metadata are the file system's own affair.
//
// Rules. A vnode stays while refs > 0 and may be recycled, with its pages, at any time after. Disk transfers may sleep:
// operations on vnodes and names are atomic because whoever makes them holds the file system's lock (lock.ts).
// Sizes are below 2 GiB.

import { EFBIG, EINVAL, EISDIR, ENOMEM } from '../abi/errno.ts';
import { Stat } from '../abi/file.ts';
import { Klist, knoteNotify } from './knote.ts';
import { fsLock, fsUnlock } from './lock.ts';
import type { Nameidata } from './namei.ts';
import { Uio, uiomove } from './uio.ts';
import { vmGetPageError, VmObject, vmObjectGetPage, vmObjectNewPage, vmObjectOf } from './vm_object.ts';
import { vmBalance, VmPage, vmPageFree, vmPageHold, vmPageLookup, vmPageRelease, vmPageSetClean, vmPageSetDirty } from './vm_page.ts';
import { ptov } from 'machine/pmap.ts';

export const VT_REG: i32 = 1;
export const VT_DIR: i32 = 2;
export const VT_CHR: i32 = 3;
export const VT_LNK: i32 = 4;
export const VT_OTHER: i32 = 5;

export const MAX_FILE_SIZE: u32 = 0x7fffffff;
/** findBlock could not tell. */
export const NO_BLOCK: u32 = 0xffffffff;
const PAGE: u32 = 4096;

export abstract class Vnode {
  type: i32 = 0;
  size: u32 = 0;
  refs: i32 = 0;
  /** Device number of a VT_CHR. */
  rdev: u32 = 0;
  object: VmObject | null = null;
  /** Locks of flock. */
  lockShared: i32 = 0;
  lockExclusive: bool = false;
  /** Knotes that wait for it to grow. */
  notes!: Embed<Klist>;

  ref(): void {
    this.refs++;
  }

  /** Drop a reference; the vnode may be gone afterwards. */
  unref(): void {
    if (this.refs > 1) {
      this.refs--;
      return;
    }
    fsLock();
    this.refs--;
    if (this.refs == 0) this.inactive();
    fsUnlock();
  }

  /** Nobody refers to it any more: free the file if it has no name left, else keep the vnode as a cache. */
  abstract inactive(): void;

  /** The disk block of page `pindex`: 0 in a hole, which `allocate` fills; NO_BLOCK when that fails. May sleep. */
  abstract findBlock(pindex: u32, allocate: bool): u32;
  /** Why the last findBlock failed. */
  abstract blockError(): i32;
  /** Make sure that page `pindex` has room on disk: 0, ENOSPC or EIO. */
  abstract reserve(pindex: u32): i32;
  /** Page `pindex` has room on disk. */
  abstract isAllocated(pindex: u32): bool;
  /** Page `pindex` is known, without a look at the disk, to have none. */
  abstract isHole(pindex: u32): bool;
  /** Set the size; what lies behind it is freed, also when the size stays. */
  abstract truncate(size: u32): i32;
  /** Note that the contents changed now, and that the file is at least `size` long. */
  abstract wrote(size: u32): void;

  abstract stat(st: Stat): void;
  abstract chmod(mode: u32): i32;
  /** Write everything of this file to disk. */
  abstract fsync(): i32;
  /** Permission bits and type, as in Stat.mode. */
  abstract mode(): u32;

  // Of directories. nd.name and nd.len are the name in question; all of these may fail with EIO.

  /** Find a name: nd.vp with a reference, or ENOENT. */
  abstract lookup(nd: Nameidata): i32;
  /** Make an inode of mode (type and permissions) and give it the name, which must be free: nd.vp with a reference. */
  abstract create(nd: Nameidata, mode: u32, rdev: u32): i32;
  abstract mkdir(nd: Nameidata, mode: u32): i32;
  /** Make a symbolic link to the `length` bytes at `target`. */
  abstract symlink(nd: Nameidata, target: usize, length: u32): i32;
  abstract link(nd: Nameidata, vp: Vnode): i32;
  /** Remove the name of nd.vp, no directory. */
  abstract remove(nd: Nameidata): i32;
  /** Remove the name of nd.vp, a directory that must be empty. */
  abstract rmdir(nd: Nameidata): i32;
  /** Give from.vp the name of `to` (replacing to.vp, if not null) and take away that of `from`. */
  abstract rename(from: Nameidata, to: Nameidata): i32;
  /** Directory entries as struct dirent, from position uio.offset, whole records only. */
  abstract readdir(uio: Uio): i32;
  /** Name of child vnode `child` in this directory to `kva`; its length, 0 if it has none here. */
  abstract nameOf(child: Vnode, kva: usize): u32;

  /** Of symbolic links: copy up to `room` bytes of the target to `kva`; the length, or 0 after an error. */
  abstract readlink(kva: usize, room: u32): u32;
}

/** Read from the page cache. Short at the end of the file. */
export function vnodeRead(vp: Vnode, uio: Uio): i32 {
  if (vp.type == VT_DIR) return EISDIR;
  const object = vmObjectOf(vp);
  while (uio.resid != 0 && uio.offset < vp.size) {
    const within = uio.offset & (PAGE - 1);
    const left = vp.size - uio.offset;
    const room = PAGE - within;
    vmBalance();
    const page = vmObjectGetPage(object, uio.offset >>> 12);
    if (page == null) return vmGetPageError;
    vmPageHold(page);
    const error = uiomove(ptov(page.pa) + within, left < room ? left : room, uio);
    vmPageRelease(page);
    if (error != 0) return error;
  }
  return 0;
}

/** Write into the page cache; blocks are allocated now, the data goes to disk later. */
export function vnodeWrite(vp: Vnode, uio: Uio): i32 {
  if (vp.type != VT_REG) return vp.type == VT_DIR ? EISDIR : EINVAL;
  if (uio.offset > MAX_FILE_SIZE || uio.resid > MAX_FILE_SIZE - uio.offset) return EFBIG;
  while (uio.resid != 0) {
    fsLock();
    const error = writePage(vp, uio);
    fsUnlock();
    if (error != 0) return error;
  }
  knoteNotify(vp.notes, 0);
  return 0;
}

/** The part of the transfer that lies in one page. */
function writePage(vp: Vnode, uio: Uio): i32 {
  const object = vmObjectOf(vp);
  const pindex = uio.offset >>> 12;
  const within = uio.offset & (PAGE - 1);
  const room = PAGE - within;
  const bytes = uio.resid < room ? uio.resid : room;
  vmBalance();
  const wasThere = vp.isAllocated(pindex);
  let error = vp.reserve(pindex);
  if (error != 0) return error;
  const overwrite = bytes == PAGE && vmPageLookup(object, pindex) == null;
  const page = overwrite || !wasThere ? vmObjectNewPage(object, pindex) : vmObjectGetPage(object, pindex);
  if (page == null) return ENOMEM;
  vmPageHold(page);
  vmPageSetDirty(page);
  error = uiomove(ptov(page.pa) + within, bytes, uio);
  vmPageSetDirty(page);                  // it may have been written in the middle, if the copy faulted when memory was short
  vmPageRelease(page);
  if (error == 0) vp.wrote(uio.offset);
  else if (!wasThere) vp.truncate(vp.size);
  else if (overwrite) forget(page);
  return error;
}

/** A page that was to be overwritten was not: what is on disk holds. */
function forget(page: VmPage): void {
  vmPageSetClean(page);
  vmPageFree(page);
}
