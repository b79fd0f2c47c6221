// Virtual kernels inside of virtual kernels: the first one's root holds a root for a second, which holds one for a third. In the
// second usertests says what it says on the host; the third comes to its prompt and works.

import { beforeAll, describe, expect, it } from 'vitest';
import { Session, world } from './session.ts';

const PROMPT = 'vkernel# ';
const BUDGET = 4_000_000_000;
const NEST = 'sysctl vm.vkernel_enable=1 && /boot/vkernel -m 32m -r /vroot.img';

/** A session at the prompt of the virtual kernel at this depth: 1 is the one that the host's init starts. */
function sessionAt(depth: number): Session {
  const session = new Session('');
  session.waitFor(PROMPT);
  for (let i = 1; i < depth; i++) {
    session.type(`${NEST}\r`);
    session.waitFor(PROMPT);
  }
  return session;
}

function verdicts(text: string): string {
  return text.slice(text.indexOf('fork-returns-twice'));
}

function report(what: string, started: number, instructions: number): void {
  console.log(`nesting: ${what}: ${((Date.now() - started) / 1000).toFixed(1)} s, ${(instructions / 1e6).toFixed(1)} million instructions`);
}

describe('a virtual kernel', () => {
  beforeAll(() => {
    world();
  }, 180_000);

  it('in a virtual kernel passes usertests, with the words of the host', () => {
    const started = Date.now();
    const nested = new Session(`exec=${NEST} -e exec=usertests`).end(BUDGET);
    report('usertests at depth 2', started, nested.instructions);
    const host = new Session('native exec=usertests').end(BUDGET);
    report('usertests on the host', started, host.instructions);
    expect(nested.text.match(/\(vkernel kernel\)/g)).toHaveLength(2);
    expect(verdicts(nested.text)).toBe(verdicts(host.text));
    expect(nested.code).toBe(0);
  }, 600_000);

  it('at depth 3 comes to its prompt and runs commands', () => {
    const started = Date.now();
    const session = sessionAt(3);
    expect(session.command('echo deep | cat; ls /vroot.img', PROMPT).output).toMatch(/^deep\nls: \/vroot.img: No such file/);
    expect(session.command('ps', PROMPT).output).toMatch(/ init\n.* sh\n.* ps\n$/);
    const { output, status } = session.command('usertests fork-forty pipe-relay fpu-many mmap-file-shared', PROMPT);
    expect(output.split('\n').slice(-2)).toEqual(['4 passed, 0 failed', '']);
    expect(status).toBe(0);
    for (const prompt of [PROMPT, PROMPT, 'host# ']) {
      session.type('halt\r');
      session.waitFor(prompt);
    }
    session.type('halt\r');
    const ending = session.end();
    report('depth 3, some commands, and back', started, ending.instructions);
    expect(ending.code).toBe(0);
  }, 300_000);

  it('hands the inner one its exit code outwards', () => {
    expect(new Session(`exec=${NEST} -e exec=false`).end(BUDGET).code).toBe(1);
  }, 120_000);

  it('is refused where the switch is off', () => {
    const ending = new Session('exec=/boot/vkernel -m 32m -r /vroot.img').end(BUDGET);
    expect(ending.text).toMatch(/^vkernel: the host's vm.vkernel_enable is 0; set it to 1$/m);
    expect(ending.code).toBe(1);
  }, 120_000);
});
