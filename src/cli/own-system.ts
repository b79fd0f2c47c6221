// What debuggers and observers need to know of our own system's kernels, from what was built of it.

import type { SystemFiles } from '../debug/guest.ts';
import { Layout } from '../debug/layout.ts';
import { SymbolTable } from '../debug/symbols.ts';
import type { World } from '../image/world.ts';

export function systemFiles(world: World): SystemFiles {
  return {
    host: { symbols: new SymbolTable(world.hostKernel), layout: new Layout(world.layouts.host) },
    virtual: { symbols: new SymbolTable(world.virtualKernel), layout: new Layout(world.layouts.virtual) },
  };
}
