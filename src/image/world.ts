// The world: both kernels, every program, and the two root file systems, built from the sources in this repository. What is
// built is kept in .cache and built again only when one of the files it was made of has changed.
//
// The virtual kernel's root holds kernels, programs and, in /usr/src, the sources; the host's root is the same tree with the
// virtual kernel's root image in it.

import { readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { DEV_CONSOLE, DEV_MEM, DEV_NULL, DEV_TIME, DEV_TTY, DEV_ZERO } from '../abi/file.ts';
import { compileProgram } from './compile.ts';
import { hashOf, OutputCache, SourceTree } from './inputs.ts';
import { buildExt2 } from './mkfs.ts';
import type { FileSpec } from './mkfs.ts';

/** Folders of src that are compiled for the guest, and so lie in /usr/src. */
const GUEST_FOLDERS = ['abi', 'asm', 'compiler', 'elf', 'host-kernel', 'isa', 'kern', 'lang', 'lib', 'libc', 'user', 'vkernel'];
const COMPILER_FOLDERS = ['asm', 'compiler', 'elf', 'image', 'isa'];
const MAKEFILE = 'src/user/Makefile';
const LAYOUT = '.layout';
const HOST_MIB = 128;
const VIRTUAL_MIB = 64;
/** Roots inside the virtual kernel's root, each inside the one before. */
const NESTED_MIB = [40, 24];

/** What is compiled. */
export interface Binaries {
  readonly hostKernel: Uint8Array;
  readonly virtualKernel: Uint8Array;
  readonly programs: ReadonlyMap<string, Uint8Array>;
}

export interface World extends Binaries {
  readonly rootImage: Uint8Array;
  /** Where the fields of the kernels' records lie, as gtc --layout lists them. */
  readonly layouts: { readonly host: string; readonly virtual: string };
}

export interface WorldOptions {
  /** The repository; by default the one this file is in. */
  readonly root?: string;
  /** Called with what is being built, and how many things are done of how many. */
  readonly progress?: (what: string, done: number, all: number) => void;
}

interface Recipe {
  readonly name: string;
  readonly args: readonly string[];
  /** Its layout listing is kept beside it. */
  readonly layout?: boolean;
}

/** Build what is missing and return all of it. Throws BuildError when a program does not compile. */
export function buildWorld(options: WorldOptions = {}): World {
  const root = options.root ?? resolve(import.meta.dirname, '../..');
  const tree = new SourceTree(root);
  const cache = new OutputCache(join(root, '.cache'), tree);
  const compiler = hashOf(...COMPILER_FOLDERS.flatMap((folder) => filesBelow(root, `src/${folder}`)).map((path) => tree.hash(path)!));
  const makefile = new WorldMakefile(tree);
  const recipes = makefile.recipes();
  const built = new Map<string, Uint8Array>();
  const steps = recipes.length + 1;
  for (const [done, recipe] of recipes.entries()) {
    options.progress?.(recipe.name, done, steps);
    for (const [name, bytes] of buildProgram(tree, cache, compiler, recipe)) built.set(name, bytes);
  }
  options.progress?.('root.img', recipes.length, steps);
  const hostKernel = built.get('host-kernel.elf')!;
  const virtualKernel = built.get('vkernel')!;
  const programs = new Map(makefile.words('PROGRAMS').map((name) => [name, built.get(`bin/${name}`)!]));
  const rootImage = buildRoot(tree, cache, { hostKernel, virtualKernel, programs }, makefile.words('SYSTEM_PROGRAMS'));
  options.progress?.('', steps, steps);
  const layout = (kernel: string) => Buffer.from(built.get(`${kernel}${LAYOUT}`)!).toString('latin1');
  return { hostKernel, virtualKernel, programs, rootImage, layouts: { host: layout('host-kernel.elf'), virtual: layout('vkernel') } };
}

/** What the Makefile of the world says of the programs and of how things are compiled. */
class WorldMakefile {
  private readonly text: string;

  constructor(tree: SourceTree) {
    this.text = Buffer.from(tree.read(MAKEFILE) ?? []).toString('latin1').replaceAll(/\\\n\s*/g, ' ');
  }

  /** The words of a variable. */
  words(variable: string): string[] {
    const line = new RegExp(`^${variable} *=(.*)$`, 'm').exec(this.text);
    if (line === null) throw new Error(`${MAKEFILE} has no line ${variable} = ...`);
    return line[1]!.trim().split(/\s+/);
  }

  recipes(): Recipe[] {
    return [
      { name: 'host-kernel.elf', args: ['src/host-kernel/boot.ts', ...this.words('HOST_KERNEL_FLAGS')], layout: true },
      { name: 'vkernel', args: ['src/vkernel/boot.ts', ...this.words('VKERNEL_FLAGS')], layout: true },
      ...this.words('PROGRAMS').map((name) => ({ name: `bin/${name}`, args: [`src/user/${name}.ts`, ...this.words('PROGRAM_FLAGS')] })),
    ];
  }
}

/** What a recipe makes, by name: the program, and the layout listing if it has one. */
function buildProgram(tree: SourceTree, cache: OutputCache, compiler: string, recipe: Recipe): [string, Uint8Array][] {
  const key = [compiler, ...recipe.args].join(' ');
  const names = [recipe.name, ...(recipe.layout ? [`${recipe.name}${LAYOUT}`] : [])];
  const known = names.map((name) => cache.find(name, key));
  if (known.every((bytes) => bytes !== null)) return names.map((name, i) => [name, known[i]!]);
  const result = compileProgram(tree, recipe.args, recipe.layout);
  const made = [result.bytes, Buffer.from(result.layout, 'latin1')];
  names.forEach((name, i) => cache.keep(name, key, result.inputs, made[i]!));
  return names.map((name, i) => [name, made[i]!]);
}

function buildRoot(tree: SourceTree, cache: OutputCache, built: Binaries, systemPrograms: readonly string[]): Uint8Array {
  const sources = sourceFiles(tree.root);
  const builder = filesBelow(tree.root, 'src/image').map((path) => tree.hash(path)!);
  const recipe = hashOf(...built.programs.keys(), ...built.programs.values(), built.hostKernel, built.virtualKernel, ...sources, ...builder);
  const known = cache.find('root.img', recipe);
  if (known !== null) return known;
  const image = rootOf(built, systemPrograms, sourcesOf(tree));
  cache.keep('root.img', recipe, sources, image);
  return image;
}

/** The host's root file system as buildWorld makes it, with binaries from elsewhere, and with sources (`src/...`) from elsewhere if they are given. */
export function rootWith(built: Binaries, sources?: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const tree = new SourceTree(resolve(import.meta.dirname, '../..'));
  return rootOf(built, new WorldMakefile(tree).words('SYSTEM_PROGRAMS'), sources ?? sourcesOf(tree));
}

function sourcesOf(tree: SourceTree): Map<string, Uint8Array> {
  return new Map(sourceFiles(tree.root).map((path) => [path, tree.read(path)!]));
}

function rootOf(built: Binaries, systemPrograms: readonly string[], sources: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const sourceFolders = new Set([...sources.keys()].map((path) => dirname(path)));
  const files = [...binaryFiles(built, systemPrograms), ...folderFiles([...sourceFolders]), ...manual(built, sources), ...[...sources].map(([path, data]): FileSpec => ({ path: `/usr/src/${path}`, data }))];
  const virtualRoot = buildExt2({ sizeMiB: VIRTUAL_MIB, label: 'vroot', files: [...files, { path: '/vroot.img', data: nestedRoot(built, systemPrograms, NESTED_MIB.length) }] });
  return buildExt2({ sizeMiB: HOST_MIB, label: 'root', files: [...files, { path: '/vroot.img', data: virtualRoot }] });
}

/** The manual: a page for each program, the comment at the head of its source. As the Makefile makes it. */
function manual(built: Binaries, sources: ReadonlyMap<string, Uint8Array>): FileSpec[] {
  return [...built.programs.keys()].map((name) => ({ path: `/usr/share/man/${name}`, data: manualPage(sources.get(`src/user/${name}.ts`)!) }));
}

function manualPage(source: Uint8Array): Uint8Array {
  const text = Buffer.from(source).toString('latin1');
  const lines = text.slice(0, text.indexOf('\n\n')).split('\n').filter((line) => line.startsWith('// '));
  return Buffer.from(lines.map((line) => `${line.slice(3)}\n`).join(''), 'latin1');
}

/** The root of a virtual kernel inside a virtual kernel, with `depth - 1` more inside: no sources, and nothing to compile them with. */
function nestedRoot(built: Binaries, systemPrograms: readonly string[], depth: number): Uint8Array {
  const unwanted = ['/bin/gtc', '/boot/host-kernel.elf'];
  const files = [...binaryFiles(built, systemPrograms).filter((file) => !unwanted.includes(file.path)), ...folderFiles([])];
  const inner: FileSpec[] = depth > 1 ? [{ path: '/vroot.img', data: nestedRoot(built, systemPrograms, depth - 1) }] : [];
  return buildExt2({ sizeMiB: NESTED_MIB[NESTED_MIB.length - depth]!, label: `vroot${NESTED_MIB.length + 2 - depth}`, files: [...files, ...inner] });
}

/** The kernels and programs, the same on both root file systems. */
function binaryFiles(built: Binaries, systemPrograms: readonly string[]): FileSpec[] {
  return [
    ...[...built.programs].map(([name, data]): FileSpec => ({ path: `/bin/${name}`, data, mode: 0o755 })),
    ...systemPrograms.map((name): FileSpec => ({ path: `/sbin/${name}`, symlink: `../bin/${name}` })),
    { path: '/boot/host-kernel.elf', data: built.hostKernel, mode: 0o755 },
    { path: '/boot/vkernel', data: built.virtualKernel, mode: 0o755 },
  ];
}

/** Devices, and the folders in which the world is built: in the fresh root one for each folder of sources. */
function folderFiles(sourceFolders: readonly string[]): FileSpec[] {
  const folders = ['/etc', '/var/vkernel', ...['bin', 'boot', 'dep', 'gen', 'man', 'root/bin', 'root/boot', 'root/sbin', 'root/usr/share/man', ...sourceFolders.map((name) => `root/usr/src/${name}`)].map((name) => `/usr/obj/${name}`)];
  return [
    { path: '/dev/console', dev: DEV_CONSOLE, mode: 0o600 },
    { path: '/dev/tty', dev: DEV_TTY },
    { path: '/dev/null', dev: DEV_NULL },
    { path: '/dev/time', dev: DEV_TIME },
    { path: '/dev/zero', dev: DEV_ZERO },
    { path: '/dev/mem', dev: DEV_MEM },
    { path: '/tmp', directory: true, mode: 0o777 },
    ...folders.map((path): FileSpec => ({ path, directory: true })),
    { path: '/usr/src/Makefile', symlink: MAKEFILE },
  ];
}

/** Everything of the repository that lies in /usr/src, with its path there. */
export function sourceFiles(root: string): string[] {
  return GUEST_FOLDERS.flatMap((folder) => filesBelow(root, `src/${folder}`)).sort();
}

function filesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder))
    .sort()
    .flatMap((name) => {
      const path = join(root, folder, name);
      return statSync(path).isDirectory() ? filesBelow(root, relative(root, path)) : [relative(root, path)];
    });
}
