// df: how full the file system is, in units of 1024 bytes, and its inodes.

import { CTL_VFS, FsStats, VFS_STATS } from '../abi/file.ts';
import { setMain } from '../libc/crt.ts';
import { fail } from '../libc/process.ts';
import { print } from '../libc/stdio.ts';
import { padLeft } from '../libc/strings.ts';
import { sysctl } from '../libc/sys.ts';

let name!: FixedArray<i32, 3>;
let stats!: Embed<FsStats>;

function main(_args: string[]): i32 {
  name[0] = CTL_VFS;
  name[1] = VFS_STATS;
  name[2] = sizeof<FsStats>() as i32;
  if (sysctl(addressof(name), 2, addressof(stats), addressof(name) + 8, 0, 0) < 0) return fail("df", "sysctl");
  const unit = stats.blockSize / 1024;
  const used = stats.blocks - stats.freeBlocks;
  print("Filesystem    1K-blocks       Used      Avail  Capacity     iused      ifree  Mounted on\n");
  print("root      " + padLeft(`${stats.blocks * unit}`, 13) + padLeft(`${used * unit}`, 11) + padLeft(`${stats.freeBlocks * unit}`, 11)
    + padLeft(`${(used * 100 + stats.blocks - 1) / stats.blocks}%`, 10) + padLeft(`${stats.inodes - stats.freeInodes}`, 10) + padLeft(`${stats.freeInodes}`, 11) + "  /\n");
  return 0;
}

setMain(main);
