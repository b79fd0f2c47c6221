// A run-time library and a main program with which the compiler itself becomes an i386 Linux program, for testing only:
// system calls 1 exit, 3 read, 4 write, 5 open, 6 close, 19 lseek, 45 brk.

export const LINUX_RT = `
let heapNow: usize = 0;
let heapEnd: usize = 0;
export function systemCall(n: i32, a: usize, b: usize, c: usize): i32 {
  let result: i32 = 0;
  asm\`push ebx
      mov eax, \${n}
      mov ebx, \${a}
      mov ecx, \${b}
      mov edx, \${c}
      int 0x80
      pop ebx
      mov \${result}, eax\`;
  return result;
}
export function malloc(size: usize): usize {
  if (heapNow == 0) { heapNow = systemCall(45, 0, 0, 0) as usize; heapEnd = heapNow; }
  const at = heapNow;
  heapNow = (heapNow + size + 7) & ~7;
  if (heapNow > heapEnd) { heapEnd = (heapNow + 0x100000) & ~4095; systemCall(45, heapEnd, 0, 0); }
  return at;
}
export function mallocZeroed(size: usize): usize { return malloc(size); }
export function mfree(p: usize): void { void p; }
export function rtPanic(message: string): void {
  systemCall(4, 2, changetype<usize>(message) + 4, message.length as usize);
  systemCall(1, 134, 0, 0);
}
`;

export const LINUX_GTC = `
import { compile } from "./src/compiler/compile.ts";
import { CompilerHost } from "./src/compiler/host.ts";
import { arrayData } from "./src/lib/array.ts";
import { malloc, systemCall } from "rt/rt.ts";
function newString(size: i32): string {
  const p = malloc(size as usize + 5);
  store<i32>(p, size);
  store<u8>(p + 4 + (size as usize), 0);
  return changetype<string>(p);
}
class LinuxHost extends CompilerHost {
  override readFile(path: string): string | null {
    const fd = systemCall(5, changetype<usize>(path) + 4, 0, 0);
    if (fd < 0) return null;
    const size = systemCall(19, fd as usize, 0, 2);
    systemCall(19, fd as usize, 0, 0);
    const text = newString(size);
    systemCall(3, fd as usize, changetype<usize>(text) + 4, size as usize);
    systemCall(6, fd as usize, 0, 0);
    return text;
  }
  override writeFile(path: string, parts: u8[][], executable: bool): string {
    const fd = systemCall(5, changetype<usize>(path) + 4, 0x241, executable ? 0x1ed : 0x1a4);
    if (fd < 0) return "it cannot be opened";
    let all = true;
    for (const part of parts) {
      if (systemCall(4, fd as usize, arrayData(changetype<usize>(part)), part.length as usize) != part.length) all = false;
    }
    systemCall(6, fd as usize, 0, 0);
    return all ? "" : "not all of it";
  }
  override print(text: string): void { systemCall(4, 1, changetype<usize>(text) + 4, text.length as usize); }
}
function argument(p: usize): string {
  let size = 0;
  while (load<u8>(p + (size as usize)) != 0) size++;
  const s = newString(size);
  memory.copy(changetype<usize>(s) + 4, p, size as usize);
  return s;
}
function start(stack: usize): void {
  __init();
  const args: string[] = [];
  for (let i = 1; i < load<i32>(stack); i++) args.push(argument(load<usize>(stack + 4 + 4 * (i as usize))));
  systemCall(1, compile(args, new LinuxHost()) as usize, 0, 0);
}
export function _start(): void {
  naked();
  asm\`mov eax, esp
      push eax
      call \${start}\`;
}
`;
