// The part of the system call table that is about files.

import { Sys } from '../abi/syscalls.ts';
import { sysClose, sysClosefrom, sysDup, sysDup2, sysExtpread, sysExtpwrite, sysFchdir, sysFcntl, sysFstat, sysFsync, sysFtruncate, sysGetdirentries,
  sysIoctl, sysLseek, sysRead, sysWrite } from './file_syscalls.ts';
import { sysFlock } from './flock.ts';
import { sysKevent, sysKqueue } from './kqueue.ts';
import { sysPipe } from './pipe.ts';
import { sysPoll, sysSelect } from './poll.ts';
import { def, holdsFileSystem } from './syscall.ts';
import { sysAccess, sysChdir, sysChmod, sysGetcwd, sysLink, sysLstat, sysMkdir, sysMknod, sysOpen, sysReadlink, sysRename, sysRmdir, sysStat,
  sysSymlink, sysSync, sysTruncate, sysUmask, sysUnlink } from './vfs_syscalls.ts';

/** Those that walk or change what is on disk; none of them waits for anything but the disk (open may for a lock: flock.ts). */
const IN_FILE_SYSTEM: i32[] = [Sys.open, Sys.stat, Sys.fstat, Sys.lstat, Sys.access, Sys.chdir, Sys.fchdir, Sys.mkdir, Sys.rmdir, Sys.mknod,
  Sys.link, Sys.unlink, Sys.symlink, Sys.readlink, Sys.rename, Sys.chmod, Sys.truncate, Sys.ftruncate, Sys.fsync, Sys.getdirentries, Sys.getcwd,
  Sys.sync, Sys.msync];

/** Enter the calls on descriptors and names. */
export function fileSyscallInit(): void {
  def(Sys.read, 3, sysRead);
  def(Sys.write, 3, sysWrite);
  def(Sys.extpread, 6, sysExtpread);
  def(Sys.extpwrite, 6, sysExtpwrite);
  def(Sys.lseek, 5, sysLseek);
  def(Sys.close, 1, sysClose);
  def(Sys.dup, 1, sysDup);
  def(Sys.dup2, 2, sysDup2);
  def(Sys.fcntl, 3, sysFcntl);
  def(Sys.fstat, 2, sysFstat);
  def(Sys.ioctl, 3, sysIoctl);
  def(Sys.ftruncate, 4, sysFtruncate);
  def(Sys.fsync, 1, sysFsync);
  def(Sys.fchdir, 1, sysFchdir);
  def(Sys.getdirentries, 4, sysGetdirentries);
  def(Sys.pipe, 0, sysPipe);
  def(Sys.closefrom, 1, sysClosefrom);
  def(Sys.flock, 2, sysFlock);
  def(Sys.poll, 3, sysPoll);
  def(Sys.select, 5, sysSelect);
  def(Sys.kqueue, 0, sysKqueue);
  def(Sys.kevent, 6, sysKevent);
  def(Sys.open, 3, sysOpen);
  def(Sys.stat, 2, sysStat);
  def(Sys.lstat, 2, sysLstat);
  def(Sys.access, 2, sysAccess);
  def(Sys.chdir, 1, sysChdir);
  def(Sys.mkdir, 2, sysMkdir);
  def(Sys.rmdir, 1, sysRmdir);
  def(Sys.mknod, 3, sysMknod);
  def(Sys.link, 2, sysLink);
  def(Sys.unlink, 1, sysUnlink);
  def(Sys.symlink, 2, sysSymlink);
  def(Sys.readlink, 3, sysReadlink);
  def(Sys.rename, 2, sysRename);
  def(Sys.chmod, 2, sysChmod);
  def(Sys.truncate, 4, sysTruncate);
  def(Sys.umask, 1, sysUmask);
  def(Sys.getcwd, 2, sysGetcwd);
  def(Sys.sync, 0, sysSync);
  for (const nr of IN_FILE_SYSTEM) holdsFileSystem(nr);
}
