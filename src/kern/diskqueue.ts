// Disk requests and the elevator. Each request moves one block of 4 KiB. Those that wait are kept in the order of their blocks; the
// next command is the one that lies next in the direction of the arm, which goes up and then starts again from below, and takes
// with it all that follow directly. Readers and writers therefore queue as many blocks as they like and let the queue make few
// large commands of them. With off=elevator each request is a command of its own, first come, first served.
//
// Rules: diskQueue and diskPump are called at splhigh, and nothing begins before diskPump. A request belongs to a batch, whose owner
// waits for all of it, or reads a page that is PG_BUSY until the platform says that it is done; then others may sleep on the page. A command
// that fails is repeated block by block, so that only those fail which must. The platform has one slot or a few, each for one command
// that it works on. Where the platform is not asynchronous (off=asyncdisk), all
// is done when diskPump returns.

import { splhigh, splx } from "machine/intr.ts";
import { diskSlots, diskStart } from "machine/disk.ts";
import { tsleep, wakeup } from "./sched.ts";
import { elevatorOn } from "./tuning.ts";
import { PG_BAD, PG_BUSY, VmPage } from "./vm_page.ts";

export const BLOCK_SIZE: u32 = 4096;
export const BLOCK_SECTORS: u32 = 8;
/** Blocks of the longest command: 256 sectors. */
export const MOST_BLOCKS: u32 = 32;
/** diskStart's answer: the platform will call diskDone. */
export const DISK_STARTED: i32 = -1;

export class DiskRequest {
  block: u32 = 0;
  /** The data in kernel memory, within one page. */
  kva: usize = 0;
  write: bool = false;
  /** Not to be merged: it was part of a command that failed. */
  alone: bool = false;
  error: i32 = 0;
  /** Of reads without a batch: the page that waits for its contents. Of others: what the batch's owner wants to remember. */
  page: VmPage | null = null;
  batch: DiskBatch | null = null;
  /** The next one in the queue, in the command, in the batch's list, or of those not in use. */
  next: DiskRequest | null = null;
}

/** Requests that somebody waits for together. */
export class DiskBatch {
  pending: i32 = 0;
  done: DiskRequest | null = null;
}

let queue: DiskRequest | null = null;
let unused: DiskRequest | null = null;
const MOST_UNUSED: u32 = 256;                // that are kept for the next
/** Requests that are kept, for vm.stats; more than MOST_UNUSED only until the next batch has ended. */
export let unusedRequests: u32 = 0;
let lastQueued: DiskRequest | null = null;   // still in the queue: where the next one probably belongs
let commands!: FixedArray<DiskRequest | null, 4>;   // by slot: the first request of the command that the disk works on
let position: u32 = 0;                       // the block behind the last command
/** Commands given to the disk, for vm.stats. */
export let diskCommands: u32 = 0;

/** Queue the transfer of a block. At splhigh. */
export function diskQueue(block: u32, kva: usize, write: bool, page: VmPage | null, batch: DiskBatch | null): void {
  let r = unused;
  if (r == null) {
    r = new DiskRequest();
  } else {
    unused = r.next;
    unusedRequests--;
  }
  r.block = block;
  r.kva = kva;
  r.write = write;
  r.alone = false;
  r.page = page;
  r.batch = batch;
  if (batch != null) batch.pending++;
  enqueue(r);
}

/** By block, behind those of the same block; without the elevator at the end. */
function enqueue(r: DiskRequest): void {
  let before = lastQueued;
  if (before != null && elevatorOn && before.block > r.block) before = null;
  let after = before != null ? before.next : queue;
  while (after != null && (!elevatorOn || after.block <= r.block)) {
    before = after;
    after = after.next;
  }
  r.next = after;
  if (before == null) queue = r;
  else before.next = r;
  lastQueued = r;
}

/** Take the requests of the next command off the queue, which is not empty: the first of them. */
function nextCommand(): DiskRequest {
  let before: DiskRequest | null = null;
  let first = queue!;
  if (elevatorOn) {
    let r = queue;
    while (r != null && r.block < position) {
      before = r;
      r = r.next;
    }
    if (r != null) first = r;
    else before = null;
  }
  const last = lastOf(first);
  if (before == null) queue = last.next;
  else before.next = last.next;
  last.next = null;
  lastQueued = null;
  position = last.block + 1;
  return first;
}

/** The last request that can go with the first. */
function lastOf(first: DiskRequest): DiskRequest {
  let last = first;
  if (!elevatorOn) return last;
  for (let n: u32 = 1; n < MOST_BLOCKS; n++) {
    const next = last.next;
    if (next == null || next.block != last.block + 1 || next.write != first.write || first.alone || next.alone) break;
    last = next;
  }
  return last;
}

/** Have the disk work in every slot that is free. At splhigh. */
export function diskPump(): void {
  const slots = diskSlots();
  for (let slot: u32 = 0; slot < slots && queue != null; slot++) {
    while (commands[slot] == null && queue != null) begin(slot);
  }
}

function begin(slot: u32): void {
  const first = nextCommand();
  commands[slot] = first;
  diskCommands++;
  const error = diskStart(first, slot);
  if (error != DISK_STARTED) finish(slot, error);
}

/** The platform: the command in a slot is done, with this error or 0. At splhigh. */
export function diskDone(slot: u32, error: i32): void {
  finish(slot, error);
  diskPump();
}

function finish(slot: u32, error: i32): void {
  let r = commands[slot];
  const repeat = error != 0 && r!.next != null;
  commands[slot] = null;
  while (r != null) {
    const next: DiskRequest | null = r.next;
    r.alone = repeat;
    r.error = error;
    if (repeat) enqueue(r);
    else complete(r);
    r = next;
  }
}

function complete(r: DiskRequest): void {
  const batch = r.batch;
  if (batch != null) {
    r.next = batch.done;
    batch.done = r;
    batch.pending--;
    if (batch.pending == 0) wakeup(changetype<usize>(batch));
    return;
  }
  const page = r.page;
  if (page != null) {
    page.flags = ((page.flags & (0xff ^ PG_BUSY)) | (r.error != 0 ? PG_BAD : 0)) as u8;
    if (page.wire != 0) wakeup(changetype<usize>(page));
  }
  giveBack(r);
}

function giveBack(r: DiskRequest): void {
  r.next = unused;
  unused = r;
  unusedRequests++;
}

/** Have the batch done, and sleep until it is. */
export function diskWait(batch: DiskBatch): void {
  const s = splhigh();
  diskPump();
  while (batch.pending != 0) tsleep(changetype<usize>(batch), 0, "disk", 0);
  splx(s);
}

/** Take one request of a batch that is done; null when there is none left. Give it back with diskGive. */
export function diskTake(batch: DiskBatch): DiskRequest | null {
  const r = batch.done;
  if (r != null) batch.done = r.next;
  return r;
}

export function diskGive(r: DiskRequest): void {
  const s = splhigh();
  if (unusedRequests < MOST_UNUSED) giveBack(r);
  else free(r);
  splx(s);
}

/** Move one block and sleep meanwhile: 0 or the disk's error. */
export function diskMove(block: u32, kva: usize, write: bool): i32 {
  const batch = new DiskBatch();
  const s = splhigh();
  diskQueue(block, kva, write, null, batch);
  splx(s);
  diskWait(batch);
  const r = diskTake(batch)!;
  const error = r.error;
  diskGive(r);
  free(batch);
  return error;
}
