// `npm run image -- DIR`: builds the world and writes host-kernel.elf and root.img into DIR, for other machines:
//   qemu-system-i386 -kernel DIR/host-kernel.elf -hda DIR/root.img -nographic

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '../image/compile.ts';
import { buildWorld } from '../image/world.ts';
import { progressLine } from './progress.ts';

function main(args: readonly string[]): number {
  if (args.length !== 1 || args[0]!.startsWith('-')) {
    process.stderr.write('usage: npm run image -- DIR\n');
    return args[0] === '--help' || args[0] === '-h' ? 0 : 2;
  }
  const folder = args[0]!;
  try {
    const world = buildWorld({ progress: progressLine() });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'host-kernel.elf'), world.hostKernel);
    writeFileSync(join(folder, 'root.img'), world.rootImage);
  } catch (error) {
    if (error instanceof BuildError) process.stderr.write(error.message);
    else if ((error as NodeJS.ErrnoException).code !== undefined) process.stderr.write(`image: ${(error as Error).message}\n`);
    else throw error;
    return 1;
  }
  return 0;
}

process.exitCode = main(process.argv.slice(2));
