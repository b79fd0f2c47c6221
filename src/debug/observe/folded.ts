// Folded stacks, for flame graphs: one line for every call path, `SPACE;PROCESS;FUNCTION;...;FUNCTION COUNT`, where COUNT is
// the number of instructions executed with exactly that path. SPACE is `host kernel`, `vkernel` (`vkernel 2` for one in a virtual kernel), `host` (programs on the host
// kernel) or `vmspace` (programs in VM spaces). The counts are exact and add up to the run.

import { functionName } from './code.ts';
import type { Path } from './stacks.ts';

/** The lines, sorted by path. */
export function* foldedLines(root: Path): Generator<string> {
  yield* below(root, '');
}

function* below(path: Path, prefix: string): Generator<string> {
  const named = [...path.paths()].map((inner) => ({ inner, name: prefix + functionName(inner.fn).replaceAll(';', ':') }));
  named.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const { inner, name } of named) {
    if (inner.self) yield `${name} ${inner.self}`;
    yield* below(inner, `${name};`);
  }
}
