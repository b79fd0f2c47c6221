// Made by gensys from src/abi/syscalls.ts: the system calls with their argument slots, a 64-bit argument in two. Change the
// table, not this file. The arguments lie where the caller has pushed them, which is where the kernel looks for them. Each
// returns what the kernel returned, or -1 with the error number in errno().

import { failed } from './sys.ts';

export function sys_exit(status: usize): i32 {
  naked();
  asm`mov eax, 1
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_fork(): i32 {
  naked();
  asm`mov eax, 2
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_read(fd: usize, buf: usize, n: usize): i32 {
  naked();
  asm`mov eax, 3
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_write(fd: usize, buf: usize, n: usize): i32 {
  naked();
  asm`mov eax, 4
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_open(path: usize, flags: usize, mode: usize): i32 {
  naked();
  asm`mov eax, 5
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_close(fd: usize): i32 {
  naked();
  asm`mov eax, 6
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_wait4(pid: usize, status: usize, options: usize, usage: usize): i32 {
  naked();
  asm`mov eax, 7
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_link(from: usize, to: usize): i32 {
  naked();
  asm`mov eax, 9
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_unlink(path: usize): i32 {
  naked();
  asm`mov eax, 10
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_chdir(path: usize): i32 {
  naked();
  asm`mov eax, 12
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_fchdir(fd: usize): i32 {
  naked();
  asm`mov eax, 13
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_mknod(path: usize, mode: usize, dev: usize): i32 {
  naked();
  asm`mov eax, 14
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_chmod(path: usize, mode: usize): i32 {
  naked();
  asm`mov eax, 15
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_break(end: usize): i32 {
  naked();
  asm`mov eax, 17
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_getpid(): i32 {
  naked();
  asm`mov eax, 20
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_getuid(): i32 {
  naked();
  asm`mov eax, 24
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_geteuid(): i32 {
  naked();
  asm`mov eax, 25
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_access(path: usize, mode: usize): i32 {
  naked();
  asm`mov eax, 33
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_sync(): i32 {
  naked();
  asm`mov eax, 36
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_kill(pid: usize, sig: usize): i32 {
  naked();
  asm`mov eax, 37
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_getppid(): i32 {
  naked();
  asm`mov eax, 39
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_dup(fd: usize): i32 {
  naked();
  asm`mov eax, 41
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_pipe(): i32 {
  naked();
  asm`mov eax, 42
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_getegid(): i32 {
  naked();
  asm`mov eax, 43
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_getgid(): i32 {
  naked();
  asm`mov eax, 47
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_sigaltstack(ss: usize, old: usize): i32 {
  naked();
  asm`mov eax, 53
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_ioctl(fd: usize, request: usize, data: usize): i32 {
  naked();
  asm`mov eax, 54
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_reboot(howto: usize): i32 {
  naked();
  asm`mov eax, 55
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_symlink(target: usize, path: usize): i32 {
  naked();
  asm`mov eax, 57
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_readlink(path: usize, buf: usize, n: usize): i32 {
  naked();
  asm`mov eax, 58
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_execve(path: usize, argv: usize, envp: usize): i32 {
  naked();
  asm`mov eax, 59
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_umask(mask: usize): i32 {
  naked();
  asm`mov eax, 60
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_msync(addr: usize, len: usize, flags: usize): i32 {
  naked();
  asm`mov eax, 65
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_munmap(addr: usize, len: usize): i32 {
  naked();
  asm`mov eax, 73
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_mprotect(addr: usize, len: usize, prot: usize): i32 {
  naked();
  asm`mov eax, 74
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_madvise(addr: usize, len: usize, behav: usize): i32 {
  naked();
  asm`mov eax, 75
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_getpgrp(): i32 {
  naked();
  asm`mov eax, 81
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_setpgid(pid: usize, pgid: usize): i32 {
  naked();
  asm`mov eax, 82
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_setitimer(which: usize, value: usize, old: usize): i32 {
  naked();
  asm`mov eax, 83
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_getitimer(which: usize, value: usize): i32 {
  naked();
  asm`mov eax, 86
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_dup2(from: usize, to: usize): i32 {
  naked();
  asm`mov eax, 90
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_fcntl(fd: usize, cmd: usize, arg: usize): i32 {
  naked();
  asm`mov eax, 92
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_select(n: usize, in_: usize, out: usize, except: usize, timeout: usize): i32 {
  naked();
  asm`mov eax, 93
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_fsync(fd: usize): i32 {
  naked();
  asm`mov eax, 95
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_gettimeofday(tv: usize, tz: usize): i32 {
  naked();
  asm`mov eax, 116
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_getrusage(who: usize, usage: usize): i32 {
  naked();
  asm`mov eax, 117
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_rename(from: usize, to: usize): i32 {
  naked();
  asm`mov eax, 128
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_flock(fd: usize, operation: usize): i32 {
  naked();
  asm`mov eax, 131
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_mkdir(path: usize, mode: usize): i32 {
  naked();
  asm`mov eax, 136
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_rmdir(path: usize): i32 {
  naked();
  asm`mov eax, 137
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_setsid(): i32 {
  naked();
  asm`mov eax, 147
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_uname(name: usize): i32 {
  naked();
  asm`mov eax, 164
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_sysarch(op: usize, args: usize): i32 {
  naked();
  asm`mov eax, 165
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_extpread(fd: usize, buf: usize, n: usize, flags: usize, offsetLow: usize, offsetHigh: usize): i32 {
  naked();
  asm`mov eax, 173
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_extpwrite(fd: usize, buf: usize, n: usize, flags: usize, offsetLow: usize, offsetHigh: usize): i32 {
  naked();
  asm`mov eax, 174
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_mmap(addr: usize, len: usize, prot: usize, flags: usize, fd: usize, pad: usize, offsetLow: usize, offsetHigh: usize): i32 {
  naked();
  asm`mov eax, 197
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_lseek(fd: usize, pad: usize, offsetLow: usize, offsetHigh: usize, whence: usize): i32 {
  naked();
  asm`mov eax, 199
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_truncate(path: usize, pad: usize, lengthLow: usize, lengthHigh: usize): i32 {
  naked();
  asm`mov eax, 200
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_ftruncate(fd: usize, pad: usize, lengthLow: usize, lengthHigh: usize): i32 {
  naked();
  asm`mov eax, 201
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_sysctl(name: usize, namelen: usize, old: usize, oldlen: usize, new_: usize, newlen: usize): i32 {
  naked();
  asm`mov eax, 202
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_getpgid(pid: usize): i32 {
  naked();
  asm`mov eax, 207
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_poll(fds: usize, n: usize, ms: usize): i32 {
  naked();
  asm`mov eax, 209
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_clock_gettime(clock: usize, ts: usize): i32 {
  naked();
  asm`mov eax, 232
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_nanosleep(request: usize, remain: usize): i32 {
  naked();
  asm`mov eax, 240
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_getsid(pid: usize): i32 {
  naked();
  asm`mov eax, 310
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_getcwd(buf: usize, n: usize): i32 {
  naked();
  asm`mov eax, 326
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_sched_yield(): i32 {
  naked();
  asm`mov eax, 331
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_sigprocmask(how: usize, set: usize, old: usize): i32 {
  naked();
  asm`mov eax, 340
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_sigsuspend(mask: usize): i32 {
  naked();
  asm`mov eax, 341
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_sigaction(sig: usize, act: usize, old: usize): i32 {
  naked();
  asm`mov eax, 342
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_sigpending(set: usize): i32 {
  naked();
  asm`mov eax, 343
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_sigreturn(context: usize): i32 {
  naked();
  asm`mov eax, 344
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_kqueue(): i32 {
  naked();
  asm`mov eax, 362
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_kevent(kq: usize, changes: usize, nchanges: usize, events: usize, nevents: usize, timeout: usize): i32 {
  naked();
  asm`mov eax, 363
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_umtx_sleep(ptr: usize, value: usize, timeout: usize): i32 {
  naked();
  asm`mov eax, 469
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_umtx_wakeup(ptr: usize, count: usize): i32 {
  naked();
  asm`mov eax, 470
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_set_tls_area(which: usize, info: usize, size: usize): i32 {
  naked();
  asm`mov eax, 472
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_get_tls_area(which: usize, info: usize, size: usize): i32 {
  naked();
  asm`mov eax, 473
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_closefrom(fd: usize): i32 {
  naked();
  asm`mov eax, 474
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_stat(path: usize, st: usize): i32 {
  naked();
  asm`mov eax, 475
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_fstat(fd: usize, st: usize): i32 {
  naked();
  asm`mov eax, 476
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_lstat(path: usize, st: usize): i32 {
  naked();
  asm`mov eax, 477
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_getdirentries(fd: usize, buf: usize, n: usize, base: usize): i32 {
  naked();
  asm`mov eax, 479
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_mcontrol(addr: usize, len: usize, behav: usize, valueLow: usize, valueHigh: usize): i32 {
  naked();
  asm`mov eax, 485
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_vmspace_create(id: usize, type: usize, data: usize): i32 {
  naked();
  asm`mov eax, 486
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_vmspace_destroy(id: usize): i32 {
  naked();
  asm`mov eax, 487
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_vmspace_ctl(id: usize, cmd: usize, tframe: usize, vframe: usize): i32 {
  naked();
  asm`mov eax, 488
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_vmspace_mmap(id: usize, addr: usize, len: usize, prot: usize, flags: usize, fd: usize, offsetLow: usize, offsetHigh: usize): i32 {
  naked();
  asm`mov eax, 489
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_vmspace_munmap(id: usize, addr: usize, len: usize): i32 {
  naked();
  asm`mov eax, 490
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_vmspace_mcontrol(id: usize, addr: usize, len: usize, behav: usize, valueLow: usize, valueHigh: usize): i32 {
  naked();
  asm`mov eax, 491
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_vmspace_pread(id: usize, buf: usize, n: usize, flags: usize, offsetLow: usize, offsetHigh: usize): i32 {
  naked();
  asm`mov eax, 492
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_vmspace_pwrite(id: usize, buf: usize, n: usize, flags: usize, offsetLow: usize, offsetHigh: usize): i32 {
  naked();
  asm`mov eax, 493
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_extexit(how: usize, status: usize, addr: usize): i32 {
  naked();
  asm`mov eax, 494
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_lwp_create(params: usize): i32 {
  naked();
  asm`mov eax, 495
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_lwp_gettid(): i32 {
  naked();
  asm`mov eax, 496
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}

export function sys_lwp_kill(pid: usize, tid: usize, sig: usize): i32 {
  naked();
  asm`mov eax, 497
      int 0x80
      jb bad
      ret
 bad: jmp ${failed}`;
}
