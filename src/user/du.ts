// du: the disk space of directories and what is below them, in units of 1024 bytes. -s only of what is named, -a of files, too, -k is the
// unit that it has anyway. A file with several names counts once.

import { S_IFDIR, S_IFMT, Stat } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { readDirectory } from '../libc/directory.ts';
import { afterOptions, nextOption } from '../libc/options.ts';
import { fail } from '../libc/process.ts';
import { eprint, print } from '../libc/stdio.ts';
import { padRight } from '../libc/strings.ts';
import { lstat } from '../libc/sys.ts';

let files: bool = false;
let summary: bool = false;
let status: i32 = 0;
let st!: Embed<Stat>;
const counted: u32[] = [];           // inodes with several names

function show(units: u32, path: string): void {
  print(padRight(`${units}`, 8) + path + "\n");
}

/** Units of 512 bytes that the inode of `st` takes and that have not been counted. */
function blocksOnce(): u32 {
  if ((st.nlink as i32) > 1 && ((st.mode as u32) & S_IFMT) != S_IFDIR) {
    if (counted.indexOf(st.ino) >= 0) return 0;
    counted.push(st.ino);
  }
  return st.blocks as u32;
}

/** Units of 512 bytes of `path` and all below. */
function visit(path: string, top: bool): u32 {
  if (lstat(path, addressof(st)) < 0) {
    status = fail("du", path);
    return 0;
  }
  let sum = blocksOnce();
  const directory = ((st.mode as u32) & S_IFMT) == S_IFDIR;
  if (directory) {
    const entries = readDirectory(path);
    if (entries == null) status = fail("du", path);
    else for (const entry of entries) if (entry.name != "." && entry.name != "..") sum += visit(path == "/" ? "/" + entry.name : path + "/" + entry.name, false);
  }
  if (top || (!summary && (directory || files))) show((sum + 1) / 2, path);
  return sum;
}

function main(args: string[]): i32 {
  let option = nextOption(args, "aks");
  for (; option > 0; option = nextOption(args, "aks")) {
    if (option == 97) files = true;
    else if (option == 115) summary = true;
  }
  if (option < 0 || (files && summary)) {
    eprint("usage: du [-k] [-a | -s] [file ...]\n");
    return 2;
  }
  if (afterOptions == args.length) visit(".", true);
  for (let i = afterOptions; i < args.length; i++) visit(args[i]!, true);
  return status;
}

setMain(main);
