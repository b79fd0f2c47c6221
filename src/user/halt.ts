// halt: ends the machine in an orderly way. In the virtual kernel that is the end of its process; on the host kernel the
// power goes off. An argument is the exit code.

import { RB_CODE_SHIFT, RB_HALT } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { parseNumber } from '../libc/strings.ts';
import { eprint } from '../libc/stdio.ts';
import { reboot, sync } from '../libc/sys.ts';

function main(args: string[]): i32 {
  const code = args.length > 1 ? parseNumber(args[1]!, -1) : 0;
  if (code < 0 || code > 255 || args.length > 2) {
    eprint("usage: halt [exit code 0-255]\n");
    return 2;
  }
  sync();
  reboot(RB_HALT | (code << RB_CODE_SHIFT));
  return fail("halt", "reboot");
}

setMain(main);
