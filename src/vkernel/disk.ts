// The disk: a file of the real kernel's file system, read and written synchronously in place.

import { EIO, ENXIO } from '../abi/errno.ts';
import { O_CLOEXEC, O_EXLOCK, O_NONBLOCK, O_RDWR, SEEK_END } from '../abi/file.ts';
import { extpread, extpwrite, lseek, open } from '../libc/sys.ts';
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

/** Finds the disk: 0 or ENXIO. */
export function diskInit(): i32 {
  return sectors > 0 ? 0 : ENXIO;
}

/** Size in sectors of 512 bytes. */
export function diskSize(): u32 {
  return sectors;
}

export function diskRead(sector: u32, count: u32, kva: usize): i32 {
  const bytes = count << SECTOR_SHIFT;
  return extpread(diskFd, kva, bytes, 0, (sector as i64) << 9) == (bytes as i32) ? 0 : EIO;
}

export function diskWrite(sector: u32, count: u32, kva: usize): i32 {
  const bytes = count << SECTOR_SHIFT;
  return extpwrite(diskFd, kva, bytes, 0, (sector as i64) << 9) == (bytes as i32) ? 0 : EIO;
}
