// Our own system on a machine, as the debugging tests want it: loaded, with what is known of its kernels.

import { worldCodes } from '../../src/cli/observing.ts';
import { systemFiles } from '../../src/debug/own-system.ts';
import type { EngineKind } from '../../src/cpu/engine.ts';
import { FLAT } from '../../src/cpu/timing.ts';
import { Debugger } from '../../src/debug/debugger.ts';
import { hostView } from '../../src/debug/guest.ts';
import type { Code } from '../../src/debug/observe/code.ts';
import { Observer } from '../../src/debug/observe/observer.ts';
import type { Wanted } from '../../src/debug/observe/observer.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { buildWorld } from '../../src/image/world.ts';
import type { World } from '../../src/image/world.ts';
import { Machine } from '../../src/pc/machine.ts';

let built: World | undefined;

/** The world of this repository, built once. */
export function world(): World {
  built ??= buildWorld();
  return built;
}

export interface Own {
  readonly machine: Machine;
  readonly debug: Debugger;
  /** The console so far, carriage returns removed. */
  readonly text: () => string;
}

/** The host kernel with a command line, before its first instruction. */
export function ownSystem(commandLine: string, engine: EngineKind = 'tier0', timing = FLAT): Own {
  let text = '';
  const machine = new Machine({ engine, timing, disks: [new MemoryDisk(world().rootImage.slice())], serial: (byte) => (text += String.fromCharCode(byte)) });
  machine.loadKernel(world().hostKernel, 'host-kernel.elf', commandLine);
  const files = systemFiles(world());
  const debug = new Debugger(machine, files.host.symbols);
  debug.guest = hostView(machine.cpu, files);
  return { machine, debug, text: () => text.replaceAll('\r', '') };
}

/** Runs until the console says something; throws after a billion instructions. */
export function runTo(own: Own, words: string): void {
  while (!own.text().includes(words)) {
    const result = own.machine.run(own.machine.cpu.instructions + 10_000, true);
    if (result.kind !== 'limit' || own.machine.cpu.instructions > 1e9) throw new Error(`waited for ${words} until ${result.kind}: ${own.text()}`);
  }
}

let codes: ReadonlyMap<string, Code> | undefined;

/** Our own system under observation; \`observer\` is ready to be asked when the machine has run and \`finish\` was called. */
export function observed(commandLine: string, want: Wanted, timing = FLAT): Own & { readonly observer: Observer } {
  const own = ownSystem(commandLine, 'observed', timing);
  codes ??= worldCodes(world());
  const observer = new Observer(own.machine.cpu, own.debug.guest!, codes, want, () => own.machine.clock.now - own.machine.cpu.cycles);
  own.debug.listen({ interrupt: (vector, kind, error) => observer.interrupt(vector, kind, error) });
  return { ...own, observer };
}
