// The package as a stranger gets it: packed, installed into an empty project, its command run without tsx, its declarations
// checked by a strict TypeScript project without skipLibCheck, and the program compiled against them run.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

const CONSUMER = `
import { LoadError, Machine } from 'damselfly';
import { shippedSystem, SYSTEM_MEMORY } from 'damselfly/system';

const system = shippedSystem();
if (system === null) throw new Error('nothing is shipped');
const machine: Machine = await Machine.create({ memory: SYSTEM_MEMORY, kernel: system.kernel, disks: [system.rootImage], system });
const prompt = await machine.run({ until: { serial: /vkernel# $/ }, maxInsns: 2e9 });
const shell = machine.spaces().find((space) => space.process?.name === 'sh');
const again = shell && machine.space(shell.id, shell.owner);
const writer = machine.serial[0].writable.getWriter();
const type = (text: string) => writer.write(new TextEncoder().encode(text));
await type('echo $((1)) typed\\rhalt\\r');
await machine.run({ until: { serial: 'host# ' }, maxInsns: 2e9 });
await type('halt\\r');
const end = await machine.run({ maxInsns: 2e9 });
let text = '';
machine.destroy();
for await (const chunk of machine.serial[0].readable) text += new TextDecoder().decode(chunk);
const wrong = await Machine.create({ kernel: new Uint8Array(10) }).catch((error: unknown) => error);
console.log(JSON.stringify({ prompt: prompt.reason, end: end.reason, code: end.code, shell: again?.process?.name === 'sh', typed: text.includes('typed'), refused: wrong instanceof LoadError }));
`;

describe('the packed package', () => {
  let folder = '';
  const run = (command: string, args: readonly string[], input = '') =>
    spawnSync(command, args, { cwd: folder, encoding: 'utf8', input, env: { ...process.env, NO_COLOR: '1' } });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'package-'));
    const packed = spawnSync('npm', ['pack', '--pack-destination', folder], { cwd: ROOT, encoding: 'utf8' });
    expect(packed.status, packed.stderr).toBe(0);
    writeFileSync(join(folder, 'package.json'), '{ "name": "stranger", "type": "module", "private": true }');
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
    const installed = run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${tarball}`]);
    expect(installed.status, installed.stderr).toBe(0);
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('brings no other package', () => {
    expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['damselfly']);
  });

  it('has a command that boots the shipped images', () => {
    const command = join(folder, 'node_modules/.bin/damselfly');
    expect(run(command, ['--version']).stdout).toMatch(/^damselfly \d+\.\d+\.\d+\n$/);
    const booted = run(command, ['--exec', 'ls -1 /boot']);
    expect(booted).toMatchObject({ status: 0, stderr: '' });
    expect(booted.stdout).toMatch(/vkernel kernel\), [^]*^vkernel\r?$/m);
    expect(run(command, ['--exec', 'exit 7']).status).toBe(7);
    expect(run(command, ['--ledger', '--native', '--exec', 'true']).stderr).toMatch(/^system call +\d+/m);
  }, 120_000);

  it('has declarations that need nothing else, and an interface that does what they say', () => {
    writeFileSync(join(folder, 'main.ts'), CONSUMER);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { module: 'nodenext', target: 'es2022', strict: true, types: [] }, include: ['main.ts'] }));
    expect(run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', '.']).stdout).toBe('');
    const ran = run('node', ['main.js']);
    expect(ran.stderr).toBe('');
    expect(JSON.parse(ran.stdout)).toEqual({ prompt: 'match', end: 'exit', code: 0, shell: true, typed: true, refused: true });
  }, 120_000);
});
