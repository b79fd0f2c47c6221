// Damselfly's own system for the emulator: the images of an installed package; in a source tree, built where something is
// missing, with a progress line on a terminal.

import { shippedSystem } from '../api/system.ts';
import type { System } from '../api/system.ts';
import type { World } from '../image/world.ts';
import { LoadError } from '../pc/load-error.ts';
import { progressLine } from './progress.ts';

/** The system, and what it was built of (null when it was shipped). Throws LoadError with the compiler's diagnostics when a source does not compile. */
export async function buildSystem(): Promise<System & { readonly world: World | null }> {
  const shipped = shippedSystem();
  if (shipped !== null) return { ...shipped, world: null };
  const { BuildError } = await import('../image/compile.ts');
  const { buildWorld } = await import('../image/world.ts');
  try {
    const world = buildWorld({ progress: progressLine() });
    return { kernel: world.hostKernel, rootImage: world.rootImage, world };
  } catch (error) {
    if (error instanceof BuildError) throw new LoadError(`the system does not compile\n${error.message.trimEnd()}`);
    throw error;
  }
}
