// System calls as functions. Every function returns what the kernel returned, or -1 with the error number in errno(); the
// record and constant names are those of src/abi. errno lives in thread-local storage: %gs:12 points at it.

import { Sys } from '../abi/syscalls.ts';

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

/** Turns the kernel's answer into the convention above; `failed` is all ones when the carry flag was set. */
function answer(result: i32, failed: i32): i32 {
  if (failed == 0) return result;
  setErrno(result);
  return -1;
}

function sys0(nr: i32): i32 {
  let result: i32 = 0;
  let failed: i32 = 0;
  asm`push 0
      mov eax, ${nr}
      int 0x80
      lea esp, [esp+4]
      sbb ecx, ecx
      mov ${result}, eax
      mov ${failed}, ecx`;
  return answer(result, failed);
}

function sys3(nr: i32, a: usize, b: usize, c: usize): i32 {
  let result: i32 = 0;
  let failed: i32 = 0;
  asm`push ${c}
      push ${b}
      push ${a}
      push 0
      mov eax, ${nr}
      int 0x80
      lea esp, [esp+16]
      sbb ecx, ecx
      mov ${result}, eax
      mov ${failed}, ecx`;
  return answer(result, failed);
}

function sys8(nr: i32, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize, g: usize, h: usize): i32 {
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

/** Any system call by its number, with eight argument slots. */
export function syscall8(nr: i32, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize, g: usize, h: usize): i32 {
  return sys8(nr, a, b, c, d, e, f, g, h);
}

/** Address of a string's bytes; a NUL follows them. */
export function cstr(text: string): usize {
  return changetype<usize>(text) + 4;
}

/** Ends the process at once, without flushing anything. */
export function _exit(status: i32): void {
  sys3(Sys.exit, status as usize, 0, 0);
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
  return sys8(Sys.lseek, fd as usize, 0, offset as usize, (offset >> 31) as usize, whence as usize, 0, 0, 0);
}

export function read(fd: i32, buffer: usize, bytes: usize): i32 { return sys3(Sys.read, fd as usize, buffer, bytes); }
export function write(fd: i32, buffer: usize, bytes: usize): i32 { return sys3(Sys.write, fd as usize, buffer, bytes); }
export function open(path: string, flags: i32, mode: u32): i32 { return sys3(Sys.open, cstr(path), flags as usize, mode); }
export function close(fd: i32): i32 { return sys3(Sys.close, fd as usize, 0, 0); }
export function wait4(pid: i32, status: usize, options: i32, usage: usize): i32 {
  return sys8(Sys.wait4, pid as usize, status, options as usize, usage, 0, 0, 0, 0);
}
export function link(from: string, to: string): i32 { return sys3(Sys.link, cstr(from), cstr(to), 0); }
export function unlink(path: string): i32 { return sys3(Sys.unlink, cstr(path), 0, 0); }
export function chdir(path: string): i32 { return sys3(Sys.chdir, cstr(path), 0, 0); }
export function fchdir(fd: i32): i32 { return sys3(Sys.fchdir, fd as usize, 0, 0); }
export function access(path: string, mode: i32): i32 { return sys3(Sys.access, cstr(path), mode as usize, 0); }
export function umask(mask: u32): i32 { return sys3(Sys.umask, mask, 0, 0); }
export function mknod(path: string, mode: u32, dev: u32): i32 { return sys3(Sys.mknod, cstr(path), mode, dev); }
export function chmod(path: string, mode: u32): i32 { return sys3(Sys.chmod, cstr(path), mode, 0); }
export function brk(end: usize): i32 { return sys3(Sys.break_, end, 0, 0); }
export function getpid(): i32 { return sys0(Sys.getpid); }
export function getppid(): i32 { return sys0(Sys.getppid); }
export function getuid(): i32 { return sys0(Sys.getuid); }
export function geteuid(): i32 { return sys0(Sys.geteuid); }
export function getgid(): i32 { return sys0(Sys.getgid); }
export function getegid(): i32 { return sys0(Sys.getegid); }
export function getpgrp(): i32 { return sys0(Sys.getpgrp); }
export function schedYield(): i32 { return sys0(Sys.sched_yield); }
export function sync(): i32 { return sys0(Sys.sync); }
export function kill(pid: i32, signal: i32): i32 { return sys3(Sys.kill, pid as usize, signal as usize, 0); }
export function dup(fd: i32): i32 { return sys3(Sys.dup, fd as usize, 0, 0); }
export function dup2(from: i32, to: i32): i32 { return sys3(Sys.dup2, from as usize, to as usize, 0); }
export function ioctl(fd: i32, request: u32, data: usize): i32 { return sys3(Sys.ioctl, fd as usize, request, data); }
export function reboot(howto: i32): i32 { return sys3(Sys.reboot, howto as usize, 0, 0); }
export function symlink(target: string, path: string): i32 { return sys3(Sys.symlink, cstr(target), cstr(path), 0); }
export function readlink(path: string, buffer: usize, bytes: usize): i32 { return sys3(Sys.readlink, cstr(path), buffer, bytes); }
export function execve(path: string, argv: usize, envp: usize): i32 { return sys3(Sys.execve, cstr(path), argv, envp); }
export function munmap(address: usize, bytes: usize): i32 { return sys3(Sys.munmap, address, bytes, 0); }
export function mprotect(address: usize, bytes: usize, prot: i32): i32 { return sys3(Sys.mprotect, address, bytes, prot as usize); }
export function msync(address: usize, bytes: usize, flags: i32): i32 { return sys3(Sys.msync, address, bytes, flags as usize); }
export function madvise(address: usize, bytes: usize, behaviour: i32): i32 { return sys3(Sys.madvise, address, bytes, behaviour as usize); }
export function mcontrol(address: usize, bytes: usize, behaviour: i32, value: u32): i32 {
  return sys8(Sys.mcontrol, address, bytes, behaviour as usize, value, 0, 0, 0, 0);
}
/** Offset is a byte offset below 4 GiB. Returns the address, or 0xffffffff with errno. */
export function mmap(address: usize, bytes: usize, prot: i32, flags: i32, fd: i32, offset: u32): usize {
  return sys8(Sys.mmap, address, bytes, prot as usize, flags as usize, fd as usize, 0, offset, 0) as usize;
}
export function setpgid(pid: i32, group: i32): i32 { return sys3(Sys.setpgid, pid as usize, group as usize, 0); }
/** Group and session of a process, 0: the caller. */
export function getpgid(pid: i32): i32 { return sys3(Sys.getpgid, pid as usize, 0, 0); }
export function getsid(pid: i32): i32 { return sys3(Sys.getsid, pid as usize, 0, 0); }
export function setsid(): i32 { return sys0(Sys.setsid); }
export function setitimer(which: i32, value: usize, old: usize): i32 { return sys3(Sys.setitimer, which as usize, value, old); }
export function getitimer(which: i32, value: usize): i32 { return sys3(Sys.getitimer, which as usize, value, 0); }
export function uname(name: usize): i32 { return sys3(Sys.uname, name, 0, 0); }
export function fcntl(fd: i32, command: i32, argument: i32): i32 { return sys3(Sys.fcntl, fd as usize, command as usize, argument as usize); }
export function fsync(fd: i32): i32 { return sys3(Sys.fsync, fd as usize, 0, 0); }
export function gettimeofday(time: usize): i32 { return sys3(Sys.gettimeofday, time, 0, 0); }
export function clockGettime(clock: i32, time: usize): i32 { return sys3(Sys.clock_gettime, clock as usize, time, 0); }
export function getrusage(who: i32, usage: usize): i32 { return sys3(Sys.getrusage, who as usize, usage, 0); }
export function rename(from: string, to: string): i32 { return sys3(Sys.rename, cstr(from), cstr(to), 0); }
export function mkdir(path: string, mode: u32): i32 { return sys3(Sys.mkdir, cstr(path), mode, 0); }
export function rmdir(path: string): i32 { return sys3(Sys.rmdir, cstr(path), 0, 0); }
export function extpread(fd: i32, buffer: usize, bytes: usize, flags: i32, offset: i64): i32 {
  return sys8(Sys.extpread, fd as usize, buffer, bytes, flags as usize, offset as usize, (offset >> 32) as usize, 0, 0);
}
export function extpwrite(fd: i32, buffer: usize, bytes: usize, flags: i32, offset: i64): i32 {
  return sys8(Sys.extpwrite, fd as usize, buffer, bytes, flags as usize, offset as usize, (offset >> 32) as usize, 0, 0);
}
export function truncate(path: string, bytes: u32): i32 {
  return sys8(Sys.truncate, cstr(path), 0, bytes, 0, 0, 0, 0, 0);
}
export function ftruncate(fd: i32, bytes: u32): i32 {
  return sys8(Sys.ftruncate, fd as usize, 0, bytes, 0, 0, 0, 0, 0);
}
export function sysctl(name: usize, length: i32, old: usize, oldLength: usize, value: usize, valueLength: usize): i32 {
  return sys8(Sys.sysctl, name, length as usize, old, oldLength, value, valueLength, 0, 0);
}
export function nanosleep(request: usize, remain: usize): i32 { return sys3(Sys.nanosleep, request, remain, 0); }
export function getcwd(buffer: usize, bytes: usize): i32 { return sys3(Sys.getcwd, buffer, bytes, 0); }
export function sigprocmask(how: i32, set: usize, old: usize): i32 { return sys3(Sys.sigprocmask, how as usize, set, old); }
export function sigsuspend(mask: usize): i32 { return sys3(Sys.sigsuspend, mask, 0, 0); }
export function sigaction(signal: i32, action: usize, old: usize): i32 { return sys3(Sys.sigaction, signal as usize, action, old); }
export function flock(fd: i32, operation: i32): i32 { return sys3(Sys.flock, fd as usize, operation as usize, 0); }
/** Closes every descriptor from `fd` up. */
export function closefrom(fd: i32): i32 { return sys3(Sys.closefrom, fd as usize, 0, 0); }
export function poll(fds: usize, n: i32, ms: i32): i32 { return sys3(Sys.poll, fds, n as usize, ms as usize); }
/** The sets are bit n for descriptor n; `timeout` is the address of a Timeval, 0 to wait for ever. */
export function select(n: i32, read: usize, write: usize, except: usize, timeout: usize): i32 {
  return sys8(Sys.select, n as usize, read, write, except, timeout, 0, 0, 0);
}
export function kqueue(): i32 { return sys0(Sys.kqueue); }
/** `timeout` is the address of a Timespec, 0 to wait for ever. Returns how many events it wrote. */
export function kevent(kq: i32, changes: usize, nchanges: i32, events: usize, nevents: i32, timeout: usize): i32 {
  return sys8(Sys.kevent, kq as usize, changes, nchanges as usize, events, nevents as usize, timeout, 0, 0);
}
export function sigpending(set: usize): i32 { return sys3(Sys.sigpending, set, 0, 0); }
export function sigaltstack(stack: usize, old: usize): i32 { return sys3(Sys.sigaltstack, stack, old, 0); }
export function getTlsArea(which: i32, info: usize, size: i32): i32 { return sys3(Sys.get_tls_area, which as usize, info, size as usize); }
export function setTlsArea(which: i32, info: usize, size: i32): i32 { return sys3(Sys.set_tls_area, which as usize, info, size as usize); }
export function stat(path: string, into: usize): i32 { return sys3(Sys.stat, cstr(path), into, 0); }
export function fstat(fd: i32, into: usize): i32 { return sys3(Sys.fstat, fd as usize, into, 0); }
export function lstat(path: string, into: usize): i32 { return sys3(Sys.lstat, cstr(path), into, 0); }
export function getdirentries(fd: i32, buffer: usize, bytes: usize, base: usize): i32 {
  return sys8(Sys.getdirentries, fd as usize, buffer, bytes, base, 0, 0, 0, 0);
}
/** Sleeps while the word at `address` is `value`, for `timeout` microseconds, or 0: without end. EBUSY: it is not. */
export function umtxSleep(address: usize, value: i32, timeout: i32): i32 { return sys3(Sys.umtx_sleep, address, value as usize, timeout as usize); }
/** Wakes one sleeper when count is 1, else all. */
export function umtxWakeup(address: usize, count: i32): i32 { return sys3(Sys.umtx_wakeup, address, count as usize, 0); }
export function extexit(how: u32, status: i32, address: usize): i32 { return sys3(Sys.extexit, how, status as usize, address); }
export function lwpCreate(params: usize): i32 { return sys3(Sys.lwp_create, params, 0, 0); }
export function lwpGettid(): i32 { return sys0(Sys.lwp_gettid); }
/** To one thread; pid -1 is this process. */
export function lwpKill(pid: i32, tid: i32, signal: i32): i32 { return sys3(Sys.lwp_kill, pid as usize, tid as usize, signal as usize); }
/** Answers a number of descriptors or a slot (abi/frames.ts, LdtArguments). */
export function sysarch(op: i32, args: usize): i32 { return sys3(Sys.sysarch, op as usize, args, 0); }
export function vmspaceCreate(id: usize, type: i32, data: usize): i32 { return sys3(Sys.vmspace_create, id, type as usize, data); }
export function vmspaceDestroy(id: usize): i32 { return sys3(Sys.vmspace_destroy, id, 0, 0); }
export function vmspaceCtl(id: usize, command: i32, tframe: usize, vframe: usize): i32 {
  return sys8(Sys.vmspace_ctl, id, command as usize, tframe, vframe, 0, 0, 0, 0);
}
export function vmspaceMmap(id: usize, address: usize, bytes: usize, prot: i32, flags: i32, fd: i32, offset: u32): usize {
  return sys8(Sys.vmspace_mmap, id, address, bytes, prot as usize, flags as usize, fd as usize, offset, 0) as usize;
}
export function vmspaceMunmap(id: usize, address: usize, bytes: usize): i32 { return sys3(Sys.vmspace_munmap, id, address, bytes); }
export function vmspaceMcontrol(id: usize, address: usize, bytes: usize, behaviour: i32, value: u32): i32 {
  return sys8(Sys.vmspace_mcontrol, id, address, bytes, behaviour as usize, value, 0, 0, 0);
}
/** Copies out of a VM space; the bytes that were copied. */
export function vmspacePread(id: usize, buffer: usize, bytes: usize, address: usize): i32 {
  return sys8(Sys.vmspace_pread, id, buffer, bytes, 0, address, 0, 0, 0);
}
/** Copies into a VM space. */
export function vmspacePwrite(id: usize, buffer: usize, bytes: usize, address: usize): i32 {
  return sys8(Sys.vmspace_pwrite, id, buffer, bytes, 0, address, 0, 0, 0);
}
