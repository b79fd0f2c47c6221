// Interned identifiers: every distinct spelling is one small integer, so that the compiler compares and stores numbers.
// Ids are given in order of first appearance and are therefore the same on every machine.

/** Hash of a name that is longer by one character; that of the empty name is 0. */
export function nextHash(hash: i32, c: i32): i32 {
  return (Math.imul(hash, 31) + c) | 0;
}

export class Names {
  private texts: string[] = [];
  private hashes: i32[] = [];
  private table: i32[] = [];      // open addressing: id + 1, or 0
  private mask: i32 = 1023;

  constructor() {
    for (let i = 0; i <= this.mask; i++) this.table.push(0);
  }

  text(id: i32): string {
    return this.texts[id]!;
  }

  get(text: string): i32 {
    let hash = 0;
    for (let i = 0; i < text.length; i++) hash = nextHash(hash, text.charCodeAt(i));
    return this.intern(text, 0, text.length, hash);
  }

  /** Id of source[start..end), whose characters `nextHash` has made `hash` of. Allocates nothing when the name is known. */
  intern(source: string, start: i32, end: i32, hash: i32): i32 {
    let slot = (hash ^ (hash >>> 15)) & this.mask;
    while (this.table[slot]! != 0) {
      const id = this.table[slot]! - 1;
      if (this.hashes[id]! == hash && this.texts[id]!.length == end - start && source.startsWith(this.texts[id]!, start)) return id;
      slot = (slot + 1) & this.mask;
    }
    return this.add(source.substring(start, end), hash, slot);
  }

  private add(text: string, hash: i32, slot: i32): i32 {
    const id = this.texts.length;
    this.texts.push(text);
    this.hashes.push(hash);
    this.table[slot] = id + 1;
    if (id * 2 > this.mask) this.grow();
    return id;
  }

  private grow(): void {
    this.mask = this.mask * 2 + 1;
    while (this.table.length <= this.mask) this.table.push(0);
    for (let i = 0; i <= this.mask; i++) this.table[i] = 0;
    for (let id = 0; id < this.texts.length; id++) {
      const hash = this.hashes[id]!;
      let slot = (hash ^ (hash >>> 15)) & this.mask;
      while (this.table[slot]! != 0) slot = (slot + 1) & this.mask;
      this.table[slot] = id + 1;
    }
  }
}
