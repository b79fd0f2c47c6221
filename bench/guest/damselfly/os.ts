// The system calls of bench/guest/kernel.ts on our kernels. Each answers what the kernel answers, or a negative number.

import { O_RDONLY, O_RDWR, RB_HALT } from '../../../src/abi/file.ts';
import { MAP_ANON, MAP_PRIVATE } from '../../../src/abi/mman.ts';
import { Sys } from '../../../src/abi/syscalls.ts';

let second: u32 = 0;      // the second result of the last call

/** Eight argument slots are more than any of these calls needs. */
function call(nr: i32, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize, g: usize): i32 {
  let result: i32 = 0;
  let failed: i32 = 0;
  let other: u32 = 0;
  asm`push 0
      push ${g}
      push ${f}
      push ${e}
      push ${d}
      push ${c}
      push ${b}
      push ${a}
      push 0
      mov eax, ${nr}
      xor edx, edx
      int 0x80
      lea esp, [esp+36]
      sbb ecx, ecx
      mov ${result}, eax
      mov ${other}, edx
      mov ${failed}, ecx`;
  second = other;
  return failed == 0 ? result : -result;
}

/** Process 1 begins without descriptors. */
export function openConsole(): void {
  const path = "/dev/console";
  for (let fd: i32 = 0; fd < 3; fd++) call(Sys.open, changetype<usize>(path) + 4, O_RDWR as usize, 0, 0, 0, 0, 0);
}

export function exit(status: i32): void { call(Sys.exit, status as usize, 0, 0, 0, 0, 0, 0); }
/** 0 in the child. */
export function fork(): i32 {
  const result = call(Sys.fork, 0, 0, 0, 0, 0, 0, 0);
  return result > 0 && second != 0 ? 0 : result;
}
export function read(fd: i32, at: usize, bytes: usize): i32 { return call(Sys.read, fd as usize, at, bytes, 0, 0, 0, 0); }
export function write(fd: i32, at: usize, bytes: usize): i32 { return call(Sys.write, fd as usize, at, bytes, 0, 0, 0, 0); }
export function openToRead(path: usize): i32 { return call(Sys.open, path, O_RDONLY as usize, 0, 0, 0, 0, 0); }
export function getpid(): i32 { return call(Sys.getpid, 0, 0, 0, 0, 0, 0, 0); }
export function getppid(): i32 { return call(Sys.getppid, 0, 0, 0, 0, 0, 0, 0); }
export function execve(path: usize, argv: usize, envp: usize): i32 { return call(Sys.execve, path, argv, envp, 0, 0, 0, 0); }
/** Waits for one child. */
export function wait(pid: i32): void { call(Sys.wait4, pid as usize, 0, 0, 0, 0, 0, 0); }
/** Both ends to fds[0] and fds[1]. */
export function pipe(fds: Ptr<i32>): void {
  fds[0] = call(Sys.pipe, 0, 0, 0, 0, 0, 0, 0);
  fds[1] = second as i32;
}
/** Fresh zeros, readable and writable. */
export function mapAnonymous(bytes: usize): usize {
  return call(Sys.mmap, 0, bytes, 3, (MAP_ANON | MAP_PRIVATE) as usize, 0xffffffff, 0, 0) as usize;
}
export function unmap(at: usize, bytes: usize): void { call(Sys.munmap, at, bytes, 0, 0, 0, 0, 0); }
/** Ends the machine; the caller is process 1. */
export function halt(): void { call(Sys.reboot, RB_HALT as usize, 0, 0, 0, 0, 0, 0); }
