// The drives of a command line: -hda to -hdd, -cdrom and -drive with QEMU's keys. Index 0 and 1 are master and slave of the
// primary channel, 2 and 3 of the secondary one. Images are raw; a mistake is one line.

import type { DiskImage } from '../devices/ata.ts';
import { SECTOR_BYTES } from '../devices/ata.ts';
import { LoadError } from '../pc/load-error.ts';
import { UsageError } from './args.ts';
import type { OptionSpecs, ParsedArgs } from './args.ts';
import { FileDisk, SnapshotDisk } from './disk-file.ts';
import { lockImage } from './disk-lock.ts';

const PLACES = 4;
/** Where -cdrom goes, as with QEMU: the secondary master. */
const CDROM_INDEX = 2;
const KEYS = ['file', 'index', 'media', 'format', 'if', 'snapshot', 'readonly', 'bus', 'unit', 'cache', 'id', 'aio'];

export const DRIVE_OPTIONS: OptionSpecs = {
  hda: { type: 'string', value: 'a raw disk image' }, hdb: { type: 'string', value: 'a raw disk image' },
  hdc: { type: 'string', value: 'a raw disk image' }, hdd: { type: 'string', value: 'a raw disk image' },
  cdrom: { type: 'string', value: 'an ISO 9660 image' },
  drive: { type: 'string', value: 'file=FILE,index=N,media=disk|cdrom,format=raw,if=ide,snapshot=on|off', repeat: '\n' },
  snapshot: { type: 'boolean' },
};

interface Drive {
  readonly option: string;
  readonly path: string;
  readonly index: number | null;
  readonly cdrom: boolean;
  readonly snapshot: boolean;
  readonly readOnly: boolean;
}

/** Comma-separated `key=value`, with `,,` for a comma inside a value. */
export function keyValues(option: string, text: string, known: readonly string[]): Map<string, string> {
  const pairs = text.split(/(?<!,),(?!,)/).map((part) => part.replaceAll(',,', ','));
  return new Map(pairs.map((pair) => {
    const at = pair.indexOf('=');
    const key = at < 0 ? pair : pair.slice(0, at);
    if (at < 0 || !known.includes(key)) throw new UsageError(`${option} ${text}: '${pair}' is not understood; expected ${known.join('=, ')}=`);
    return [key, pair.slice(at + 1)];
  }));
}

function oneOf(text: string, key: string, value: string, expected: readonly string[]): string {
  if (!expected.includes(value)) throw new UsageError(`-drive ${text}: ${key}=${value}; expected ${expected.join(' or ')}`);
  return value;
}

function parseDrive(text: string, snapshotAll: boolean): Drive {
  const keys = keyValues('-drive', text, KEYS);
  const path = keys.get('file');
  if (!path) throw new UsageError(`-drive ${text}: expected file=FILE`);
  const on = (key: string) => oneOf(text, key, keys.get(key) ?? 'off', ['on', 'off']) === 'on';
  oneOf(text, 'format', keys.get('format') ?? 'raw', ['raw']);
  oneOf(text, 'if', keys.get('if') ?? 'ide', ['ide', 'none']);
  const media = oneOf(text, 'media', keys.get('media') ?? 'disk', ['disk', 'cdrom']);
  const numbers = ['index', 'bus', 'unit'].map((key) => (keys.has(key) ? Number(keys.get(key)) : null));
  const index = numbers[0] ?? (numbers[1] === null && numbers[2] === null ? null : (numbers[1] ?? 0)! * 2 + (numbers[2] ?? 0)!);
  if (index !== null && !(Number.isInteger(index) && index >= 0 && index < PLACES)) throw new UsageError(`-drive ${text}: expected an index from 0 to ${PLACES - 1}`);
  return { option: `-drive ${text}`, path, index, cdrom: media === 'cdrom', snapshot: snapshotAll || on('snapshot'), readOnly: on('readonly') };
}

function named(args: ParsedArgs): Drive[] {
  const snapshot = args.values.snapshot === true;
  const drive = (name: string, index: number, cdrom: boolean): Drive[] => {
    const path = args.values[name] as string | undefined;
    return path === undefined ? [] : [{ option: `-${name}`, path, index, cdrom, snapshot, readOnly: false }];
  };
  const disks = ['hda', 'hdb', 'hdc', 'hdd'].flatMap((name, index) => drive(name, index, false));
  const listed = ((args.values.drive as string | undefined) ?? '').split('\n').filter(Boolean).map((text) => parseDrive(text, snapshot));
  return [...disks, ...drive('cdrom', CDROM_INDEX, true), ...listed];
}

/** What a system error means, in words. */
export function describe(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words: Record<string, string> = { ENOENT: 'no such file', EISDIR: 'is a directory', EACCES: 'permission denied', EROFS: 'is on a read-only file system' };
  return words[code ?? ''] ?? message;
}

function open({ path, cdrom, snapshot, readOnly }: Drive): DiskImage {
  const what = cdrom ? 'an ISO 9660 image' : 'a raw disk image';
  let disk: FileDisk;
  try {
    if (!cdrom && !snapshot && !readOnly) lockImage(path);
    disk = new FileDisk(path, { cdrom, readOnly: snapshot || readOnly });
  } catch (error) {
    if (error instanceof LoadError) throw error;
    throw new LoadError(`${path}: ${describe(error)}; expected ${what}`);
  }
  if (disk.sectors === 0) throw new LoadError(`${path}: the file ends before offset ${SECTOR_BYTES}; expected ${what} of at least one sector`);
  return cdrom || !(snapshot || readOnly) ? disk : new SnapshotDisk(disk);
}

/** Is there something in the place from which a BIOS boots first? */
export function hasFirstDrive(args: ParsedArgs): boolean {
  return placed(named(args))[0] != null;
}

/**
 * The images of the four places.
 * @param image one more, which was given without an option
 * @throws UsageError, LoadError
 */
export function openDrives(args: ParsedArgs, image: { path: string; cdrom: boolean } | null = null): (DiskImage | null)[] {
  const more: Drive[] = image ? [{ ...image, option: image.path, index: image.cdrom ? CDROM_INDEX : 0, snapshot: args.values.snapshot === true, readOnly: false }] : [];
  return placed([...more, ...named(args)]).map((drive) => (drive ? open(drive) : null));
}

function placed(drives: readonly Drive[]): (Drive | null)[] {
  const places: (Drive | null)[] = [null, null, null, null];
  for (const drive of [...drives.filter(({ index }) => index !== null), ...drives.filter(({ index }) => index === null)]) {
    const index = drive.index ?? places.findIndex((place) => !place);
    if (index < 0 || places[index]) throw new UsageError(`${drive.option}: ${index < 0 ? 'there are only four drives' : `index ${index} is taken by ${places[index]!.option}`}`);
    places[index] = drive;
  }
  return places;
}
