// test: evaluates an expression. Exit code 0: true, 1: false, 2: no expression.

import { setMain } from '../libc/crt.ts';
import { eprint } from '../libc/stdio.ts';
import { evaluateTest } from './test-expr.ts';

function main(args: string[]): i32 {
  const result = evaluateTest(args.slice(1));
  if (result == 2) eprint("test: " + args.slice(1).join(" ") + ": not an expression\n");
  return result;
}

setMain(main);
