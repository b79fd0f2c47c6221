// The disk as the kernel uses it, judged from outside: what is broken, what is lost with the power, and that all this is the same
// with each improvement of the disk switched off.

import { describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { Machine } from '../../src/pc/machine.ts';
import { Session, world } from '../system/session.ts';

const SECTOR = 512;
const FILES = Array.from({ length: 12 }, (_, n) => `/tmp/f${n}`);

/** A disk with a sector that can be neither read nor written. */
class BrokenDisk extends MemoryDisk {
  constructor(bytes: Uint8Array, private readonly broken: number) {
    super(bytes);
  }

  override read(sector: number, into: Uint8Array): void {
    if (sector === this.broken) throw new Error('broken');
    super.read(sector, into);
  }

  override write(sector: number, from: Uint8Array): void {
    if (sector === this.broken) throw new Error('broken');
    super.write(sector, from);
  }
}

/** The console's text of a machine with this disk, at its end. */
function run(disk: MemoryDisk, commandLine: string): string {
  let text = '';
  const machine = new Machine({ memory: 64 << 20, disks: [disk], serial: (byte) => (text += String.fromCharCode(byte)) });
  machine.loadKernel(world().hostKernel, 'host-kernel.elf', `host-kernel.elf native ${commandLine}`);
  machine.run(200_000_000, true);
  return text.replaceAll('\r', '');
}

const writing = (what: string) => `exec=${FILES.map((path) => `echo ${what} ${path} > ${path}`).join('; ')}`;

/** The first sector with the text. */
function sectorOf(bytes: Uint8Array, text: string): number {
  const at = Buffer.from(bytes).indexOf(text) / SECTOR;
  expect(Number.isInteger(at)).toBe(true);
  return at;
}

/** A disk with small files beside each other. */
function diskWithFiles(): Uint8Array {
  const bytes = world().rootImage.slice();
  run(new MemoryDisk(bytes), writing('contents of'));
  return bytes;
}

describe.each(['', 'off=asyncdisk ', 'off=groups ', 'off=readahead ', 'off=elevator ', 'off=all '])('a broken sector, %s', (words) => {
  it('fails those who want it, and nobody beside them', () => {
    const bytes = diskWithFiles();
    const disk = new BrokenDisk(bytes, sectorOf(bytes, `contents of ${FILES[6]!}\n`));
    const text = run(disk, `${words}exec=${FILES.map((path) => `cat ${path}`).join('; ')}; cat ${FILES[6]!}`);
    FILES.forEach((path, n) => expect(text.includes(`contents of ${path}\n`), path).toBe(n !== 6));
    expect(text.match(/cat: \/tmp\/f6: Input\/output error/g)).toHaveLength(2);
  });

  it('loses what is written to it, and nothing beside it', () => {
    const bytes = diskWithFiles();
    const trial = bytes.slice();
    run(new MemoryDisk(trial), `${words}${writing('new in')}`);
    const text = run(new BrokenDisk(bytes, sectorOf(trial, `new in ${FILES[6]!}\n`)), `${words}${writing('new in')}`);
    expect(text).toContain('not everything could be written');
    const again = run(new MemoryDisk(bytes), `exec=cat ${FILES.join(' ')}`);
    FILES.forEach((path, n) => n === 6 || expect(again).toContain(`new in ${path}\n`));
  });
});

describe('a power cut', () => {
  it('takes no more than the last half minute', () => {
    const session = new Session('native exec=cp /bin/vi /tmp/old; sleep 35; cp /bin/vi /tmp/young; echo it is now; sleep 20');
    session.waitFor('it is now');
    const after = run(new MemoryDisk(session.disk), 'exec=cmp /bin/vi /tmp/old && echo old is there; ls /tmp');
    expect(after).toContain('was not unmounted');
    expect(after).toContain('old is there');
    expect(after).not.toContain('young');
  });
});
