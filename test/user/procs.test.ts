// ps, top, kill and sleep at the host's prompt, beside a virtual kernel that works in the background: its VM spaces are seen
// with their times.

import { beforeAll, describe, expect, it } from 'vitest';
import { Session, world } from '../system/session.ts';

const PROMPT = 'host# ';
/** A virtual kernel whose shell keeps the processor busy for a while; a file, not the terminal, is its console. */
const BACKGROUND = '(/boot/vkernel -r /vroot.img -e "exec=make -j 2 buildworld" < /dev/null > /dev/null &)';

describe('ps, top, kill and sleep', () => {
  let session: Session;

  beforeAll(() => {
    world();
    session = new Session('native');
    session.waitFor(PROMPT);
  }, 180_000);

  const output = (line: string): string => session.command(line, PROMPT).output;

  /** Seconds of a time such as 1:02.03. */
  const seconds = (text: string): number => {
    const [minutes, rest] = text.split(':');
    return Number(minutes) * 60 + Number(rest);
  };

  it('show a virtual kernel and its spaces', () => {
    expect(session.command('sysctl vm.vkernel_enable=1', PROMPT).status).toBe(0);
    session.type(`${BACKGROUND}\r`);
    session.waitFor(PROMPT);
    output('sleep 2');
    const lines = output('ps -s').split('\n');
    const at = lines.findIndex((line) => line.endsWith(' vkernel'));
    expect(at).toBeGreaterThan(0);
    const owner = lines[at]!.trim().split(/\s+/);
    const spaces = lines.slice(at + 1).filter((line) => line.includes(' space '));
    expect(spaces.length).toBe(Number(owner[6]));
    const inside = spaces.map((line) => seconds(line.trim().split(/\s+/)[1]!)).reduce((a, b) => a + b, 0);
    expect(inside).toBeGreaterThan(0.1);
    expect(inside).toBeLessThanOrEqual(seconds(owner[4]!) + 0.05);
    expect(lines.filter((line) => line.includes(' space ')).length).toBe(spaces.length);
  }, 120_000);

  it('say who is busy', () => {
    const text = output('top -n 2 -s 1 | cat');
    const second = text.slice(text.indexOf('processes', text.indexOf('COMMAND')));
    expect(second).toMatch(/^ *\d+ [RS] +9\d\.\d +\d+:\d\d\.\d\d +\d+ +\d+ .*vkernel$/m);
    expect(second).toMatch(/^ +[R-] +\d\d\.\d +\d+:\d\d\.\d\d +\d+ +space [0-9a-f]{8}$/m);
  }, 60_000);

  /** The virtual kernel's shares of so many reports, one after the other as keys are pressed. */
  function shares(reports: number): number[] {
    const found: number[] = [];
    session.type('top\r');
    for (let i = 0; i <= reports; i++) {
      session.waitFor('COMMAND\r\n');
      const line = session.waitFor('vkernel').split('\n').at(-1)!;
      if (i > 0) found.push(Number(line.trim().split(/\s+/)[2]));
      session.type(i === reports ? 'q' : ' ');
    }
    session.waitFor(PROMPT);
    return found;
  }

  it('give nobody more than all, however short the time', () => {
    expect(shares(60).filter((share) => share > 100)).toEqual([]);
  }, 60_000);

  it('end it', () => {
    const pid = /^ *(\d+) .* vkernel$/m.exec(output('ps'))![1]!;
    expect(session.command(`/bin/kill -STOP ${pid}`, PROMPT).status).toBe(0);
    expect(output('ps')).toMatch(new RegExp(`^ *${pid} +\\d+ T .* vkernel$`, 'm'));
    expect(session.command(`/bin/kill -9 ${pid}`, PROMPT).status).toBe(0);
    expect(output('sleep 0.1; ps -s')).not.toContain('space');
  }, 60_000);

  it('explain themselves', () => {
    expect(session.command('/bin/kill', PROMPT)).toEqual({ output: 'usage: kill [-signal] process ... | kill -l\n', status: 2 });
    expect(session.command('/bin/kill -NONSENSE 5', PROMPT).status).toBe(2);
    expect(session.command('/bin/kill 29999', PROMPT)).toEqual({ output: 'kill: 29999: No such process\n', status: 1 });
    expect(output('/bin/kill -l')).toMatch(/^HUP INT QUIT .* USR2\n$/);
    expect(session.command('sleep', PROMPT)).toEqual({ output: 'usage: sleep seconds\n', status: 2 });
    expect(session.command('ps -z', PROMPT)).toEqual({ output: 'usage: ps [-aefluwx] [-s]\n', status: 2 });
    expect(session.command('top -n', PROMPT).status).toBe(2);
    const time = output('time sleep 1.25');
    expect(time).toMatch(/^ +1\.2\d real +0\.0\d user +0\.0\d sys\n$/);
  }, 60_000);
});
