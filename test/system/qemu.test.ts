// The same kernel and the same disk under QEMU give the same transcript, the virtual kernel included.

import { beforeAll, describe, expect, it } from 'vitest';
import { converse, converseOnQemu, hasQemu, world } from './session.ts';
import type { Step } from './session.ts';

const LINES = ['ls /', 'cat src/kern/trap.ts | cat > /tmp/x; cmp /tmp/x src/kern/trap.ts; echo $?', 'cat nothing || nothing', 'ls -l /bin /dev', 'mkdir /tmp/d; ls -a /tmp; rm -r /tmp/d'];

/** Every line at the prompt, an interrupted cat, and halt. */
function typed(prompt: string): Step[] {
  return [...LINES.map((line): Step => [prompt, `${line}\r`]), [prompt, 'cat\r'], ['cat\r\n', 'echoed\r'], ['echoed\r\nechoed\r\n', '\x03'], [prompt, 'halt\r']];
}

if (!hasQemu) console.warn('qemu.test: skipped, QEMU is not installed');

describe.skipIf(!hasQemu)('QEMU agrees', () => {
  beforeAll(() => {
    world();
  }, 180_000);

  it.each([
    ['a conversation with both kernels', '', [...typed('vkernel# '), ...typed('host# ')]],
    ['a command in the virtual kernel', 'exec=ls -l /; exit 3', []],
    ['a command on the host kernel', 'native exec=ls -l /; exit 4', []],
  ] as [string, string, Step[]][])('%s', async (_name, commandLine, steps) => {
    const { text, code } = converse(commandLine, steps);
    expect(code).toBeGreaterThanOrEqual(0);
    expect(await converseOnQemu(commandLine, steps)).toEqual({ text, code });
  }, 240_000);
});
