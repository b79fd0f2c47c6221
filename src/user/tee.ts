// tee: copies standard input to standard output and to files; -a appends to them.

import { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { afterOptions, nextOption } from '../libc/options.ts';
import { fail } from '../libc/process.ts';
import { eprint, writeAll } from '../libc/stdio.ts';
import { malloc } from '../libc/rt.ts';
import { open, read } from '../libc/sys.ts';

const CHUNK: usize = 16384;

class Target {
  name: string = "standard output";
  fd: i32 = 1;
}

let status: i32 = 0;

function openTargets(names: string[], append: bool): Target[] {
  const targets: Target[] = [new Target()];
  for (const name of names) {
    const target = new Target();
    target.name = name;
    target.fd = open(name, O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), 0x1b6);
    if (target.fd < 0) status = fail("tee", name);
    else targets.push(target);
  }
  return targets;
}

function main(args: string[]): i32 {
  let append = false;
  let option = nextOption(args, "a");
  for (; option > 0; option = nextOption(args, "a")) append = true;
  if (option < 0) {
    eprint("usage: tee [-a] [file ...]\n");
    return 2;
  }
  const targets = openTargets(args.slice(afterOptions), append);
  const buffer = malloc(CHUNK);
  for (;;) {
    const n = read(0, buffer, CHUNK);
    if (n < 0) return fail("tee", "standard input");
    if (n == 0) return status;
    for (const target of targets) if (target.fd >= 0 && !writeAll(target.fd, buffer, n as usize)) {
      status = fail("tee", target.name);
      target.fd = -1;
    }
  }
}

setMain(main);
