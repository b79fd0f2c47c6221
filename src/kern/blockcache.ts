// Blocks of the disk in memory that belong to nobody yet. A block that is wanted is read with its group, the 32 blocks between two
// multiples of 128 KiB: what lies beside each other on the disk is wanted together, and getting there takes longer than reading it.
// From here a block moves on when it is asked for: to the page cache of a file (the page changes its owner) or to the buffer cache
// (which copies it). Blocks that nobody asks for are clean pages and go as those do. With off=groups each block is read alone.
//
// A page here is always what is on the disk: whoever has written a block calls blockForget before anybody else gets the file system's
// lock, which all callers hold. A page is PG_BUSY until it is read, and PG_BAD when that failed.

import { diskSize } from "machine/disk.ts";
import { splhigh, splx } from "machine/intr.ts";
import { ptov } from "machine/pmap.ts";
import { EIO } from "../abi/errno.ts";
import { BLOCK_SECTORS, BLOCK_SIZE, diskMove, diskPump, diskQueue } from "./diskqueue.ts";
import { tsleep } from "./sched.ts";
import { groupsOn } from "./tuning.ts";
import { OBJ_VNODE, VmObject } from "./vm_object.ts";
import { manyPagesFree, PG_BAD, PG_BUSY, VmPage, vmPageAlloc, vmPageFree, vmPageHold, vmPageLookup, vmPageMove, vmPageRelease } from "./vm_page.ts";
import { malloc } from "rt/rt.ts";

/** Blocks that are read together. */
export const GROUP: u32 = 64;

let blocks!: VmObject;            // pages by block number
let dropped!: VmObject;           // pages still in use whose block has changed since, by page number
let ready: bool = false;
let sink: usize = 0;              // where blocks go that are in memory already, but lie between two that are not

function begin(): void {
  blocks = new VmObject();
  blocks.kind = OBJ_VNODE;
  dropped = new VmObject();
  dropped.kind = OBJ_VNODE;
  sink = malloc(BLOCK_SIZE);
  ready = true;
}

/** The page with a block, which may still be busy; null when there is no memory for it. */
export function blockPage(block: u32): VmPage | null {
  if (!ready) begin();
  const found = vmPageLookup(blocks, block);
  if (found != null) return found;
  const s = splhigh();
  queueGroup(block);
  diskPump();
  splx(s);
  return vmPageLookup(blocks, block);
}

/** Have the group of a block read, without waiting for it, unless the block is here. */
export function blockAhead(block: u32): void {
  blockPage(block);
}

/** Queue what is missing of the block's group. At splhigh. */
function queueGroup(block: u32): void {
  let first = block;
  let last = block;
  if (groupsOn && manyPagesFree()) {
    first = block & ~(GROUP - 1);
    last = first + GROUP - 1;
    const end = diskSize() / BLOCK_SECTORS;
    if (last >= end) last = end - 1;
    while (first < block && vmPageLookup(blocks, first) != null) first++;
    while (last > block && vmPageLookup(blocks, last) != null) last--;
  }
  for (let b = first; b <= last; b++) queueBlock(b);
}

function queueBlock(block: u32): void {
  const page = vmPageLookup(blocks, block) == null ? vmPageAlloc(blocks, block, false) : null;
  if (page != null) page.flags |= PG_BUSY;
  diskQueue(block, page != null ? ptov(page.pa) : sink, false, page, null);
}

/** Sleep until a page is no longer busy. It stays for the caller to look at, but may have become another's. */
export function blockWait(page: VmPage): void {
  vmPageHold(page);
  const s = splhigh();
  while ((page.flags & PG_BUSY) != 0) tsleep(changetype<usize>(page), 0, "disk", 0);
  splx(s);
  vmPageRelease(page);
}

/** What is here of a block is no longer wanted, or no longer true. */
export function blockForget(block: u32): void {
  if (!ready) return;
  const page = vmPageLookup(blocks, block);
  if (page == null) return;
  const s = splhigh();
  if (page.wire != 0 || (page.flags & PG_BUSY) != 0) vmPageMove(page, dropped, page.pa >>> 12);
  else vmPageFree(page);
  splx(s);
}

/** A page that is read and right becomes page `pindex` of a file. */
export function blockGive(page: VmPage, object: VmObject, pindex: u32): void {
  vmPageMove(page, object, pindex);
}

/** Copy a block to kernel memory: 0 or EIO. Sleeps with the file system's lock. */
export function blockRead(block: u32, kva: usize): i32 {
  const page = blockPage(block);
  if (page == null) return diskMove(block, kva, false);
  blockWait(page);
  const error = (page.flags & PG_BAD) != 0 ? EIO : 0;
  if (error == 0) memory.copy(kva, ptov(page.pa), BLOCK_SIZE);
  blockForget(block);
  return error;
}
