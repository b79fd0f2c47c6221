// The kernel's file system, run as a Linux process (test/kern/box) with little memory, against a model: the same random
// commands must give the same answers, e2fsck must find nothing wrong afterwards, and debugfs must read what the model has.

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileProgram } from '../../src/image/compile.ts';
import { SourceTree } from '../../src/image/inputs.ts';
import { buildExt2 } from '../../src/image/mkfs.ts';
import { generator, randomCommand } from './file-commands.ts';
import { FileModel } from './file-model.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const hasTools = spawnSync('e2fsck', ['-V']).error === undefined && spawnSync('debugfs', ['-V']).error === undefined;

let folder = '';
let program = '';
let runs = false;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fs-'));
  program = join(folder, 'filesystem');
  const compiled = compileProgram(new SourceTree(ROOT), ['test/kern/box/filesystem.ts', '--bind', 'machine=test/kern/box', '--bind', 'rt=src/kern']);
  writeFileSync(program, compiled.bytes, { mode: 0o755 });
  runs = process.platform === 'linux' && spawnSync(program, { input: '', stdio: ['pipe', 'ignore', 'ignore', 'ignore'] }).error === undefined;
  if (!runs) console.warn('filesystem.test: skipped, this machine does not run i386 Linux programs');
  if (!hasTools) console.warn('filesystem.test: not checked with e2fsprogs, which are not installed');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs commands on the image file: the answers. */
function run(image: string, commands: readonly string[]): string[] {
  const disk = openSync(image, 'r+');
  const result = spawnSync(program, { input: commands.map((line) => `${line}\n`).join(''), stdio: ['pipe', 'pipe', 'inherit', disk], encoding: 'latin1', maxBuffer: 1 << 26 });
  closeSync(disk);
  const answers = result.stdout.split('\n').slice(0, -1);
  expect(result.status, answers.slice(-2).join('\n')).toBe(0);
  return answers;
}

function newImage(name: string, sizeMiB: number): string {
  const path = join(folder, name);
  writeFileSync(path, buildExt2({ sizeMiB, inodes: 512, files: [] }));
  return path;
}

/** 1: unmounted. */
function stateOf(image: string): number {
  return readFileSync(image).readUInt16LE(1024 + 58);
}

function expectClean(image: string): void {
  if (!hasTools) return;
  const check = spawnSync('e2fsck', ['-fn', image], { encoding: 'utf8' });
  expect(check.stdout).not.toMatch(/\?|WARNING/);
  expect(check.status, check.stdout).toBe(0);
}

describe('file system against the model', () => {
  for (const seed of [1, 2, 3]) {
    it(`seed ${seed}`, { timeout: 60_000 }, (context) => {
      if (!runs) return context.skip();
      const next = generator(seed);
      const commands = Array.from({ length: 3000 }, () => randomCommand(next));
      const image = newImage(`random${seed}.img`, 64);
      const model = new FileModel();
      const answers = run(image, commands);
      commands.forEach((command, i) => expect(`${i} ${command}: ${sorted(command, answers[i] ?? 'nothing')}`).toBe(`${i} ${command}: ${model.run(command)}`));
      expectClean(image);
      const reread = model.paths().map((path) => `stat ${path}`);
      const again = run(image, reread);
      reread.forEach((command, i) => expect(`${command}: ${again[i]}`).toBe(`${command}: ${model.run(command)}`));
      for (const path of model.files()) {
        if (!hasTools) break;
        const out = join(folder, 'out');
        spawnSync('debugfs', ['-R', `dump ${path} ${out}`, image]);
        expect(Buffer.from(readFileSync(out)).equals(model.contents(path)), path).toBe(true);
      }
    });
  }

  it('reports a full disk and recovers', (context) => {
    if (!runs) return context.skip();
    const image = newImage('full.img', 1);
    const commands = ['create /a', ...Array.from({ length: 12 }, (_, i) => `write /a ${i * 100_000} 100000 ${i}`), 'unlink /a', 'create /b', 'write /b 0 100000 1', 'read /b 0 100000'];
    const answers = run(image, commands);
    expect(answers).toContain('error 28');
    expect(answers.slice(-3)[0]).toBe('ok');
    expect(answers.at(-1)).toMatch(/^ok 100000 /);
    expectClean(image);
  });

  it('reports when inodes run out', (context) => {
    if (!runs) return context.skip();
    const image = newImage('inodes.img', 4);
    const answers = run(image, Array.from({ length: 520 }, (_, i) => `create /f${i}`));
    expect(answers.filter((answer) => answer === 'ok').length).toBe(512 - 11);
    expect(answers.at(-1)).toBe('error 28');
    expectClean(image);
  });

  it('is consistent again after a power cut at any write, and keeps what was synchronised', { timeout: 120_000 }, (context) => {
    if (!runs) return context.skip();
    const kept = ['mkdir /kept', 'create /kept/file', 'write /kept/file 0 60000 1', 'sync'];
    let cuts = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const next = generator(seed);
      const image = newImage('power.img', 16);
      const commands = Array.from({ length: 600 }, () => randomCommand(next)).filter((command) => command !== 'sync' || next(2) === 0);
      const whole = run(image, [...kept, 'read /kept/file 0 60000', `power ${next(seed % 2 === 0 ? 40 : 200)} 0`, ...commands])[4];
      const answers = run(image, ['read /kept/file 0 60000', ...commands]);
      if (answers[0] === 'root file system: was not unmounted') cuts++;
      expect(answers, `seed ${seed}`).toContain(whole);
      expectClean(image);
    }
    expect(cuts).toBeGreaterThan(15);
  });

  it('has the old file or all of the new one under a name after a power cut', { timeout: 120_000 }, (context) => {
    if (!runs) return context.skip();
    const paths = ['/r0', '/r1', '/r2', '/r3'];
    let cuts = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const next = generator(seed);
      const image = newImage('replace.img', seed % 4 === 0 ? 2 : 16);
      const version = () => `${1 + next(next(3) === 0 ? 100_000 : 9000)} ${next(256)}`;
      const replace = () => `replace ${paths[next(paths.length)]!} ${version()}`;
      const command = () => (next(3) === 0 ? randomCommand(next) : next(40) === 0 ? 'sync' : next(20) === 0 ? `${['unlink', 'truncate'][next(2)]!} ${paths[next(paths.length)]!} 0` : replace());
      const commands = [...paths.map((path) => `replace ${path} ${version()}`), 'sync', `power ${next(300)} 0`, ...Array.from({ length: 400 }, command)];
      const answers = run(image, commands);
      const after = run(image, paths.map((path) => `read ${path} 0 131072`)).filter((answer) => !answer.startsWith('root file system'));
      if (answers.length < commands.length) cuts++;
      const synced = commands.slice(0, answers.length).lastIndexOf('sync');
      paths.forEach((path, n) => expect(versions(commands.slice(0, answers.length + 1), answers, synced, path), `seed ${seed}: ${path}`).toContain(after[n]));
      expectClean(image);
    }
    expect(cuts).toBeGreaterThan(20);
  });

  it('is consistent again whatever mixture of old and new blocks it is left with', { timeout: 120_000 }, (context) => {
    if (!runs) return context.skip();
    let repairs = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const next = generator(seed);
      const image = newImage('lost.img', 16);
      const commands = Array.from({ length: 900 }, () => randomCommand(next));
      const [before, after] = [commands.slice(0, 450), commands.slice(450)];
      run(image, [...before, 'sync', `power ${20 + next(100)} ${20 + next(60)}`, ...after]);
      if (stateOf(image) === 1) continue; // it came as far as to unmount
      const answers = run(image, ['create /new', 'write /new 0 30000 1', 'unlink /new', 'list /']);
      repairs += Number(/^root file system: (\d+) repairs$/.exec(answers[1]!)?.[1] ?? 0);
      expect(answers.slice(-4, -1).join(), `seed ${seed}`).toMatch(/^ok,ok( 30000)?,ok$/);
      expectClean(image);
    }
    expect(repairs).toBeGreaterThan(1000);
  });

  it('is marked while it is mounted, and written whole by sync', (context) => {
    if (!runs) return context.skip();
    const image = newImage('state.img', 4);
    const state = () => stateOf(image);
    expect(state()).toBe(1);
    run(image, ['mkdir /x', 'create /x/y', 'write /x/y 0 70000 1', 'crash']);
    expect(state()).toBe(0);
    expect(run(image, ['read /x/y 0 70000'])[0]).toBe('root file system: was not unmounted');
    expect(state()).toBe(1);
    expectClean(image);
  });
});

/** What reading a file may answer after these commands, the last of which may or may not have been done, when what `synced` found is on the disk. */
function versions(commands: readonly string[], answers: readonly string[], synced: number, path: string): string[] {
  const known: string[] = [];
  commands.forEach((command, n) => {
    const [name, of, length, seed] = command.split(' ');
    if (of !== path || (answers[n] ?? 'ok') !== 'ok') return;
    if (n < synced) known.length = 0;
    known.push(name === 'unlink' ? 'error 2' : name === 'truncate' ? 'ok 0 0' : contentsRead(Number(length), Number(seed)));
  });
  return known;
}

/** The answer of reading all of a file that `replace` has written. */
function contentsRead(length: number, seed: number): string {
  let sum = 0;
  for (let i = 0; i < length; i++) sum = (Math.imul(sum, 31) + ((i * 7 + (i >>> 8) * 13 + seed) & 255)) >>> 0;
  return `ok ${length} ${sum}`;
}

/** Directories list their names in no promised order. */
function sorted(command: string, answer: string): string {
  return command.startsWith('list') ? answer.split(' ').slice(0, 1).concat(answer.split(' ').slice(1).sort()).join(' ') : answer;
}
