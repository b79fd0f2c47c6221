// Zero-filled pages ahead of a process that touches its memory in order (src/kern/vm_around.ts): fewer faults, the same contents, and
// no memory for programs that jump about. On the host kernel and in the virtual kernel, with and without.

import { beforeAll, describe, expect, it } from 'vitest';
import { bootPc } from './machines.ts';
import { compiled, HOST_KERNEL, nestedRootOf, rootOf } from './roots.ts';

interface Count {
  readonly faults: number;
  readonly pages: number;
}

// A virtual kernel that makes what it expects to be touched would hide faults that are counted here.
const WORDS = ['off=expect', 'off=expect,ahead', 'off=expect,around', 'off=expect,program'];
const PLACES = { host: () => rootOf('ahead'), virtual: () => nestedRootOf('ahead') } as const;
const counts = new Map<string, Map<string, Count>>();

function countsOf(image: Uint8Array, words: string): Map<string, Count> {
  const { text } = bootPc(compiled(HOST_KERNEL), image, `${words} exec=none`);
  expect(text).toMatch(/^ahead: 10 passed, 0 failed$/m);
  return new Map([...text.matchAll(/^([\w ,]+): (\d+) faults (\d+) pages/gm)].map((m) => [m[1]!, { faults: Number(m[2]), pages: Number(m[3]) }]));
}

beforeAll(() => {
  for (const [place, image] of Object.entries(PLACES)) {
    for (const words of WORDS) counts.set(place + words, countsOf(image(), words));
  }
}, 120_000);

describe.each(Object.keys(PLACES))('%s', (place) => {
  const on = (name: string): Count => counts.get(`${place}off=expect`)!.get(name)!;
  const off = (name: string): Count => counts.get(`${place}off=expect,ahead`)!.get(name)!;

  it.each(['upward', 'upward, loads', 'stack'])('%s: a fault for sixteen pages in the end', (name) => {
    expect(on(name)).toEqual({ faults: 20, pages: 256 });
    expect(off(name)).toEqual({ faults: 256, pages: 256 });
  });

  it('gives at most fifteen pages that nobody touches', () => expect(on('half')).toEqual({ faults: 13, pages: 144 }));

  it.each(['downward', 'every other', 'pairs', 'scattered'])('%s: nothing ahead', (name) => expect(on(name)).toEqual(off(name)));

  it('does the same in the holes of an image that is shown linearly', () => {
    expect(on('image').faults).toBe(on('half').faults);
    expect(Math.abs(on('image').pages - on('half').pages)).toBeLessThan(3);     // the kernel may need a page for itself
    expect(off('image').faults).toBe(130);
  });

  it('enters what a table says is modified, and makes what is a hole of that', () => {
    expect(on('table')).toEqual({ faults: 9, pages: 7 });
    expect(off('table')).toEqual({ faults: 16, pages: 0 });
    expect(counts.get(`${place}off=expect,around`)!.get('table')).toEqual(off('table'));
  });

  it('enters the text of a program that begins', () => {
    expect(on('program').faults).toBeLessThan(counts.get(`${place}off=expect,program`)!.get('program')!.faults);
    expect(on('program').faults).toBeGreaterThan(0);
  });
});
