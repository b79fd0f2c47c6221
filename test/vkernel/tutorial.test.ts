// The tutorial (src/vkernel/README.md) is true: its commands are run as they are written there, and print what it shows. Numbers
// and depths may differ, for they change with every line of the kernels; names and order may not. `...` stands for any lines.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const TUTORIAL = 'src/vkernel/README.md';

interface Shown { readonly command: string; readonly lines: readonly string[] }

/** The console blocks of a text: a command, and what it prints. */
function blocks(text: string): Shown[] {
  return [...text.matchAll(/^```console\n\$ (.*)\n([^]*?)^```$/gm)].map((match) => ({ command: match[1]!, lines: match[2]!.trimEnd().split('\n') }));
}

/** A line without its numbers, and without the depth of a call: which functions stand for themselves is the compiler's choice. */
function masked(line: string): string {
  return line.trim().replace(/(\| )+/g, '').replace(/\b(0x[0-9a-f]+|[0-9a-f]{8}|\d+(\.\d+)?)\b/g, 'N').replace(/ at \S+: (timer|N)/, ' at N: $1').replace(/ +/g, ' ');
}

/** Do the lines come in this order, `...` being any? */
function matches(shown: readonly string[], printed: readonly string[]): boolean {
  const quoted = (line: string) => `${masked(line).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\n`;
  const pattern = shown.map((line) => (line === '...' ? '(?:.*\\n)*?' : quoted(line))).join('');
  return new RegExp(`^${pattern}$`).test(printed.map((line) => `${masked(line)}\n`).join(''));
}

describe('the tutorial', () => {
  const shown = blocks(readFileSync(join(ROOT, TUTORIAL), 'utf8'));

  it('has a system call, a page fault, a signal, an event and the ledger', () => {
    expect(shown.map(({ command }) => /-d (calls|syscall)\S*|--ledger/.exec(command)![0])).toEqual(['-d calls,switch,syscall', '-d calls,switch,fault,vpte', '-d calls,switch,upcall', '-d syscall', '--ledger']);
  });

  it.each(shown.map(({ command, lines }): [string, readonly string[]] => [command, lines]))('shows what %s prints', (command, lines) => {
    const { stdout } = spawnSync('sh', ['-c', command], { cwd: ROOT, encoding: 'latin1', timeout: 280_000, maxBuffer: 1 << 28 });
    const printed = stdout.trimEnd().split('\n');
    if (!matches(lines, printed)) expect(printed.join('\n')).toBe(lines.join('\n'));
  }, 300_000);

  it('would notice another function, a missing line and another order', () => {
    const lines = ['  12 calls   host    trap', '...', '  99 calls   host    | copyin', '  100 calls   host    | syscall'];
    const printed = ['1 calls host trap', '2 calls host x', '3 calls host | copyin', '4 calls host | syscall'];
    expect(matches(lines, printed)).toBe(true);
    expect(matches(lines, printed.map((line) => line.replace('copyin', 'copyout')))).toBe(false);
    expect(matches(lines, printed.slice(0, 3))).toBe(false);
    expect(matches(lines, [printed[0]!, printed[3]!, printed[2]!])).toBe(false);
  });
});
