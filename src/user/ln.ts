// ln: gives a file another name; -s makes a symbolic link, -f replaces what is there. Into a directory when the last name is one.

import { S_IFDIR, S_IFMT } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { fail, statOf } from '../libc/process.ts';
import { eprint } from '../libc/stdio.ts';
import { baseName } from '../libc/strings.ts';
import { link, symlink, unlink } from '../libc/sys.ts';

function main(args: string[]): i32 {
  let soft = false;
  let force = false;
  let at: i32 = 1;
  for (; at < args.length && args[at]!.startsWith("-"); at++) {
    soft = soft || args[at]!.indexOf("s") > 0;
    force = force || args[at]!.indexOf("f") > 0;
  }
  if (args.length - at < 1 || args.length - at > 2) {
    eprint("usage: ln [-sf] file [name or directory]\n");
    return 2;
  }
  const from = args[at]!;
  let to = at + 1 < args.length ? args[at + 1]! : ".";
  const st = statOf(to);
  if (st != null && ((st.mode as u32) & S_IFMT) == S_IFDIR) to = to + "/" + baseName(from);
  if (force) unlink(to);
  return (soft ? symlink(from, to) : link(from, to)) < 0 ? fail("ln", to) : 0;
}

setMain(main);
