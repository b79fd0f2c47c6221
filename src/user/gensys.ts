// gensys: writes src/libc/stubs.ts, the system call stubs, as the table in src/abi/syscalls.ts says.

import { stubsText } from '../abi/stubs.ts';
import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { eprint, replaceFile } from '../libc/stdio.ts';
import { cstr } from '../libc/sys.ts';

function main(args: string[]): i32 {
  if (args.length != 2) {
    eprint("usage: gensys file\n");
    return 2;
  }
  const text = stubsText();
  return replaceFile(args[1]!, cstr(text), text.length as usize, 0x1a4) ? 0 : fail("gensys", args[1]!);
}

setMain(main);
