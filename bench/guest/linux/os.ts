// The same calls on Linux for i386: arguments in registers, a negative result is an error.

function call(nr: i32, a: usize, b: usize, c: usize, d: usize, e: usize): i32 {
  let result: i32 = 0;
  asm`push ebx
      push esi
      push edi
      mov eax, ${nr}
      mov ebx, ${a}
      mov ecx, ${b}
      mov edx, ${c}
      mov esi, ${d}
      mov edi, ${e}
      int 0x80
      pop edi
      pop esi
      pop ebx
      mov ${result}, eax`;
  return result;
}

/** Process 1 begins with the console on its descriptors. */
export function openConsole(): void {
}

export function exit(status: i32): void { call(1, status as usize, 0, 0, 0, 0); }
/** 0 in the child. */
export function fork(): i32 { return call(2, 0, 0, 0, 0, 0); }
export function read(fd: i32, at: usize, bytes: usize): i32 { return call(3, fd as usize, at, bytes, 0, 0); }
export function write(fd: i32, at: usize, bytes: usize): i32 { return call(4, fd as usize, at, bytes, 0, 0); }
export function openToRead(path: usize): i32 { return call(5, path, 0, 0, 0, 0); }
export function getpid(): i32 { return call(20, 0, 0, 0, 0, 0); }
export function getppid(): i32 { return call(64, 0, 0, 0, 0, 0); }
export function execve(path: usize, argv: usize, envp: usize): i32 { return call(11, path, argv, envp, 0, 0); }
/** Waits for one child. */
export function wait(pid: i32): void { call(7, pid as usize, 0, 0, 0, 0); }
/** Both ends to fds[0] and fds[1]. */
export function pipe(fds: Ptr<i32>): void { call(42, changetype<usize>(fds), 0, 0, 0, 0); }

/** What mmap (90) takes in memory. */
class MapArguments {
  at: usize = 0;
  bytes: usize = 0;
  prot: usize = 3;
  flags: usize = 0x22;      // private, anonymous
  fd: usize = 0xffffffff;
  offset: usize = 0;
}
let map!: Embed<MapArguments>;

/** Fresh zeros, readable and writable. */
export function mapAnonymous(bytes: usize): usize {
  map.bytes = bytes;
  map.prot = 3;
  map.flags = 0x22;
  map.fd = 0xffffffff;
  return call(90, changetype<usize>(map), 0, 0, 0, 0) as usize;
}
export function unmap(at: usize, bytes: usize): void { call(91, at, bytes, 0, 0, 0); }
/** Ends the machine; the caller is process 1. */
export function halt(): void { call(88, 0xfee1dead, 672274793, 0x4321fedc, 0, 0); }
