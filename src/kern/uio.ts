// One transfer between a file and somebody's memory: where the other side is, how much is left, and which way it goes.
//
// uiomove copies and advances; a transfer that fails half-way has advanced by what it copied in whole calls.

import { copyin, copyout } from 'machine/copyio.ts';

export class Uio {
  addr: usize = 0;
  resid: u32 = 0;
  offset: u32 = 0;       // position in the file
  user: bool = true;     // addr is a user address of the current thread
  write: bool = false;   // towards the file
}

/** A transfer of `n` bytes at user address `addr`. The caller frees it. */
export function userUio(addr: usize, n: u32, offset: u32, write: bool): Uio {
  const uio = new Uio();
  uio.addr = addr;
  uio.resid = n;
  uio.offset = offset;
  uio.user = true;
  uio.write = write;
  return uio;
}

/** Copy up to `n` bytes between kernel memory at `kva` and the other side. May sleep in page faults. 0 or EFAULT. */
export function uiomove(kva: usize, n: u32, uio: Uio): i32 {
  const bytes = n < uio.resid ? n : uio.resid;
  let error: i32 = 0;
  if (uio.user) error = uio.write ? copyin(uio.addr, kva, bytes) : copyout(kva, uio.addr, bytes);
  else if (uio.write) memory.copy(kva, uio.addr, bytes);
  else memory.copy(uio.addr, kva, bytes);
  if (error != 0) return error;
  uio.addr += bytes;
  uio.offset += bytes;
  uio.resid -= bytes;
  return 0;
}
