// Buffered standard output, unbuffered standard error, and whole files. Standard output is written when its buffer is full,
// before standard error, and at exit; a program that prompts or forks calls flush.

import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../abi/file.ts';
import { EINTR } from '../abi/errno.ts';
import { malloc, mfree } from './rt.ts';
import { stringOf } from './strings.ts';
import { close, cstr, errno, open, read, rename, setErrno, unlink, write } from './sys.ts';

const BUFFER: usize = 4096;

class OutputBuffer {
  used: usize = 0;
  bytes!: FixedArray<u8, 4096>;
}
let out!: Embed<OutputBuffer>;

/** Writes all of a memory range; false with errno when that fails. */
export function writeAll(fd: i32, address: usize, bytes: usize): bool {
  let done: usize = 0;
  while (done < bytes) {
    const n = write(fd, address + done, bytes - done);
    if (n < 0) {
      if (errno() == EINTR) continue;
      return false;
    }
    done += n as usize;
  }
  return true;
}

export function flush(): bool {
  const bytes = out.used;
  out.used = 0;
  return writeAll(1, changetype<usize>(out.bytes), bytes);
}

export function flushAll(): void {
  if (out.used > 0) flush();
}

/** To standard output, buffered. */
export function print(text: string): void {
  const bytes = text.length as usize;
  if (out.used + bytes > BUFFER) flush();
  if (bytes > BUFFER) {
    writeAll(1, cstr(text), bytes);
    return;
  }
  memory.copy(changetype<usize>(out.bytes) + out.used, cstr(text), bytes);
  out.used += bytes;
}

/** To standard error, at once, after what standard output still holds. */
export function eprint(text: string): void {
  flushAll();
  writeAll(2, cstr(text), text.length as usize);
}

/** Everything that a descriptor still has; null with errno when reading fails. */
export function readDescriptor(fd: i32): string | null {
  let capacity: usize = 16384;
  let used: usize = 0;
  let buffer = malloc(capacity);
  for (;;) {
    const n = read(fd, buffer + used, capacity - used);
    if (n == 0) break;
    if (n < 0 && errno() == EINTR) continue;
    if (n < 0) {
      mfree(buffer);
      return null;
    }
    used += n as usize;
    if (used == capacity) {
      const bigger = malloc(capacity * 2);
      memory.copy(bigger, buffer, used);
      mfree(buffer);
      buffer = bigger;
      capacity *= 2;
    }
  }
  const text = stringOf(buffer, used as i32);
  mfree(buffer);
  return text;
}

/** A file's bytes; null with errno when it can't be read. */
export function readFile(path: string): string | null {
  const fd = open(path, O_RDONLY, 0);
  if (fd < 0) return null;
  const text = readDescriptor(fd);
  close(fd);
  return text;
}

/** Replaces a file's contents; false with errno on failure. */
export function writeFile(path: string, address: usize, bytes: usize, mode: u32): bool {
  const fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (fd < 0) return false;
  const ok = writeAll(fd, address, bytes);
  close(fd);
  return ok;
}

/**
 * A file's new contents, which replace the old ones at once: whoever looks, and a power cut, finds the old file or all of the
 * new one. Not for a path that two processes write at the same time.
 */
export class FreshFile {
  private path: string;
  private fresh: string;
  private fd: i32;
  private ok: bool;
  private reason: i32 = 0;

  constructor(path: string, mode: u32) {
    this.path = path;
    this.fresh = path + ".new";
    this.fd = open(this.fresh, O_WRONLY | O_CREAT | O_TRUNC, mode);
    this.ok = this.fd >= 0;
    if (!this.ok) this.reason = errno();
  }

  write(address: usize, bytes: usize): void {
    if (!this.ok) return;
    this.ok = writeAll(this.fd, address, bytes);
    if (!this.ok) this.reason = errno();
  }

  /** To be called last. False with errno when anything failed; then the old file stays. */
  replace(): bool {
    if (this.fd >= 0) close(this.fd);
    if (this.ok) {
      if (rename(this.fresh, this.path) == 0) return true;
      this.reason = errno();
    }
    if (this.fd >= 0) unlink(this.fresh);
    setErrno(this.reason);
    return false;
  }
}

/** Replaces a file's contents at once, see FreshFile. False with errno on failure; then the old one stays. */
export function replaceFile(path: string, address: usize, bytes: usize, mode: u32): bool {
  const fresh = new FreshFile(path, mode);
  fresh.write(address, bytes);
  return fresh.replace();
}
