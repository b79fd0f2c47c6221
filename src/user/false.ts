// false: exits with 1.

import { setMain } from '../libc/crt.ts';

function main(_args: string[]): i32 {
  return 1;
}

setMain(main);
