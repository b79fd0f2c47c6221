// System calls as functions. Every function returns what the kernel returned, or -1 with the error number in errno(); the
// record and constant names are those of src/abi. The traps themselves are in stubs.ts, which is made from the table of calls.
// errno lives in thread-local storage: %gs:12 points at it.

import {
  sys_access, sys_break, sys_chdir, sys_chmod, sys_clock_gettime, sys_close, sys_closefrom, sys_dup, sys_dup2, sys_execve,
  sys_exit, sys_extexit, sys_extpread, sys_extpwrite, sys_fchdir, sys_fcntl, sys_flock, sys_fstat, sys_fsync, sys_ftruncate,
  sys_get_tls_area, sys_getcwd, sys_getdirentries, sys_getegid, sys_geteuid, sys_getgid, sys_getitimer, sys_getpgid,
  sys_getpgrp, sys_getpid, sys_getppid, sys_getrusage, sys_getsid, sys_gettimeofday, sys_getuid, sys_ioctl, sys_kevent,
  sys_kill, sys_kqueue, sys_link, sys_lseek, sys_lstat, sys_lwp_create, sys_lwp_gettid, sys_lwp_kill, sys_madvise,
  sys_mcontrol, sys_mkdir, sys_mknod, sys_mmap, sys_mprotect, sys_msync, sys_munmap, sys_nanosleep, sys_open, sys_poll,
  sys_read, sys_readlink, sys_reboot, sys_rename, sys_rmdir, sys_sched_yield, sys_select, sys_set_tls_area, sys_setitimer,
  sys_setpgid, sys_setsid, sys_sigaction, sys_sigaltstack, sys_sigpending, sys_sigprocmask, sys_sigsuspend, sys_stat,
  sys_symlink, sys_sync, sys_sysarch, sys_sysctl, sys_truncate, sys_umask, sys_umtx_sleep, sys_umtx_wakeup, sys_uname,
  sys_unlink, sys_vmspace_create, sys_vmspace_ctl, sys_vmspace_destroy, sys_vmspace_mcontrol, sys_vmspace_mmap,
  sys_vmspace_munmap, sys_vmspace_pread, sys_vmspace_pwrite, sys_wait4, sys_write,
} from './stubs.ts';

/** The error number of the last call that returned -1. */
export function errno(): i32 {
  let value: i32 = 0;
  asm`mov eax, gs:[12]
      mov eax, [eax]
      mov ${value}, eax`;
  return value;
}

export function setErrno(value: i32): void {
  asm`mov eax, gs:[12]
      mov ecx, ${value}
      mov [eax], ecx`;
}

/** Where the stubs end when the carry flag is set: the number in eax becomes errno, and the call returns -1. */
export function failed(): void {
  naked();
  asm`mov ecx, gs:[12]
      mov [ecx], eax
      mov eax, -1
      ret`;
}

/** Turns the kernel's answer into the convention above; `failed` is all ones when the carry flag was set. */
function answer(result: i32, failed: i32): i32 {
  if (failed == 0) return result;
  setErrno(result);
  return -1;
}

/** Any system call by its number, with eight argument slots. */
export function syscall8(nr: i32, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize, g: usize, h: usize): i32 {
  let result: i32 = 0;
  let failed: i32 = 0;
  asm`push ${h}
      push ${g}
      push ${f}
      push ${e}
      push ${d}
      push ${c}
      push ${b}
      push ${a}
      push 0
      mov eax, ${nr}
      int 0x80
      lea esp, [esp+36]
      sbb ecx, ecx
      mov ${result}, eax
      mov ${failed}, ecx`;
  return answer(result, failed);
}

/** Address of a string's bytes; a NUL follows them. */
export function cstr(text: string): usize {
  return changetype<usize>(text) + 4;
}

/** Ends the process at once, without flushing anything. */
export function _exit(status: i32): void {
  sys_exit(status as usize);
}

/** 0 in the child, its pid in the parent. */
export function fork(): i32 {
  let result: i32 = 0;
  let second: i32 = 0;
  let failed: i32 = 0;
  asm`push 0
      mov eax, 2
      xor edx, edx
      int 0x80
      lea esp, [esp+4]
      sbb ecx, ecx
      mov ${result}, eax
      mov ${second}, edx
      mov ${failed}, ecx`;
  if (failed != 0) return answer(result, failed);
  return second != 0 ? 0 : result;
}

/** Fills fds[0] (read end) and fds[1] (write end). */
export function pipe(fds: Ptr<i32>): i32 {
  let result: i32 = 0;
  let second: i32 = 0;
  let failed: i32 = 0;
  asm`push 0
      mov eax, 42
      int 0x80
      lea esp, [esp+4]
      sbb ecx, ecx
      mov ${result}, eax
      mov ${second}, edx
      mov ${failed}, ecx`;
  if (failed != 0) return answer(result, failed);
  fds[0] = result;
  fds[1] = second;
  return 0;
}

/** Moves a descriptor's position; the low 32 bits of the new one. */
export function lseek(fd: i32, offset: i32, whence: i32): i32 {
  return sys_lseek(fd as usize, 0, offset as usize, (offset >> 31) as usize, whence as usize);
}

export function read(fd: i32, buffer: usize, bytes: usize): i32 { return sys_read(fd as usize, buffer, bytes); }
export function write(fd: i32, buffer: usize, bytes: usize): i32 { return sys_write(fd as usize, buffer, bytes); }
export function open(path: string, flags: i32, mode: u32): i32 { return sys_open(cstr(path), flags as usize, mode); }
export function close(fd: i32): i32 { return sys_close(fd as usize); }
export function wait4(pid: i32, status: usize, options: i32, usage: usize): i32 {
  return sys_wait4(pid as usize, status, options as usize, usage);
}
export function link(from: string, to: string): i32 { return sys_link(cstr(from), cstr(to)); }
export function unlink(path: string): i32 { return sys_unlink(cstr(path)); }
export function chdir(path: string): i32 { return sys_chdir(cstr(path)); }
export function fchdir(fd: i32): i32 { return sys_fchdir(fd as usize); }
export function access(path: string, mode: i32): i32 { return sys_access(cstr(path), mode as usize); }
export function umask(mask: u32): i32 { return sys_umask(mask); }
export function mknod(path: string, mode: u32, dev: u32): i32 { return sys_mknod(cstr(path), mode, dev); }
export function chmod(path: string, mode: u32): i32 { return sys_chmod(cstr(path), mode); }
export function brk(end: usize): i32 { return sys_break(end); }
export function getpid(): i32 { return sys_getpid(); }
export function getppid(): i32 { return sys_getppid(); }
export function getuid(): i32 { return sys_getuid(); }
export function geteuid(): i32 { return sys_geteuid(); }
export function getgid(): i32 { return sys_getgid(); }
export function getegid(): i32 { return sys_getegid(); }
export function getpgrp(): i32 { return sys_getpgrp(); }
export function schedYield(): i32 { return sys_sched_yield(); }
export function sync(): i32 { return sys_sync(); }
export function kill(pid: i32, signal: i32): i32 { return sys_kill(pid as usize, signal as usize); }
export function dup(fd: i32): i32 { return sys_dup(fd as usize); }
export function dup2(from: i32, to: i32): i32 { return sys_dup2(from as usize, to as usize); }
export function ioctl(fd: i32, request: u32, data: usize): i32 { return sys_ioctl(fd as usize, request, data); }
export function reboot(howto: i32): i32 { return sys_reboot(howto as usize); }
export function symlink(target: string, path: string): i32 { return sys_symlink(cstr(target), cstr(path)); }
export function readlink(path: string, buffer: usize, bytes: usize): i32 { return sys_readlink(cstr(path), buffer, bytes); }
export function execve(path: string, argv: usize, envp: usize): i32 { return sys_execve(cstr(path), argv, envp); }
export function munmap(address: usize, bytes: usize): i32 { return sys_munmap(address, bytes); }
export function mprotect(address: usize, bytes: usize, prot: i32): i32 { return sys_mprotect(address, bytes, prot as usize); }
export function msync(address: usize, bytes: usize, flags: i32): i32 { return sys_msync(address, bytes, flags as usize); }
export function madvise(address: usize, bytes: usize, behaviour: i32): i32 { return sys_madvise(address, bytes, behaviour as usize); }
export function mcontrol(address: usize, bytes: usize, behaviour: i32, value: u32): i32 {
  return sys_mcontrol(address, bytes, behaviour as usize, value, 0);
}
/** Offset is a byte offset below 4 GiB. Returns the address, or 0xffffffff with errno. */
export function mmap(address: usize, bytes: usize, prot: i32, flags: i32, fd: i32, offset: u32): usize {
  return sys_mmap(address, bytes, prot as usize, flags as usize, fd as usize, 0, offset, 0) as usize;
}
export function setpgid(pid: i32, group: i32): i32 { return sys_setpgid(pid as usize, group as usize); }
/** Group and session of a process, 0: the caller. */
export function getpgid(pid: i32): i32 { return sys_getpgid(pid as usize); }
export function getsid(pid: i32): i32 { return sys_getsid(pid as usize); }
export function setsid(): i32 { return sys_setsid(); }
export function setitimer(which: i32, value: usize, old: usize): i32 { return sys_setitimer(which as usize, value, old); }
export function getitimer(which: i32, value: usize): i32 { return sys_getitimer(which as usize, value); }
export function uname(name: usize): i32 { return sys_uname(name); }
export function fcntl(fd: i32, command: i32, argument: i32): i32 { return sys_fcntl(fd as usize, command as usize, argument as usize); }
export function fsync(fd: i32): i32 { return sys_fsync(fd as usize); }
export function gettimeofday(time: usize): i32 { return sys_gettimeofday(time, 0); }
export function clockGettime(clock: i32, time: usize): i32 { return sys_clock_gettime(clock as usize, time); }
export function getrusage(who: i32, usage: usize): i32 { return sys_getrusage(who as usize, usage); }
export function rename(from: string, to: string): i32 { return sys_rename(cstr(from), cstr(to)); }
export function mkdir(path: string, mode: u32): i32 { return sys_mkdir(cstr(path), mode); }
export function rmdir(path: string): i32 { return sys_rmdir(cstr(path)); }
export function extpread(fd: i32, buffer: usize, bytes: usize, flags: i32, offset: i64): i32 {
  return sys_extpread(fd as usize, buffer, bytes, flags as usize, offset as usize, (offset >> 32) as usize);
}
export function extpwrite(fd: i32, buffer: usize, bytes: usize, flags: i32, offset: i64): i32 {
  return sys_extpwrite(fd as usize, buffer, bytes, flags as usize, offset as usize, (offset >> 32) as usize);
}
export function truncate(path: string, bytes: u32): i32 {
  return sys_truncate(cstr(path), 0, bytes, 0);
}
export function ftruncate(fd: i32, bytes: u32): i32 {
  return sys_ftruncate(fd as usize, 0, bytes, 0);
}
export function sysctl(name: usize, length: i32, old: usize, oldLength: usize, value: usize, valueLength: usize): i32 {
  return sys_sysctl(name, length as usize, old, oldLength, value, valueLength);
}
export function nanosleep(request: usize, remain: usize): i32 { return sys_nanosleep(request, remain); }
export function getcwd(buffer: usize, bytes: usize): i32 { return sys_getcwd(buffer, bytes); }
export function sigprocmask(how: i32, set: usize, old: usize): i32 { return sys_sigprocmask(how as usize, set, old); }
export function sigsuspend(mask: usize): i32 { return sys_sigsuspend(mask); }
export function sigaction(signal: i32, action: usize, old: usize): i32 { return sys_sigaction(signal as usize, action, old); }
export function flock(fd: i32, operation: i32): i32 { return sys_flock(fd as usize, operation as usize); }
/** Closes every descriptor from `fd` up. */
export function closefrom(fd: i32): i32 { return sys_closefrom(fd as usize); }
export function poll(fds: usize, n: i32, ms: i32): i32 { return sys_poll(fds, n as usize, ms as usize); }
/** The sets are bit n for descriptor n; `timeout` is the address of a Timeval, 0 to wait for ever. */
export function select(n: i32, read: usize, write: usize, except: usize, timeout: usize): i32 {
  return sys_select(n as usize, read, write, except, timeout);
}
export function kqueue(): i32 { return sys_kqueue(); }
/** `timeout` is the address of a Timespec, 0 to wait for ever. Returns how many events it wrote. */
export function kevent(kq: i32, changes: usize, nchanges: i32, events: usize, nevents: i32, timeout: usize): i32 {
  return sys_kevent(kq as usize, changes, nchanges as usize, events, nevents as usize, timeout);
}
export function sigpending(set: usize): i32 { return sys_sigpending(set); }
export function sigaltstack(stack: usize, old: usize): i32 { return sys_sigaltstack(stack, old); }
export function getTlsArea(which: i32, info: usize, size: i32): i32 { return sys_get_tls_area(which as usize, info, size as usize); }
export function setTlsArea(which: i32, info: usize, size: i32): i32 { return sys_set_tls_area(which as usize, info, size as usize); }
export function stat(path: string, into: usize): i32 { return sys_stat(cstr(path), into); }
export function fstat(fd: i32, into: usize): i32 { return sys_fstat(fd as usize, into); }
export function lstat(path: string, into: usize): i32 { return sys_lstat(cstr(path), into); }
export function getdirentries(fd: i32, buffer: usize, bytes: usize, base: usize): i32 {
  return sys_getdirentries(fd as usize, buffer, bytes, base);
}
/** Sleeps while the word at `address` is `value`, for `timeout` microseconds, or 0: without end. EBUSY: it is not. */
export function umtxSleep(address: usize, value: i32, timeout: i32): i32 { return sys_umtx_sleep(address, value as usize, timeout as usize); }
/** Wakes one sleeper when count is 1, else all. */
export function umtxWakeup(address: usize, count: i32): i32 { return sys_umtx_wakeup(address, count as usize); }
export function extexit(how: u32, status: i32, address: usize): i32 { return sys_extexit(how, status as usize, address); }
export function lwpCreate(params: usize): i32 { return sys_lwp_create(params); }
export function lwpGettid(): i32 { return sys_lwp_gettid(); }
/** To one thread; pid -1 is this process. */
export function lwpKill(pid: i32, tid: i32, signal: i32): i32 { return sys_lwp_kill(pid as usize, tid as usize, signal as usize); }
/** Answers a number of descriptors or a slot (abi/frames.ts, LdtArguments). */
export function sysarch(op: i32, args: usize): i32 { return sys_sysarch(op as usize, args); }
export function vmspaceCreate(id: usize, type: i32, data: usize): i32 { return sys_vmspace_create(id, type as usize, data); }
export function vmspaceDestroy(id: usize): i32 { return sys_vmspace_destroy(id); }
export function vmspaceCtl(id: usize, command: i32, tframe: usize, vframe: usize): i32 {
  return sys_vmspace_ctl(id, command as usize, tframe, vframe);
}
export function vmspaceMmap(id: usize, address: usize, bytes: usize, prot: i32, flags: i32, fd: i32, offset: u32): usize {
  return sys_vmspace_mmap(id, address, bytes, prot as usize, flags as usize, fd as usize, offset, 0) as usize;
}
export function vmspaceMunmap(id: usize, address: usize, bytes: usize): i32 { return sys_vmspace_munmap(id, address, bytes); }
export function vmspaceMcontrol(id: usize, address: usize, bytes: usize, behaviour: i32, value: u32): i32 {
  return sys_vmspace_mcontrol(id, address, bytes, behaviour as usize, value, 0);
}
/** Copies out of a VM space; the bytes that were copied. */
export function vmspacePread(id: usize, buffer: usize, bytes: usize, address: usize): i32 {
  return sys_vmspace_pread(id, buffer, bytes, 0, address, 0);
}
/** Copies into a VM space. */
export function vmspacePwrite(id: usize, buffer: usize, bytes: usize, address: usize): i32 {
  return sys_vmspace_pwrite(id, buffer, bytes, 0, address, 0);
}
