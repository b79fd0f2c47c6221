// echo: writes its arguments, separated by blanks, and a newline; -n leaves the newline out.

import { setMain } from '../libc/crt.ts';
import { print } from '../libc/stdio.ts';

function main(args: string[]): i32 {
  let first: i32 = 1;
  if (args.length > 1 && args[1] == "-n") first = 2;
  for (let i = first; i < args.length; i++) print(i > first ? " " + args[i]! : args[i]!);
  if (first == 1) print("\n");
  return 0;
}

setMain(main);
