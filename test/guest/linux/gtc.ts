// The compiler as an i386 Linux program: what Node built must build the same bytes.

import { compile } from "../../../src/compiler/compile.ts";
import { CompilerHost } from "../../../src/compiler/host.ts";
import { arrayData } from "../../../src/lib/array.ts";
import { newString } from "../../../src/lib/string.ts";
import { close, exit, open, read, seek, write, writeText } from "./rt.ts";

class LinuxHost extends CompilerHost {
  override readFile(path: string): string | null {
    const fd = open(path, 0, 0);
    if (fd < 0) return null;
    const bytes = seek(fd, 0, 2);
    seek(fd, 0, 0);
    const text = newString(bytes);
    const got = read(fd, text + 4, bytes as usize);
    close(fd);
    return got == bytes ? changetype<string>(text) : null;
  }

  override writeFile(path: string, parts: u8[][], executable: bool): string {
    const fd = open(path, 0x241, executable ? 0x1ed : 0x1a4);
    if (fd < 0) return "it cannot be opened";
    let all = true;
    for (const part of parts) {
      if (write(fd, arrayData(changetype<usize>(part)), part.length as usize) != part.length) all = false;
    }
    close(fd);
    return all ? "" : "not all of it";
  }

  override print(text: string): void {
    writeText(1, text);
  }
}

function textAt(address: usize): string {
  let length = 0;
  while (load<u8>(address + (length as usize)) != 0) length++;
  const text = newString(length);
  memory.copy(text + 4, address, length as usize);
  return changetype<string>(text);
}

/** `stack` holds argc and then argv, as the kernel leaves them. */
function main(stack: Ptr<usize>): void {
  __init();
  const count = stack[0]! as i32;
  const args: string[] = [];
  for (let i = 2; i <= count; i++) args.push(textAt(stack[i]!));
  exit(compile(args, new LinuxHost()));
}

export function _start(): void {
  naked();
  asm`xor ebp, ebp
      mov eax, esp
      push eax
      call ${main}`;
}
