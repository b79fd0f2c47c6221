// An archive in cpio's "newc" format, as Linux takes it for an initial RAM disk.

export interface CpioEntry {
  readonly path: string;
  /** Type and permissions. */
  readonly mode: number;
  readonly data?: Uint8Array;
  /** Major and minor number of a device. */
  readonly device?: readonly [number, number];
}

function padded(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array((bytes.length + 3) & ~3);
  out.set(bytes);
  return out;
}

function record(entry: CpioEntry, inode: number): Uint8Array[] {
  const name = Buffer.from(`${entry.path}\0`, 'latin1');
  const data = entry.data ?? new Uint8Array(0);
  const [major, minor] = entry.device ?? [0, 0];
  const fields = [inode, entry.mode, 0, 0, 1, 0, data.length, 0, 0, major, minor, name.length, 0];
  const head = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`, 'latin1');
  return [padded(Buffer.concat([head, name])), padded(data)];
}

/** The archive of these entries, folders before what is in them. */
export function cpioArchive(entries: readonly CpioEntry[]): Uint8Array {
  const all = [...entries, { path: 'TRAILER!!!', mode: 0 }];
  return new Uint8Array(Buffer.concat(all.flatMap((entry, index) => record(entry, index + 1))));
}
