// head: the first lines of files, ten or -n COUNT (also -COUNT).

import { setMain } from '../libc/crt.ts';
import { afterLineCount, inputLines, inputNames, lineCount } from '../libc/input.ts';
import { eprint, print } from '../libc/stdio.ts';

function main(args: string[]): i32 {
  const count = lineCount(args);
  if (count < 0) {
    eprint("usage: head [-n count] [file ...]\n");
    return 2;
  }
  const names = inputNames(args, afterLineCount(args));
  let status: i32 = 0;
  for (const name of names) {
    const lines = inputLines("head", name);
    if (lines == null) {
      status = 1;
      continue;
    }
    if (names.length > 1) print("==> " + name + " <==\n");
    for (let i: i32 = 0; i < count && i < lines.length; i++) print(lines[i]! + "\n");
  }
  return status;
}

setMain(main);
