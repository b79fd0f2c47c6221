// rm: removes files; -r directories with their contents, -f says nothing about what is not there.

import { ENOENT } from '../abi/errno.ts';
import { S_IFDIR, S_IFMT, Stat } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { readDirectory } from '../libc/directory.ts';
import { fail } from '../libc/process.ts';
import { eprint } from '../libc/stdio.ts';
import { errno, lstat, rmdir, unlink } from '../libc/sys.ts';

let recursive: bool = false;
let force: bool = false;
let status!: Embed<Stat>;

function removeTree(path: string): i32 {
  const entries = readDirectory(path);
  if (entries == null) return fail("rm", path);
  let result: i32 = 0;
  for (const entry of entries) {
    if (entry.name == "." || entry.name == "..") continue;
    if (remove(path + "/" + entry.name) != 0) result = 1;
  }
  return rmdir(path) < 0 ? fail("rm", path) : result;
}

function remove(path: string): i32 {
  if (lstat(path, changetype<usize>(status)) < 0) {
    return force && errno() == ENOENT ? 0 : fail("rm", path);
  }
  if (((status.mode as u32) & S_IFMT) == S_IFDIR) {
    if (recursive) return removeTree(path);
    eprint("rm: " + path + ": is a directory\n");
    return 1;
  }
  return unlink(path) < 0 ? fail("rm", path) : 0;
}

function main(args: string[]): i32 {
  let first: i32 = 1;
  while (first < args.length && args[first]!.startsWith("-")) {
    const flags = args[first]!;
    for (let i: i32 = 1; i < flags.length; i++) {
      const flag = flags.charCodeAt(i);
      if (flag == 114) recursive = true;
      else if (flag == 102) force = true;
      else first = args.length + 1;
    }
    first++;
  }
  if (first > args.length || (first == args.length && !force)) {
    eprint("usage: rm [-rf] file ...\n");
    return 2;
  }
  let result: i32 = 0;
  for (let i = first; i < args.length; i++) if (remove(args[i]!) != 0) result = 1;
  return result;
}

setMain(main);
