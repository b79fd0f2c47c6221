// The disk: a file of the real kernel's file system, read and written synchronously in place.

import { EIO, ENXIO } from '../abi/errno.ts';
import { O_RDWR, SEEK_END } from '../abi/file.ts';
import { extpread, extpwrite, lseek, open } from '../libc/sys.ts';

const SECTOR_SHIFT: u32 = 9;
let diskFd: i32 = -1;
let sectors: u32 = 0;

/** Opens the root image; false with errno when it can't be used. */
export function openDisk(path: string): bool {
  diskFd = open(path, O_RDWR, 0);
  if (diskFd < 0) return false;
  const bytes = lseek(diskFd, 0, SEEK_END);
  sectors = bytes < 0 ? 0 : (bytes as u32) >> SECTOR_SHIFT;
  return sectors > 0;
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
