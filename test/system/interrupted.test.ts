// Builds that do not come to their end: interrupted at the keyboard, by a signal, by a power cut, by a full or read-only disk,
// by a mistake in a source. The exit code tells, nothing half-made stays, and the next build goes on from there.

import { describe, expect, it } from 'vitest';
import { converse, Session, world } from './session.ts';

const BUDGET = 8_000_000_000;
const BUILD = 'make -j 8 buildworld';

/** Starts a build at the prompt and lets it run until compilers are at work. */
function beginBuild(commandLine: string): { session: Session; prompt: string } {
  const prompt = commandLine === 'native' ? 'host# ' : 'vkernel# ';
  const session = new Session(commandLine);
  session.waitFor(prompt);
  session.type(`${BUILD}\r`);
  session.waitFor('-o /usr/obj/bin/cat');
  return { session, prompt };
}

describe.each(['native', ''])('%s: a build', (commandLine) => {
  it('ends with Ctrl-C, leaves no process and no part of a file, and can be continued', () => {
    const { session, prompt } = beginBuild(commandLine);
    session.type('\x03');
    expect(session.waitFor(prompt)).toContain('make: interrupted');
    expect(session.command('ps', prompt).output).not.toMatch(/gtc|make/);
    expect(session.command('ls /usr/obj/bin /usr/obj/boot', prompt).output).not.toContain('.new');
    session.type(`${BUILD}\r`);
    expect(session.waitFor('identical\r\n', BUDGET)).not.toContain('differ');
  }, 200_000);

  it('survives power cuts', () => {
    const disk = world().rootImage.slice();
    const build = `${commandLine} exec=${BUILD}`;
    const repairs: string[] = [];
    for (const instructions of [200_000_000, 400_000_000, 700_000_000, 431_234_567]) {
      const session = new Session(build, disk);
      const { code, text } = session.end(instructions);
      expect(code, text).toBe(-1);
      repairs.push(text);
    }
    expect(repairs.slice(1).every((text) => text.includes('was not unmounted'))).toBe(true);
    const ending = new Session(build, disk).end(BUDGET);
    expect(ending.text).toMatch(/^identical$/m);
    expect(ending.code).toBe(0);
  }, 200_000);

  it('tells of a mistake in a source, and its exit code comes out', () => {
    const ending = converse(`${commandLine} exec=echo } >> src/user/echo.ts; ${BUILD}`, [], undefined, BUDGET);
    expect(ending.text).toMatch(/src\/user\/echo\.ts:\d+:\d+: error: /);
    expect(ending.text).toContain('make: /usr/obj/bin/echo: error 1');
    expect(ending.code).toBe(2);
  }, 200_000);

  it('tells of a full disk, and goes on when there is room', () => {
    const fill = 'cat /dev/zero > /tmp/full; cat /dev/zero > /tmp/more';
    const again = `rm /tmp/full /tmp/more && ${BUILD}`;
    const ending = converse(`${commandLine} exec=${fill}; ${BUILD}; echo ended $?; ls /usr/obj/bin; ${again}`, [], undefined, BUDGET);
    expect(ending.text).toMatch(/cat: .*No space left/);
    expect(ending.text).toMatch(/^ended 2$/m);
    expect(ending.text).not.toContain('.new');
    expect(ending.text).toMatch(/^identical$/m);
    expect(ending.code).toBe(0);
  }, 200_000);
});

describe('a read-only root', () => {
  it('is left as it is', () => {
    const disk = world().rootImage.slice();
    const ending = converse(`native ro exec=${BUILD}; echo ended $?; gtc src/user/true.ts -o /tmp/true --bind rt=src/libc; echo x > /tmp/x; mkdir /d; rm /bin/ls; cat /etc/none; echo y > /dev/null && cat src/lib/map.ts > /dev/null`, [], disk, BUDGET);
    expect(ending.text).toMatch(/gensys: .*: Read-only file system[^]*^make: .*error[^]*^ended 2$[^]*gtc: error: can't write .*: Read-only file system/m);
    expect(ending.text).toMatch(/\/tmp\/x: Read-only[^]*mkdir: \/d: Read-only[^]*rm: \/bin\/ls: Read-only[^]*\/etc\/none: No such file/);
    expect(ending.code).toBe(0);
    expect(Buffer.compare(disk, world().rootImage)).toBe(0);
  }, 200_000);
});
