// uniq: of equal lines in a row only the first; -c with their number, -d only of those that repeat, -u only those that do not.

import { setMain } from '../libc/crt.ts';
import { inputLines, inputNames } from '../libc/input.ts';
import { afterOptions, nextOption } from '../libc/options.ts';
import { fail } from '../libc/process.ts';
import { eprint, flush, print } from '../libc/stdio.ts';
import { padLeft } from '../libc/strings.ts';

let counts: bool = false;
let repeated: bool = false;
let unique: bool = false;

function show(line: string, n: i32): void {
  if ((repeated && n == 1) || (unique && n > 1)) return;
  print((counts ? padLeft(`${n}`, 4) + " " : "") + line + "\n");
}

function main(args: string[]): i32 {
  let option = nextOption(args, "cdu");
  for (; option > 0; option = nextOption(args, "cdu")) {
    if (option == 99) counts = true;
    else if (option == 100) repeated = true;
    else unique = true;
  }
  if (option < 0 || afterOptions + 1 < args.length) {
    eprint("usage: uniq [-cdu] [file]\n");
    return 2;
  }
  const lines = inputLines("uniq", inputNames(args, afterOptions)[0]!);
  if (lines == null) return 1;
  let n: i32 = 0;
  for (let i: i32 = 0; i < lines.length; i++) {
    n++;
    if (i + 1 < lines.length && lines[i] == lines[i + 1]) continue;
    show(lines[i]!, n);
    n = 0;
  }
  return flush() ? 0 : fail("uniq", "standard output");
}

setMain(main);
