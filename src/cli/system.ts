// Damselfly's own system for the emulator: builds what is missing of it, with a progress line on a terminal.

import { BuildError } from '../image/compile.ts';
import { buildWorld } from '../image/world.ts';
import { progressLine } from './progress.ts';
import { LoadError } from '../pc/load-error.ts';

export interface System {
  /** The host kernel, an ELF. */
  readonly kernel: Uint8Array;
  /** The host's root file system, with the virtual kernel and its root in it. */
  readonly rootImage: Uint8Array;
}

/** Throws LoadError with the compiler's diagnostics when a source does not compile. */
export async function buildSystem(): Promise<System> {
  try {
    const world = buildWorld({ progress: progressLine() });
    return { kernel: world.hostKernel, rootImage: world.rootImage };
  } catch (error) {
    if (error instanceof BuildError) throw new LoadError(`the system does not compile\n${error.message.trimEnd()}`);
    throw error;
  }
}
