// Writes ext2 file systems: revision 1, 4 KiB blocks, 128-byte inodes, directory entries with file types, no journal.
// The same description always gives the same bytes: times and the UUID are fixed, entries are sorted by name, and blocks are
// handed out in the order of the tree. Blocks of zeros in file contents become holes. The result passes `e2fsck -fn`.

export interface FileSpec {
  /** Absolute path; missing parent directories are made with mode 0755. */
  readonly path: string;
  /** Permission bits; 0644 for files, 0755 for directories. */
  readonly mode?: number;
  readonly data?: Uint8Array | string;
  readonly symlink?: string;
  /** Character device number, major << 8 | minor. */
  readonly dev?: number;
  readonly directory?: boolean;
}

export interface Ext2Options {
  readonly sizeMiB: number;
  readonly files: readonly FileSpec[];
  /** Volume name, at most 16 bytes. */
  readonly label?: string;
  /** Inodes in all; by default one for every 16 KiB. */
  readonly inodes?: number;
}

/** Modification time of everything in an image: 31 December 2006, 00:00 UTC, a day before our PC is switched on. */
export const IMAGE_TIME = 1167523200;

const BLOCK = 4096;
const BLOCKS_PER_GROUP = 8 * BLOCK;
const INODE_SIZE = 128;
const INODES_PER_BLOCK = BLOCK / INODE_SIZE;
const POINTERS = BLOCK / 4;
const DIRECT = 12;
const ROOT_INO = 2;
const FIRST_INO = 11;
const SUPER_OFFSET = 1024;
const DESCRIPTOR_SIZE = 32;
const FAST_SYMLINK = 60;

const S_IFCHR = 0x2000;
const S_IFDIR = 0x4000;
const S_IFREG = 0x8000;
const S_IFLNK = 0xa000;
/** Directory entry types by the top four mode bits. */
const FILE_TYPES: Record<number, number> = { [S_IFREG]: 1, [S_IFDIR]: 2, [S_IFCHR]: 3, [S_IFLNK]: 7 };

interface Node {
  name: string;
  mode: number;
  ino: number;
  data: Uint8Array;
  dev: number;
  children: Map<string, Node>;
}

interface Layout {
  readonly blocks: number;
  readonly groups: number;
  readonly inodesPerGroup: number;
  readonly descriptorBlocks: number;
  readonly tableBlocks: number;
  /** Metadata blocks at the start of each group. */
  readonly overhead: number;
}

/** An ext2 file system of `sizeMiB` with these files; throws when they do not fit. */
export function buildExt2(options: Ext2Options): Uint8Array {
  return new Ext2Writer(options).write();
}

class Ext2Writer {
  private readonly image: Uint8Array;
  private readonly view: DataView;
  private readonly layout: Layout;
  private readonly root: Node;
  private readonly nodes: Node[] = [];
  private readonly used: boolean[];
  private readonly usedDirs: number[];
  private nextBlock = 0;

  constructor(private readonly options: Ext2Options) {
    this.layout = planLayout(options);
    this.image = new Uint8Array(this.layout.blocks * BLOCK);
    this.view = new DataView(this.image.buffer);
    this.root = buildTree(options.files);
    this.used = new Array<boolean>(this.layout.blocks).fill(false);
    this.usedDirs = new Array<number>(this.layout.groups).fill(0);
    this.reserveMetadata();
  }

  write(): Uint8Array {
    this.numberInodes();
    this.writeTree(this.root, this.root);
    for (let group = 0; group < this.layout.groups; group++) this.writeBitmaps(group);
    for (let group = 0; group < this.layout.groups; group++) this.writeSuper(group);
    return this.image;
  }

  private reserveMetadata(): void {
    const { blocks, groups, overhead } = this.layout;
    for (let group = 0; group < groups; group++) {
      const start = group * BLOCKS_PER_GROUP;
      if (start + overhead >= blocks) throw new Error('file system: the last block group has no room for its tables');
      this.used.fill(true, start, start + overhead);
    }
  }

  /** Root is 2, lost+found 11, the rest follow in tree order. */
  private numberInodes(): void {
    this.root.ino = ROOT_INO;
    let next = FIRST_INO;
    const visit = (node: Node): void => {
      this.nodes.push(node);
      for (const child of sortedChildren(node)) {
        child.ino = next++;
        visit(child);
      }
    };
    const lost = this.root.children.get('lost+found')!;
    lost.ino = next++;
    this.nodes.push(this.root, lost);
    for (const child of sortedChildren(this.root)) {
      if (child === lost) continue;
      child.ino = next++;
      visit(child);
    }
    const room = this.layout.groups * this.layout.inodesPerGroup;
    if (next - 1 > room) throw new Error(`file system: ${next - 1} inodes are needed, there are ${room}`);
  }

  private writeTree(node: Node, parent: Node): void {
    const isDirectory = (node.mode & 0xf000) === S_IFDIR;
    if (isDirectory) node.data = this.directoryData(node, parent);
    this.writeInode(node);
    if (!isDirectory) return;
    this.usedDirs[Math.floor((node.ino - 1) / this.layout.inodesPerGroup)]!++;
    for (const child of sortedChildren(node)) this.writeTree(child, node);
  }

  private directoryData(node: Node, parent: Node): Uint8Array {
    const entries: [string, Node][] = [['.', node], ['..', parent], ...sortedChildren(node).map((child): [string, Node] => [child.name, child])];
    const blocks: Uint8Array[] = [];
    let block = new Uint8Array(BLOCK);
    let at = 0;
    let last = 0;
    const finish = (): void => {
      new DataView(block.buffer).setUint16(last + 4, BLOCK - last, true);
      blocks.push(block);
    };
    for (const [name, target] of entries) {
      const bytes = latin1(name);
      const length = (8 + bytes.length + 3) & ~3;
      if (at + length > BLOCK) {
        finish();
        block = new Uint8Array(BLOCK);
        at = 0;
      }
      const view = new DataView(block.buffer);
      view.setUint32(at, target.ino, true);
      view.setUint16(at + 4, length, true);
      block[at + 6] = bytes.length;
      block[at + 7] = FILE_TYPES[target.mode & 0xf000]!;
      block.set(bytes, at + 8);
      last = at;
      at += length;
    }
    finish();
    return concat(blocks);
  }

  private writeInode(node: Node): void {
    const at = this.inodeOffset(node.ino);
    const type = node.mode & 0xf000;
    const links = type === S_IFDIR ? 2 + [...node.children.values()].filter((child) => (child.mode & 0xf000) === S_IFDIR).length : 1;
    this.view.setUint16(at, node.mode, true);
    this.view.setUint32(at + 4, node.data.length, true);
    for (const field of [8, 12, 16]) this.view.setUint32(at + field, IMAGE_TIME, true);
    this.view.setUint16(at + 26, links, true);
    if (type === S_IFCHR) this.view.setUint32(at + 40, node.dev, true);
    else if (type === S_IFLNK && node.data.length < FAST_SYMLINK) this.image.set(node.data, at + 40);
    else this.view.setUint32(at + 28, this.writeContents(node, at + 40) * (BLOCK / 512), true);
  }

  /** Writes a file's blocks and block map at `map` in its inode; the number of blocks used. */
  private writeContents(node: Node, map: number): number {
    const count = Math.ceil(node.data.length / BLOCK);
    const keepZeros = (node.mode & 0xf000) === S_IFDIR;
    let blocks = 0;
    /** The block that a pointer names, allocated on first use. */
    const through = (pointer: number): number => {
      let block = this.view.getUint32(pointer, true);
      if (block === 0) {
        block = this.allocate(node);
        blocks++;
        this.view.setUint32(pointer, block, true);
      }
      return block * BLOCK;
    };
    for (let index = 0; index < count; index++) {
      const piece = node.data.subarray(index * BLOCK, (index + 1) * BLOCK);
      if (!keepZeros && isZero(piece)) continue;
      let pointer: number;
      if (index < DIRECT) pointer = map + index * 4;
      else if (index < DIRECT + POINTERS) pointer = through(map + DIRECT * 4) + (index - DIRECT) * 4;
      else {
        const rest = index - DIRECT - POINTERS;
        pointer = through(through(map + (DIRECT + 1) * 4) + Math.floor(rest / POINTERS) * 4) + (rest % POINTERS) * 4;
      }
      this.image.set(piece, through(pointer));
    }
    return blocks;
  }

  private allocate(node: Node): number {
    while (this.used[this.nextBlock]) this.nextBlock++;
    if (this.nextBlock >= this.layout.blocks) throw new Error(`file system: ${this.options.sizeMiB} MiB are full at ${node.name}`);
    this.used[this.nextBlock] = true;
    return this.nextBlock++;
  }

  private inodeOffset(ino: number): number {
    const group = Math.floor((ino - 1) / this.layout.inodesPerGroup);
    const index = (ino - 1) % this.layout.inodesPerGroup;
    return this.tableBlock(group) * BLOCK + index * INODE_SIZE;
  }

  private bitmapBlock(group: number): number {
    return group * BLOCKS_PER_GROUP + 1 + this.layout.descriptorBlocks;
  }

  private tableBlock(group: number): number {
    return this.bitmapBlock(group) + 2;
  }

  private usedInodes(group: number): number {
    const last = this.nodes.length + FIRST_INO - 2;
    return Math.max(0, Math.min(this.layout.inodesPerGroup, last - group * this.layout.inodesPerGroup));
  }

  private groupBlocks(group: number): number {
    return Math.min(BLOCKS_PER_GROUP, this.layout.blocks - group * BLOCKS_PER_GROUP);
  }

  private freeBlocks(group: number): number {
    const start = group * BLOCKS_PER_GROUP;
    return this.used.slice(start, start + this.groupBlocks(group)).filter((bit) => !bit).length;
  }

  private writeBitmaps(group: number): void {
    const blocks = this.bitmapBlock(group) * BLOCK;
    const size = this.groupBlocks(group);
    for (let bit = 0; bit < BLOCKS_PER_GROUP; bit++) {
      if (bit >= size || this.used[group * BLOCKS_PER_GROUP + bit]) this.setBit(blocks, bit);
    }
    const inodes = blocks + BLOCK;
    for (let bit = 0; bit < BLOCKS_PER_GROUP; bit++) {
      if (bit < this.usedInodes(group) || bit >= this.layout.inodesPerGroup) this.setBit(inodes, bit);
    }
  }

  private setBit(at: number, bit: number): void {
    this.image[at + (bit >> 3)]! |= 1 << (bit & 7);
  }

  /** The superblock and the group descriptors, of which each group has a copy. */
  private writeSuper(copy: number): void {
    const { blocks, groups, inodesPerGroup, descriptorBlocks } = this.layout;
    const at = copy * BLOCKS_PER_GROUP * BLOCK + (copy === 0 ? SUPER_OFFSET : 0);
    const put32 = (offset: number, value: number): void => this.view.setUint32(at + offset, value, true);
    const put16 = (offset: number, value: number): void => this.view.setUint16(at + offset, value, true);
    const all = Array.from({ length: groups }, (_, group) => group);
    put32(0, groups * inodesPerGroup);
    put32(4, blocks);
    put32(12, all.reduce((sum, group) => sum + this.freeBlocks(group), 0));
    put32(16, all.reduce((sum, group) => sum + inodesPerGroup - this.usedInodes(group), 0));
    put32(24, 2);                                  // block size 1024 << 2
    put32(28, 2);
    put32(32, BLOCKS_PER_GROUP);
    put32(36, BLOCKS_PER_GROUP);
    put32(40, inodesPerGroup);
    put32(48, IMAGE_TIME);
    put16(54, 0xffff);                             // never check because of the mount count
    put16(56, 0xef53);
    put16(58, 1);                                  // clean
    put16(60, 1);                                  // on errors continue
    put32(64, IMAGE_TIME);
    put32(76, 1);                                  // revision
    put32(84, FIRST_INO);
    put16(88, INODE_SIZE);
    put16(90, copy);
    put32(96, 2);                                  // incompatible features: file types in directories
    this.image.set(latin1('damselfly-ext2fs'), at + 104);
    this.image.set(latin1(this.options.label ?? 'damselfly').subarray(0, 16), at + 120);
    const descriptors = (copy * BLOCKS_PER_GROUP + 1) * BLOCK;
    if (descriptorBlocks * BLOCK < groups * DESCRIPTOR_SIZE) throw new Error('file system: too many block groups');
    for (const group of all) this.writeDescriptor(descriptors + group * DESCRIPTOR_SIZE, group);
  }

  private writeDescriptor(at: number, group: number): void {
    this.view.setUint32(at, this.bitmapBlock(group), true);
    this.view.setUint32(at + 4, this.bitmapBlock(group) + 1, true);
    this.view.setUint32(at + 8, this.tableBlock(group), true);
    this.view.setUint16(at + 12, this.freeBlocks(group), true);
    this.view.setUint16(at + 14, this.layout.inodesPerGroup - this.usedInodes(group), true);
    this.view.setUint16(at + 16, this.usedDirs[group]!, true);
  }
}

function planLayout(options: Ext2Options): Layout {
  const blocks = (options.sizeMiB * 1024 * 1024) / BLOCK;
  if (!Number.isInteger(blocks) || blocks < 64) throw new Error(`file system: ${options.sizeMiB} MiB is no valid size`);
  const groups = Math.ceil(blocks / BLOCKS_PER_GROUP);
  const wanted = options.inodes ?? blocks / 4;
  const inodesPerGroup = Math.ceil(wanted / groups / INODES_PER_BLOCK) * INODES_PER_BLOCK;
  const descriptorBlocks = Math.ceil((groups * DESCRIPTOR_SIZE) / BLOCK);
  const tableBlocks = inodesPerGroup / INODES_PER_BLOCK;
  return { blocks, groups, inodesPerGroup, descriptorBlocks, tableBlocks, overhead: 1 + descriptorBlocks + 2 + tableBlocks };
}

function newNode(name: string, mode: number): Node {
  return { name, mode, ino: 0, data: new Uint8Array(0), dev: 0, children: new Map() };
}

function buildTree(files: readonly FileSpec[]): Node {
  const root = newNode('', S_IFDIR | 0o755);
  root.children.set('lost+found', newNode('lost+found', S_IFDIR | 0o700));
  for (const spec of files) addFile(root, spec);
  return root;
}

function addFile(root: Node, spec: FileSpec): void {
  const names = spec.path.split('/').filter(Boolean);
  const last = names.pop();
  if (last === undefined) return;
  let parent = root;
  for (const name of names) {
    let next = parent.children.get(name);
    if (next === undefined) parent.children.set(name, (next = newNode(name, S_IFDIR | 0o755)));
    if ((next.mode & 0xf000) !== S_IFDIR) throw new Error(`file system: ${spec.path}: ${name} is no directory`);
    parent = next;
  }
  if (latin1(last).length > 255) throw new Error(`file system: ${spec.path}: name too long`);
  if (spec.directory && parent.children.has(last)) return;
  if (parent.children.has(last)) throw new Error(`file system: ${spec.path} is there twice`);
  parent.children.set(last, nodeOf(last, spec));
}

function nodeOf(name: string, spec: FileSpec): Node {
  if (spec.directory) return newNode(name, S_IFDIR | (spec.mode ?? 0o755));
  if (spec.symlink !== undefined) return { ...newNode(name, S_IFLNK | 0o777), data: latin1(spec.symlink) };
  if (spec.dev !== undefined) return { ...newNode(name, S_IFCHR | (spec.mode ?? 0o666)), dev: spec.dev };
  const data = spec.data ?? new Uint8Array(0);
  return { ...newNode(name, S_IFREG | (spec.mode ?? 0o644)), data: typeof data === 'string' ? latin1(data) : data };
}

function sortedChildren(node: Node): Node[] {
  return [...node.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

const ZEROS = new Uint8Array(BLOCK);

function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, ZEROS.subarray(0, bytes.length)) === 0;
}
