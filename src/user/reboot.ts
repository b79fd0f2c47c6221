// reboot: starts the machine again in an orderly way. A virtual kernel executes itself again in its process, with the same arguments.

import { RB_AUTOBOOT } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { eprint } from '../libc/stdio.ts';
import { reboot, sync } from '../libc/sys.ts';

function main(args: string[]): i32 {
  if (args.length > 1) {
    eprint("usage: reboot\n");
    return 2;
  }
  sync();
  reboot(RB_AUTOBOOT);
  return fail("reboot", "reboot");
}

setMain(main);
