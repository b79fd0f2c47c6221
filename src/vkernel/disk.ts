// The disk: a file of the real kernel's file system. Helpers, threads of our process, read and write it, straight from and to the
// image, so that processes run while the real kernel waits for its disk; they tell us by an event of the kqueue. There are several, so that what
// the real kernel has in memory does not wait behind what it must read. With off=asyncdisk we read and write ourselves, and everything waits.

import { EIO, ENXIO } from '../abi/errno.ts';
import { Kevent } from '../abi/event.ts';
import { O_CLOEXEC, O_EXLOCK, O_NONBLOCK, O_RDWR, SEEK_END } from '../abi/file.ts';
import { LwpParams } from '../abi/lwp.ts';
import { SIG_BLOCK, SIG_SETMASK, SigSet } from '../abi/signal.ts';
import { TlsInfo } from '../abi/time.ts';
import { BLOCK_SIZE, DISK_STARTED, diskDone, DiskRequest } from '../kern/diskqueue.ts';
import { asyncDiskOn } from '../kern/tuning.ts';
import { extpread, extpwrite, lseek, lwpCreate, open, sigprocmask } from '../libc/sys.ts';
import { eventRaise, watchEvent } from './events.ts';
import { hostSleep, hostWakeup } from './fastcall.ts';
import { Tcb, useTcb } from '../libc/tls.ts';
import { options, refuse, refuseFile, say } from './options.ts';

const SECTOR_SHIFT: u32 = 9;
let diskFd: i32 = -1;
let sectors: u32 = 0;

/** Opens the disk's file, which is ours alone; ends the process when it can't be used. */
export function openDisk(path: string): void {
  diskFd = open(path, O_RDWR | O_EXLOCK | O_NONBLOCK | O_CLOEXEC, 0);
  if (diskFd < 0) refuseFile(path);
  const bytes = lseek(diskFd, 0, SEEK_END);
  sectors = bytes < 0 ? 0 : (bytes as u32) >> SECTOR_SHIFT;
  if (sectors == 0) refuse(path + ": expected a disk of at least one sector");
  if (options.verbose) say(`vkernel: disk ${path}, ${sectors} sectors\n`);
}

/** Finds the disk, and starts the helpers: 0 or ENXIO. */
export function diskInit(): i32 {
  if (sectors == 0) return ENXIO;
  if (asyncDiskOn) startHelpers();
  return 0;
}

/** Size in sectors of 512 bytes. */
export function diskSize(): u32 {
  return sectors;
}

/** Commands that we take at once. */
export function diskSlots(): u32 {
  return helped != 0 ? helped : 1;
}

/** Begin a command, or do it: DISK_STARTED, 0 or EIO. At splhigh. */
export function diskStart(first: DiskRequest, slot: u32): i32 {
  if (helped == 0) return transfer(first);
  const helper = helpers[slot]!;
  helper.request = first;
  store<i32>(changetype<usize>(helper), 1);
  hostWakeup(changetype<usize>(helper), 1);
  return DISK_STARTED;
}

/** Moves a command's data, with one call for all that lies together in memory: 0 or EIO. */
function transfer(first: DiskRequest): i32 {
  let r: DiskRequest | null = first;
  while (r != null) {
    const from = r;
    let bytes: u32 = BLOCK_SIZE;
    while (r.next != null && r.next.kva == from.kva + bytes) {
      r = r.next;
      bytes += BLOCK_SIZE;
    }
    if (!move(from, bytes)) return EIO;
    r = r.next;
  }
  return 0;
}

function move(from: DiskRequest, bytes: u32): bool {
  const at = (from.block as i64) << 12;
  const moved = from.write ? extpwrite(diskFd, from.kva, bytes, 0, at) : extpread(diskFd, from.kva, bytes, 0, at);
  return moved == (bytes as i32);
}

// ---------------------------------------------------------------------------------------------------- the helpers

const HELPERS: u32 = 4;

/** One helper, and what the kernel and it tell each other. */
class Helper {
  wanted: i32 = 0;                      // 1: there is a command; the helper sleeps on it while it is 0
  done: i32 = 0;                        // 1: the command is done, and the kernel has not seen it
  request: DiskRequest | null = null;
  error: i32 = 0;
  tcb!: Embed<Tcb>;
  tls!: Embed<TlsInfo>;
  stack!: FixedArray<u32, 1024>;
}
let helpers!: FixedArray<Helper | null, 4>;
/** How many there are. */
let helped: u32 = 0;
/** What they raise. */
let moved!: Embed<Kevent>;

/** Starts the helpers: threads that take no signals. */
function startHelpers(): void {
  const all = new SigSet();
  const before = new SigSet();
  watchEvent(0, diskInterrupt, moved);
  all.w0 = 0xffffffff;
  sigprocmask(SIG_BLOCK, changetype<usize>(all), changetype<usize>(before));
  while (helped < HELPERS && startHelper(helped)) helped++;
  sigprocmask(SIG_SETMASK, changetype<usize>(before), 0);
  free(all);
  free(before);
}

function startHelper(slot: u32): bool {
  const helper = new Helper();
  const params = new LwpParams();
  helpers[slot] = helper;
  params.func = codeof(help);
  params.arg = changetype<usize>(helper);
  params.stack = addressof(helper.stack) + 4096;
  const started = lwpCreate(changetype<usize>(params)) >= 0;
  free(params);
  return started;
}

/** A helper: moves data and says so. It calls nothing of the kernel. */
function help(helper: Helper): void {
  const wanted = changetype<usize>(helper);
  useTcb(helper.tcb, helper.tls, 0);
  for (;;) {
    while (load<i32>(wanted) == 0) hostSleep(wanted, 0, 0);
    helper.error = transfer(helper.request!);
    store<i32>(wanted, 0);
    store<i32>(wanted + offsetof<Helper>("done"), 1);
    eventRaise(moved);
  }
}

/** Helpers may have done what they were told. At splhigh. */
function diskInterrupt(): void {
  for (let slot: u32 = 0; slot < helped; slot++) {
    const helper = helpers[slot]!;
    const done = changetype<usize>(helper) + offsetof<Helper>("done");
    if (load<i32>(done) == 0) continue;
    store<i32>(done, 0);
    diskDone(slot, helper.error);
  }
}
