// head: the first lines of files, ten or -n COUNT (also -COUNT), or the first -c COUNT bytes.

import { setMain } from '../libc/crt.ts';
import { inputNames, inputText } from '../libc/input.ts';
import { eprint, print } from '../libc/stdio.ts';
import { amountOf, lineStart } from './amount.ts';

function main(args: string[]): i32 {
  const amount = amountOf(args, "");
  if (amount == null || amount.fromStart) {
    eprint("usage: head [-n lines | -c bytes] [file ...]\n");
    return 2;
  }
  const names = inputNames(args, amount.names);
  let status: i32 = 0;
  for (const name of names) {
    const text = inputText("head", name);
    if (text == null) {
      status = 1;
      continue;
    }
    if (names.length > 1) print("==> " + name + " <==\n");
    const end = amount.bytes ? (amount.count < text.length ? amount.count : text.length) : lineStart(text, amount.count);
    print(text.substring(0, end));
  }
  return status;
}

setMain(main);
