// The smallest run-time: for programs that bind no rt/rt.ts of their own. 64 KiB of memory that is never given back, and
// an illegal instruction for a panic.

const BYTES: u32 = 65536;
let pool!: FixedArray<u32, 16384>;
let used: u32 = 0;

export function malloc(size: usize): usize {
  const at = used;
  used += (size + 3) & ~3;
  if (used > BYTES) rtPanic("out of memory");
  return addressof(pool) + at;
}

/** All memory starts as zeros. */
export function mallocZeroed(size: usize): usize {
  return malloc(size);
}

/** Memory is not reused. */
export function mfree(address: usize): void {
  void address;
}

export function rtPanic(message: string): void {
  asm`mov eax, ${message}
      ud2`;
}
