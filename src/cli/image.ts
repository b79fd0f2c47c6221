// `npm run image -- [--gzip] DIR`: builds the world and writes host-kernel.elf and root.img into DIR, for other machines:
//   qemu-system-i386 -m 256 -kernel DIR/host-kernel.elf -hda DIR/root.img -nographic
// With --gzip the disk image is compressed, as it lies in the package.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { KERNEL_FILE, ROOT_FILE } from '../api/system.ts';
import { BuildError } from '../image/compile.ts';
import { buildWorld } from '../image/world.ts';
import { endWithReader } from './closed-pipe.ts';
import { progressLine } from './progress.ts';

const USAGE = 'usage: npm run image -- [--gzip] DIR\n';

function main(args: readonly string[]): number {
  const compress = args.includes('--gzip');
  const folders = args.filter((arg) => arg !== '--gzip');
  if (folders.length !== 1 || folders[0]!.startsWith('-')) {
    const help = folders[0] === '--help' || folders[0] === '-h';
    (help ? process.stdout : process.stderr).write(USAGE);
    return help ? 0 : 2;
  }
  const folder = folders[0]!;
  try {
    const world = buildWorld({ progress: progressLine() });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, KERNEL_FILE), world.hostKernel);
    if (compress) writeFileSync(join(folder, ROOT_FILE), gzipSync(world.rootImage));
    else writeFileSync(join(folder, 'root.img'), world.rootImage);
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
