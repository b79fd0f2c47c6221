// mv: renames a file or directory, or moves several into a directory.

import { S_IFDIR, S_IFMT } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { fail, statOf } from '../libc/process.ts';
import { eprint } from '../libc/stdio.ts';
import { baseName } from '../libc/strings.ts';
import { rename } from '../libc/sys.ts';

function main(args: string[]): i32 {
  const target = args.length > 0 ? args[args.length - 1]! : "";
  const st = statOf(target);
  const into = st != null && ((st.mode as u32) & S_IFMT) == S_IFDIR;
  if (args.length < 3 || (args.length > 3 && !into)) {
    eprint("usage: mv file name | mv file ... directory\n");
    return 2;
  }
  let status: i32 = 0;
  for (let i: i32 = 1; i < args.length - 1; i++) {
    if (rename(args[i]!, into ? target + "/" + baseName(args[i]!) : target) < 0) status = fail("mv", args[i]!);
  }
  return status;
}

setMain(main);
