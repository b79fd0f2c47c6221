// What debuggers and observers need to know of our own system's kernels, from what was built of it.

import type { SystemFiles } from './guest.ts';
import { Layout } from './layout.ts';
import { SymbolTable } from './symbols.ts';

/** The two kernels, and where the fields of their records lie. */
export interface OwnKernels {
  readonly hostKernel: Uint8Array;
  readonly virtualKernel: Uint8Array;
  readonly layouts: { readonly host: string; readonly virtual: string };
}

export function systemFiles({ hostKernel, virtualKernel, layouts }: OwnKernels): SystemFiles {
  return {
    host: { symbols: new SymbolTable(hostKernel), layout: new Layout(layouts.host) },
    virtual: { symbols: new SymbolTable(virtualKernel), layout: new Layout(layouts.virtual) },
  };
}
