// The calls on descriptors: read write extpread extpwrite lseek close dup dup2 fcntl fstat ioctl ftruncate fsync fchdir
// getdirentries. Positions are below 2 GiB; a transfer that moved something before it failed reports what it moved.

import { EAGAIN, EBADF, EINTR, EINVAL, ENOTDIR, ERESTART, ESPIPE, EOVERFLOW } from '../abi/errno.ts';
import { F_DUPFD, F_GETFD, F_GETFL, F_GETOWN, F_SETFD, F_SETFL, F_SETOWN, FD_CLOEXEC, O_ACCMODE, O_APPEND, O_ASYNC, O_FNONBLOCKING,
  O_NONBLOCK, O_RDONLY, O_WRONLY, SEEK_CUR, SEEK_END, SEEK_SET, Stat } from '../abi/file.ts';
import { FileDesc, fdClose, fdGet, fdInstall, File, fileDrop, fileHold, installedFd, NOFILE } from './file.ts';
import { lockGive, lockTake } from './lock.ts';
import type { Klist } from './knote.ts';
import type { Lwp } from './proc.ts';
import { Uio, userUio } from './uio.ts';
import { MAX_FILE_SIZE, Vnode, vnodeRead, vnodeWrite, VT_DIR, VT_REG } from './vnode.ts';
import { copyout } from 'machine/copyio.ts';

const NO_POSITION: u32 = 0xffffffff;   // extpread: use the file's own
const SETTABLE: i32 = O_NONBLOCK | O_APPEND | O_ASYNC;

/** An open file or directory of a file system. */
export class VnodeFile extends File {
  constructor(vp: Vnode, flags: i32) {
    super();
    this.vnode = vp;
    this.flags = flags;
  }

  override read(uio: Uio, flags: i32): i32 {
    return vnodeRead(this.vnode!, uio);
  }

  override write(uio: Uio, flags: i32): i32 {
    const vp = this.vnode!;
    if ((flags & O_APPEND) != 0) uio.offset = vp.size;
    return vnodeWrite(vp, uio);
  }

  override stat(st: Stat): i32 {
    this.vnode!.stat(st);
    return 0;
  }

  override close(): void {
    this.vnode!.unref();
  }

  override seekable(): bool {
    return true;
  }

  override notes(write: bool): Klist | null {
    return this.vnode!.notes;
  }

  /** Bytes up to the end of the file, from the position; room is always there. */
  override ready(write: bool): i32 {
    const vp = this.vnode!;
    if (write || vp.type == VT_DIR) return 1;
    return this.offset < vp.size ? (vp.size - this.offset) as i32 : 0;
  }
}

/** read and write with the file's position, which moves, or at `position`, which leaves it. */
function transfer(lwp: Lwp, fd: i32, addr: usize, n: u32, flags: i32, position: u32, write: bool): i32 {
  const file = fdGet(lwp.proc.fd!, fd);
  if (file == null) return EBADF;
  if ((file.flags & O_ACCMODE) == (write ? O_RDONLY : O_WRONLY)) return EBADF;
  if (n > MAX_FILE_SIZE) return EINVAL;
  const own = position == NO_POSITION;
  if (!own && !file.seekable()) return ESPIPE;
  const moves = own && file.seekable();
  fileHold(file);
  if (moves) lockTake(file.position);
  const uio = userUio(addr, n, own ? file.offset : position, write);
  const error = write ? file.write(uio, file.flags | flags) : file.read(uio, file.flags | flags);
  if (moves) {
    file.offset = uio.offset;
    lockGive(file.position);
  }
  fileDrop(file);
  const moved = n - uio.resid;
  free(uio);
  lwp.retval0 = moved;
  const partial = moved != 0 && (error == EINTR || error == ERESTART || error == EAGAIN);
  return partial ? 0 : error;
}

/** read(fd, buf, n) */
export function sysRead(lwp: Lwp, a: Ptr<u32>): i32 {
  return transfer(lwp, a[0] as i32, a[1], a[2], 0, NO_POSITION, false);
}

/** write(fd, buf, n) */
export function sysWrite(lwp: Lwp, a: Ptr<u32>): i32 {
  return transfer(lwp, a[0] as i32, a[1], a[2], 0, NO_POSITION, true);
}

/** The position of extpread and extpwrite: -1 is the file's own; false when it is out of range. */
function goodPosition(low: u32, high: u32): bool {
  return (low == NO_POSITION && high == 0xffffffff) || (high == 0 && low <= MAX_FILE_SIZE);
}

function extraFlags(flags: u32): i32 {
  return (flags & (O_FNONBLOCKING as u32)) != 0 ? O_NONBLOCK : 0;
}

/** extpread(fd, buf, n, flags, offset) */
export function sysExtpread(lwp: Lwp, a: Ptr<u32>): i32 {
  if (!goodPosition(a[4], a[5])) return EINVAL;
  return transfer(lwp, a[0] as i32, a[1], a[2], extraFlags(a[3]), a[4], false);
}

/** extpwrite(fd, buf, n, flags, offset) */
export function sysExtpwrite(lwp: Lwp, a: Ptr<u32>): i32 {
  if (!goodPosition(a[4], a[5])) return EINVAL;
  return transfer(lwp, a[0] as i32, a[1], a[2], extraFlags(a[3]), a[4], true);
}

/** lseek(fd, pad, offset, whence): the new position in edx:eax. */
export function sysLseek(lwp: Lwp, a: Ptr<u32>): i32 {
  const file = fdGet(lwp.proc.fd!, a[0] as i32);
  if (file == null) return EBADF;
  if (!file.seekable()) return ESPIPE;
  let base: u32 = 0;
  switch (a[4] as i32) {
    case SEEK_SET: break;
    case SEEK_CUR: base = file.offset; break;
    case SEEK_END: base = file.vnode!.size; break;
    default: return EINVAL;
  }
  const negative = (a[2] >>> 31) != 0;
  if (a[3] != (negative ? 0xffffffff : 0)) return a[3] >>> 31 != 0 ? EINVAL : EOVERFLOW;
  const at = base + a[2];
  if (at > MAX_FILE_SIZE) return negative ? EINVAL : EOVERFLOW;
  file.offset = at;
  lwp.retval0 = at;
  lwp.retval1 = 0;
  return 0;
}

export function sysClose(lwp: Lwp, a: Ptr<u32>): i32 {
  const fd = lwp.proc.fd!;
  const n = a[0] as i32;
  if (fdGet(fd, n) == null) return EBADF;
  fdClose(fd, n);
  return 0;
}

/** closefrom(n): every descriptor from n up. */
export function sysClosefrom(lwp: Lwp, a: Ptr<u32>): i32 {
  const fd = lwp.proc.fd!;
  if ((a[0] as i32) < 0) return EBADF;
  for (let n = a[0] as i32; n < NOFILE; n++) fdClose(fd, n);
  return 0;
}

/** A second descriptor, from `least` up, for an open file. */
function duplicate(lwp: Lwp, fd: FileDesc, n: i32, least: i32): i32 {
  const file = fdGet(fd, n);
  if (file == null) return EBADF;
  if (least < 0 || least >= NOFILE) return EINVAL;
  const error = fdInstall(fd, file, least);
  if (error != 0) return error;
  fileHold(file);
  lwp.retval0 = installedFd as u32;
  return 0;
}

export function sysDup(lwp: Lwp, a: Ptr<u32>): i32 {
  return duplicate(lwp, lwp.proc.fd!, a[0] as i32, 0);
}

export function sysDup2(lwp: Lwp, a: Ptr<u32>): i32 {
  const fd = lwp.proc.fd!;
  const from = a[0] as i32;
  const to = a[1] as i32;
  if (fdGet(fd, from) == null || to < 0 || to >= NOFILE) return EBADF;
  lwp.retval0 = to as u32;
  if (from == to) return 0;
  fdClose(fd, to);
  return duplicate(lwp, fd, from, to);
}

export function sysFcntl(lwp: Lwp, a: Ptr<u32>): i32 {
  const fd = lwp.proc.fd!;
  const n = a[0] as i32;
  const file = fdGet(fd, n);
  if (file == null) return EBADF;
  const value = a[2] as i32;
  switch (a[1] as i32) {
    case F_DUPFD:
      return duplicate(lwp, fd, n, value);
    case F_GETFD:
      lwp.retval0 = fd.closeOnExec[n] ? FD_CLOEXEC as u32 : 0;
      return 0;
    case F_SETFD:
      fd.closeOnExec[n] = (value & FD_CLOEXEC) != 0;
      return 0;
    case F_GETFL:
      lwp.retval0 = file.flags as u32;
      return 0;
    case F_SETFL:
      file.flags = (file.flags & ~SETTABLE) | (value & SETTABLE);
      file.flagsChanged();
      return 0;
    case F_GETOWN:
      lwp.retval0 = file.getOwner() as u32;
      return 0;
    case F_SETOWN:
      return file.setOwner(value);
    default:
      return EINVAL;
  }
}

let statBuffer!: Embed<Stat>;

/** fstat(fd, st) */
export function sysFstat(lwp: Lwp, a: Ptr<u32>): i32 {
  const file = fdGet(lwp.proc.fd!, a[0] as i32);
  if (file == null) return EBADF;
  const error = file.stat(statBuffer);
  return error != 0 ? error : copyout(addressof(statBuffer), a[1], sizeof<Stat>());
}

/** ioctl(fd, request, data) */
export function sysIoctl(lwp: Lwp, a: Ptr<u32>): i32 {
  const file = fdGet(lwp.proc.fd!, a[0] as i32);
  return file == null ? EBADF : file.ioctl(lwp, a[1], a[2]);
}

/** ftruncate(fd, pad, length) */
export function sysFtruncate(lwp: Lwp, a: Ptr<u32>): i32 {
  const file = fdGet(lwp.proc.fd!, a[0] as i32);
  if (file == null) return EBADF;
  if (file.vnode == null || file.vnode.type != VT_REG || (file.flags & O_ACCMODE) == O_RDONLY || a[3] != 0) return EINVAL;
  return file.vnode.truncate(a[2]);
}

export function sysFsync(lwp: Lwp, a: Ptr<u32>): i32 {
  const file = fdGet(lwp.proc.fd!, a[0] as i32);
  if (file == null) return EBADF;
  return file.vnode == null ? EINVAL : file.vnode.fsync();
}

export function sysFchdir(lwp: Lwp, a: Ptr<u32>): i32 {
  const fd = lwp.proc.fd!;
  const file = fdGet(fd, a[0] as i32);
  if (file == null) return EBADF;
  const vp = file.vnode;
  if (vp == null || vp.type != VT_DIR) return ENOTDIR;
  vp.ref();
  fd.cwd.unref();
  fd.cwd = vp;
  return 0;
}

let baseWord!: FixedArray<u32, 1>;

/** getdirentries(fd, buf, n, base): bytes of entries, 0 at the end; the position before them goes to *base. */
export function sysGetdirentries(lwp: Lwp, a: Ptr<u32>): i32 {
  const file = fdGet(lwp.proc.fd!, a[0] as i32);
  if (file == null) return EBADF;
  const vp = file.vnode;
  if (vp == null || vp.type != VT_DIR) return EINVAL;
  const uio = userUio(a[1], a[2], file.offset, false);
  const error = vp.readdir(uio);
  baseWord[0] = file.offset;
  file.offset = uio.offset;
  lwp.retval0 = a[2] - uio.resid;
  free(uio);
  if (error != 0 || a[3] == 0) return error;
  return copyout(addressof(baseWord), a[3], 4);
}
