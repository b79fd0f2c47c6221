// Every cost names documents that are listed, says its figures, and is what the arithmetic on them gives. The figures are
// entered here once more, from the documents.

import { describe, expect, it } from 'vitest';
import { DOCUMENTS, P4_COSTS, P4_HERTZ, median } from '../../src/cpu/p4.ts';
import { P4 } from '../../src/cpu/timing.ts';
import type { EventKind } from '../../src/cpu/timing.ts';

const cost = (event: EventKind): number => P4.costs[event];
/** What an instruction takes, from its cost. */
const takes = (event: EventKind): number => cost(event) + 1;

describe('sources of the costs', () => {
  it('are listed, found somewhere, and used', () => {
    const names = DOCUMENTS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, title, where } of DOCUMENTS) expect([name, title.length > 20 || title.startsWith('the same'), where.length > 5]).toEqual([name, true, true]);
    for (const { event, documents } of P4_COSTS) expect([event, documents.length > 0, documents.filter((name) => !names.includes(name))]).toEqual([event, true, []]);
    expect(names.filter((name) => !P4_COSTS.some(({ documents, how }) => documents.includes(name) || how.includes(name)))).toEqual([]);
  });

  it('say the figure: a published one is the cost and the one cycle of the instruction, if there is one', () => {
    for (const { event, cycles, basis, how } of P4_COSTS) {
      expect([event, /\d/.test(how)]).toEqual([event, true]);
      const figure = event === 'hardwareInterrupt' ? cycles : cycles + 1;
      if (basis === 'published') expect([event, new RegExp(`\\b${figure}\\b`).test(how)]).toEqual([event, true]);
    }
  });

  it('are said to be lacking for a Pentium 4 where they are', () => {
    const lacking = P4_COSTS.filter(({ how }) => how.startsWith('nothing found for a Pentium 4')).map(({ event }) => event);
    expect(lacking).toEqual(['taskSwitch', 'tableLoad', 'controlLoad', 'tlbInvalidate', 'deviceMemory']);
    expect(P4_COSTS.filter(({ basis }) => basis === 'nearest').map(({ event }) => event)).toEqual(lacking);
  });
});

describe('costs', () => {
  it('published for this processor: InstLatX64, CPUID 0F27', () => {
    expect([takes('serialize'), takes('timeStamp'), takes('divide'), takes('x87Divide'), cost('pageMark')]).toEqual([260, 80, 57, 43, 124]);
  });

  it('published for its model: Fog', () => {
    expect([takes('farTransfer'), takes('fpuSave'), takes('fpuRestore')]).toEqual([118, 132, 208]);
    expect(takes('flagsLoad')).toBe(43);                                          // CLI 35, STI 43, POPF 52
    expect(Math.abs(takes('segmentLoad') - (24 + 13) / 2)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(takes('x87Function') - (207 + 212) / 2)).toBeLessThanOrEqual(0.5);
  });

  it('in pairs: a system call by INT takes as much more than one by SYSENTER as Torvalds measured', () => {
    const byInt = takes('softwareInterrupt') + takes('interruptReturn'), bySysenter = takes('fastCall') + takes('fastReturn');
    expect([byInt - bySysenter, bySysenter]).toEqual([1761 - 641, 242]);
    expect(takes('softwareInterrupt') / byInt).toBeCloseTo(470 / (470 + 325), 3);
    expect(cost('exception')).toBe(takes('softwareInterrupt'));
  });

  it('of address spaces: a load of CR3 and three pages are what Aage measured, a page what MemLat has', () => {
    expect([takes('directoryLoad') + 3 * cost('tlbMiss'), cost('tlbMiss')]).toEqual([516, 79 - 19]);
  });

  it('of buses: seconds, at 2.4 GHz', () => {
    expect(P4.hertz).toBe(P4_HERTZ);
    expect(takes('portRead') / P4_HERTZ).toBeCloseTo(3209 / 3.8e9, 9);
    expect([takes('portWrite'), cost('deviceMemory')]).toEqual([takes('portRead'), takes('portRead')]);
    expect(takes('portString') / P4_HERTZ).toBeCloseTo(120e-9, 12);
  });

  it('that are the nearest there is', () => {
    expect([takes('tableLoad'), takes('tlbInvalidate'), takes('controlLoad')]).toEqual([takes('serialize'), takes('serialize'), 150]);
    expect(cost('taskSwitch') / takes('softwareInterrupt')).toBeCloseTo(309 / 99, 2);
  });
});

it('the median is the middle one, or between the two in the middle', () => {
  expect([median([5, 1, 3]), median([4, 1, 3, 2]), median([7])]).toEqual([3, 2.5, 7]);
});
