// head: the first lines of files, ten or -n COUNT.

import { setMain } from '../libc/crt.ts';
import { inputLines, inputNames } from '../libc/input.ts';
import { eprint, print } from '../libc/stdio.ts';
import { parseNumber } from '../libc/strings.ts';

function main(args: string[]): i32 {
  const given = args.length > 2 && args[1] == "-n";
  const count = given ? parseNumber(args[2]!, -1) : 10;
  if (count < 0 || (args.length > 1 && args[1]!.startsWith("-") && args[1] != "-" && !given)) {
    eprint("usage: head [-n count] [file ...]\n");
    return 2;
  }
  const names = inputNames(args, given ? 3 : 1);
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
