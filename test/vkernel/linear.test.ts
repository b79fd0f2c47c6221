// How the image is mapped, seen from outside: by one root VPTE with PS, or with off=linear through a directory and tables in the image, which
// are then no memory of the virtual kernel's. What its programs see is the same (checks.test.ts runs with off=all, too).

import { describe, expect, it } from 'vitest';
import { VPTE_PS } from '../../src/abi/mman.ts';
import { ownSystem, runTo } from '../debug/own.ts';

const KERNBASE = 0x40000000;

function image(words: string): { linear: boolean; steps: number; sameFrame: boolean; memory: number } {
  const own = ownSystem(words);
  runTo(own, 'vkernel# ');
  const guest = own.debug.guest!;
  const { vmspace } = guest.processes().find(({ name }) => name === 'vkernel')!;
  const entry = guest.mapEntries(vmspace).find(({ start }) => start === KERNBASE)!;
  const walk = guest.walk(vmspace, KERNBASE + 0x5000)!;
  const memory = Number(/vkernel kernel\), (\d+) MiB/.exec(own.text())![1]);
  return { linear: (entry.root! & VPTE_PS) !== 0, steps: walk.steps.length, sameFrame: walk.page === 5, memory };
}

describe('the image', () => {
  it('is mapped by its root', () => expect(image('')).toMatchObject({ linear: true, steps: 0, sameFrame: true }), 60_000);
  it('is mapped by tables with off=linear', () => expect(image('off=linear ')).toMatchObject({ linear: false, steps: 2, sameFrame: true }), 60_000);
});
