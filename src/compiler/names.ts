// Interned identifiers: every distinct spelling is one small integer, so that the compiler compares and stores numbers.
// Ids are given in order of first appearance and are therefore the same on every machine.

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
    return this.intern(text, 0, text.length);
  }

  /** Id of source[start..end). Allocates nothing when the name is known. */
  intern(source: string, start: i32, end: i32): i32 {
    let hash = 0;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + source.charCodeAt(i)) | 0;
    let slot = (hash ^ (hash >>> 15)) & this.mask;
    while (this.table[slot]! != 0) {
      const id = this.table[slot]! - 1;
      if (this.hashes[id]! == hash && sameText(this.texts[id]!, source, start, end)) return id;
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

function sameText(text: string, source: string, start: i32, end: i32): bool {
  if (text.length != end - start) return false;
  for (let i = start; i < end; i++) {
    if (text.charCodeAt(i - start) != source.charCodeAt(i)) return false;
  }
  return true;
}
