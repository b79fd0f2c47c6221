// The terminal, typed at: echo and editing, end of file, signals to the foreground, on the host kernel and through the
// virtual kernel, whose terminal is raw below its own.

import { beforeAll, describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { buildWorld } from '../../src/image/world.ts';
import type { World } from '../../src/image/world.ts';
import { Machine } from '../../src/pc/machine.ts';

const PATIENCE = 200_000_000;
const STEP = 100_000;

/** A machine with somebody at its console. */
class Session {
  private readonly machine: Machine;
  private unread = '';

  constructor(world: World, commandLine: string) {
    this.machine = new Machine({ disks: [new MemoryDisk(world.rootImage.slice())], serial: (byte) => (this.unread += String.fromCharCode(byte)) });
    this.machine.loadKernel(Uint8Array.from(world.hostKernel), 'kernel', `kernel ${commandLine}`);
  }

  /** Type, then let the machine run until it has printed `text`; what is left of the output is for the next call. */
  type(keys: string, text: string): void {
    this.machine.receive(Buffer.from(keys, 'latin1'));
    const end = this.machine.cpu.instructions + PATIENCE;
    while (!this.unread.includes(text) && this.machine.cpu.instructions < end) this.machine.run(this.machine.cpu.instructions + STEP, true);
    expect(this.unread).toContain(text);
    this.unread = this.unread.slice(this.unread.indexOf(text) + text.length);
  }
}

describe.each([['host', 'native'], ['vkernel', '']])('terminal of the %s kernel', (platform, commandLine) => {
  let world: World;
  const prompt = `${platform}# `;
  const start = (): Session => {
    const session = new Session(world, commandLine);
    session.type('', prompt);
    return session;
  };

  beforeAll(() => {
    world = buildWorld();
  }, 120_000);

  it('echoes and edits lines', () => {
    const session = start();
    session.type('cat\r', 'cat\r\n');
    session.type('helloX\x7f\r', 'helloX\b \b\r\nhello\r\n');
    session.type('wrong\x15right\r', '\b \bright\r\nright\r\n');
    session.type('\x04', prompt);
  }, 60_000);

  it('sends signals to the foreground', () => {
    const session = start();
    session.type('cat | cat\r', 'cat\r\n');
    session.type('through\r', 'through\r\nthrough\r\n');
    session.type('\x03', '^C');
    session.type('', prompt);
    session.type('echo $?\r', '\r\n130\r\n');
  }, 60_000);

  it('takes what was typed ahead', () => {
    const session = start();
    session.type('echo one\recho two\r', '\r\none\r\n');
    session.type('', `${prompt}echo two\r\ntwo\r\n`);
  }, 60_000);

  it.runIf(platform === 'vkernel')('asks the virtual kernel what it does', () => {
    const session = start();
    session.type('\x1c', 'pid 1 active init\r\n');
    session.type('echo goes on\r', '\r\ngoes on\r\n');
  }, 60_000);
});
