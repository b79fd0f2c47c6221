// usertests notices a broken kernel. Each of the sabotages breaks one thing in the sources of the host kernel, or of the virtual one, and the
// named cases, which pass on the sound one, must fail on it. The files beside this one run those of the host kernel; here are the
// virtual kernel's and the program's own, the sound kernels, and that no case is without a sabotage.

import { describe, expect, it } from 'vitest';
import { converse } from './session.ts';
import { entries, hostConsole, misplaced, programConsole, testSabotages, virtualConsole } from './sabotage.ts';
import { FILE_SABOTAGES, PROGRAM_SABOTAGES } from './sabotages-file.ts';
import { MEMORY_SABOTAGES, VIRTUAL_SABOTAGES } from './sabotages-memory.ts';
import { PROCESS_SABOTAGES } from './sabotages-process.ts';
import { VMSPACE_SABOTAGES } from './sabotages-vmspace.ts';

const GROUPS = [PROCESS_SABOTAGES, FILE_SABOTAGES, PROGRAM_SABOTAGES, MEMORY_SABOTAGES, VMSPACE_SABOTAGES, VIRTUAL_SABOTAGES];
const ALL = GROUPS.flatMap(entries);
const COVERED = [...new Set(ALL.flatMap((entry) => entry.cases))].sort();

describe('usertests in the virtual kernel notices', () => testSabotages(VIRTUAL_SABOTAGES, virtualConsole));
describe('usertests notices of itself', () => testSabotages(PROGRAM_SABOTAGES, programConsole));

describe('the sabotages', () => {
  it('replace a text that is there once', () => {
    expect(GROUPS.flatMap(misplaced)).toEqual([]);
  });

  it('name every case that there is, and no other', () => {
    const known = converse('native exec=usertests -l').text.split('\n').filter((line) => /^[a-z0-9-_]+$/.test(line));
    console.log(`${ALL.length} sabotages make ${COVERED.length} of ${known.length} cases fail`);
    expect(COVERED).toEqual(known.sort());
  });

  it('are what breaks the kernels: nothing fails where nothing is broken', () => {
    const run = [hostConsole, virtualConsole].map((console) => console('src/kern/fork.ts', 'export function sysFork', 'export function sysFork', ''));
    for (const text of run) {
      for (const name of COVERED) expect(text).toContain(`${name}: ok`);
    }
  });
});
