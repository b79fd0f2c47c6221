// From names to vnodes. A Nameidata holds one path and what it led to; there are two, because rename and link need two.
//
// Rules: a walk gives references to nd.vp and, when asked for the parent, nd.dir; nameRelease drops them. Who walks
// holds the file system's lock until the result has been used, so the two records are enough for all processes.

import { EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR } from '../abi/errno.ts';
import { fsLock, fsUnlock } from './lock.ts';
import { curLwp } from './proc.ts';
import { rootVnode } from './vfs.ts';
import { Vnode, VT_DIR, VT_LNK } from './vnode.ts';
import { copyinstr } from 'machine/copyio.ts';

export const PATH_MAX: u32 = 1024;
const NAME_MAX: u32 = 255;
const MAX_LINKS: i32 = 16;
const SLASH: u8 = 47;
export const ANY_EXECUTE: u32 = 0x49;

/** Flags of a walk: follow a symbolic link at the end; find the parent too, and let the last name be missing. */
export const FOLLOW: i32 = 1;
export const PARENT: i32 = 2;

export class Nameidata {
  vp: Vnode | null = null;
  dir: Vnode | null = null;
  /** The last component, in the path. */
  name: usize = 0;
  length: u32 = 0;
  /** The path ended in a slash: it must be a directory. */
  slash: bool = false;
  path!: FixedArray<u8, 1024>;
}

let first!: Embed<Nameidata>;
let second!: Embed<Nameidata>;
let target!: FixedArray<u8, 1024>;
let pathLength!: FixedArray<u32, 1>;

/** Walk the path at a user address; the result is in the returned record of nameFirst or nameSecond. */
export function nameUser(nd: Nameidata, path: usize, flags: i32): i32 {
  const error = copyinstr(path, changetype<usize>(nd.path), PATH_MAX, changetype<Ptr<u32>>(addressof(pathLength)));
  return error != 0 ? error : walk(nd, flags);
}

/** Walk a path that the kernel has. */
function nameKernel(nd: Nameidata, path: string, flags: i32): i32 {
  const bytes = (path.length as u32) + 1;
  if (bytes > PATH_MAX) return ENAMETOOLONG;
  memory.copy(changetype<usize>(nd.path), changetype<usize>(path) + 4, bytes);
  return walk(nd, flags);
}

export function nameFirst(): Nameidata {
  return first;
}

export function nameSecond(): Nameidata {
  return second;
}

/** Drop the references of a walk. */
export function nameRelease(nd: Nameidata): void {
  if (nd.vp != null) nd.vp.unref();
  if (nd.dir != null) nd.dir.unref();
  nd.vp = null;
  nd.dir = null;
}

/** Why the last lookup returned null. */
export let lookupError: i32 = 0;

/** The vnode of a kernel path, symbolic links followed, with a reference; null with lookupError. */
export function lookup(path: string): Vnode | null {
  fsLock();
  const error = nameKernel(first, path, FOLLOW);
  const vp = error == 0 ? first.vp : null;
  first.vp = null;
  fsUnlock();
  lookupError = error;
  return vp;
}

function walk(nd: Nameidata, flags: i32): i32 {
  nd.vp = null;
  nd.dir = null;
  nd.length = 0;
  nd.slash = false;
  const start = changetype<usize>(nd.path);
  if (load<u8>(start) == 0) return ENOENT;
  let at: Vnode = load<u8>(start) == SLASH ? rootVnode() : curLwp.proc.fd!.cwd;
  at.ref();
  const error = walkFrom(nd, at, flags);
  if (error != 0) nameRelease(nd);
  return error;
}

function skipSlashes(at: usize): usize {
  let p = at;
  while (load<u8>(p) == SLASH) p++;
  return p;
}

function nameEnd(at: usize): usize {
  let p = at;
  while (load<u8>(p) != SLASH && load<u8>(p) != 0) p++;
  return p;
}

/** Walk on from directory `from`, whose reference is taken over. */
function walkFrom(nd: Nameidata, from: Vnode, flags: i32): i32 {
  let dir = from;
  let p = skipSlashes(changetype<usize>(nd.path));
  let links: i32 = 0;
  while (load<u8>(p) != 0) {
    const end = nameEnd(p);
    const rest = skipSlashes(end);
    const last = load<u8>(rest) == 0;
    nd.name = p;
    nd.length = end - p;
    nd.slash = last && rest != end;
    const error = step(nd, dir);
    if (error == ENOENT && last && (flags & PARENT) != 0) {
      nd.dir = dir;
      return 0;
    }
    if (error != 0) {
      dir.unref();
      return error;
    }
    const vp = nd.vp!;
    nd.vp = null;
    if (vp.type == VT_LNK && (!last || nd.slash || (flags & FOLLOW) != 0)) {
      links++;
      const failed = links > MAX_LINKS ? ELOOP : expand(nd, vp, end);
      vp.unref();
      if (failed != 0) dir.unref();
      if (failed != 0) return failed;
      p = changetype<usize>(nd.path);
      if (load<u8>(p) == SLASH) {
        dir.unref();
        dir = rootVnode();
        dir.ref();
      }
      p = skipSlashes(p);
      continue;
    }
    if (last) return finish(nd, dir, vp, flags);
    dir.unref();
    dir = vp;
    p = rest;
  }
  nd.vp = dir;               // "/" or a link to it
  return (flags & PARENT) != 0 ? EISDIR : 0;
}

function step(nd: Nameidata, dir: Vnode): i32 {
  if (dir.type != VT_DIR) return ENOTDIR;
  if (nd.length > NAME_MAX) return ENAMETOOLONG;
  return dir.lookup(nd);
}

/** The last component is found. */
function finish(nd: Nameidata, dir: Vnode, vp: Vnode, flags: i32): i32 {
  nd.vp = vp;
  if ((flags & PARENT) != 0) nd.dir = dir;
  else dir.unref();
  return nd.slash && vp.type != VT_DIR ? ENOTDIR : 0;
}

/** Replace the path by the target of symbolic link `vp` and what follows the link at `rest`. */
function expand(nd: Nameidata, vp: Vnode, rest: usize): i32 {
  let restLength: u32 = 0;
  while (load<u8>(rest + restLength) != 0) restLength++;
  const n = vp.readlink(addressof(target), PATH_MAX);
  if (n == 0) return ENOENT;
  if (n + restLength + 1 > PATH_MAX) return ENAMETOOLONG;
  const path = changetype<usize>(nd.path);
  memory.copy(path + n, rest, restLength + 1);
  memory.copy(path, addressof(target), n);
  return 0;
}
