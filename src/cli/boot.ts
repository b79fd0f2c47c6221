// What to boot, from the command line: an image with its modules and disks, or Damselfly's own system. Files that cannot be
// read are a LoadError that names them.

import { readFileSync } from 'node:fs';
import type { DiskImage } from '../devices/ata.ts';
import type { World } from '../image/world.ts';
import { LoadError } from '../pc/load-error.ts';
import type { BootModule } from '../pc/multiboot.ts';
import { UsageError } from './args.ts';
import type { OptionSpecs, ParsedArgs } from './args.ts';
import { FileDisk } from './disk-file.ts';
import { MemoryDisk } from '../devices/memory-disk.ts';
import { buildSystem } from './system.ts';

/** Options that say what to boot. */
export const BOOT_OPTIONS: OptionSpecs = {
  kernel: { type: 'string', value: 'a Multiboot kernel or a Linux bzImage' },
  append: { type: 'string', value: 'the kernel command line' },
  initrd: { type: 'string', value: 'FILE[ ARGUMENTS][,FILE...]' },
  m: { type: 'string', value: 'memory in MiB, or with K, M or G' },
  hda: { type: 'string', value: 'a raw disk image' }, hdb: { type: 'string', value: 'a raw disk image' },
  hdc: { type: 'string', value: 'a raw disk image' }, hdd: { type: 'string', value: 'a raw disk image' },
};

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

function describe(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'is a directory' : code === 'EACCES' ? 'permission denied' : String((error as Error).message);
}

function openDisk(path: string, snapshot: boolean): DiskImage {
  try {
    return snapshot ? new MemoryDisk(new Uint8Array(readFileSync(path))) : new FileDisk(path);
  } catch (error) {
    throw new LoadError(`${path}: ${describe(error)}; expected a raw disk image`);
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
    kernel: readInput(image, 'a Multiboot 1 kernel or a Linux bzImage'),
    name: image,
    commandLine: text('append') ?? '',
    modules: text('initrd') ? readModules(text('initrd')!) : [],
    disks: ['hda', 'hdb', 'hdc', 'hdd'].map((name) => (text(name) ? openDisk(text(name)!, args.values.snapshot === true) : null)),
    own: false,
    world: null,
  };
}

/** Damselfly's own system, built where something is missing. @throws LoadError */
export async function bootOwn(args: ParsedArgs): Promise<Boot> {
  const system = await buildSystem();
  const words = [args.values.append, args.values.native ? 'native' : '', args.values.exec !== undefined ? `exec=${args.values.exec as string}` : ''];
  return {
    kernel: system.kernel,
    name: 'host-kernel.elf',
    commandLine: words.filter(Boolean).join(' '),
    modules: [],
    disks: [new MemoryDisk(system.rootImage)],
    own: true,
    world: system.world,
  };
}
