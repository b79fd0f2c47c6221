// Strings from raw bytes: kernel strings are malloc'ed {length, bytes, NUL} records that free() gives back.

import { malloc } from "rt/rt.ts";

/** A new string of the n bytes at `at`. */
export function stringOf(at: usize, n: u32): string {
  const record = malloc(n + 5);
  store<u32>(record, n);
  memory.copy(record + 4, at, n);
  store<u8>(record + 4 + n, 0);
  return changetype<string>(record);
}
