import { expect, it } from 'vitest';
import { SYSTEM_MEMORY } from '../../src/api/system.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { buildWorld } from '../../src/image/world.ts';
import { Machine } from '../../src/pc/machine.ts';

const PROGRAMS = 20;
const COMMAND = Array<string>(PROGRAMS).fill('cmp /bin/true /bin/true').join(' && ');

/** Exceptions of a run of some programs, and what it said. */
function run(words: string): { faults: number; text: string } {
  const world = buildWorld({});
  let text = '';
  const machine = new Machine({ memory: SYSTEM_MEMORY, disks: [new MemoryDisk(world.rootImage.slice())], serial: (byte) => (text += String.fromCharCode(byte)) });
  machine.loadKernel(world.hostKernel, 'kernel', `kernel ${words}exec=${COMMAND} && echo done`);
  machine.run(2_000_000_000, true);
  return { faults: machine.cpu.events.of('exception'), text };
}

it('saves each new program four faults', () => {
  const [off, on] = [run('off=expect '), run('')];
  expect(on.text).toContain('done');
  expect(on.text).toBe(off.text);
  expect(off.faults - on.faults).toBeGreaterThan(4 * PROGRAMS);
}, 240_000);
