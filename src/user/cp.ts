// cp: copies a file to another name, or several files into a directory. Modes are kept.

import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY, S_IFDIR, S_IFMT } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { fail, statOf } from '../libc/process.ts';
import { eprint, writeAll } from '../libc/stdio.ts';
import { baseName } from '../libc/strings.ts';
import { malloc } from '../libc/rt.ts';
import { close, open, read } from '../libc/sys.ts';

const CHUNK: usize = 65536;

function isDirectory(path: string): bool {
  const st = statOf(path);
  return st != null && ((st.mode as u32) & S_IFMT) == S_IFDIR;
}

function pump(from: i32, to: i32, name: string, target: string, buffer: usize): i32 {
  for (;;) {
    const n = read(from, buffer, CHUNK);
    if (n == 0) return 0;
    if (n < 0) return fail("cp", name);
    if (!writeAll(to, buffer, n as usize)) return fail("cp", target);
  }
}

function copy(name: string, target: string, buffer: usize): i32 {
  const from = open(name, O_RDONLY, 0);
  if (from < 0) return fail("cp", name);
  const st = statOf(name);
  const mode: u32 = st == null ? 0x1a4 : (st.mode as u32) & 0x1ff;
  const to = open(target, O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (to < 0) {
    close(from);
    return fail("cp", target);
  }
  const status = pump(from, to, name, target, buffer);
  close(from);
  close(to);
  return status;
}

function main(args: string[]): i32 {
  if (args.length < 3) {
    eprint("usage: cp file target | cp file ... directory\n");
    return 2;
  }
  const target = args[args.length - 1]!;
  const into = isDirectory(target);
  if (args.length > 3 && !into) {
    eprint("cp: " + target + ": not a directory\n");
    return 1;
  }
  const buffer = malloc(CHUNK);
  let status: i32 = 0;
  for (let i: i32 = 1; i < args.length - 1; i++) {
    const path = into ? target + "/" + baseName(args[i]!) : target;
    if (copy(args[i]!, path, buffer) != 0) status = 1;
  }
  return status;
}

setMain(main);
