// The system rebuilds itself: `make -j 8 buildworld` compiles every program and the compiler from /usr/src on both kernels, and
// what it leaves in /usr/obj is, byte for byte, what Node built.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rootWith, sourceFiles } from '../../src/image/world.ts';
import type { Binaries } from '../../src/image/world.ts';
import { converse, hasFsTools, Session, world } from './session.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const BUDGET = 16_000_000_000;

if (!hasFsTools) console.warn('buildworld.test: /usr/obj is not looked into from outside, e2fsprogs are not installed');

/** What lies in the fresh root of a halted machine's disk. */
interface FreshRoot extends Binaries {
  readonly sources: ReadonlyMap<string, Uint8Array>;
}

function freshRoot(disk: Uint8Array, virtual: boolean): FreshRoot {
  const folder = mkdtempSync(join(tmpdir(), 'buildworld-'));
  const debugfs = (image: string, command: string) => spawnSync('debugfs', ['-R', command, join(folder, image)], { maxBuffer: 1 << 28 }).stdout;
  writeFileSync(join(folder, 'root.img'), disk);
  const image = virtual ? 'vroot.img' : 'root.img';
  if (virtual) writeFileSync(join(folder, image), debugfs('root.img', 'cat /vroot.img'));
  debugfs(image, `rdump /usr/obj/root ${folder}`);
  const fresh = (name: string) => new Uint8Array(readFileSync(join(folder, 'root', name)));
  const programs = new Map([...world().programs.keys()].map((name) => [name, fresh(`bin/${name}`)]));
  const paths = readdirSync(join(folder, 'root/usr/src/src'), { recursive: true, encoding: 'utf8' }).map((name) => `src/${name}`);
  const sources = new Map(paths.filter((path) => statSync(join(folder, 'root/usr/src', path)).isFile()).map((path) => [path, fresh(`usr/src/${path}`)]));
  const built = { hostKernel: fresh('boot/host-kernel.elf'), virtualKernel: fresh('boot/vkernel'), programs, sources };
  rmSync(folder, { recursive: true });
  return built;
}

/** Compares with what Node built. */
function expectSameWorld(built: Binaries): void {
  for (const [name, bytes] of world().programs) expect(Buffer.compare(built.programs.get(name)!, bytes), name).toBe(0);
  expect(Buffer.compare(built.hostKernel, world().hostKernel), 'host kernel').toBe(0);
  expect(Buffer.compare(built.virtualKernel, world().virtualKernel), 'virtual kernel').toBe(0);
}

describe.each([['the host kernel', 'native '], ['the virtual kernel', ''], ['a virtual kernel of four CPUs', 'ncpu=4 ']])('buildworld on %s', (_name, mode) => {
  it('gives the same bytes', () => {
    const ending = new Session(`${mode}exec=make -j 8 buildworld && make check-identical`).end(BUDGET);
    expect(ending.text).toMatch(/^identical\nidentical\n$/m);
    expect(ending.code).toBe(0);
    for (const name of world().programs.keys()) expect(ending.text).toContain(`gtc src/user/${name}.ts -o /usr/obj/bin/${name}`);
    if (!hasFsTools) return;
    const built = freshRoot(ending.disk, mode !== 'native ');
    expectSameWorld(built);
    if (mode === '') bootAndBuild(built);
  }, 600_000);
});

/** The fresh root that was made in the virtual kernel, sources and all, is booted and builds the world again. */
function bootAndBuild(built: FreshRoot): void {
  expect([...built.sources.keys()].sort()).toEqual(sourceFiles(ROOT));
  const session = new Session('native exec=make -j 8 buildworld', rootWith(built, built.sources), built.hostKernel);
  const ending = session.end(BUDGET);
  expect(ending.text).toMatch(/^identical$/m);
  expectSameWorld(freshRoot(ending.disk, false));
}

describe('a changed source', () => {
  it('makes what the compiler had read it for again, and nothing else', () => {
    const pause = 'gtc src/user/gtc.ts -o /tmp/gtc --bind rt=src/libc'; // files' times are whole seconds
    const ending = converse(`native exec=make world > /dev/null; ${pause}; echo // >> src/user/sh-parse.ts; make -n world; echo // >> src/libc/tls.ts; make -n world`, [], undefined, BUDGET);
    const made = [...ending.text.matchAll(/-o \/usr\/obj\/(\S+)/g)].map((match) => match[1]);
    expect(made[0]).toBe('bin/sh');
    expect(new Set(made.slice(1))).toEqual(new Set([...[...world().programs.keys()].map((name) => `bin/${name}`), 'boot/vkernel']));
  }, 400_000);
});

describe('a difference', () => {
  it('of one byte is noticed, whichever file it is in', () => {
    const spoil = 'cp $f /tmp/kept; sed s/ELF/ELG/ /tmp/kept > $f; make check-identical; echo status $?; cp /tmp/kept $f';
    const ending = converse(`native exec=make -j 8 buildworld > /dev/null; for f in /usr/obj/root/bin/* /usr/obj/root/boot/*; do ${spoil}; done; make check-identical`, [], undefined, BUDGET);
    const noticed = [...ending.text.matchAll(/^\/usr\/obj\/root\/(\S+) \S+ differ: byte 4\nmake: \S+: error 1\nstatus 2$/gm)].map((match) => match[1]);
    expect(noticed.sort()).toEqual([...[...world().programs.keys()].map((name) => `bin/${name}`), 'boot/host-kernel.elf', 'boot/vkernel'].sort());
    expect(ending.text).toMatch(/^identical\n$/m);
    expect(ending.code).toBe(0);
  }, 400_000);
});

describe('a dependency that is left out', () => {
  it('of a generated file makes the build fail', () => {
    const ending = converse('native exec=make clean > /dev/null; rm src/libc/stubs.ts; sed "s/ .(STUBS)\$//" Makefile > /tmp/Makefile; make -f /tmp/Makefile /usr/obj/bin/echo; echo status $?; make /usr/obj/bin/echo');
    expect(ending.text).toMatch(/error: can't read src\/libc\/stubs\.ts\n[^]*^make: \/usr\/obj\/bin\/echo: error 1\nstatus 2$/m);
    expect(ending.code).toBe(0);
  }, 120_000);

  it('of a source makes the result differ from that of a clean build', () => {
    const pause = 'gtc src/user/vi.ts -o /tmp/vi --bind rt=src/libc'; // files' times are whole seconds
    const edit = 'sed "s/No such file/No file/" src/abi/errno.ts > /tmp/errno.ts; cp /tmp/errno.ts src/abi/errno.ts';
    const forget = 'sed "/abi.errno.ts/d" /usr/obj/dep/cat > /tmp/dep; cp /tmp/dep /usr/obj/dep/cat';
    const ending = converse(`native exec=make /usr/obj/bin/cat; ${forget}; ${pause}; ${edit}; make /usr/obj/bin/cat; cp /usr/obj/bin/cat /tmp/cat; make clean > /dev/null; make /usr/obj/bin/cat; cmp /tmp/cat /usr/obj/bin/cat`);
    expect(ending.text).toMatch(/^\/tmp\/cat \/usr\/obj\/bin\/cat differ/m);
    expect(ending.code).toBe(1);
  }, 120_000);
});
