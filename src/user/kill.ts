// kill: sends a signal to processes, by number or name; a negative number means a process group. -l lists the names.

import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { eprint, print } from '../libc/stdio.ts';
import { parseNumber } from '../libc/strings.ts';
import { kill } from '../libc/sys.ts';
import { signalNumber, SIGNAL_NAMES } from '../libc/signals.ts';

const NOT_A_NUMBER: i32 = -0x7fffffff;

function usage(): i32 {
  eprint("usage: kill [-signal] process ... | kill -l\n");
  return 2;
}

function main(args: string[]): i32 {
  if (args.length == 2 && args[1] == "-l") {
    print(SIGNAL_NAMES.join(" ") + "\n");
    return 0;
  }
  let first: i32 = 1;
  let signal: i32 = 15;
  if (args.length > 2 && args[1]!.startsWith("-")) {
    signal = signalNumber(args[1]!.substring(1));
    first = 2;
  }
  if (signal < 0 || args.length <= first) return usage();
  let status: i32 = 0;
  for (let i = first; i < args.length; i++) {
    const pid = parseNumber(args[i]!, NOT_A_NUMBER);
    if (pid == NOT_A_NUMBER) return usage();
    if (kill(pid, signal) < 0) status = fail("kill", args[i]!);
  }
  return status;
}

setMain(main);
