// tail: the last lines of files, ten or -n COUNT (also -COUNT), or the last -c COUNT bytes; -n +N and -c +N all from that one on. -f goes on
// to show what is added to the last of them.

import { O_RDONLY, SEEK_SET } from '../abi/file.ts';
import { Timespec } from '../abi/time.ts';
import { setMain } from '../libc/crt.ts';
import { inputNames, inputText } from '../libc/input.ts';
import { fail } from '../libc/process.ts';
import { eprint, flush, print, readDescriptor } from '../libc/stdio.ts';
import { lseek, nanosleep, open } from '../libc/sys.ts';
import { Amount, amountOf, lineStart } from './amount.ts';

let pause!: Embed<Timespec>;

/** Where the text that is shown begins. */
function start(text: string, amount: Amount): i32 {
  const before = amount.count > 0 ? amount.count - 1 : 0;
  if (amount.bytes) {
    const at = amount.fromStart ? before : text.length - amount.count;
    return at < 0 ? 0 : at > text.length ? text.length : at;
  }
  if (amount.fromStart) return lineStart(text, before);
  let left = amount.count;
  let at = text.length;
  if (at > 0 && text.charCodeAt(at - 1) == 10) left++;
  while (at > 0 && (text.charCodeAt(at - 1) != 10 || --left > 0)) at--;
  return amount.count == 0 ? text.length : at;
}

/** Shows what is added to a file behind `offset`, until a signal ends it. */
function follow(name: string, offset: i32): i32 {
  const fd = name == "-" ? 0 : open(name, O_RDONLY, 0);
  if (fd < 0) return fail("tail", name);
  lseek(fd, offset, SEEK_SET);
  pause.nsec = 250000000;
  for (;;) {
    const text = readDescriptor(fd);
    if (text == null) return fail("tail", name);
    print(text!);
    if (!flush()) return 1;
    nanosleep(addressof(pause), 0);
  }
}

function main(args: string[]): i32 {
  const amount = amountOf(args, "f");
  if (amount == null) {
    eprint("usage: tail [-f] [-n [+]lines | -c [+]bytes] [file ...]\n");
    return 2;
  }
  const names = inputNames(args, amount.names);
  let status: i32 = 0;
  let end: i32 = -1;
  for (const name of names) {
    const text = inputText("tail", name);
    end = text == null ? -1 : text.length;
    if (text == null) {
      status = 1;
      continue;
    }
    if (names.length > 1) print("==> " + name + " <==\n");
    print(text.substring(start(text, amount)));
  }
  return amount.follow && end >= 0 ? follow(names[names.length - 1]!, end) : status;
}

setMain(main);
