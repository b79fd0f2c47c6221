// Which physical pages may a VM space reach? This oracle stands outside the guest. It hears of every page walk that user code
// makes in a space (hook of the CPU, observation only: each fills one entry of the TLB, and there is no access without one), computes from RAM what MAP_VPAGETABLE allows there, and compares;
// at the first walk after each entry it also goes through the whole hardware page table of the space.
//
// From the guest it knows what test/guest/isolation-fuzz.ts says in its mailbox: which space runs, and what is mapped in it.
// Where the pages of the images lie it finds out itself, by the marks that they bear before the first seed. Kernel data is never
// looked at. A walk through a table that user code could write since the last invalidation shows what that code wanted: then
// any page of the image will do, and nothing else.

import type { Machine } from '../../src/pc/machine.ts';
import { MAIL, MAPPING, READY_ADDRESS } from './mailbox.ts';

const V = 1;
const RW = 2;
const U = 4;
const A = 0x20;
const M = 0x40;
const PS = 0x80;
const USER_DIRECTORY = 0xbfc00000 >>> 22;
const KIND_TREE = 1;
const KIND_LINEAR = 2;
const IMAGE_MAGIC = 0x1511d0a1;
const SECRET_MAGIC = 0x5ec4e7a1;

export interface Violation {
  readonly seed: number;
  readonly what: string;
}

/** What a mapping allows at an address: a page of RAM, any page of the image, or private memory; null: nothing. */
type Allowed = { readonly page: number } | 'image' | 'private' | null;

interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
  readonly kind: number;
  readonly root: number;
}

export class Oracle {
  /** The first thing that should not have happened. */
  violation: Violation | null = null;
  walks = 0;
  /** Of those, through tables that user code could write. */
  loose = 0;
  audits = 0;
  private readonly words: Uint32Array;
  private readonly image: number[] = [];
  private readonly imagePages = new Set<number>();
  private readonly secretPages = new Set<number>();
  private readonly written = new Set<number>();
  private mail = -1;
  private ownCr3 = -1;
  private lastCr3 = -1;
  private epoch = -1;

  constructor(private readonly machine: Machine) {
    const { ram } = machine.cpu;
    this.words = new Uint32Array(ram.buffer, ram.byteOffset, ram.length >> 2);
    machine.cpu.setHooks({ walk: (la, page, write, user) => (user ? this.walked(la, page, write) : undefined) });
  }

  private walked(la: number, page: number, write: boolean): void {
    if (this.violation) return;
    const { cr3 } = this.machine.cpu.state;
    if (this.mail < 0) {
      if (la >>> 12 === READY_ADDRESS >>> 12) this.begin(cr3);
      return;
    }
    const entered = cr3 !== this.lastCr3;
    this.lastCr3 = cr3;
    if (cr3 === this.ownCr3) return;
    const space = this.word(MAIL.current);
    if (space === 0) return this.report(`cr3 ${hex(cr3)} runs, but no space should`);
    this.walks++;
    this.newEpoch();
    if (entered) this.audit(space - 1, cr3);
    if (write && this.imagePages.has(page)) this.written.add(page);
    if (this.check(space - 1, la, page, write, 'an access to', true) === 'image') this.loose++;
  }

  /** The program is ready: find its mailbox and the pages of both images. */
  private begin(cr3: number): void {
    const { words } = this;
    for (let at = 0; at < words.length; at += 1024) {
      if (words[at] === MAIL.magic0 && words[at + 1] === MAIL.magic1) this.mail = at;
    }
    if (this.mail < 0) return this.report('the program has no mailbox');
    for (let at = 0; at < words.length; at += 1024) {
      if (words[at + 2] !== (~words[at]! >>> 0)) continue;
      if (words[at] === IMAGE_MAGIC) this.image[words[at + 1]!] = at * 4;
      else if (words[at] === SECRET_MAGIC) this.secretPages.add(at * 4);
    }
    for (const page of this.image) if (page !== undefined) this.imagePages.add(page);
    this.ownCr3 = cr3;
    if (this.imagePages.size !== this.word(MAIL.imagePages) || this.secretPages.size !== this.word(MAIL.secretPages)) {
      this.report(`found ${this.imagePages.size} pages of the image and ${this.secretPages.size} secret ones`);
    }
  }

  /** Everything was invalidated: what tables say counts again. The page of the code changes without that. */
  private newEpoch(): void {
    const epoch = this.word(MAIL.epoch);
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    this.written.clear();
    this.written.add(this.image.at(-1)!);
  }

  /** Reports an access that is not allowed. Returns what is. */
  private check(space: number, la: number, page: number, write: boolean, what: string, accessed: boolean): Allowed {
    const allowed = this.allowedAt(space, la, write, accessed);
    const fine = allowed === null ? false : allowed === 'image' ? this.imagePages.has(page)
      : allowed === 'private' ? !this.imagePages.has(page) && !this.secretPages.has(page) : allowed.page === page;
    if (fine) return allowed;
    const wanted = allowed === null ? 'nothing' : typeof allowed === 'string' ? `a page of ${allowed}` : hex(allowed.page);
    this.report(`space ${space + 1}: ${what} ${hex(la)} ${write ? 'for writing ' : ''}reaches page ${hex(page)}; allowed is ${wanted}`);
    return allowed;
  }

  /** What the mappings of a space allow at an address. `accessed`: table entries on the way must say so. */
  private allowedAt(space: number, la: number, write: boolean, accessed: boolean): Allowed {
    const mapping = this.mappings(space).find(({ start, end }) => la >= start && la < end);
    if (mapping === undefined) return null;
    const index = (mapping.offset + (la - mapping.start)) >>> 12;
    if (mapping.kind === KIND_TREE) return this.treeAt(mapping.root, index, write, accessed);
    return mapping.kind === KIND_LINEAR ? this.imagePage(index) : 'private';
  }

  private treeAt(root: number, index: number, write: boolean, accessed: boolean): Allowed {
    const marks = accessed ? (write ? A | M : A) : 0;
    let vpte = root;
    let remaining = 20;
    let loose = false;
    for (;;) {
      if (!(vpte & V) || (write && !(vpte & RW))) return loose ? 'image' : null;
      if (remaining === 0 || vpte & PS) break;
      const table = this.image[vpte >>> 12];
      if (table === undefined) return loose ? 'image' : null;
      loose ||= this.written.has(table);
      remaining -= 10;
      vpte = this.words[(table >>> 2) + ((index >>> remaining) & 1023)]!;
      if (vpte & V && (vpte & marks) !== marks && !loose) return null;
    }
    if (loose) return 'image';
    return this.imagePage((vpte >>> 12) + (index & ((1 << remaining) - 1)));
  }

  private imagePage(index: number): Allowed {
    const page = this.image[index];
    return page === undefined ? null : { page };
  }

  /** Everything that user code of the space could reach without another fault. */
  private audit(space: number, cr3: number): void {
    this.audits++;
    const directory = (cr3 & 0xfffff000) >>> 2;
    for (let slot = 0; slot < USER_DIRECTORY; slot++) {
      const pde = this.words[directory + slot]!;
      if ((pde & (V | U)) !== (V | U)) continue;
      for (let i = 0; i < 1024; i++) {
        const pte = this.words[((pde & 0xfffff000) >>> 2) + i]!;
        if ((pte & (V | U)) !== (V | U)) continue;
        const la = ((slot << 22) | (i << 12)) >>> 0;
        const writable = (pte & pde & RW) !== 0;
        if (writable && this.imagePages.has((pte & 0xfffff000) >>> 0)) this.written.add((pte & 0xfffff000) >>> 0);
        this.check(space, la, (pte & 0xfffff000) >>> 0, writable, 'a page table entry for', writable);
      }
    }
    for (let slot = USER_DIRECTORY; slot < 1024; slot++) {
      if ((this.words[directory + slot]! & (V | U)) === (V | U)) this.report(`directory slot ${slot} is open to user code`);
    }
  }

  private mappings(space: number): Mapping[] {
    const at = this.mail + MAPPING.first + space * MAPPING.spaceWords;
    return Array.from({ length: this.words[at]! }, (_, i) => {
      const [start, end, offset, kind, root] = this.words.subarray(at + 1 + i * MAPPING.words, at + 1 + (i + 1) * MAPPING.words);
      return { start: start!, end: end!, offset: offset!, kind: kind!, root: root! };
    });
  }

  private word(at: number): number {
    return this.words[this.mail + at]!;
  }

  private report(what: string): void {
    this.violation ??= { seed: this.mail < 0 ? -1 : this.word(MAIL.seed), what };
    this.machine.interrupt();
  }
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}
