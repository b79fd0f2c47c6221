// What the compiler's runtime asks of a program: memory and a way to die. Also the program's first instruction.

import { allocate, allocateZeroed, release } from './malloc.ts';
import { startProgram } from './crt.ts';
import { _exit, cstr, write } from './sys.ts';

export function malloc(bytes: usize): usize {
  return allocate(bytes);
}

export function mallocZeroed(bytes: usize): usize {
  return allocateZeroed(bytes);
}

export function mfree(block: usize): void {
  release(block);
}

/** A broken promise of the program itself (index out of range, out of memory): say so and exit with code 134. */
export function rtPanic(message: string): void {
  write(2, cstr("panic: "), 7);
  write(2, cstr(message), message.length as usize);
  write(2, cstr("\n"), 1);
  _exit(134);
}

/** Entry point: the kernel leaves argc, argv, envp on the stack. */
export function _start(): void {
  naked();
  asm`xor ebp, ebp
      mov eax, esp
      and esp, -16
      sub esp, 12
      push eax
      call ${startProgram}
      hlt`;
}
