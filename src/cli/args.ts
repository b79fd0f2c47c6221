// Command lines in QEMU's manner: long options with one dash or two, values after a blank or `=`, unknown words refused
// with the nearest known one. Everything is reported as a UsageError with one line; callers exit with code 2.

import { parseArgs } from 'node:util';
import { ENGINE_KINDS, type EngineKind } from '../cpu/engine.ts';

export class UsageError extends Error {}

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** What the value is called in messages, for strings. */
  readonly value?: string;
  /** The value when the option stands alone; another one is then given with `=` only. */
  readonly optional?: string;
  /** May be given more than once; the values are joined by this, or by commas. */
  readonly repeat?: boolean | string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;
export interface ParsedArgs {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

/** Rewrites `-name value` as `--name=value` for known names, so that values may begin with a dash. */
export function normalise(argv: readonly string[], specs: OptionSpecs): string[] {
  const out: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--') return [...out, ...argv.slice(i)];
    const match = /^--?([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(word);
    if (!match) {
      out.push(word);
      continue;
    }
    const name = match[1]!;
    const spec = Object.hasOwn(specs, name) ? specs[name]! : undefined;
    if (!spec) throw new UsageError(`unknown option ${word}${suggest(name, word.startsWith('--') ? '--' : '-', Object.keys(specs))}`);
    if (spec.type === 'boolean') {
      if (match[2] !== undefined) throw new UsageError(`option -${name} takes no value`);
      out.push(`--${name}`);
    } else if (match[2] !== undefined) {
      out.push(`--${name}=${match[2]}`);
    } else if (spec.optional !== undefined) {
      out.push(`--${name}=${spec.optional}`);
    } else {
      if (i + 1 >= argv.length) throw new UsageError(`option -${name} needs a value${spec.value ? `: ${spec.value}` : ''}`);
      out.push(`--${name}=${argv[++i]!}`);
    }
  }
  return out;
}

/** @throws UsageError */
export function parseCommandLine(argv: readonly string[], specs: OptionSpecs): ParsedArgs {
  const options = Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, { type: spec.type, multiple: Boolean(spec.repeat) }]));
  try {
    const { values, positionals } = parseArgs({ args: normalise(argv, specs), options, allowPositionals: true, strict: true });
    const joined = Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? value.join(separator(specs[name]!)) : value]);
    return { values: Object.fromEntries(joined) as ParsedArgs['values'], positionals };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message.split('\n')[0]!);
  }
}

function separator({ repeat }: OptionSpec): string {
  return typeof repeat === 'string' ? repeat : ',';
}

/** The option that was probably meant, with the dashes that were typed. */
function suggest(word: string, dashes: string, known: readonly string[]): string {
  let best = '';
  let bestDistance = Math.max(1, Math.floor(word.length / 2)) + 1;
  for (const name of known) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best ? `; did you mean ${dashes}${best}?` : '; --help lists them';
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

/** A memory size as QEMU writes it: MiB, or with a suffix K, M or G. Bytes. */
export function parseMemory(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMG]?)B?$/i.exec(text);
  if (!match) throw new UsageError(`-m ${text}: expected a size such as 128, 512M or 1G`);
  const unit = { K: 1 << 10, '': 1 << 20, M: 1 << 20, G: 1 << 30 }[match[2]!.toUpperCase() as 'K' | '' | 'M' | 'G'];
  const bytes = Math.round(Number(match[1]) * unit);
  if (bytes < 4 << 20 || bytes > 2 ** 31 || bytes % 4096) throw new UsageError(`-m ${text}: expected a whole number of pages from 4M to 2G`);
  return bytes;
}

/** A whole number of at least `least`. */
export function parseCount(name: string, text: string, least: number): number {
  const value = Number(text.replace(/_/g, ''));
  if (!Number.isSafeInteger(value) || value < least) throw new UsageError(`--${name} ${text}: expected a whole number of at least ${least}`);
  return value;
}

/** The value of --engine; absent means tier0. */
export function parseEngine(text: string | undefined): EngineKind {
  const found = ENGINE_KINDS.find((kind) => kind === (text ?? 'tier0'));
  if (!found) throw new UsageError(`--engine ${text}: expected ${ENGINE_KINDS.join(' or ')}`);
  return found;
}

/** A span of time in seconds: `90`, `90s`, `500ms` or `2m`. */
export function parseSeconds(name: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text);
  if (!match) throw new UsageError(`--${name} ${text}: expected a time such as 90, 90s or 2m`);
  return Number(match[1]) * { ms: 0.001, s: 1, m: 60 }[(match[2] ?? 's') as 'ms' | 's' | 'm'];
}
