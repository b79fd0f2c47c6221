// install: copies a file to another name so that nobody ever finds a part of it there, not even after a power cut.

import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { eprint, readFile, replaceFile } from '../libc/stdio.ts';
import { cstr } from '../libc/sys.ts';

const MODE: u32 = 0x1ed;

/** An octal mode, or 0xffffffff. */
function modeOf(text: string): u32 {
  let mode: u32 = 0;
  for (let i: i32 = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 7) return 0xffffffff;
    mode = mode * 8 + (digit as u32);
  }
  return text.length == 0 || mode > 0xfff ? 0xffffffff : mode;
}

function main(args: string[]): i32 {
  let first: i32 = 1;
  let mode = MODE;
  if (args.length > 2 && args[1] == "-m") {
    mode = modeOf(args[2]!);
    first = 3;
  }
  if (args.length != first + 2 || mode == 0xffffffff) {
    eprint("usage: install [-m mode] file target\n");
    return 2;
  }
  const contents = readFile(args[first]!);
  if (contents == null) return fail("install", args[first]!);
  return replaceFile(args[first + 1]!, cstr(contents), contents.length as usize, mode) ? 0 : fail("install", args[first + 1]!);
}

setMain(main);
