// touch: makes files that are not there, and gives those that are the present time.

import { O_CREAT, O_WRONLY } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { fail, statOf } from '../libc/process.ts';
import { eprint } from '../libc/stdio.ts';
import { close, open, truncate } from '../libc/sys.ts';

/** Truncating a file to the size that it has changes nothing but its times. */
function touch(name: string): i32 {
  const st = statOf(name);
  if (st != null) return truncate(name, st.size);
  const fd = open(name, O_WRONLY | O_CREAT, 0x1b6);
  return fd < 0 ? -1 : close(fd);
}

function main(args: string[]): i32 {
  if (args.length < 2) {
    eprint("usage: touch file ...\n");
    return 2;
  }
  let status: i32 = 0;
  for (let i: i32 = 1; i < args.length; i++) if (touch(args[i]!) < 0) status = fail("touch", args[i]!);
  return status;
}

setMain(main);
