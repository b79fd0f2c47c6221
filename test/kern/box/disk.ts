// The disk is the file on descriptor 3, which the caller has opened.

import { EIO } from '../../../src/abi/errno.ts';
import { L_LSEEK, L_PREAD, L_PWRITE, linux } from './linux.ts';

const FD: usize = 3;

export function diskInit(): i32 { return 0; }
export function diskSize(): u32 { return (linux(L_LSEEK, FD, 0, 2, 0, 0) as u32) >>> 9; }
export function diskRead(sector: u32, count: u32, kva: usize): i32 {
  return linux(L_PREAD, FD, kva, count << 9, sector << 9, sector >>> 23) == ((count << 9) as i32) ? 0 : EIO;
}
export function diskWrite(sector: u32, count: u32, kva: usize): i32 {
  return linux(L_PWRITE, FD, kva, count << 9, sector << 9, sector >>> 23) == ((count << 9) as i32) ? 0 : EIO;
}
