// Every command in the README is run as it is written there, with file names that exist put in the place of its examples'. What
// is no command of ours to run (npm ci and npm test, which run this) is named below, and nothing else may be left out.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linuxKernel, multibootKernel } from './pc/images.ts';

const ROOT = resolve(import.meta.dirname, '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
/**
 * What is run by others: the continuous integration; test/pc/third-party.test.ts with files from elsewhere; test/debug/gdb.test.ts,
 * which needs two programs that talk; test/system/qemu.test.ts, which types at the right moments.
 */
const ELSEWHERE = [
  'npm ci && npm run emulate', 'npm ci && npm test', 'DAMSELFLY_KERNELS=DIR npm test', '.ci/third-party-kernels DIR',
  "gdb kernel.elf -ex 'target remote :1234'",
  'qemu-system-i386 -m 256 -kernel DIR/host-kernel.elf -hda DIR/root.img -nographic',
];

const PATIENCE = 400_000;

interface Case {
  /** Texts of the command and what stands for them here. */
  readonly put?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly code?: number;
  readonly output: RegExp;
  /** Program that must be there. */
  readonly needs?: string;
}

let folder = '';
const at = (name: string): string => join(folder, name);

/** By the text in the README. The first ends at the host's prompt, where nobody types any more. */
const cases = (): Record<string, Case> => ({
  'npm run emulate': { input: 'echo hi\nhalt\n', code: 10, output: /vkernel# .*hi[^]*host# / },
  "npm run emulate -- --exec 'make -j 8 buildworld'": { output: /^identical$/m },
  'npm run emulate -- --native --exec CMD': { put: { CMD: "'exit 5'" }, code: 5, output: /host kernel/ },
  "npm run emulate -- kernel.elf -append '-v' -initrd 'a,b' -m 64 -hda disk.img": { put: { 'kernel.elf': at('kernel.elf'), "'a,b'": `'${at('a')},${at('b')}'`, 'disk.img': at('disk.img') }, code: 9, output: /^/ },
  'npm run emulate -- -kernel vmlinuz -initrd initrd.gz -append console=ttyS0': { put: { vmlinuz: at('vmlinuz'), 'initrd.gz': at('a') }, code: 9, output: /^/ },
  'npm run emulate -- disk.img': { put: { 'disk.img': at('disk.img') }, code: 9, output: /^/ },
  'npm run emulate -- hello.elf': { put: { 'hello.elf': at('hello.elf') }, code: 1, output: /Hello from ring 0$/m },
  'npm run image -- DIR': { put: { DIR: at('images') }, output: /^/ },
  'npm run gtc -- hello.ts -o hello.elf --multiboot --base 0x100000': { put: { 'hello.ts': at('hello.ts'), 'hello.elf': at('hello.elf') }, output: /^/ },
  'npm run gtc -- main.ts -o main.elf': { put: { 'main.ts': at('main.ts'), 'main.elf': at('main.elf') }, output: /^/ },
  'objdump -d -M intel hello.elf': { put: { 'hello.elf': at('hello.elf') }, needs: 'objdump', output: /<_start>:[^]*call/ },
  'gdb hello.elf': { put: { 'hello.elf': at('hello.elf') }, input: 'info line main\nquit\n', needs: 'gdb', output: /Line \d+ of ".*hello\.ts"/ },
  'qemu-system-i386 -kernel hello.elf': { put: { 'hello.elf': `${at('hello.elf')} -nographic -device isa-debug-exit,iobase=0xf4` }, code: 1, needs: 'qemu-system-i386', output: /Hello from ring 0$/m },
  'npm run vectors -- DIR': { put: { DIR: 'test/vectors/sample' }, output: /^\d+ passed, 0 failed/m },
  'npm run fuzz -- --seed 1 --count 1000': { output: /1,?000/ },
  'npm run fuzz -- isolation --seed 1 --count 100': { output: /100/ },
  'npm run fuzz -- hostile --seed 1 --count 2000': { output: /2,?000/ },
  'npm run lockstep -- [IMAGE]': { put: { '[IMAGE]': at('hello.elf') }, output: /^/ },
  'npm run bench -- --quick': { output: /^p4 +processor time \d\.\d+ +real time \d\.\d+$/m },
  'npm run bench -- switch': { output: /4096/ },
  'npm run bench -- cpu --against qemu-system-i386': { needs: 'qemu-system-i386', output: /integer/ },
  'npm run bench -- kernel': { output: /fork \+ exec \+ exit \+ wait/ },
  'npm pack': { put: { 'npm pack': `npm pack --pack-destination ${folder}` }, output: /damselfly-.*\.tgz/ },
});

/** The commands of the README: lines of its blocks, and what stands between backticks. */
function commands(): string[] {
  const blocks = [...README.matchAll(/^```\n([^]*?)^```$/gm)].flatMap((match) => match[1]!.split('\n'));
  const spans = [...README.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!.replaceAll('\\|', '|'));
  return [...new Set([...blocks, ...spans].filter((text) => /^(npm|npx|node|qemu-system-i386|gdb|objdump|\.ci\/\S+|DAMSELFLY_\w+=\S+) /.test(text)))];
}

describe('README', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'readme-'));
    const [code] = [...README.matchAll(/^```ts\n([^]*?)^```$/gm)].map((match) => match[1]!).filter((text) => text.includes('Hello from ring 0'));
    writeFileSync(at('hello.ts'), code!);
    writeFileSync(at('main.ts'), 'export function _start(): void {}\n');
    const exit = [0xb0, 4, 0xe6, 0xf4]; // mov al, 4; out 0xf4, al
    writeFileSync(at('kernel.elf'), multibootKernel(exit));
    writeFileSync(at('vmlinuz'), linuxKernel(exit));
    for (const name of ['a', 'b']) writeFileSync(at(name), name);
    const bootable = new Uint8Array(1 << 20);
    bootable.set(exit);
    bootable.set([0x55, 0xaa], 510);
    writeFileSync(at('disk.img'), bootable);
    spawnSync('npm', ['run', 'gtc', '--', at('hello.ts'), '-o', at('hello.elf'), '--multiboot', '--base', '0x100000'], { cwd: ROOT });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has no command that is not run here', () => {
    expect(commands().filter((text) => !ELSEWHERE.includes(text)).sort()).toEqual(Object.keys(cases()).sort());
  });

  it.each(Object.keys(cases()))('%s', (command) => {
    const { put = {}, input = '', code = 0, output, needs } = cases()[command]!;
    if (needs !== undefined && spawnSync(needs, ['--version']).error !== undefined) return console.warn(`README: ${command} is not run, ${needs} is not installed`);
    const line = Object.entries(put).reduce((text, [from, to]) => text.replaceAll(from, to), command);
    const ran = spawnSync('sh', ['-c', line], { cwd: ROOT, input, encoding: 'utf8', timeout: PATIENCE, env: { ...process.env, NO_COLOR: '1' }, maxBuffer: 1 << 26 });
    expect({ status: ran.status, line, err: ran.status === code ? '' : ran.stderr }).toEqual({ status: code, line, err: '' });
    expect(ran.stdout.replaceAll('\r', '')).toMatch(output);
  }, PATIENCE + 10_000);
});
