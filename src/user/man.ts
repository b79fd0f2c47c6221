// man: shows the page of the manual that has a program's name, by less. `man NAME`; the pages are the files in /usr/share/man.

import { O_RDONLY } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { execvp, fail } from '../libc/process.ts';
import { eprint } from '../libc/stdio.ts';
import { open } from '../libc/sys.ts';

const FOLDER = "/usr/share/man/";

function main(args: string[]): i32 {
  if (args.length != 2 || args[1]!.indexOf("/") >= 0) {
    eprint("usage: man name\n");
    return 2;
  }
  if (open(FOLDER + args[1]!, O_RDONLY, 0) < 0) return fail("man", args[1]!);
  execvp(["less", FOLDER + args[1]!]);
  return fail("man", "less");
}

setMain(main);
