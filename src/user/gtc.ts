// gtc: the compiler as a program of the system. All of it is in src/compiler; here are only its files and its terminal.

import { compile } from "../compiler/compile.ts";
import { CompilerHost } from "../compiler/host.ts";
import { arrayData } from "../lib/array.ts";
import { setMain } from "../libc/crt.ts";
import { print, readFile, writeFile } from "../libc/stdio.ts";

class SystemHost extends CompilerHost {
  override readFile(path: string): string | null {
    return readFile(path);
  }

  override writeFile(path: string, bytes: u8[], executable: bool): bool {
    return writeFile(path, arrayData(changetype<usize>(bytes)), bytes.length as usize, executable ? 0x1ed : 0x1a4);
  }

  override print(text: string): void {
    print(text);
  }
}

function main(args: string[]): i32 {
  return compile(args.slice(1), new SystemHost());
}

setMain(main);
