// Kernels that nobody here wrote, where this machine has them: files of Debian's packages in /boot or in the folder that
// DAMSELFLY_KERNELS names. Each test says which file it misses when it is skipped.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Machine } from '../../src/pc/machine.ts';

const FOLDERS = [process.env.DAMSELFLY_KERNELS ?? '', '/boot'].filter(Boolean);

/** The first file of that name, or null after a line that says what is missing. */
function find(name: RegExp, what: string): string | null {
  for (const folder of FOLDERS) {
    const file = existsSync(folder) ? readdirSync(folder).find((entry) => name.test(entry)) : undefined;
    if (file) return join(folder, file);
  }
  console.log(`${what}: no file ${name.source} in ${FOLDERS.join(', ')}; skipped`);
  return null;
}

function load(path: string): Uint8Array {
  const bytes = readFileSync(path);
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

/** Boots and runs until the serial line or the screen shows `wanted`; everything seen. */
function boot(path: string, commandLine: string, wanted: RegExp, limit: number, initrd?: string, input = ''): string {
  let serial = '';
  const machine = new Machine({ memory: 256 << 20, serial: (byte) => { serial += String.fromCharCode(byte); } });
  machine.loadKernel(load(path), 'kernel', commandLine, initrd ? [{ bytes: readFileSync(initrd), commandLine: '' }] : []);
  let typed = false;
  let seen = '';
  for (let until = 20_000_000; until < limit && !wanted.test(seen); until += 20_000_000) {
    const { kind } = machine.run(until, true);
    if (!typed && /[#$] (\x1b\[6n)?$/.test(serial)) {
      machine.receive(Buffer.from(input));
      typed = true;
    }
    seen = `${serial}\n${machine.screen().join('\n')}`;
    if (kind !== 'limit') break;
  }
  return seen;
}

const memtest = find(/^memtest86\+ia32\.bin$/, 'memtest86+');
const invaders = find(/^invaders\.exec$/, 'GRUB Invaders');
const mach = find(/^gnumach.*486(\.gz)?$/, 'GNU Mach');
const linux = find(/^vmlinuz-.*-686$/, 'Linux (not PAE)');
const initrd = linux && find(/^busybox-initrd(\.gz)?$/, 'an initial RAM disk with a shell on ttyS0');

describe('third-party kernels', () => {
  it.skipIf(!memtest)('memtest86+ finds no error', () => {
    const seen = boot(memtest!, 'console=ttyS0,115200', /#2/, 3_000_000_000);
    expect(seen).toContain('Memtest86+');
    expect(seen).toMatch(/Errors: 0 /);
  }, 120_000);

  it.skipIf(!invaders)('GRUB Invaders draws its fleet', () => {
    expect(boot(invaders!, '', /-\*-.*-\*-/, 500_000_000)).toMatch(/-\*-.*-\*-/);
  }, 60_000);

  it.skipIf(!mach)('GNU Mach comes up to its missing bootstrap module', () => {
    const seen = boot(mach!, 'console=com0', /No bootstrap code/, 4_000_000_000);
    expect(seen).toContain('RTC time is 2007-01-01');
    expect(seen).toContain('No bootstrap code loaded with the kernel');
  }, 120_000);

  it.skipIf(!linux || !initrd)('Linux runs a shell', () => {
    const seen = boot(linux!, 'console=ttyS0 quiet nokaslr cryptomgr.notests', /sum=4950/, 6_000_000_000, initrd!, 'i=0; s=0; while [ $i -lt 100 ]; do s=$(echo $((s+i))); i=$((i+1)); done; echo sum=$s\n');
    expect(seen).toContain('sum=4950');
  }, 240_000);
});
