// A run-time for i386 Linux, so that guest programs run natively on the machine that tests them. Memory comes from brk and
// is counted but not reused. Linux takes system call arguments in ebx, ecx, edx.

/** One system call with up to three arguments. */
function call(number: i32, a: usize, b: usize, c: usize): i32 {
  let result: i32 = 0;
  asm`push ebx
      mov eax, ${number}
      mov ebx, ${a}
      mov ecx, ${b}
      mov edx, ${c}
      int 0x80
      pop ebx
      mov ${result}, eax`;
  return result;
}

let next: usize = 0;
let end: usize = 0;

export function malloc(size: usize): usize {
  if (next == 0) {
    next = ((call(45, 0, 0, 0) as usize) + 15) & ~15;
    end = next;
  }
  const at = next;
  next += (size + 7) & ~7;
  if (next <= end) return at;
  end = (next + 0x100000) & ~0xfff;
  if ((call(45, end, 0, 0) as usize) < next) rtPanic("out of memory");
  return at;
}

/** All memory starts as zeros. */
export function mallocZeroed(size: usize): usize {
  return malloc(size);
}

/** Memory is not reused. */
export function mfree(address: usize): void {
  void address;
}

export function rtPanic(message: string): void {
  writeText(2, "panic: " + message + "\n");
  exit(134);
}

export function exit(status: i32): void {
  call(1, status as usize, 0, 0);
}

export function read(fd: i32, address: usize, bytes: usize): i32 {
  return call(3, fd as usize, address, bytes);
}

export function write(fd: i32, address: usize, bytes: usize): i32 {
  return call(4, fd as usize, address, bytes);
}

export function writeText(fd: i32, text: string): void {
  write(fd, changetype<usize>(text) + 4, text.length as usize);
}

export function open(path: string, flags: i32, mode: i32): i32 {
  return call(5, changetype<usize>(path) + 4, flags as usize, mode as usize);
}

export function close(fd: i32): void {
  call(6, fd as usize, 0, 0);
}

/** Move to an offset from the start (0) or the end (2) of a file. */
export function seek(fd: i32, offset: i32, whence: i32): i32 {
  return call(19, fd as usize, offset as usize, whence as usize);
}
