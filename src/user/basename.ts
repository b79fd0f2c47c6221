// basename: the last component of a path, without its ending if that is given.

import { setMain } from '../libc/crt.ts';
import { eprint, print } from '../libc/stdio.ts';
import { baseName, withoutSlashes } from '../libc/strings.ts';

function main(args: string[]): i32 {
  if (args.length < 2 || args.length > 3) {
    eprint("usage: basename path [ending]\n");
    return 2;
  }
  const path = withoutSlashes(args[1]!);
  const name = path == "/" ? path : baseName(path);
  const ending = args.length == 3 ? args[2]! : "";
  const cut = name.length > ending.length && name.endsWith(ending) ? ending.length : 0;
  print(name.substring(0, name.length - cut) + "\n");
  return 0;
}

setMain(main);
