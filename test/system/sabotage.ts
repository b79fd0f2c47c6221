// Kernels with one line broken, or a usertests, and what usertests says on them.
//
// A case has noticed when it says FAILED, or when it is the one in which the machine came to no end. It has not when the kernel was
// too broken to run cases at all: then CONTROL, which runs beside those that are named, has not passed either.

import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { SYSTEM_MEMORY } from '../../src/api/system.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { compileProgram } from '../../src/image/compile.ts';
import { SourceTree } from '../../src/image/inputs.ts';
import { Machine } from '../../src/pc/machine.ts';
import { rootWith } from '../../src/image/world.ts';
import { HOST_KERNEL, VIRTUAL_KERNEL } from '../kern/roots.ts';
import { world } from './session.ts';

/** What is broken, the text that is replaced, what replaces it, and the cases that must fail. */
export type Sabotage = readonly [what: string, from: string, to: string, cases: string];

/** By file. */
export type Sabotages = Readonly<Record<string, readonly Sabotage[]>>;

const ROOT = resolve(import.meta.dirname, '../..');
/** Instructions for a few cases, and for all of them. */
const BUDGET = 600_000_000;
const WHOLE = 3_000_000_000;
const STEP = 1_000_000;
const CONTROL = 'ids-are-root';

class SpoiltTree extends SourceTree {
  constructor(private readonly file: string, private readonly from: string, private readonly to: string) {
    super(ROOT);
  }

  override read(path: string): Uint8Array | null {
    const bytes = super.read(path);
    if (path !== this.file || bytes === null) return bytes;
    const parts = Buffer.from(bytes).toString('latin1').split(this.from);
    if (parts.length !== 2) throw new Error(`${path} has ${parts.length - 1} times, not once: ${this.from}`);
    return Buffer.from(parts.join(this.to), 'latin1');
  }
}

/** A disk whose writes stay apart from the bytes that it was made of. */
class LayeredDisk extends MemoryDisk {
  private readonly written = new Map<number, Uint8Array>();

  override read(sector: number, into: Uint8Array): void {
    const known = this.written.get(sector);
    if (known === undefined) super.read(sector, into);
    else into.set(known);
  }

  override write(sector: number, from: Uint8Array): void {
    this.written.set(sector, from.slice());
  }
}

/** The console of a kernel that runs usertests with these cases, all if there are none, until that is done, or the machine with itself. */
function consoleWith(kernel: Uint8Array, root: Uint8Array, words: string, cases: string): string {
  const budget = cases === '' ? WHOLE : BUDGET;
  let text = '';
  const machine = new Machine({ memory: SYSTEM_MEMORY, disks: [new LayeredDisk(root)], serial: (byte) => (text += String.fromCharCode(byte)) });
  machine.loadKernel(kernel, 'host-kernel.elf', `${words}exec=usertests ${cases}`);
  while (!/ passed, \d+ failed/.test(text) && machine.cpu.instructions < budget) {
    if (machine.run(machine.cpu.instructions + STEP, true).kind !== 'limit') break;
  }
  return text;
}

/** The sabotages whose text is not there just once. */
export function misplaced(sabotages: Sabotages): string[] {
  const tree = new SourceTree(ROOT);
  const times = (file: string, text: string): number => Buffer.from(tree.read(file) ?? []).toString('latin1').split(text).length - 1;
  return entries(sabotages).flatMap(({ file, what, from }) => (times(file, from) === 1 ? [] : [`${file}: ${what}`]));
}

/** Console of the host kernel whose `file` says `to` instead of `from`, running these cases. */
export function hostConsole(file: string, from: string, to: string, cases: string): string {
  const kernel = compileProgram(new SpoiltTree(file, from, to), HOST_KERNEL).bytes;
  return consoleWith(kernel, world().rootImage, 'native ', cases);
}

/** Console of a sound host kernel with such a virtual kernel on it. */
export function virtualConsole(file: string, from: string, to: string, cases: string): string {
  const virtualKernel = compileProgram(new SpoiltTree(file, from, to), VIRTUAL_KERNEL).bytes;
  return consoleWith(world().hostKernel, rootWith({ ...world(), virtualKernel }), '', cases);
}

/** Console of a sound host kernel with a usertests that is compiled from such sources. */
export function programConsole(file: string, from: string, to: string, cases: string): string {
  const usertests = compileProgram(new SpoiltTree(file, from, to), ['src/user/usertests.ts', '--bind', 'rt=src/libc']).bytes;
  const root = rootWith({ ...world(), programs: new Map([...world().programs, ['usertests', usertests]]) });
  return consoleWith(world().hostKernel, root, 'native ', cases);
}

/** Those of the named cases that have not noticed anything. */
export function unmoved(text: string, cases: readonly string[]): string[] {
  const says = (name: string, what: string): boolean => new RegExp(`^${name}: ${what}`, 'm').test(text);
  const rest = cases.filter((name) => !says(name, 'FAILED'));
  const ended = / passed, \d+ failed/.test(text);
  const died = !ended && says(CONTROL, 'ok') && rest.length === 1 && !says(rest[0]!, 'ok');
  return died ? [] : rest;
}

/** All of them, one after the other. */
export function entries(sabotages: Sabotages): { file: string; what: string; from: string; to: string; cases: string[] }[] {
  return Object.entries(sabotages).flatMap(([file, list]) => list.map(([what, from, to, cases]) => ({ file, what, from, to, cases: cases.split(' ') })));
}

/** A test for each: the named cases notice. */
export function testSabotages(sabotages: Sabotages, console: typeof hostConsole): void {
  for (const { file, what, from, to, cases } of entries(sabotages)) {
    it(what, () => {
      const text = console(file, from, to, [...new Set([CONTROL, ...cases])].join(' '));
      expect(unmoved(text, cases), text.slice(-1000)).toEqual([]);
    });
  }
}
