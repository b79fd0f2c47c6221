import { describe, expect, it } from 'vitest';
import { parseCommandLine, parseMemory, UsageError } from '../../src/cli/args.ts';
import type { OptionSpecs } from '../../src/cli/args.ts';

const SPECS: OptionSpecs = { kernel: { type: 'string', value: 'a file' }, append: { type: 'string' }, nographic: { type: 'boolean' }, m: { type: 'string' } };

describe('command line', () => {
  it('takes one dash or two, and values that begin with a dash', () => {
    const { values, positionals } = parseCommandLine(['-kernel', 'k', '--append', '-v -x', '-nographic', 'rest', '-m=64'], SPECS);
    expect(values).toEqual({ kernel: 'k', append: '-v -x', nographic: true, m: '64' });
    expect(positionals).toEqual(['rest']);
  });

  it('suggests the nearest option', () => {
    expect(() => parseCommandLine(['-kernal', 'x'], SPECS)).toThrow(/unknown option -kernal; did you mean -kernel\?/);
    expect(() => parseCommandLine(['--zzz'], SPECS)).toThrow(UsageError);
  });

  it('says which value is missing', () => {
    expect(() => parseCommandLine(['-kernel'], SPECS)).toThrow(/option -kernel needs a value: a file/);
  });

  it('reads memory sizes', () => {
    expect(parseMemory('64')).toBe(64 << 20);
    expect(parseMemory('512M')).toBe(512 << 20);
    expect(parseMemory('1G')).toBe(1 << 30);
    expect(() => parseMemory('lots')).toThrow(/-m lots: expected a size/);
    expect(() => parseMemory('1')).toThrow(UsageError);
  });
});
