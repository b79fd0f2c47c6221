// What to boot, from the command line: an image with its modules and disks, or Damselfly's own system. Files that cannot be
// read are a LoadError that names them.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { DiskImage } from '../devices/ata.ts';
import type { World } from '../image/world.ts';
import { LoadError } from '../pc/load-error.ts';
import type { BootModule } from '../pc/multiboot.ts';
import { UsageError } from './args.ts';
import type { OptionSpecs, ParsedArgs } from './args.ts';
import { describe, DRIVE_OPTIONS, openDrives } from './drives.ts';
import { MemoryDisk } from '../devices/memory-disk.ts';
import { buildSystem } from './system.ts';

/** Options that say what to boot. */
export const BOOT_OPTIONS: OptionSpecs = {
  kernel: { type: 'string', value: 'a Multiboot kernel or a Linux bzImage' },
  append: { type: 'string', value: 'the kernel command line' },
  initrd: { type: 'string', value: 'FILE[ ARGUMENTS][,FILE...]' },
  m: { type: 'string', value: 'memory in MiB, or with K, M or G' },
  ...DRIVE_OPTIONS,
};

const MOST_UNPACKED = 256 << 20;

/** Everything a machine is started with. */
export interface Boot {
  readonly kernel: Uint8Array;
  readonly name: string;
  readonly commandLine: string;
  readonly modules: readonly BootModule[];
  readonly disks: readonly (DiskImage | null)[];
  readonly own: boolean;
  /** Our own system's parts, when that is what boots. */
  readonly world: World | null;
}

function readInput(path: string, what: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new LoadError(`${path}: ${describe(error)}; expected ${what}`);
  }
}

/** A kernel that is compressed as a whole, as Debian keeps some, is unpacked first. */
function readKernel(path: string): Uint8Array {
  const bytes = readInput(path, 'a Multiboot 1 kernel or a Linux bzImage');
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_UNPACKED });
  } catch (error) {
    throw new LoadError(`${path}: a gzip file of ${bytes.length} bytes that cannot be unpacked (${(error as Error).message}); expected a whole one`);
  }
}

function readModules(spec: string): BootModule[] {
  return spec.split(',').filter(Boolean).map((item) => {
    const path = item.split(' ')[0]!;
    return { bytes: readInput(path, 'a module'), commandLine: item };
  });
}

/** What the command line names. @throws LoadError, UsageError */
export function bootFile(args: ParsedArgs, image: string): Boot {
  const text = (name: string) => args.values[name] as string | undefined;
  for (const name of ['exec', 'native']) {
    if (args.values[name] !== undefined) throw new UsageError(`--${name} is for Damselfly's own system; ${image} was given as an image`);
  }
  return {
    kernel: readKernel(image),
    name: image,
    commandLine: text('append') ?? '',
    modules: text('initrd') ? readModules(text('initrd')!) : [],
    disks: openDrives(args),
    own: false,
    world: null,
  };
}

/** Damselfly's own system, built where something is missing. @throws LoadError */
export async function bootOwn(args: ParsedArgs): Promise<Boot> {
  const [root, ...others] = openDrives(args);
  if (root) throw new UsageError("the first drive holds Damselfly's own root; -hdb, -hdc, -hdd and -cdrom are free");
  const world = await buildSystem();
  const words = [args.values.append, args.values.native ? 'native' : '', args.values.exec !== undefined ? `exec=${args.values.exec as string}` : ''];
  return {
    kernel: world.hostKernel,
    name: 'host-kernel.elf',
    commandLine: words.filter(Boolean).join(' '),
    modules: [],
    disks: [new MemoryDisk(world.rootImage), ...others],
    own: true,
    world,
  };
}
