// Every command in the README is run as it is written there, with file names that exist put in the place of its examples'. None
// is left out; one whose program, kernels or registry this machine does not have says so.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linuxKernel, multibootKernel } from './pc/images.ts';
import { freshTree, ROOT, start } from './readme-command.ts';
import type { Console, Ending, Started } from './readme-command.ts';

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const PATIENCE = 400_000;

interface Case {
  /** Texts of the command and what stands for them here. */
  readonly put?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly steps?: Console['steps'];
  readonly code?: number;
  readonly output: RegExp;
  /** What is printed in this order, numbers apart. */
  readonly lines?: readonly string[];
  /** Program that must be there. */
  readonly needs?: string;
  /** File that must be there: what is missing else. */
  readonly file?: readonly [path: string, what: string];
  /** Runs in a tree as it has just been cloned, with packages from npm's cache where it has them. */
  readonly fresh?: boolean;
  /** What the command's `npm test` runs. */
  readonly tests?: string;
  /** Another command that runs beside it, and what that one prints when it is ready. */
  readonly beside?: readonly [line: string, ready: string];
}

/** The kernels of .ci/third-party-kernels, where the continuous integration or somebody else has fetched them. */
const KERNELS = process.env.DAMSELFLY_KERNELS ?? '';
/** Of these, what boots in a moment. */
const SMALL = ['invaders.exec', 'xen-4.17-amd64.gz'];
const HALTS: Console['steps'] = [['vkernel# ', 'echo hi\r'], ['hi\n', 'halt\r'], ['host# ', 'halt\r']];

let folder = '';
const at = (name: string): string => join(folder, name);

/** The recorded session: what is typed, and the lines that answer. */
function session(): { steps: Console['steps']; lines: string[] } {
  const [block] = [...README.matchAll(/^```\n\$ npm run emulate\n([^]*?)^```$/gm)].map((match) => match[1]!.split('\n'));
  const typed = block!.map((line) => /^(vkernel# |host# )(.*)$/.exec(line)).filter((match) => match !== null);
  const lines = block!.filter((line) => line && !/^(\$| +\(|damselfly |Ctrl-A )/.test(line));
  return { steps: typed.map((match) => [match[1]!, `${match[2]!}\r`]), lines };
}

/** Numbers depend on the kernels' and programs' sizes and speed. */
function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+(\.\d+)?/g, 'N').replaceAll(/ +/g, ' ');
}

/** By the text in the README. The third ends at the host's prompt, where nobody types any more. */
const cases = (): Record<string, Case> => ({
  'npm ci && npm run emulate': { fresh: true, steps: session().steps, lines: session().lines, output: /^added \d+ packages/m },
  'npm ci && npm test': { fresh: true, tests: 'test/architecture.test.ts', output: /^added \d+ packages[^]*Test Files +1 passed/m },
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
  "gdb kernel.elf -ex 'target remote :1234'": { put: { 'kernel.elf': at('hello.elf') }, needs: 'gdb', beside: [`npm run emulate -- ${at('hello.elf')} -s -S`, 'waiting for gdb'], input: 'break main\ncontinue\ncontinue\n', output: /^Breakpoint 1, [^]*main[^]*exited with code 01/m },
  'qemu-system-i386 -m 256 -kernel DIR/host-kernel.elf -hda DIR/root.img -nographic': { put: { DIR: at('images') }, needs: 'qemu-system-i386', steps: HALTS, output: /^hi$[^]*host# /m },
  '.ci/third-party-kernels DIR': { put: { DIR: KERNELS }, file: [join(KERNELS, 'complete-2'), 'DAMSELFLY_KERNELS names no folder with all kernels, and to fetch them takes minutes'], output: /^$/ },
  'DAMSELFLY_KERNELS=DIR npm test': { put: { DIR: at('kernels') }, file: [join(KERNELS, SMALL[0]!), 'DAMSELFLY_KERNELS names no folder with kernels'], tests: 'test/pc/third-party.test.ts', output: /Tests +[1-9]\d* passed/ },
  'npm pack': { put: { 'npm pack': `npm pack --pack-destination ${folder}` }, output: /damselfly-.*\.tgz/ },
});

interface Trial extends Case {
  readonly line: string;
  /** Options as the README writes them, which are put behind it. */
  readonly tries: readonly string[];
}

/** The options of `npm run emulate` that have a line of their own in the README's tables. */
const trials = (): readonly Trial[] => [
  {
    line: `npm run emulate -- ${at('hello.elf')}`, code: 1, output: /Hello from ring 0$/m,
    tries: ['-d int,in_asm,exec,cpu,mmu,guest_errors', '-D FILE', '--timeout 90s', '--max-insns N', '--idle-limit S', '-no-reboot', '-no-shutdown', '-action reboot=shutdown,shutdown=pause'],
    put: { FILE: at('log'), 'insns N': 'insns 1000000', 'limit S': 'limit 5' },
  },
  { line: `script -qec 'npm run emulate -- ${at('hello.elf')}`, output: /\x1b\[/, needs: 'script', tries: ['-display curses'], put: { curses: "curses' /dev/null" }, code: 1 },
  { line: `npm run emulate -- ${at('hello.elf')}`, code: 1, output: /^/, tries: ['-serial file:F'], put: { 'file:F': `file:${at('serial')}` } },
  { line: `npm run emulate -- ${at('hello.elf')} -serial`, code: 1, output: /^/, tries: ['tcp:HOST:PORT,server,nowait'], put: { 'HOST:PORT': '127.0.0.1:0' } },
  { line: `npm run emulate -- ${at('hello.elf')}`, output: /Hello/, tries: ['--expect FILE'], put: { FILE: at('script') } },
  { line: `npm run emulate -- ${at('hello.elf')} -S`, output: /EIP=[^]*00100080 .*esp/, tries: ['-monitor stdio'], input: 'info registers\ninfo tlb\nx /8i $eip\nbreak main\nstep\nquit\n' },
  {
    line: "npm run emulate -- --native --exec 'usertests -l; ps -s; top -n 1'", output: /^.* top\n?$/m, tries: ['--ledger', '--trace FILE', '--folded FILE', '-d syscall,fault,switch,vmspace,vpte,upcall,calls'],
    put: { 'trace FILE': `trace ${at('trace')}`, 'folded FILE': `folded ${at('folded')}`, 'upcall,calls': `upcall,calls -D ${at('log')}` },
  },
  { line: 'npm run emulate -- --native --exec true', output: /^/, tries: ['--ledger=json'] },
];

/** The options that stand in the first cell of a line of the README's tables. */
function tableOptions(): string[] {
  const cells = [...README.matchAll(/^\| (`(?:\.\.\. )?-[^|]*) \|/gm)].map((match) => match[1]!);
  return cells.flatMap((cell) => [...cell.matchAll(/`(?:\.\.\. )?([^`]+)`/g)].map((match) => match[1]!));
}

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
    writeFileSync(at('script'), 'wait Hello\nwait /ring \\d/\n');
    mkdirSync(at('kernels'));
    for (const name of SMALL.filter((one) => existsSync(join(KERNELS, one)))) symlinkSync(join(KERNELS, name), join(at('kernels'), name));
    const bootable = new Uint8Array(1 << 20);
    bootable.set(exit);
    bootable.set([0x55, 0xaa], 510);
    writeFileSync(at('disk.img'), bootable);
    spawnSync('npm', ['run', 'image', '--', at('images')], { cwd: ROOT });
    spawnSync('npm', ['run', 'gtc', '--', at('hello.ts'), '-o', at('hello.elf'), '--multiboot', '--base', '0x100000'], { cwd: ROOT });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has no command that is not run here', () => {
    expect(commands().sort()).toEqual(Object.keys(cases()).sort());
  });

  it.each(Object.keys(cases()))('%s', async (command) => {
    await check(command, cases()[command]!);
  }, PATIENCE + 10_000);

  it('has no option in its tables that is not tried', () => {
    const elsewhere = ['-s -S', 'Ctrl-A c']; // beside gdb; test/debug/monitor.test.ts
    expect(trials().flatMap(({ tries }) => tries).sort()).toEqual(tableOptions().filter((text) => !elsewhere.includes(text)).sort());
  });

  it.each(trials().map(({ tries }, n): [string, number] => [tries.join(' '), n]))('%s', async (_name, n) => {
    const trial = trials()[n]!;
    await check(`${trial.line} ${trial.tries.join(' ')}`, trial);
  }, PATIENCE + 10_000);
});

/** Runs a command with what stands for its example names, and judges how it ends and what it prints. */
async function check(command: string, one: Case): Promise<void> {
  const missing = lacks(one);
  if (missing !== null) return console.warn(`README: ${command} is not run: ${missing}`);
  const line = Object.entries(one.put ?? {}).reduce((text, [from, to]) => text.replaceAll(from, to), command);
  const { status, stdout, stderr } = await run(line, one);
  if (one.fresh && status !== 0 && /^npm (error|ERR!) code (E(NOTFOUND|NOTCACHED|AI_AGAIN|CONN\w+|NETUNREACH|TIMEDOUT)|ERR_SOCKET_TIMEOUT)/m.test(stderr)) return console.warn(`README: ${command} is not run: no package registry`);
  expect({ status, line, err: status === (one.code ?? 0) ? '' : stdout + stderr }).toEqual({ status: one.code ?? 0, line, err: '' });
  expect(stdout).toMatch(one.output);
  const printed = withoutNumbers(stdout).split('\n');
  for (const wanted of one.lines ?? []) {
    const at = printed.indexOf(withoutNumbers(wanted));
    expect(at, `${wanted} in:\n${printed.join('\n')}`).toBeGreaterThanOrEqual(0);
    printed.splice(0, at + 1);
  }
}

/** What this machine does not have, or null. */
function lacks({ needs, file }: Case): string | null {
  if (needs !== undefined && spawnSync(needs, ['--version']).error !== undefined) return `${needs} is not installed`;
  return file !== undefined && !existsSync(file[0]) ? file[1] : null;
}

/** Runs a case's command, and what it needs beside it. */
async function run(line: string, { fresh, tests, beside, input = '', steps = [] }: Case): Promise<Ending> {
  const tree = fresh ? freshTree() : ROOT;
  const other = beside && (await companion(...beside));
  try {
    const environment = { npm_config_prefer_offline: 'true', npm_config_audit: 'false', npm_config_fetch_retries: '1', ...(tests && { DAMSELFLY_TESTS: tests }) };
    return await start(line, { input, steps, folder: tree, environment, patience: PATIENCE }).ended;
  } finally {
    other?.stop();
    if (fresh) rmSync(tree, { recursive: true, force: true });
  }
}

/** Starts a command that others talk to, and waits until it is ready; while somebody else has its port it is tried again. */
async function companion(line: string, ready: string): Promise<Started> {
  for (let tries = 60; ; tries--) {
    const one = start(line, { patience: PATIENCE });
    if (await one.printed(ready)) return one;
    const { stderr } = await one.ended;
    if (tries === 0 || !stderr.includes('the port is in use')) throw new Error(`${line}: ${stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
