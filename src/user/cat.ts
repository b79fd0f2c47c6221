// cat: copies files, or standard input, to standard output.

import { O_RDONLY } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { writeAll } from '../libc/stdio.ts';
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

function main(args: string[]): i32 {
  const buffer = malloc(CHUNK);
  if (args.length == 1) return copy(0, "standard input", buffer);
  let status: i32 = 0;
  for (let i: i32 = 1; i < args.length; i++) {
    const fd = open(args[i]!, O_RDONLY, 0);
    if (fd < 0) {
      status = fail("cat", args[i]!);
      continue;
    }
    if (copy(fd, args[i]!, buffer) != 0) status = 1;
    close(fd);
  }
  return status;
}

setMain(main);
