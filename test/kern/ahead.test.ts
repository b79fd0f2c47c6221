// Zero-filled pages ahead of a process that touches its memory in order (src/kern/vm_around.ts): fewer faults, the same contents, and
// no memory for programs that jump about. On the host kernel and in the virtual kernel, with and without.

import { beforeAll, describe, expect, it } from 'vitest';
import { bootPc } from './machines.ts';
import { compiled, HOST_KERNEL, nestedRootOf, rootOf } from './roots.ts';

interface Count {
  readonly faults: number;
  readonly pages: number;
}

const PLACES = { host: () => rootOf('ahead'), virtual: () => nestedRootOf('ahead') } as const;
const counts = new Map<string, Map<string, Count>>();

function countsOf(image: Uint8Array, words: string): Map<string, Count> {
  const { text } = bootPc(compiled(HOST_KERNEL), image, `${words}exec=none`);
  expect(text).toMatch(/^ahead: 3 passed, 0 failed$/m);
  return new Map([...text.matchAll(/^([\w ,]+): (\d+) faults (\d+) pages/gm)].map((m) => [m[1]!, { faults: Number(m[2]), pages: Number(m[3]) }]));
}

beforeAll(() => {
  for (const [place, image] of Object.entries(PLACES)) {
    for (const words of ['', 'off=ahead ']) counts.set(place + words, countsOf(image(), words));
  }
}, 120_000);

describe.each(Object.keys(PLACES))('%s', (place) => {
  const on = (name: string): Count => counts.get(place)!.get(name)!;
  const off = (name: string): Count => counts.get(`${place}off=ahead `)!.get(name)!;

  it.each(['upward', 'upward, loads', 'stack'])('%s: a fault for sixteen pages in the end', (name) => {
    expect(on(name)).toEqual({ faults: 20, pages: 256 });
    expect(off(name)).toEqual({ faults: 256, pages: 256 });
  });

  it('gives at most fifteen pages that nobody touches', () => expect(on('half')).toEqual({ faults: 13, pages: 144 }));

  it.each(['downward', 'every other', 'pairs', 'scattered'])('%s: nothing ahead', (name) => expect(on(name)).toEqual(off(name)));
});
