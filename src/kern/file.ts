// Open files and descriptor tables. A File is one open(): flags and position, shared by dup and fork. A FileDesc belongs to
// one process: descriptors, which of them exec closes, working directory and umask.
//
// Rules: the table holds one reference to each File; who uses a File across a sleep takes another (fileHold, fileDrop).

import { EINVAL, EMFILE, ENOTTY } from '../abi/errno.ts';
import { Stat } from '../abi/file.ts';
import type { Lwp } from './proc.ts';
import { rootVnode } from './vfs.ts';
import { flockRelease } from './flock.ts';
import type { Lock } from './lock.ts';
import { Klist, Kqueue } from './knote.ts';
import { knoteCloseFd } from './kqueue.ts';
import { Uio } from './uio.ts';
import { Vnode } from './vnode.ts';

/** Descriptors of one process. */
export const NOFILE: i32 = 64;

/** Open files, for vm.stats. */
export let fileCount: u32 = 0;

export abstract class File {
  refs: i32 = 1;
  /** O_* of open and fcntl. */
  flags: i32 = 0;
  offset: u32 = 0;
  /** Held by who reads or writes at `offset`. */
  position!: Embed<Lock>;
  /** The file of a file system behind it, with a reference, or null. */
  vnode: Vnode | null = null;
  /** The lock it has on its vnode: LOCK_SH, LOCK_EX or 0. */
  lock: i32 = 0;
  /** Knotes that watch it. */
  knotes: i32 = 0;

  constructor() {
    fileCount++;
  }

  /** Transfer from or to uio.offset, which moves along; `flags` are those in effect (O_NONBLOCK, O_APPEND). */
  abstract read(uio: Uio, flags: i32): i32;
  abstract write(uio: Uio, flags: i32): i32;
  abstract stat(st: Stat): i32;
  /** The last reference is gone. */
  abstract close(): void;

  /** Reads and writes have a position. */
  seekable(): bool {
    return false;
  }

  ioctl(lwp: Lwp, request: u32, data: usize): i32 {
    return ENOTTY;
  }

  /** fcntl(F_SETFL) has changed `flags`. */
  flagsChanged(): void {
  }

  /** Who gets SIGIO: a process, or -group; EINVAL where that means nothing. */
  setOwner(owner: i32): i32 {
    return EINVAL;
  }

  getOwner(): i32 {
    return 0;
  }

  /** Where knotes for reading or writing are told of changes; null: it can't be watched. */
  notes(write: bool): Klist | null {
    return null;
  }

  /** Bytes that can be read or written without waiting; what can't wait is always ready. */
  ready(write: bool): i32 {
    return 1;
  }

  /** The other end is gone: no more bytes will come, or can go. */
  hungUp(write: bool): bool {
    return false;
  }

  /** Fork hands it on. */
  inheritable(): bool {
    return true;
  }

  /** Of a kqueue's descriptor. */
  asQueue(): Kqueue | null {
    return null;
  }
}

export class FileDesc {
  files!: FixedArray<File | null, 64>;
  closeOnExec!: FixedArray<bool, 64>;
  umask: u32 = 0x12;
  cwd!: Vnode;
}

/** An empty table whose working directory is the root. */
export function fdCreate(): FileDesc {
  const fd = new FileDesc();
  fd.cwd = rootVnode();
  fd.cwd.ref();
  return fd;
}

/** A copy for a child: the same open files. */
export function fdCopy(from: FileDesc): FileDesc {
  const fd = new FileDesc();
  for (let i: i32 = 0; i < NOFILE; i++) {
    const file = from.files[i];
    if (file == null || !file.inheritable()) continue;
    fd.files[i] = file;
    fd.closeOnExec[i] = from.closeOnExec[i];
    file.refs++;
  }
  fd.umask = from.umask;
  fd.cwd = from.cwd;
  fd.cwd.ref();
  return fd;
}

/** Close everything and free the table. */
export function fdFree(fd: FileDesc): void {
  for (let i: i32 = 0; i < NOFILE; i++) fdClose(fd, i);
  fd.cwd.unref();
  free(fd);
}

/** Close what exec closes. */
export function fdExec(fd: FileDesc): void {
  for (let i: i32 = 0; i < NOFILE; i++) {
    if (fd.closeOnExec[i]) fdClose(fd, i);
  }
}

/** The open file of descriptor `n`, or null. */
export function fdGet(fd: FileDesc, n: i32): File | null {
  return n >= 0 && n < NOFILE ? fd.files[n] : null;
}

/** Empty slot `n`, if it is in use. May sleep. */
export function fdClose(fd: FileDesc, n: i32): void {
  const file = fd.files[n];
  if (file != null && file.knotes != 0) knoteCloseFd(fd, n, file);
  fd.files[n] = null;
  fd.closeOnExec[n] = false;
  if (file != null) fileDrop(file);
}

/** The descriptor that fdInstall chose. */
export let installedFd: i32 = 0;

/** Put `file`, whose reference the table takes over, into the lowest free slot from `least` up: 0 or EMFILE. */
export function fdInstall(fd: FileDesc, file: File, least: i32): i32 {
  for (let i = least; i < NOFILE; i++) {
    if (fd.files[i] == null) {
      fd.files[i] = file;
      fd.closeOnExec[i] = false;
      installedFd = i;
      return 0;
    }
  }
  return EMFILE;
}

/** Another reference to an open file. */
export function fileHold(file: File): void {
  file.refs++;
}

/** Drop a reference; the last one closes the file. */
export function fileDrop(file: File): void {
  file.refs--;
  if (file.refs != 0) return;
  flockRelease(file);
  file.close();
  fileCount--;
  free(file);
}
