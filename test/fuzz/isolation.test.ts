// A short run of the isolation fuzz, and proof that it would find something: every check that is taken out of the kernel's walk,
// or of what invalidates, is missed within 100 seeds.

import { describe, expect, it } from 'vitest';
import { fuzzIsolation, SABOTAGES } from './isolation.ts';

describe('isolation of VM spaces', () => {
  it('holds for random page tables and programs', () => {
    const { seeds, walks, loose, audits, violation } = fuzzIsolation(1, 150);
    expect(violation).toBeNull();
    expect(seeds).toBe(150);
    expect(audits).toBeGreaterThan(10_000);
    expect(walks - loose).toBeGreaterThan(audits);
  }, 120_000);

  it.each(Object.keys(SABOTAGES))('is seen to break without the check "%s"', (check) => {
    expect(fuzzIsolation(1, 100, check).violation).not.toBeNull();
  }, 120_000);
});
