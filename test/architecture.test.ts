// Holds the import list: which folder of src may import from which. Adding an edge is a decision, and is made here.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');

/** Folder -> folders it may import from, besides itself. */
const ALLOWED: Record<string, readonly string[]> = {
  abi: [],
  isa: [],
  elf: [],
  asm: ['isa', 'elf'],
  compiler: ['asm', 'isa', 'elf'],
  lang: [],
  bus: [],
  mmu: ['bus'],
  wasm: [],
  cpu: ['isa', 'mmu', 'bus', 'wasm'],
  devices: ['bus'],
  pc: ['asm', 'bus', 'cpu', 'devices', 'elf', 'mmu'],
  api: ['pc', 'devices', 'debug'],
  debug: ['abi', 'pc', 'elf', 'isa', 'cpu'],
  image: ['compiler', 'elf', 'abi'],
  cli: ['abi', 'api', 'asm', 'bus', 'compiler', 'cpu', 'debug', 'devices', 'elf', 'image', 'isa', 'mmu', 'pc', 'wasm'],
  lib: ['abi', 'rt'],
  kern: ['abi', 'lib', 'machine', 'rt'],
  'host-kernel': ['abi', 'lib', 'kern', 'rt'],
  vkernel: ['abi', 'lib', 'kern', 'libc', 'rt'],
  libc: ['abi', 'lib'],
  user: ['abi', 'lib', 'libc', 'compiler', 'asm', 'isa', 'elf'],
};

/** Folders of guest code: no Node code may import them, and they import nothing from Node. */
const GUEST = ['lib', 'kern', 'host-kernel', 'vkernel', 'libc', 'user'];

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sources(path);
    return name.endsWith('.ts') && !name.endsWith('.d.ts') ? [path] : [];
  });
}

/** [folder of the importing file, folder or module imported, file] for every import in src. */
function imports(): [string, string, string][] {
  return sources(SRC).flatMap((file) => {
    const text = readFileSync(file, 'latin1');
    const from = relative(SRC, file).split('/')[0]!;
    return [...text.matchAll(/^(?:import|export)\b[^;]*?from\s+["']([^"']+)["']|^import\s+["']([^"']+)["']/gm)].map((match): [string, string, string] => {
      const target = match[1] ?? match[2]!;
      if (!target.startsWith('.')) return [from, target.split('/')[0]!, relative(SRC, file)];
      return [from, relative(SRC, resolve(dirname(file), target)).split('/')[0]!, relative(SRC, file)];
    });
  });
}

describe('import list', () => {
  const found = imports();

  it('reads the sources', () => {
    expect(found.length).toBeGreaterThan(100);
  });

  it('knows every folder', () => {
    expect(readdirSync(SRC).filter((name) => !(name in ALLOWED))).toEqual([]);
  });

  it('holds', () => {
    const wrong = found.filter(([from, to]) => from !== to && !to.startsWith('node:') && !ALLOWED[from]?.includes(to));
    expect(wrong.map(([from, to, file]) => `${file}: ${from} -> ${to}`)).toEqual([]);
  });

  it('keeps Node out of guest and portable code', () => {
    const portable = ['abi', 'isa', 'elf', 'asm', 'compiler', ...GUEST];
    const wrong = found.filter(([from, to]) => portable.includes(from) && to.startsWith('node:'));
    expect(wrong.map(([, to, file]) => `${file}: ${to}`)).toEqual([]);
  });
});

describe('the repository', () => {
  it('has nothing at the top that does not belong there', () => {
    const top = resolve(import.meta.dirname, '..');
    const ignored = readFileSync(join(top, '.gitignore'), 'latin1').split('\n').map((line) => line.replaceAll('/', ''));
    const known = ['.ci', '.git', '.gitignore', 'LICENSE', 'README.md', 'bench', 'node_modules', 'package-lock.json', 'package.json', 'src', 'test', 'tsconfig.json'];
    expect(readdirSync(top).filter((name) => !known.includes(name) && !ignored.includes(name))).toEqual([]);
  });

  it('has no binary among the sources', () => {
    const folder = resolve(import.meta.dirname, '..');
    const found = ['src', 'test', 'bench', '.ci'].flatMap((name) => files(join(folder, name))).filter((path) => !path.endsWith('.gz') && readFileSync(path).includes(0));
    expect(found).toEqual([]);
  });
});

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}
