// `npm run image -- [--packed] DIR`: builds the world and writes host-kernel.elf and root.img into DIR, for other machines:
//   qemu-system-i386 -m 256 -kernel DIR/host-kernel.elf -hda DIR/root.img -nographic
// With --packed the disk image is compressed and what debuggers need lies beside it, as in the package.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { packSystem } from '../api/system.ts';
import { BuildError } from '../image/compile.ts';
import { buildWorld } from '../image/world.ts';
import { endWithReader } from './closed-pipe.ts';
import { progressLine } from './progress.ts';

/** A folder and those above it. (mkdir's own recursion does not end below /proc.) */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(resolve(path)));
  mkdirSync(path);
}

const USAGE = 'usage: npm run image -- [--packed] DIR\n';

function main(args: readonly string[]): number {
  const packed = args.includes('--packed');
  const folders = args.filter((arg) => arg !== '--packed');
  if (folders.length !== 1 || folders[0]!.startsWith('-')) {
    const help = folders[0] === '--help' || folders[0] === '-h';
    (help ? process.stdout : process.stderr).write(USAGE);
    return help ? 0 : 2;
  }
  const folder = folders[0]!;
  try {
    const world = buildWorld({ progress: progressLine() });
    makeFolder(folder);
    const files = packed ? packSystem({ ...world, kernel: world.hostKernel }) : new Map([['host-kernel.elf', world.hostKernel], ['root.img', world.rootImage]]);
    for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  } catch (error) {
    if (error instanceof BuildError) process.stderr.write(error.message);
    else if ((error as NodeJS.ErrnoException).code !== undefined) process.stderr.write(`image: ${(error as Error).message}\n`);
    else throw error;
    return 1;
  }
  return 0;
}

endWithReader();
process.exitCode = main(process.argv.slice(2));
