// User memory is the box's own; addresses below 64 KiB are bad.

import { EFAULT, ENAMETOOLONG } from '../../../src/abi/errno.ts';

const LOWEST: usize = 0x10000;

export function copyin(ua: usize, kva: usize, len: u32): i32 {
  if (ua < LOWEST) return EFAULT;
  memory.copy(kva, ua, len);
  return 0;
}
export function copyout(kva: usize, ua: usize, len: u32): i32 {
  if (ua < LOWEST) return EFAULT;
  memory.copy(ua, kva, len);
  return 0;
}
export function copyinstr(ua: usize, kva: usize, max: u32, lengthOut: Ptr<u32> | null): i32 {
  if (ua < LOWEST) return EFAULT;
  for (let i: u32 = 0; i < max; i++) {
    const byte = load<u8>(ua + i);
    store<u8>(kva + i, byte);
    if (byte != 0) continue;
    if (lengthOut != null) lengthOut[0] = i + 1;
    return 0;
  }
  return ENAMETOOLONG;
}
export function fuword(ua: usize): i32 { return EFAULT; }
export function suword(ua: usize, value: u32): i32 { return EFAULT; }
export function fetchedWord(): u32 { return 0; }
