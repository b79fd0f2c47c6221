// Commands whose reader goes away (`| head -1`): not a word on standard error, and the exit code of an end by SIGPIPE.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assembled } from '../pc/guest.ts';
import { multibootKernel } from '../pc/images.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Writes to COM1 for ever. */
const CHATTER = 'mov dx, 0x3f8\nmov al, 0x61\nagain: out dx, al\njmp again';
let folder = '';
let chatter = '';

interface End { code: number | null; err: string }

/** Runs a command until it ends. Its output's pipe is closed at once, or when the first of it has come. */
function run(script: string, args: readonly string[], closes: 'at once' | 'later'): Promise<End> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let err = '';
  child.stderr.setEncoding('latin1').on('data', (text: string) => { err += text; });
  if (closes === 'at once') child.stdout.destroy();
  else child.stdout.once('data', () => child.stdout.destroy());
  return new Promise((done) => child.on('close', (code) => done({ code, err })));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipe-'));
  chatter = join(folder, 'chatter');
  writeFileSync(chatter, multibootKernel([...assembled(CHATTER)]));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a command whose reader has gone ends without a word', () => {
  it.each([
    ['src/cli/emulate.ts', ['--help']],
    ['src/cli/vectors.ts', ['--help']],
    ['src/cli/lockstep.ts', ['--help']],
    ['src/cli/image.ts', ['--help']],
    ['src/cli/gtc.ts', ['no-such-file.ts']],
    ['test/fuzz/main.ts', ['--help']],
    ['test/fuzz/main.ts', ['--count', '20']],
    ['src/cli/vectors.ts', ['test/vectors/sample', '--max', '1']],
  ])('%s %j', async (script, args) => {
    expect(await run(script, args, 'at once')).toEqual({ code: 141, err: '' });
  });

  it('a machine in the middle of its run', async () => {
    expect(await run('src/cli/emulate.ts', [chatter, '--timeout', '50s'], 'later')).toEqual({ code: 141, err: '' });
  });
});
