// cat: copies files, or standard input, to standard output; -n with line numbers. The name - is standard input.

import { O_RDONLY } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { inputLines, inputNames } from '../libc/input.ts';
import { afterOptions, nextOption } from '../libc/options.ts';
import { fail } from '../libc/process.ts';
import { eprint, flush, print, writeAll } from '../libc/stdio.ts';
import { padLeft } from '../libc/strings.ts';
import { malloc } from '../libc/rt.ts';
import { close, open, read } from '../libc/sys.ts';

const CHUNK: usize = 16384;

function copy(fd: i32, name: string, buffer: usize): i32 {
  for (;;) {
    const n = read(fd, buffer, CHUNK);
    if (n == 0) return 0;
    if (n < 0) return fail("cat", name);
    if (!writeAll(1, buffer, n as usize)) return fail("cat", "standard output");
  }
}

function copyFile(name: string, buffer: usize): i32 {
  if (name == "-") return copy(0, "standard input", buffer);
  const fd = open(name, O_RDONLY, 0);
  if (fd < 0) return fail("cat", name);
  const status = copy(fd, name, buffer);
  close(fd);
  return status;
}

let lastNumber: i32 = 0;

function number(name: string): i32 {
  const lines = inputLines("cat", name);
  if (lines == null) return 1;
  for (const line of lines) print(padLeft(`${++lastNumber}`, 6) + "\t" + line + "\n");
  return flush() ? 0 : fail("cat", "standard output");
}

function main(args: string[]): i32 {
  let numbered = false;
  for (let option = nextOption(args, "nu"); option != 0; option = nextOption(args, "nu")) {
    const letter = String.fromCharCode(option);
    if (letter == "n") numbered = true;
    if (option > 0) continue;
    eprint("usage: cat [-nu] [file ...]\n");
    return 2;
  }
  const buffer = malloc(CHUNK);
  let status: i32 = 0;
  for (const name of inputNames(args, afterOptions)) if ((numbered ? number(name) : copyFile(name, buffer)) != 0) status = 1;
  return status;
}

setMain(main);
