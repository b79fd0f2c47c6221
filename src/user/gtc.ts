// gtc: the compiler as a program of the system. All of it is in src/compiler; here are only its files and its terminal.

import { strerror } from "../abi/errno.ts";
import { compile } from "../compiler/compile.ts";
import { CompilerHost } from "../compiler/host.ts";
import { arrayData } from "../lib/array.ts";
import { setMain } from "../libc/crt.ts";
import { FreshFile, print, readFile } from "../libc/stdio.ts";
import { errno } from "../libc/sys.ts";

class SystemHost extends CompilerHost {
  override readFile(path: string): string | null {
    return readFile(path);
  }

  override writeFile(path: string, parts: u8[][], executable: bool): string {
    const fresh = new FreshFile(path, executable ? 0x1ed : 0x1a4);
    for (const part of parts) fresh.write(arrayData(changetype<usize>(part)), part.length as usize);
    return fresh.replace() ? "" : strerror(errno());
  }

  override print(text: string): void {
    print(text);
  }
}

function main(args: string[]): i32 {
  return compile(args.slice(1), new SystemHost());
}

setMain(main);
