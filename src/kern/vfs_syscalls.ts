// The calls on names: open stat lstat access chdir mkdir rmdir link unlink symlink readlink rename mknod chmod truncate
// umask getcwd sync. Everyone is root, so only execute permission is ever refused.

import { EACCES, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOMEM, ENOTDIR, ENXIO, EPERM, ERANGE } from '../abi/errno.ts';
import { LOCK_EX, LOCK_SH, O_ACCMODE, O_CLOEXEC, O_CREAT, O_EXCL, O_EXLOCK, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_SHLOCK, O_TRUNC, S_IFCHR, S_IFIFO, S_IFMT, S_IFREG, Stat,
  X_OK } from '../abi/file.ts';
import { cdevMayOpen, cdevOpen } from './cdev.ts';
import { fdInstall, File, fileDrop, installedFd } from './file.ts';
import { flockTake } from './flock.ts';
import { VnodeFile } from './file_syscalls.ts';
import { ANY_EXECUTE, FOLLOW, nameFirst, nameRelease, nameSecond, nameUser, Nameidata, PARENT, PATH_MAX } from './namei.ts';
import type { Lwp } from './proc.ts';
import { mayChange, rootVnode, vfsSync } from './vfs.ts';
import { vmKernelRoom } from './vm_page.ts';
import { Vnode, VT_CHR, VT_DIR, VT_LNK, VT_REG } from './vnode.ts';
import { copyinstr, copyout } from 'machine/copyio.ts';

const OPEN_MASK: i32 = 0xfffff;

/** open(path, flags, mode) */
export function sysOpen(lwp: Lwp, a: Ptr<u32>): i32 {
  const fd = lwp.proc.fd!;
  const flags = (a[1] as i32) & OPEN_MASK;
  if ((flags & O_ACCMODE) == 3) return EINVAL;
  if (!vmKernelRoom(0)) return ENOMEM;
  const nd = nameFirst();
  let error = findForOpen(lwp, nd, a[0], flags, a[2]);
  if (error != 0) return error;
  const vp = nd.vp!;
  error = mayOpen(vp, flags);
  const file = error == 0 ? openVnode(vp, flags) : null;
  if (file == null) {
    vp.unref();
    return error != 0 ? error : ENXIO;
  }
  if ((flags & (O_SHLOCK | O_EXLOCK)) != 0) error = flockTake(file, (flags & O_EXLOCK) != 0 ? LOCK_EX : LOCK_SH, (flags & O_NONBLOCK) == 0);
  if (error == 0 && (flags & O_TRUNC) != 0 && vp.type == VT_REG) error = vp.truncate(0);
  if (error == 0) error = fdInstall(fd, file, 0);
  if (error != 0) {
    fileDrop(file);
    return error;
  }
  fd.closeOnExec[installedFd] = (flags & O_CLOEXEC) != 0;
  lwp.retval0 = installedFd as u32;
  return 0;
}

/** The vnode to open in nd.vp, made if need be; nothing else of nd is kept. */
function findForOpen(lwp: Lwp, nd: Nameidata, path: usize, flags: i32, mode: u32): i32 {
  const follow = (flags & O_NOFOLLOW) == 0 && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
  if ((flags & O_CREAT) == 0) return nameUser(nd, path, follow ? FOLLOW : 0);
  let error = nameUser(nd, path, follow ? FOLLOW | PARENT : PARENT);
  if (error != 0) return error;
  if (nd.vp != null) error = (flags & O_EXCL) != 0 ? EEXIST : 0;
  else if (nd.slash) error = EISDIR;
  else error = mayChange();
  if (error == 0 && nd.vp == null) error = nd.dir!.create(nd, S_IFREG | (mode & 0xfff & ~lwp.proc.fd!.umask), 0);
  if (error != 0) {
    nameRelease(nd);
    return error;
  }
  nd.dir!.unref();
  nd.dir = null;
  return 0;
}

function mayOpen(vp: Vnode, flags: i32): i32 {
  if (vp.type == VT_LNK) return ELOOP;
  const writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
  if (vp.type == VT_DIR && writes) return EISDIR;
  if (vp.type == VT_REG && writes && mayChange() != 0) return mayChange();
  if (vp.type == VT_CHR) return cdevMayOpen(vp, flags);
  return vp.type == VT_DIR || vp.type == VT_REG ? 0 : ENXIO;
}

/** An open file for vp, whose reference it takes over; null for an unknown device. */
function openVnode(vp: Vnode, flags: i32): File | null {
  const kept = flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_SHLOCK | O_EXLOCK);
  if (vp.type == VT_CHR) return cdevOpen(vp, kept);
  return new VnodeFile(vp, kept);
}

let statBuffer!: Embed<Stat>;

function statPath(path: usize, flags: i32, to: usize): i32 {
  const nd = nameFirst();
  const error = nameUser(nd, path, flags);
  if (error != 0) return error;
  nd.vp!.stat(statBuffer);
  nameRelease(nd);
  return copyout(addressof(statBuffer), to, sizeof<Stat>());
}

/** stat(path, st) */
export function sysStat(lwp: Lwp, a: Ptr<u32>): i32 {
  return statPath(a[0], FOLLOW, a[1]);
}

/** lstat(path, st) */
export function sysLstat(lwp: Lwp, a: Ptr<u32>): i32 {
  return statPath(a[0], 0, a[1]);
}

/** access(path, mode) */
export function sysAccess(lwp: Lwp, a: Ptr<u32>): i32 {
  const nd = nameFirst();
  const error = nameUser(nd, a[0], FOLLOW);
  if (error != 0) return error;
  const vp = nd.vp!;
  const refused = (a[1] & (X_OK as u32)) != 0 && vp.type != VT_DIR && (vp.mode() & ANY_EXECUTE) == 0;
  nameRelease(nd);
  return refused ? EACCES : 0;
}

/** chdir(path) */
export function sysChdir(lwp: Lwp, a: Ptr<u32>): i32 {
  const fd = lwp.proc.fd!;
  const nd = nameFirst();
  const error = nameUser(nd, a[0], FOLLOW);
  if (error != 0) return error;
  const vp = nd.vp!;
  if (vp.type != VT_DIR) {
    nameRelease(nd);
    return ENOTDIR;
  }
  nd.vp = null;
  fd.cwd.unref();
  fd.cwd = vp;
  return 0;
}

/** Walk to a name that must not be there yet, for a call that makes it. */
function nameForNew(nd: Nameidata, path: usize): i32 {
  const error = nameUser(nd, path, PARENT);
  if (error != 0) return error;
  const refusal = nd.vp != null ? EEXIST : mayChange();
  if (refusal != 0) nameRelease(nd);
  return refusal;
}

/** mkdir(path, mode) */
export function sysMkdir(lwp: Lwp, a: Ptr<u32>): i32 {
  const nd = nameFirst();
  let error = nameForNew(nd, a[0]);
  if (error != 0) return error;
  error = nd.dir!.mkdir(nd, a[1] & 0xfff & ~lwp.proc.fd!.umask);
  nameRelease(nd);
  return error;
}

/** mknod(path, mode, dev): character devices and empty files. */
export function sysMknod(lwp: Lwp, a: Ptr<u32>): i32 {
  const type = a[1] & S_IFMT;
  if (type != S_IFCHR && type != S_IFREG && type != S_IFIFO && type != 0) return EINVAL;
  const nd = nameFirst();
  let error = nameForNew(nd, a[0]);
  if (error != 0) return error;
  error = nd.dir!.create(nd, (type != 0 ? type : S_IFREG) | (a[1] & 0xfff & ~lwp.proc.fd!.umask), a[2]);
  nameRelease(nd);
  return error;
}

let text!: FixedArray<u8, 1024>;
let textLength!: FixedArray<u32, 1>;

/** symlink(target, path) */
export function sysSymlink(lwp: Lwp, a: Ptr<u32>): i32 {
  let error = copyinstr(a[0], addressof(text), PATH_MAX, changetype<Ptr<u32>>(addressof(textLength)));
  if (error != 0) return error;
  if (textLength[0] == 1) return ENOENT;
  const nd = nameFirst();
  error = nameForNew(nd, a[1]);
  if (error != 0) return error;
  error = nd.dir!.symlink(nd, addressof(text), textLength[0] - 1);
  nameRelease(nd);
  return error;
}

/** readlink(path, buf, n) */
export function sysReadlink(lwp: Lwp, a: Ptr<u32>): i32 {
  const nd = nameFirst();
  const error = nameUser(nd, a[0], 0);
  if (error != 0) return error;
  const link = nd.vp!.type == VT_LNK;
  const n = link ? nd.vp!.readlink(addressof(text), a[2] < PATH_MAX ? a[2] : PATH_MAX) : 0;
  nameRelease(nd);
  lwp.retval0 = n;
  return link ? copyout(addressof(text), a[1], n) : EINVAL;
}

/** link(from, to) */
export function sysLink(lwp: Lwp, a: Ptr<u32>): i32 {
  const from = nameFirst();
  const to = nameSecond();
  let error = nameUser(from, a[0], FOLLOW);
  if (error != 0) return error;
  error = nameForNew(to, a[1]);
  if (error == 0) {
    error = to.dir!.link(to, from.vp!);
    nameRelease(to);
  }
  nameRelease(from);
  return error;
}

/** unlink(path) */
export function sysUnlink(lwp: Lwp, a: Ptr<u32>): i32 {
  return removeName(a[0], false);
}

/** rmdir(path) */
export function sysRmdir(lwp: Lwp, a: Ptr<u32>): i32 {
  return removeName(a[0], true);
}

function removeName(path: usize, directory: bool): i32 {
  const nd = nameFirst();
  let error = nameUser(nd, path, PARENT);
  if (error != 0) return error;
  const vp = nd.vp;
  if (vp == null) error = ENOENT;
  else if (mayChange() != 0) error = mayChange();
  else if (directory) error = nd.dir!.rmdir(nd);
  else error = vp.type == VT_DIR ? EPERM : nd.dir!.remove(nd);
  nameRelease(nd);
  return error;
}

/** rename(from, to) */
export function sysRename(lwp: Lwp, a: Ptr<u32>): i32 {
  const from = nameFirst();
  const to = nameSecond();
  let error = nameUser(from, a[0], PARENT);
  if (error != 0) return error;
  error = from.vp == null ? ENOENT : isDots(from) ? EINVAL : mayChange();
  if (error == 0) error = nameUser(to, a[1], PARENT);
  if (error == 0) {
    if (isDots(to)) error = EINVAL;
    else error = from.dir!.rename(from, to);
    nameRelease(to);
  }
  nameRelease(from);
  return error;
}

/** The last component is `.` or `..`. */
function isDots(nd: Nameidata): bool {
  const dot = load<u8>(nd.name) == 46;
  return dot && (nd.length == 1 || (nd.length == 2 && load<u8>(nd.name + 1) == 46));
}

/** chmod(path, mode) */
export function sysChmod(lwp: Lwp, a: Ptr<u32>): i32 {
  const nd = nameFirst();
  const error = nameUser(nd, a[0], FOLLOW);
  if (error != 0) return error;
  const result = mayChange() != 0 ? mayChange() : nd.vp!.chmod(a[1]);
  nameRelease(nd);
  return result;
}

/** truncate(path, pad, length) */
export function sysTruncate(lwp: Lwp, a: Ptr<u32>): i32 {
  if (a[3] != 0) return EINVAL;
  const nd = nameFirst();
  const error = nameUser(nd, a[0], FOLLOW);
  if (error != 0) return error;
  const result = mayChange() != 0 ? mayChange() : nd.vp!.truncate(a[2]);
  nameRelease(nd);
  return result;
}

/** umask(mask): the old one. */
export function sysUmask(lwp: Lwp, a: Ptr<u32>): i32 {
  const fd = lwp.proc.fd!;
  lwp.retval0 = fd.umask;
  fd.umask = a[0] & 0x1ff;
  return 0;
}

export function sysSync(lwp: Lwp, a: Ptr<u32>): i32 {
  vfsSync();
  return 0;
}

/** getcwd(buf, n): the path with its NUL. */
export function sysGetcwd(lwp: Lwp, a: Ptr<u32>): i32 {
  const end = addressof(text) + PATH_MAX;
  store<u8>(end - 1, 0);
  const start = pathOf(lwp.proc.fd!.cwd, end - 1);
  if (start == 0) return ENOENT;
  const bytes = end - start;
  return bytes > a[1] ? ERANGE : copyout(start, a[0], bytes);
}

let component!: FixedArray<u8, 256>;

/** Write the path of a directory so that it ends before `end` in `text`: its address, 0 if it has none that fits. */
function pathOf(dir: Vnode, end: usize): usize {
  let at = end;
  let vp = dir;
  vp.ref();
  while (vp != rootVnode() && at != 0) {
    const parent = parentOf(vp);
    const n = parent == null ? 0 : parent.nameOf(vp, addressof(component));
    vp.unref();
    if (parent == null) return 0;
    vp = parent;
    if (n == 0 || at - addressof(text) < n + 1) {
      at = 0;
      break;
    }
    at -= n + 1;
    store<u8>(at, 47);
    memory.copy(at + 1, addressof(component), n);
  }
  vp.unref();
  if (at != end) return at;
  store<u8>(at - 1, 47);
  return at - 1;
}

function parentOf(vp: Vnode): Vnode | null {
  const nd = nameSecond();
  nd.name = changetype<usize>("..") + 4;
  nd.length = 2;
  const parent = vp.lookup(nd) == 0 ? nd.vp : null;
  nd.vp = null;
  return parent;
}
