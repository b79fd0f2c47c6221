// env: prints the environment, or runs a command in a changed one: -i starts with an empty one, NAME=value adds to it.

import { environ, setenv, setMain, unsetenv } from '../libc/crt.ts';
import { execvp, fail } from '../libc/process.ts';
import { flush, print } from '../libc/stdio.ts';

function main(args: string[]): i32 {
  let at: i32 = 1;
  if (at < args.length && args[at] == "-i") {
    at++;
    for (const entry of environ()) unsetenv(entry.substring(0, entry.indexOf("=")));
  }
  for (; at < args.length; at++) {
    const equals = args[at]!.indexOf("=");
    if (equals <= 0) break;
    setenv(args[at]!.substring(0, equals), args[at]!.substring(equals + 1));
  }
  if (at == args.length) {
    for (const entry of environ()) print(entry + "\n");
    return 0;
  }
  flush();
  execvp(args.slice(at));
  return fail("env", args[at]!) + 126;
}

setMain(main);
