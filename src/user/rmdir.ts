// rmdir: removes empty directories; -p also those above that are empty then.

import { setMain } from '../libc/crt.ts';
import { afterOptions, nextOption } from '../libc/options.ts';
import { fail } from '../libc/process.ts';
import { eprint } from '../libc/stdio.ts';
import { withoutSlashes } from '../libc/strings.ts';
import { rmdir } from '../libc/sys.ts';

let parents: bool = false;

function remove(name: string): i32 {
  let path = withoutSlashes(name);
  for (;;) {
    if (rmdir(path) < 0) return fail("rmdir", path);
    const slash = path.lastIndexOf("/");
    if (!parents || slash <= 0) return 0;
    path = withoutSlashes(path.substring(0, slash));
  }
}

function main(args: string[]): i32 {
  let option = nextOption(args, "p");
  for (; option > 0; option = nextOption(args, "p")) parents = true;
  if (option < 0 || afterOptions == args.length) {
    eprint("usage: rmdir [-p] directory ...\n");
    return 2;
  }
  let status: i32 = 0;
  for (let i = afterOptions; i < args.length; i++) if (remove(args[i]!) != 0) status = 1;
  return status;
}

setMain(main);
