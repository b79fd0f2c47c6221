// df: how full the file system is, in units of 1024 bytes (-k) or as 1.5M (-h), and its inodes (-i). There is one file system, so a
// path changes nothing, if it is there.

import { CTL_VFS, FsStats, VFS_STATS } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { afterOptions, nextOption } from '../libc/options.ts';
import { fail, statOf } from '../libc/process.ts';
import { eprint, print } from '../libc/stdio.ts';
import { humanSize, padLeft } from '../libc/strings.ts';
import { sysctl } from '../libc/sys.ts';

let name!: FixedArray<i32, 3>;
let stats!: Embed<FsStats>;

let human: bool = false;

function size(blocks: u32): string {
  const kilobytes = blocks * (stats.blockSize / 1024);
  return human ? humanSize(kilobytes, 1) : `${kilobytes}`;
}

function main(args: string[]): i32 {
  for (let option = nextOption(args, "hik"); option != 0; option = nextOption(args, "hik")) {
    const letter = String.fromCharCode(option);
    if (letter == "h" || letter == "k") human = letter == "h";
    if (option > 0) continue;
    eprint("usage: df [-hik] [file ...]\n");
    return 2;
  }
  for (let i = afterOptions; i < args.length; i++) if (statOf(args[i]!) == null) return fail("df", args[i]!);
  name[0] = CTL_VFS;
  name[1] = VFS_STATS;
  name[2] = sizeof<FsStats>() as i32;
  if (sysctl(addressof(name), 2, addressof(stats), addressof(name) + 8, 0, 0) < 0) return fail("df", "sysctl");
  const used = stats.blocks - stats.freeBlocks;
  print("Filesystem    " + (human ? "     Size" : "1K-blocks") + "       Used      Avail  Capacity     iused      ifree  Mounted on\n");
  print("root      " + padLeft(size(stats.blocks), 13) + padLeft(size(used), 11) + padLeft(size(stats.freeBlocks), 11)
    + padLeft(`${(used * 100 + stats.blocks - 1) / stats.blocks}%`, 10) + padLeft(`${stats.inodes - stats.freeInodes}`, 10) + padLeft(`${stats.freeInodes}`, 11) + "  /\n");
  return 0;
}

setMain(main);
