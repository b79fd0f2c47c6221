// How runs end: `--exec` hands its exit status out of both kernels, halt in the virtual kernel returns to the host's prompt,
// halt there powers off, interrupts end what they should and nothing else; and two equal runs are equal to the instruction.

import { beforeAll, describe, expect, it } from 'vitest';
import { buildExt2 } from '../../src/image/mkfs.ts';
import { converse, world } from './session.ts';

beforeAll(() => {
  world();
}, 180_000);

describe('exit status', () => {
  it.each([
    ['native exec=true', 0],
    ['native exec=exit 7', 7],
    ['native exec=cat /none', 1],
    ['native exec=halt 200', 200],
    ['exec=true', 0],
    ['exec=sh -c "exit 7"', 7],
    ['exec=nothing', 127],
    ['exec=halt 200', 200],
  ])('%s', (commandLine, code) => expect(converse(commandLine).code).toBe(code), 60_000);
});

describe('panic', () => {
  const PANIC = 0x100;

  it('ends the machine with its own code', () => {
    const ending = converse('', [], buildExt2({ sizeMiB: 4, files: [] }));
    expect(ending).toMatchObject({ code: PANIC, text: expect.stringMatching(/^panic: .*init/m) as string });
  }, 60_000);

  it('of the virtual kernel is an exit status for the host', () => {
    const run = '/boot/vkernel -m 32m -r /dev/zero; echo status $?; halt';
    const ending = converse('native', [['host# ', `${run}\r`]]);
    expect(ending).toMatchObject({ code: 0, text: expect.stringMatching(/^status [18]$/m) as string });
  }, 60_000);
});

describe('halt', () => {
  it('returns from the virtual kernel to the host, and there powers off', () => {
    const ending = converse('', [['vkernel# ', 'halt\r'], ['host# ', 'halt\r']]);
    expect(ending.code).toBe(0);
    expect(ending.text).toMatch(/^vkernel# halt\n[^]*^host# halt\n/m);
  }, 60_000);

  it('of the virtual kernel leaves its writes in its image', () => {
    const again = '/boot/vkernel -r /vroot.img -e "exec=cat /tmp/left"';
    const ending = converse('', [['vkernel# ', 'echo left behind > /tmp/left; halt\r'], ['host# ', `${again}\r`], ['host# ', 'halt\r']]);
    expect(ending.text).toMatch(/^left behind$/m);
    expect(ending.code).toBe(0);
  }, 60_000);

  it('carries a code', () => expect(converse('native', [['host# ', 'halt 5\r']]).code).toBe(5), 60_000);
});

describe('reboot', () => {
  it('starts the virtual kernel again, in the same process, with what is on its disk', () => {
    const ending = converse('native', [
      ['host# ', 'sysctl vm.vkernel_enable=1; /boot/vkernel -m 32m -r /vroot.img -p /tmp/pid; echo status $?; ls /tmp; halt\r'],
      ['vkernel# ', 'echo kept > /tmp/file; reboot now\r'], ['vkernel# ', 'reboot\r'], ['vkernel# ', 'cat /tmp/file; halt 3\r'],
    ]);
    expect(ending.text).toMatch(/^usage: reboot\n/m);
    expect(ending.text.match(/^Damselfly .* \(vkernel kernel\)/gm)).toHaveLength(2);
    expect(ending.text).toMatch(/^kept\nstatus 3\n/m);
    expect(ending.code).toBe(0);
  }, 60_000);

  it('resets the host, which starts again', () => {
    expect(() => converse('native', [['host# ', 'reboot\r'], ['never', '']])).toThrow('until reset');
  }, 60_000);
});

describe('stopped jobs', () => {
  it.each([['vkernel# ', ''], ['host# ', 'native']])('at %s end when they are killed by their number', (prompt, commandLine) => {
    const halts: [string, string][] = prompt === 'host# ' ? [[prompt, 'halt\r']] : [[prompt, 'halt\r'], ['host# ', 'halt\r']];
    const ending = converse(commandLine, [[prompt, 'cat &\r'], [prompt, 'sleep 1; jobs\r'], [prompt, 'kill %1; sleep 1\r'], [prompt, 'jobs; echo none\r'], ...halts]);
    expect(ending.text).toMatch(/^\[1\] Stopped +cat *\n[^]*^\[1\] Terminated +cat *\n/m);
    expect(ending.text).toMatch(/jobs; echo none\nnone\n/);
  }, 60_000);
});

describe('interrupts', () => {
  it.each([['vkernel# ', ''], ['host# ', 'native']])('at %s end the command, not the shell', (prompt, commandLine) => {
    const halts: [string, string][] = prompt === 'host# ' ? [[prompt, 'halt\r']] : [[prompt, 'halt\r'], ['host# ', 'halt\r']];
    const ending = converse(commandLine, [
      [prompt, 'cat\r'], ['cat\r\n', 'line\r'], ['line\r\nline\r\n', '\x03'],
      [prompt, 'echo after $?\r'],
      [prompt, 'sh -c "echo go; cat /dev/zero > /dev/null"\r'], ['\ngo\r\n', '\x03'],
      [prompt, 'cat > /tmp/typed\r'], ['typed\r\n', 'kept\r'], ['kept\r\n', '\x04'],
      [prompt, 'cat /tmp/typed\r'],
      ...halts,
    ]);
    expect(ending.text).toContain('^C');
    expect(ending.text).toMatch(/^after 130$/m);
    expect(ending.text).toMatch(/cat \/tmp\/typed\nkept\n/);
    expect(ending.code).toBe(0);
  }, 60_000);
});

describe('determinism', () => {
  it('gives the same transcript, instruction count and disk twice', () => {
    const steps = [['vkernel# ', 'cat src/kern/tty.ts | cat > /tmp/copy & ls -l / | cat; ps; time wait\r'], ['vkernel# ', 'halt\r'], ['host# ', 'ps; halt\r']] as const;
    const first = converse('', steps);
    const second = converse('', steps);
    expect(first.code).toBe(0);
    expect(second.text).toBe(first.text);
    expect(second.instructions).toBe(first.instructions);
    expect(second.cycles).toBe(first.cycles);
    expect(Buffer.compare(second.disk, first.disk)).toBe(0);
  }, 60_000);
});
