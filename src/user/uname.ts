// uname: the name of the system; -n of the kernel's platform, -r of the release, -m of the machine, -a all of them.

import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { malloc } from '../libc/rt.ts';
import { eprint, print } from '../libc/stdio.ts';
import { stringAt } from '../libc/strings.ts';
import { uname } from '../libc/sys.ts';

const FIELD: usize = 32;

function main(args: string[]): i32 {
  const names = malloc(5 * FIELD);
  if (uname(names) < 0) return fail("uname", "uname");
  const option = args.length > 1 ? args[1]! : "-s";
  const letters = option == "-a" ? "snrm" : option.substring(1);
  let text = "";
  for (let i: i32 = 0; i < letters.length; i++) {
    const field = "snrvm".indexOf(letters.substring(i, i + 1));
    if (field < 0 || !option.startsWith("-")) {
      eprint("usage: uname [-amnrs]\n");
      return 2;
    }
    text = text + (i > 0 ? " " : "") + stringAt(names + (field as usize) * FIELD);
  }
  print(text + "\n");
  return 0;
}

setMain(main);
