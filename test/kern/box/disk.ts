// The disk is the file on descriptor 3, which the caller has opened.

import { EIO } from '../../../src/abi/errno.ts';
import { BLOCK_SIZE, DiskRequest } from '../../../src/kern/diskqueue.ts';
import { cpuHalt } from './reset.ts';
import { L_LSEEK, L_PREAD, L_PWRITE, linux } from './linux.ts';

const FD: usize = 3;

export function diskInit(): i32 { return 0; }
export function diskSize(): u32 { return (linux(L_LSEEK, FD, 0, 2, 0, 0) as u32) >>> 9; }
export function diskSlots(): u32 { return 1; }

/** Every block is written or lost by itself, as if the power could fail between any two. */
export function diskStart(first: DiskRequest, slot: u32): i32 {
  let error: i32 = 0;
  for (let r: DiskRequest | null = first; r != null && error == 0; r = r.next) error = r.write ? writeBlock(r) : readBlock(r);
  return error;
}

function readBlock(r: DiskRequest): i32 {
  return linux(L_PREAD, FD, r.kva, BLOCK_SIZE, r.block << 12, r.block >>> 20) == (BLOCK_SIZE as i32) ? 0 : EIO;
}

/** Writes until the power fails; negative: it does not. */
let writesLeft: i32 = -1;

/** Of a hundred writes so many are lost from then on, as if they had still been in the disk's cache. */
let lost: u32 = 0;
let random: u32 = 0;

/** The power fails at the write after the next `writes`, of which `percent` of a hundred are lost. */
export function failPowerAfter(writes: i32, percent: u32): void {
  writesLeft = writes;
  lost = percent;
  random = (writes as u32) + percent;
}

function isLost(): bool {
  random = random * 1103515245 + 12345;
  return (random >>> 8) % 100 < lost;
}

function writeBlock(r: DiskRequest): i32 {
  if (writesLeft == 0) cpuHalt(0);
  if (writesLeft > 0) writesLeft--;
  if (lost != 0 && isLost()) return 0;
  return linux(L_PWRITE, FD, r.kva, BLOCK_SIZE, r.block << 12, r.block >>> 20) == (BLOCK_SIZE as i32) ? 0 : EIO;
}
