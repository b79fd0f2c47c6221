// Memory runs short, on hosts of several sizes: test/guest/shortage.ts judges it as process 1.

import { describe, expect, it } from 'vitest';
import { buildExt2 } from '../../src/image/mkfs.ts';
import { bootPc } from '../kern/machines.ts';
import { compiled, DEVICES, HOST_KERNEL } from '../kern/roots.ts';

const MIB = 1 << 20;

describe.each([14, 40, 64])('on a host of %i MiB', (size) => {
  it('an image that is larger than memory leaves room for others', () => {
    const program = { path: '/sbin/init', mode: 0o755, data: compiled(['test/guest/shortage.ts', '--bind', 'rt=src/libc']) };
    const disk = buildExt2({ sizeMiB: 2 * size + 8, files: [...DEVICES, program] });
    const { text, off } = bootPc(compiled(HOST_KERNEL), disk, '', 4_000_000_000, size * MIB);
    expect(text).toMatch(/^shortage: \d+ passed, 0 failed$/m);
    expect(off).toBe(true);
  }, 300_000);
});
