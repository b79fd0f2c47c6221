// mkdir: makes directories; -p also those above, and is content with what exists.

import { EEXIST } from '../abi/errno.ts';
import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { eprint } from '../libc/stdio.ts';
import { errno, mkdir } from '../libc/sys.ts';

const MODE: u32 = 0x1ed; // 0755

function makePath(path: string): i32 {
  for (let i: i32 = 1; i <= path.length; i++) {
    if (i < path.length && path.charCodeAt(i) != 47) continue;
    const part = path.substring(0, i);
    if (mkdir(part, MODE) < 0 && errno() != EEXIST) return fail("mkdir", part);
  }
  return 0;
}

function main(args: string[]): i32 {
  const parents = args.length > 1 && args[1] == "-p";
  const first: i32 = parents ? 2 : 1;
  if (first >= args.length) {
    eprint("usage: mkdir [-p] directory ...\n");
    return 2;
  }
  let status: i32 = 0;
  for (let i = first; i < args.length; i++) {
    const path = args[i]!;
    if (parents) status |= makePath(path);
    else if (mkdir(path, MODE) < 0) status = fail("mkdir", path);
  }
  return status;
}

setMain(main);
