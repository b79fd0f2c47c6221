// usertests prints the same transcript on the host kernel and in the virtual kernel, and under QEMU, and all its cases pass.

import { beforeAll, describe, expect, it } from 'vitest';
import { converse, converseOnQemu, hasQemu, Session, world } from './session.ts';

const BUDGET = 4_000_000_000;
const LEAST_CASES = 150;

/** What the program printed, from its first case to its verdict. */
function transcript(text: string): string {
  const at = text.indexOf('fork-returns-twice');
  return at < 0 ? text : text.slice(at);
}

function run(commandLine: string): { text: string; code: number } {
  const { text, code } = new Session(commandLine).end(BUDGET);
  return { text: transcript(text), code };
}

/** QEMU's translator does not check segment limits: what the case about them says there is not compared, nor the sums. */
function agreed(text: string): string[] {
  return transcript(text).split('\n').filter((line) => !line.startsWith('tls-limit:') && !/^\d+ passed/.test(line));
}

if (!hasQemu) console.warn('usertests.test: not run under QEMU, which is not installed');

describe('usertests', () => {
  let onHost: { text: string; code: number };

  beforeAll(() => {
    world();
    onHost = run('native exec=usertests');
  }, 300_000);

  it('passes on the host kernel', () => {
    expect(onHost.text.split('\n').filter((line) => !line.endsWith(': ok'))).toEqual([expect.stringMatching(/^\d+ passed, 0 failed$/), '']);
    expect(onHost.text.match(/^\S+: ok$/gm)!.length).toBeGreaterThanOrEqual(LEAST_CASES);
    expect(onHost.code).toBe(0);
  });

  it('passes in the virtual kernel, with the same words', () => {
    expect(run('exec=usertests')).toEqual(onHost);
  }, 300_000);

  it.each([2, 4, 8])('passes in a virtual kernel of %i CPUs, with the same words', (cpus) => {
    expect(run(`ncpu=${cpus} exec=usertests`)).toEqual(onHost);
  }, 300_000);

  it.skipIf(!hasQemu)('passes under QEMU, with the same words', async () => {
    const { text, code } = await converseOnQemu('native exec=usertests', [], 300, ['-icount', 'shift=3,sleep=off']);
    expect(agreed(text)).toEqual(agreed(onHost.text));
    expect(code).toBeGreaterThanOrEqual(0);
  }, 320_000);

  it('lists its cases', () => {
    const names = converse('native exec=usertests -l').text.split('\n').filter((line) => /^[a-z0-9-_]+$/.test(line));
    expect(names.length).toBeGreaterThanOrEqual(LEAST_CASES);
    expect(new Set(names).size).toBe(names.length);
  }, 60_000);

  it('runs the cases that are named', () => {
    expect(transcript(converse('native exec=usertests pipe-bytes fork-returns-twice').text)).toBe('fork-returns-twice: ok\npipe-bytes: ok\n2 passed, 0 failed\n');
  }, 60_000);

  it('refuses an unknown name', () => {
    const ending = converse('native exec=usertests nonsense');
    expect(ending.text).toMatch(/^usertests: no case nonsense; usage: usertests \[-l\] \[name \.\.\.\]$/m);
    expect(ending.code).toBe(2);
  }, 60_000);
});
