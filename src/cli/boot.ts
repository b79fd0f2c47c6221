// What to boot, from the command line: an image with its modules and disks, or Damselfly's own system. Files that cannot be
// read are a LoadError that names them.

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { DiskImage } from '../devices/ata.ts';
import type { World } from '../image/world.ts';
import { LoadError } from '../pc/load-error.ts';
import { bootsAs, SNIFFED_BYTES } from '../pc/sniff.ts';
import type { BootModule } from '../pc/multiboot.ts';
import { UsageError } from './args.ts';
import type { OptionSpecs, ParsedArgs } from './args.ts';
import { describe, DRIVE_OPTIONS, hasFirstDrive, openDrives } from './drives.ts';
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
/** Bytes of command line that our own kernels keep, less those of the kernel's name. */
const MOST_COMMAND_LINE = 2000;

/** Everything a machine is started with. */
export interface Boot {
  /** An empty one, when the BIOS boots from a medium. */
  readonly kernel: Uint8Array;
  readonly medium: 'disk' | 'cdrom' | null;
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

/** The first letter of -boot's order that this PC can follow: c, a disk, or d, the CD-ROM. */
function bootOrder(args: ParsedArgs): string {
  const text = (args.values.boot as string | undefined) ?? '';
  const order = /(?:^|[ ,])order=([a-z]+)/.exec(text)?.[1] ?? (/=/.test(text) ? '' : text);
  return /[cd]/.exec(order)?.[0] ?? '';
}

/** What an image file is taken for: read without -kernel, it may be a disk or a CD. */
function sniff(path: string): 'kernel' | 'disk' | 'cdrom' {
  const head = Buffer.alloc(SNIFFED_BYTES);
  try {
    const fd = openSync(path, 'r');
    const length = readSync(fd, head, 0, head.length, 0);
    closeSync(fd);
    return bootsAs(head.subarray(0, length));
  } catch {
    return 'kernel'; // readKernel says what is wrong with it
  }
}

/** What the command line names, when that is a system of its own; null for Damselfly's. @throws LoadError, UsageError */
export function bootNamed(args: ParsedArgs, image: string | undefined): Boot | null {
  const order = bootOrder(args);
  const kind = image === undefined ? null : args.values.kernel !== undefined ? 'kernel' : sniff(image);
  const attached = image === undefined && (order === 'd' ? args.values.cdrom !== undefined : hasFirstDrive(args));
  if (kind === null && !attached) return null;
  const name = image ?? (order === 'd' ? args.values.cdrom as string : 'the first disk');
  for (const option of ['exec', 'native']) {
    if (args.values[option] !== undefined) throw new UsageError(`--${option} is for Damselfly's own system; ${name} was given to boot`);
  }
  if (kind === 'kernel') return bootFile(args, name);
  for (const option of ['append', 'initrd']) {
    if (args.values[option] !== undefined) throw new UsageError(`-${option} is for a kernel (-kernel); ${name} is a ${kind === 'cdrom' || order === 'd' ? 'CD' : 'disk'} to boot from`);
  }
  const medium = kind ?? (order === 'd' ? 'cdrom' : 'disk');
  const disks = openDrives(args, image === undefined ? null : { path: image, cdrom: medium === 'cdrom' });
  return { kernel: new Uint8Array(0), medium, name, commandLine: '', modules: [], disks, own: false, world: null };
}

/** A kernel with its modules and drives. @throws LoadError, UsageError */
export function bootFile(args: ParsedArgs, image: string): Boot {
  const text = (name: string) => args.values[name] as string | undefined;
  return {
    kernel: readKernel(image),
    medium: null,
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
  const commandLine = words.filter(Boolean).join(' ');
  if (Buffer.byteLength(commandLine) > MOST_COMMAND_LINE) throw new UsageError(`-append and --exec: ${Buffer.byteLength(commandLine)} bytes; expected at most ${MOST_COMMAND_LINE}`);
  return {
    kernel: world.hostKernel,
    medium: null,
    name: 'host-kernel.elf',
    commandLine,
    modules: [],
    disks: [new MemoryDisk(world.rootImage), ...others],
    own: true,
    world,
  };
}
