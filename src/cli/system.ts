// Damselfly's own system for the emulator: the images of an installed package; in a source tree, built where something is
// missing, with a progress line on a terminal.

import { shippedSystem } from '../api/system.ts';
import type { World } from '../image/world.ts';
import { LoadError } from '../pc/load-error.ts';
import { progressLine } from './progress.ts';

/** The system. Throws LoadError with the compiler's diagnostics when a source does not compile. */
export async function buildSystem(): Promise<World> {
  const shipped = shippedSystem();
  if (shipped !== null) return { ...shipped, hostKernel: shipped.kernel };
  const { BuildError } = await import('../image/compile.ts');
  const { buildWorld } = await import('../image/world.ts');
  try {
    return buildWorld({ progress: progressLine() });
  } catch (error) {
    if (error instanceof BuildError) throw new LoadError(`the system does not compile\n${error.message.trimEnd()}`);
    throw error;
  }
}
