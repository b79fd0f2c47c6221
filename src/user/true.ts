// true: exits with 0.

import { setMain } from '../libc/crt.ts';

function main(_args: string[]): i32 {
  return 0;
}

setMain(main);
