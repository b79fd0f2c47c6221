// dirname: what stands before the last component of a path, or `.`.

import { setMain } from '../libc/crt.ts';
import { eprint, print } from '../libc/stdio.ts';
import { withoutSlashes } from '../libc/strings.ts';

function main(args: string[]): i32 {
  if (args.length != 2) {
    eprint("usage: dirname path\n");
    return 2;
  }
  const path = withoutSlashes(args[1]!);
  const slash = path.lastIndexOf("/");
  print((slash < 0 ? "." : withoutSlashes(path.substring(0, slash + 1))) + "\n");
  return 0;
}

setMain(main);
