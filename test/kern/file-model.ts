// A model of the kernel's file system for comparison: the commands of test/kern/box/filesystem.ts on trees in memory, with
// the kernel's errors in the kernel's order.

const ENOENT = 2, EPERM = 1, EFAULT = 14, EEXIST = 17, ENOTDIR = 20, EISDIR = 21, EINVAL = 22, EMFILE = 24, ELOOP = 62, ENAMETOOLONG = 63, ENOTEMPTY = 66;
const MAX_HELD = 40;
const MAX_LINKS = 16;
const PATH_MAX = 1024;

interface Node {
  kind: 'file' | 'dir' | 'link';
  data: Buffer;
  target: string;
  entries: Map<string, Node>;
  parent: Node | null;
  links: number;
}

interface Found {
  dir: Node;
  name: string;
  node: Node | null;
}

class Failure extends Error {
  constructor(readonly code: number) {
    super();
  }
}

function makeNode(kind: Node['kind'], parent: Node | null): Node {
  return { kind, data: Buffer.alloc(0), target: '', entries: new Map(), parent, links: 1 };
}

export class FileModel {
  private readonly root: Node = makeNode('dir', null);
  private held = 0;

  constructor() {
    this.root.parent = this.root;
    this.root.entries.set('lost+found', makeNode('dir', this.root));
  }

  /** The answer to a command. */
  run(command: string): string {
    const words = command.split(' ');
    try {
      return `ok${this.execute(words[0]!, words.slice(1))}`;
    } catch (error) {
      if (error instanceof Failure) return `error ${error.code}`;
      throw error;
    }
  }

  /** All paths but lost+found and what is below symbolic links. */
  paths(): string[] {
    const visit = (node: Node, path: string): string[] =>
      [...node.entries].filter(([name]) => name !== 'lost+found').flatMap(([name, child]) => [`${path}/${name}`, ...visit(child, `${path}/${name}`)]);
    return visit(this.root, '');
  }

  files(): string[] {
    return this.paths().filter((path) => this.walk(path, false).node!.kind === 'file');
  }

  contents(path: string): Buffer {
    return this.walk(path, false).node!.data;
  }

  private execute(name: string, args: string[]): string {
    switch (name) {
      case 'create': this.enter(args[0]!, 'file'); return '';
      case 'mkdir': this.enter(args[0]!, 'dir'); return '';
      case 'symlink': this.enter(args[1]!, 'link').target = args[0]!; return '';
      case 'write': return this.write(this.file(args[0]!), Number(args[1]), Number(args[2]), Number(args[3]));
      case 'fault': this.file(args[0]!); throw new Failure(EFAULT);
      case 'read': return read(this.file(args[0]!), Number(args[1]), Number(args[2]));
      case 'truncate': return resize(this.file(args[0]!), Number(args[1]));
      case 'unlink': return this.unlink(args[0]!);
      case 'rmdir': return this.rmdir(args[0]!);
      case 'rename': return this.rename(args[0]!, args[1]!);
      case 'link': return this.link(args[0]!, args[1]!);
      case 'readlink': return this.readlink(args[0]!);
      case 'stat': return stat(this.existing(args[0]!, false));
      case 'list': return list(this.existing(args[0]!, true));
      case 'hold': return this.hold(args[0]!);
      case 'drop': this.held = 0; return '';
      case 'sync': return '';
      default: throw new Error(`no such command: ${name}`);
    }
  }

  private walk(path: string, follow: boolean): Found {
    let dir = this.root;
    let rest = path.replace(/^\/+/, '');
    let links = 0;
    for (;;) {
      const [, name, after] = /^([^/]*)\/*(.*)$/.exec(rest)!;
      if (dir.kind !== 'dir') throw new Failure(ENOTDIR);
      if (name!.length > 255) throw new Failure(ENAMETOOLONG);
      const node = name === '.' ? dir : name === '..' ? dir.parent! : dir.entries.get(name!);
      if (node === undefined) {
        if (after === '') return { dir, name: name!, node: null };
        throw new Failure(ENOENT);
      }
      if (node.kind === 'link' && (after !== '' || follow)) {
        if (++links > MAX_LINKS) throw new Failure(ELOOP);
        const tail = after === '' ? '' : `/${after}`;
        if (node.target.length + tail.length + 1 > PATH_MAX) throw new Failure(ENAMETOOLONG);
        rest = node.target + tail;
        if (rest.startsWith('/')) dir = this.root;
        rest = rest.replace(/^\/+/, '');
        continue;
      }
      if (after === '') return { dir, name: name!, node };
      dir = node;
      rest = after!;
    }
  }

  private existing(path: string, follow: boolean): Node {
    const { node } = this.walk(path, follow);
    if (node === null) throw new Failure(ENOENT);
    return node;
  }

  private file(path: string): Node {
    const node = this.existing(path, true);
    if (node.kind === 'dir') throw new Failure(EISDIR);
    return node;
  }

  private enter(path: string, kind: Node['kind']): Node {
    const { dir, name, node } = this.walk(path, false);
    if (node !== null) throw new Failure(EEXIST);
    const made = makeNode(kind, dir);
    dir.entries.set(name, made);
    return made;
  }

  private write(node: Node, offset: number, length: number, seed: number): string {
    if (offset + length > node.data.length) resize(node, offset + length);
    for (let i = 0; i < length; i++) node.data[offset + i] = (i * 7 + (i >>> 8) * 13 + seed) & 255;
    return '';
  }

  private unlink(path: string): string {
    const { dir, name, node } = this.walk(path, false);
    if (node === null) throw new Failure(ENOENT);
    if (node.kind === 'dir') throw new Failure(EPERM);
    dir.entries.delete(name);
    node.links--;
    return '';
  }

  private rmdir(path: string): string {
    const { dir, name, node } = this.walk(path, false);
    if (node === null) throw new Failure(ENOENT);
    if (node.kind !== 'dir') throw new Failure(ENOTDIR);
    if (node.entries.size > 0) throw new Failure(ENOTEMPTY);
    dir.entries.delete(name);
    return '';
  }

  private rename(fromPath: string, toPath: string): string {
    const from = this.walk(fromPath, false);
    const node = from.node;
    if (node === null) throw new Failure(ENOENT);
    const to = this.walk(toPath, false);
    const old = to.node;
    if (old === node) return '';
    if (node.kind === 'dir' && this.isBelow(to.dir, node)) throw new Failure(EINVAL);
    if (old !== null && old.kind !== 'dir' && node.kind === 'dir') throw new Failure(ENOTDIR);
    if (old !== null && old.kind === 'dir' && node.kind !== 'dir') throw new Failure(EISDIR);
    if (old !== null && old.entries.size > 0) throw new Failure(ENOTEMPTY);
    if (old !== null) old.links--;
    from.dir.entries.delete(from.name);
    to.dir.entries.set(to.name, node);
    if (node.kind === 'dir') node.parent = to.dir;
    return '';
  }

  private isBelow(dir: Node, node: Node): boolean {
    for (let at = dir; at !== this.root; at = at.parent!) if (at === node) return true;
    return false;
  }

  private link(fromPath: string, toPath: string): string {
    const node = this.existing(fromPath, true);
    const to = this.walk(toPath, false);
    if (to.node !== null) throw new Failure(EEXIST);
    if (node.kind === 'dir') throw new Failure(EPERM);
    to.dir.entries.set(to.name, node);
    node.links++;
    return '';
  }

  private readlink(path: string): string {
    const node = this.existing(path, false);
    if (node.kind !== 'link') throw new Failure(EINVAL);
    return ` ${node.target}`;
  }

  private hold(path: string): string {
    if (this.held >= MAX_HELD) throw new Failure(EMFILE);
    this.existing(path, true);
    this.held++;
    return '';
  }
}

function resize(node: Node, size: number): string {
  const data = Buffer.alloc(size);
  node.data.copy(data, 0, 0, Math.min(size, node.data.length));
  node.data = data;
  return '';
}

function read(node: Node, offset: number, length: number): string {
  const bytes = node.data.subarray(offset, offset + length);
  let sum = 0;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) >>> 0;
  return ` ${bytes.length} ${sum}`;
}

function stat(node: Node): string {
  if (node.kind === 'dir') return ` ${0x41ed} ${2 + [...node.entries.values()].filter((child) => child.kind === 'dir').length} 0`;
  if (node.kind === 'link') return ` ${0xa1ff} ${node.links} ${node.target.length}`;
  return ` ${0x81a4} ${node.links} ${node.data.length}`;
}

function list(node: Node): string {
  return node.kind === 'dir' ? [...node.entries.keys(), '.', '..'].sort().map((name) => ` ${name}`).join('') : '';
}
