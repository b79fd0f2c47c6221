// The commands as a person or a script calls them: exit codes, one line for every mistake, QEMU's options for kernels that
// are not ours (test/guest/kernel.ts is one), and Damselfly's own system under --exec.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileProgram } from '../../src/image/compile.ts';
import { SourceTree } from '../../src/image/inputs.ts';
import { buildWorld } from '../../src/image/world.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SECTOR = 512;
let folder = '';
let kernel = '';

interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function command(name: string, args: readonly string[], input = ''): Result {
  const result = spawnSync(process.execPath, ['--import', 'tsx', `src/cli/${name}.ts`, ...args], { cwd: ROOT, input, encoding: 'latin1', timeout: 100_000, maxBuffer: 1 << 26 });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

const emulate = (...args: string[]): Result => command('emulate', args);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-'));
  kernel = join(folder, 'kernel.elf');
  writeFileSync(kernel, compileProgram(new SourceTree(ROOT), ['test/guest/kernel.ts', '--multiboot', '--base', '0x100000']).bytes);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, contents: string | Uint8Array): string {
  writeFileSync(join(folder, name), contents);
  return join(folder, name);
}

/** Nothing on standard output, one line of the right kind on standard error. */
function expectRefusal(result: Result, code: number, line: RegExp): void {
  expect(result).toEqual({ code, out: '', err: expect.stringMatching(/^damselfly: .*\n$/) as string });
  expect(result.err).toMatch(line);
}

describe('usage', () => {
  it('is explained', () => {
    const result = emulate('--help');
    expect(result).toMatchObject({ code: 0, err: '' });
    for (const option of ['-append', '-initrd', '-m ', '-hda', '--exec', '--native', '--stats', '--max-insns']) expect(result.out).toContain(option);
  }, 60_000);

  it.each([
    [['--exce', 'ls'], /unknown option --exce; did you mean --exec\?/],
    [['-m', 'lots'], /-m lots: expected a size/],
    [['-append'], /-append needs a value/],
    [['--timing', 'p5'], /--timing p5: expected flat or p4/],
    [['a.elf', 'b.elf'], /one image at a time; got a\.elf b\.elf/],
    [['a.elf', '--exec', 'ls'], /--exec is for Damselfly's own system/],
    [['-action', 'reboot=never'], /-action reboot=never: reboot=never; expected reset, shutdown/],
    [['-action', 'sleep=yes'], /-action sleep=yes: 'sleep=yes' is not understood; expected reboot=, shutdown=/],
    [['-serial', 'tcp'], /-serial tcp: expected stdio/],
  ] as [string[], RegExp][])('mistake %j', (args, line) => expectRefusal(emulate(...args), 2, line), 60_000);
});

describe('what is no kernel', () => {
  it('is refused with what was found and what was expected', () => {
    expectRefusal(emulate('package.json'), 4, /package\.json: not a kernel \(it begins with 7b 0a 20 20\); expected a Multiboot 1 kernel/);
    expectRefusal(emulate(fileOf('empty', '')), 4, /an empty file; expected/);
    expectRefusal(emulate(fileOf('script', '#!/bin/sh\n')), 4, /a script; expected/);
    expectRefusal(emulate(join(folder, 'none')), 4, /no such file/);
    expectRefusal(emulate(folder), 4, /is a directory/);
    expectRefusal(emulate(kernel, '-hda', join(folder, 'none')), 4, /no such file; expected a raw disk image/);
  }, 120_000);

  it('may be most of a kernel', () => {
    const whole = readFileSync(kernel);
    expectRefusal(emulate(fileOf('short', whole.subarray(0, whole.length >> 1))), 4, /short: /);
    const program = compileProgram(new SourceTree(ROOT), ['src/user/echo.ts', '--bind', 'rt=src/libc']).bytes;
    expectRefusal(emulate(fileOf('program', program)), 4, /an ELF file without a Multiboot header; expected/);
  }, 60_000);
});

describe('any Multiboot kernel', () => {
  it('gets its command line, memory and modules', () => {
    const file = fileOf('module', 'contents');
    const result = emulate(kernel, '-m', '64', '-append', 'a "b  c" off', '-initrd', `${file} with words,${file}`, '-nographic');
    const memory = /^memory (\d+) MiB$/m.exec(result.out.replaceAll('\r', ''))?.[1];
    expect(Number(memory)).toBeGreaterThan(62);
    expect(Number(memory)).toBeLessThanOrEqual(64);
    expect(result.out).toContain('command line kernel.elf a "b  c" off\n');
    expect(result.out).toContain(`module ${file} with words: contents\nmodule ${file}: contents\n`);
    expect(result.code).toBe(0);
  }, 60_000);

  it.each([
    ['off', 0, ''],
    ['twice', 0, ''],
    ['exit', 7, ''],
    ['triple', 6, expect.stringMatching(/^triple fault after [^]*\ndamselfly: triple fault: the processor shut down\n$/) as string],
    ['dead', 10, 'damselfly: the processor halted with interrupts disabled\n'],
    ['idle', 10, 'damselfly: the guest waits for input, and standard input has ended\n'],
  ])('ends by %s', (word, code, err) => expect(emulate('-kernel', kernel, '-append', word)).toMatchObject({ code, err }), 60_000);

  it.each([
    [['-append', 'reset', '-no-reboot'], 0, 1],
    [['-append', 'reset', '-action', 'reboot=shutdown'], 0, 1],
    [['-append', 'reset', '-no-reboot', '-action', 'reboot=reset', '--max-insns', '1000000'], 124, null],
    [['-append', 'twice'], 0, 2],
    [['-append', 'off', '-no-shutdown'], 0, 1],
  ] as [string[], number, number | null][])('boots again after a reset, unless %j', (args, code, boots) => {
    const result = emulate(kernel, ...args);
    const seen = result.out.split('command line').length - 1;
    expect({ code: result.code, seen: boots ?? 'many' }).toEqual({ code, seen: boots === null && seen > 2 ? 'many' : seen });
  }, 60_000);

  it('is reset and paused by those who ask for it', () => {
    const { out, err, code } = command('emulate', [kernel, '-append', 'off', '-no-shutdown', '-monitor', 'stdio', '-serial', `file:${join(folder, 'serial')}`],
      'info status\nsystem_reset\ncont\ninfo status\nquit\n');
    expect({ code, err: err.match(/^stopped at/gm)?.length }, err).toEqual({ code: 0, err: 1 });
    expect(out).toMatch(/VM status/);
  }, 60_000);

  it('may be on a disk or a CD with a boot sector, which the BIOS starts', () => {
    // mov ax, 0xe00 + letter; int 0x10 ...; mov dx, 0x604; mov ax, 0x2000; out dx, ax
    const program = [...[...'booted'].flatMap((letter) => [0xb8, letter.charCodeAt(0), 0x0e, 0xcd, 0x10]), 0xba, 0x04, 0x06, 0xb8, 0, 0x20, 0xef];
    const disk = new Uint8Array(64 * SECTOR);
    disk.set(program);
    disk.set([0x55, 0xaa], 510);
    const cd = new Uint8Array(40 * 2048);
    cd.set(Buffer.from('\x01CD001'), 16 * 2048);
    cd.set([0, ...Buffer.from('CD001'), 1, ...Buffer.from('EL TORITO SPECIFICATION')], 17 * 2048);
    cd[17 * 2048 + 0x47] = 20;
    cd.set([0x55, 0xaa, 0x88, 0, 0, 0, 0, 0, 4, 0, 30], 20 * 2048 + 30);
    cd.set(program, 30 * 2048);
    const [diskFile, cdFile] = [fileOf('boot.img', disk), fileOf('boot.iso', cd)];
    const booted = { code: 0, out: 'booted', err: '' };
    expect(emulate(diskFile)).toEqual(booted);
    expect(emulate('-hda', diskFile, '-snapshot')).toEqual(booted);
    expect(emulate('-drive', `file=${diskFile},index=0,media=disk,format=raw`)).toEqual(booted);
    expect(emulate(cdFile)).toEqual(booted);
    expect(emulate('-cdrom', cdFile, '-boot', 'd')).toEqual(booted);
    expect(emulate('-cdrom', cdFile, '-boot', 'order=dc')).toEqual(booted);
    expectRefusal(emulate(diskFile, '-append', 'words'), 2, /-append is for a kernel/);
    expect(emulate(kernel, '-append', 'off', '-hda', diskFile)).toMatchObject({ code: 0, out: expect.stringContaining('command line') as string });
  }, 120_000);

  it('stops at a number of instructions', () => {
    expect(emulate(kernel, '--max-insns', '1_000_000', '--stats')).toMatchObject({ code: 124, err: expect.stringMatching(/stopped after 1000000 instructions\ninstructions: 1000000\ncycles: 1000000 \(flat\)\n/) as string });
  }, 60_000);

  it('reads what is typed', () => {
    expect(command('emulate', [kernel, '-append', 'echo'], 'some words.and more')).toMatchObject({ code: 0, out: expect.stringMatching(/echo\nsome words$/) as string });
  }, 60_000);

  it('writes disks in place, or not at all with -snapshot', () => {
    const image = new Uint8Array(64 * SECTOR);
    image.set(Buffer.from('contents'), SECTOR);
    const disk = fileOf('disk.img', image);
    expect(emulate(kernel, '-append', 'disk', '-hda', disk, '-snapshot')).toMatchObject({ code: 0, out: expect.stringContaining('contents\n') as string });
    expect(Buffer.compare(readFileSync(disk), image)).toBe(0);
    expect(emulate(kernel, '-append', 'disk', '-hda', disk)).toMatchObject({ code: 0, out: expect.stringContaining('contents\n') as string });
    image.fill(0x21, SECTOR, 2 * SECTOR);
    expect(Buffer.compare(readFileSync(disk), image)).toBe(0);
  }, 60_000);

  it('sends nothing to standard output with -serial null', () => {
    expect(emulate(kernel, '-append', 'off', '-serial', 'null')).toEqual({ code: 0, out: '', err: '' });
  }, 60_000);
});

describe("Damselfly's own system", () => {
  beforeAll(() => {
    buildWorld();
  }, 180_000);

  it('runs a command in the virtual kernel and hands out its exit code', () => {
    const first = emulate('--stats', '--exec', 'echo in the virtual kernel; exit 5');
    expect(first).toMatchObject({ code: 5, out: expect.stringMatching(/\(vkernel kernel\)[^]*\nin the virtual kernel\r?\n$/) as string });
    expect(first.err).toMatch(/^instructions: \d{6,}$/m);
    const second = emulate('--stats', '--exec', 'echo in the virtual kernel; exit 5');
    expect(second.out).toBe(first.out);
    expect(/instructions: .*/.exec(second.err)![0]).toBe(/instructions: .*/.exec(first.err)![0]);
  }, 120_000);

  it('runs a command on the host kernel with --native', () => {
    expect(emulate('--native', '--exec', 'ls /vroot.img')).toMatchObject({ code: 0, err: '', out: expect.not.stringContaining('vkernel') as string });
  }, 60_000);

  it('takes a conversation from a pipe', () => {
    expect(command('emulate', ['--native'], 'echo from $HOME\nhalt 3\n')).toMatchObject({ code: 7, out: expect.stringContaining('\nfrom /usr/src\r\n') as string });
  }, 60_000);

  it('starts again when init is told to, with what is on its disk', () => {
    const script = fileOf('script', 'wait host# \nsend echo left > /kept; kill -INT 1\nwait host kernel\nwait host# \nsend cat /kept; halt\nwait /halt[^]+left/\n');
    expect(emulate('--native', '--expect', script)).toMatchObject({ code: 0, err: '' });
  }, 60_000);

  it('is written for other machines', () => {
    const target = join(folder, 'images');
    expect(command('image', [target])).toEqual({ code: 0, out: '', err: '' });
    const world = buildWorld();
    expect(Buffer.compare(readFileSync(join(target, 'host-kernel.elf')), world.hostKernel)).toBe(0);
    expect(Buffer.compare(readFileSync(join(target, 'root.img')), world.rootImage)).toBe(0);
    expect(command('image', [])).toMatchObject({ code: 2, err: 'usage: npm run image -- [--packed] DIR\n' });
  }, 120_000);
});

describe('gtc', () => {
  it('compiles, and shows where a mistake is', () => {
    const good = fileOf('good.ts', 'export function _start(): void { for (;;) {} }\n');
    const bad = fileOf('bad.ts', 'export function _start(): void {\n  let x: u8 = 256;\n}\n');
    expect(command('gtc', [good, '-o', join(folder, 'good')])).toEqual({ code: 0, out: '', err: '' });
    const result = command('gtc', [bad, '-o', join(folder, 'bad')]);
    expect(result.code).toBe(1);
    expect(result.out + result.err).toMatch(/bad\.ts:2:\d+: error: .*\n.*let x: u8 = 256;\n +\^/);
    expect(result.out + result.err).not.toMatch(/^ +at /m);
  }, 60_000);
});

describe('a long command', () => {
  const words = (count: number): string => `echo ${'x'.repeat(count)} | wc -c`;

  it.each([[['--exec']], [['--native', '--exec']]])('%j reaches the shell whole', (options) => {
    expect(emulate(...options, words(1500))).toMatchObject({ code: 0, out: expect.stringMatching(/^ +1501\r?$/m) as string });
  }, 60_000);

  it('that is too long is refused', () => expectRefusal(emulate('--exec', words(2000)), 2, /-append and --exec: 2018 bytes; expected at most 2000$/m), 60_000);
});

describe('on a terminal', () => {
  it.skipIf(spawnSync('script', ['--version']).error !== undefined)('says in two lines what runs and how to get out (skipped without script(1))', () => {
    const loop = 'node --import tsx src/cli/emulate.ts --native -append verbose';
    const ran = spawnSync('script', ['-qec', loop, '/dev/null'], { cwd: ROOT, input: '\x01x', encoding: 'latin1', timeout: 100_000 });
    expect(ran.stdout).toMatch(/damselfly \d+\.\d+\.\d+: its host kernel, on an i386 PC with 256 MiB\r*\nCtrl-A x quits, Ctrl-A h helps, Ctrl-C goes to the guest\r*\n/);
    expect(ran.status).toBe(0);
  }, 110_000);
});
