// The micro-op cache: which physical pages have been decoded, in which mode, and where their micro-ops are.
// A page descriptor owns a slot table (page offset -> micro-op) and a list of chunks holding the micro-ops. A write to a
// decoded granule drops the page: its micro-ops become `none`, which leaves the trace, so even the trace that is running
// notices. Dropped chunks are used again only by a later decode, when no trace is running. Nothing allocates.
import * as L from './layout.ts';

const CHUNK_BYTES = 2048;
const CHUNK = { desc: 0, next: 4, used: 8 } as const;   // in the first record of a chunk

export class CodeCache {
  private readonly i32: Int32Array;
  private readonly u16: Uint16Array;
  private descCount = 0;
  private chunkEnd: number = L.UOPS;
  private freeChunks = 0;
  private readonly granules: Int32Array;

  constructor(buffer: ArrayBufferLike) {
    this.i32 = new Int32Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.granules = this.i32.subarray(L.GRANULES >> 2, L.PAGE_ATTR >> 2);
  }

  /** Descriptor of a page in a mode, 0 = none. */
  find(page: number, mode: number): number {
    const i32 = this.i32;
    let d = i32[(L.PAGE_DIR >> 2) + (page >>> 12)]!;
    while (d !== 0 && i32[(d + L.D.mode) >> 2] !== mode) d = i32[(d + L.D.next) >> 2]!;
    return d;
  }

  /** Makes a descriptor; 0 when the cache is full and must be flushed first. */
  create(page: number, mode: number): number {
    if (this.descCount >= L.SLOT_TABLE_COUNT) return 0;
    const i32 = this.i32;
    const d = L.PAGE_DESC + this.descCount * L.PAGE_DESC_BYTES;
    const head = (L.PAGE_DIR >> 2) + (page >>> 12);
    i32[(d + L.D.next) >> 2] = i32[head]!;
    i32[(d + L.D.page) >> 2] = page;
    i32[(d + L.D.mode) >> 2] = mode;
    i32[(d + L.D.slots) >> 2] = L.SLOT_TABLES + this.descCount * L.SLOT_TABLE_BYTES;
    i32[(d + L.D.chunks) >> 2] = 0;
    i32[(d + L.D.before) >> 2] = 0;
    i32[head] = d;
    this.descCount++;
    return d;
  }

  slots(desc: number): number { return this.i32[(desc + L.D.slots) >> 2]!; }
  page(desc: number): number { return this.i32[(desc + L.D.page) >> 2]!; }
  mode(desc: number): number { return this.i32[(desc + L.D.mode) >> 2]!; }
  descOf(uop: number): number { return this.i32[((uop & -CHUNK_BYTES) + CHUNK.desc) >> 2]!; }

  /** Where at least `records` micro-ops can be appended to a page: an address, or 0 when the cache is full. */
  room(desc: number, records: number): number {
    const i32 = this.i32;
    const chunk = i32[(desc + L.D.chunks) >> 2]!;
    if (chunk !== 0) {
      const used = i32[(chunk + CHUNK.used) >> 2]!;
      if (used + records * L.UOP_BYTES <= CHUNK_BYTES) return chunk + used;
    }
    let fresh = this.freeChunks;
    if (fresh !== 0) this.freeChunks = i32[(fresh + CHUNK.next) >> 2]!;
    else if (this.chunkEnd < L.UOPS_END) { fresh = this.chunkEnd; this.chunkEnd += CHUNK_BYTES; }
    else return 0;
    i32[(fresh + CHUNK.desc) >> 2] = desc;
    i32[(fresh + CHUNK.next) >> 2] = chunk;
    i32[(fresh + CHUNK.used) >> 2] = L.UOP_BYTES;
    i32[(desc + L.D.chunks) >> 2] = fresh;
    return fresh + L.UOP_BYTES;
  }

  /** Records that fit behind an address in its chunk. */
  capacity(at: number): number { return (CHUNK_BYTES - (at & (CHUNK_BYTES - 1))) / L.UOP_BYTES; }

  /** Micro-ops now end at `end`. */
  used(end: number): void {
    const chunk = (end - L.UOP_BYTES) & -CHUNK_BYTES;
    this.i32[(chunk + CHUNK.used) >> 2] = end - chunk;
  }

  /** Marks the granules of code bytes; true when the page had none before. */
  mark(page: number, from: number, to: number): boolean {
    const at = (page >>> 12) << 1;
    const g = this.granules;
    const first = (g[at]! | g[at + 1]!) === 0;
    for (let n = from >> 6; n <= (to - 1) >> 6 && n < 64; n++) g[at + (n >> 5)]! |= 1 << (n & 31);
    return first;
  }

  hasCode(page: number): boolean {
    const at = (page >>> 12) << 1;
    return (this.granules[at]! | this.granules[at + 1]!) !== 0;
  }

  /** Forgets the micro-ops of a physical page in all modes. */
  drop(page: number): void {
    const i32 = this.i32;
    let d = i32[(L.PAGE_DIR >> 2) + (page >>> 12)]!;
    const at = (page >>> 12) << 1;
    this.granules[at] = 0; this.granules[at + 1] = 0;
    while (d !== 0) {
      this.dropDesc(d);
      const before = i32[(d + L.D.before) >> 2]!;
      i32[(d + L.D.before) >> 2] = 0;
      if (before !== 0) this.drop(before - 1);
      d = i32[(d + L.D.next) >> 2]!;
    }
  }

  /** Notes that an instruction reaches from one page into another: what drops the second must drop the first. */
  join(first: number, secondDesc: number): void {
    const at = (secondDesc + L.D.before) >> 2;
    const old = this.i32[at]!;
    this.i32[at] = first + 1;
    if (old !== 0 && old !== first + 1) this.drop(old - 1);
  }

  private dropDesc(d: number): void {
    const i32 = this.i32;
    const slots = i32[(d + L.D.slots) >> 2]!;
    let chunk = i32[(d + L.D.chunks) >> 2]!;
    while (chunk !== 0) {
      const end = chunk + i32[(chunk + CHUNK.used) >> 2]!;
      for (let p = chunk + L.UOP_BYTES; p < end; p += L.UOP_BYTES) {
        this.u16[p >> 1] = 0;
        i32[(slots >> 2) + (this.u16[(p + L.U.off) >> 1]! & 0xfff)] = 0;
      }
      const next = i32[(chunk + CHUNK.next) >> 2]!;
      i32[(chunk + CHUNK.next) >> 2] = this.freeChunks;
      this.freeChunks = chunk;
      chunk = next;
    }
    i32[(d + L.D.chunks) >> 2] = 0;
  }

  /** Forgets everything. The caller flushes the code TLB. */
  clear(): void {
    const i32 = this.i32;
    for (let n = 0; n < this.descCount; n++) {
      const d = L.PAGE_DESC + n * L.PAGE_DESC_BYTES;
      const page = i32[(d + L.D.page) >> 2]!;
      i32[(L.PAGE_DIR >> 2) + (page >>> 12)] = 0;
      this.granules[(page >>> 12) << 1] = 0;
      this.granules[((page >>> 12) << 1) + 1] = 0;
    }
    i32.fill(0, L.SLOT_TABLES >> 2, (L.SLOT_TABLES + this.descCount * L.SLOT_TABLE_BYTES) >> 2);
    this.descCount = 0;
    this.chunkEnd = L.UOPS;
    this.freeChunks = 0;
  }
}
