// A short run of the hostile system calls, on the host kernel and in a virtual kernel; the file system is whole afterwards.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hasFsTools } from '../system/session.ts';
import { fuzzHostile } from './hostile.ts';

if (!hasFsTools) console.warn('hostile.test: the disk is not checked, e2fsck is not installed');

it('neither stop a kernel nor leave anything behind', () => {
  const { survived, text, disk } = fuzzHostile(1, 1500, true);
  expect(survived, text).toBe(true);
  if (!hasFsTools) return;
  const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
  writeFileSync(join(folder, 'disk'), disk);
  const check = spawnSync('e2fsck', ['-fn', join(folder, 'disk')]);
  rmSync(folder, { recursive: true });
  expect(check.status, check.stdout.toString()).toBe(0);
}, 240_000);
