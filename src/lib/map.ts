// Map<K, V>: a hash table that keeps the order of insertion. Keys are strings or integers of at most 32 bits. Entries lie in
// three parallel arrays in order of insertion; a removed one stays as a gap until the next rehash closes the gaps.

import { rtPanic } from "rt/rt.ts";

const EMPTY: i32 = -1;

function hashText(s: string): u32 {
  let hash: u32 = s.length as u32;
  let p = changetype<usize>(s) + 4;
  const end = p + (s.length as usize);
  while (p + 4 <= end) {
    hash = (Math.imul(hash ^ load<u32>(p), 0x9e3779b1) ^ (hash >>> 15)) >>> 0;
    p += 4;
  }
  for (; p < end; p++) hash = Math.imul(hash ^ load<u8>(p), 16777619) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}

function hashNumber(n: u32): u32 {
  const h: u32 = Math.imul(n ^ (n >>> 16), 0x45d9f3b) >>> 0;
  return (h ^ (h >>> 15)) >>> 0;
}

function hashOf<K>(key: K): u32 {
  if (isString<K>()) return hashText(changetype<string>(key));
  return hashNumber(changetype<u32>(key));
}

export class Map<K, V> {
  size: i32 = 0;
  private entryKeys: K[] = [];
  private entryValues: V[] = [];
  private next: i32[] = [];        // chain of entries in a bucket; -2 marks a removed entry
  private buckets: i32[] = [];
  private last: i32 = EMPTY;       // entry found last: it is often asked for again

  private find(key: K): i32 {
    const count = this.buckets.length;
    if (count == 0) return EMPTY;
    const last = this.last;
    if (last != EMPTY && changetype<usize>(this.entryKeys[last]!) == changetype<usize>(key)) return last;
    let i = this.buckets[(hashOf<K>(key) & ((count - 1) as u32)) as i32]!;
    while (i != EMPTY) {
      if (this.entryKeys[i]! == key) {
        this.last = i;
        return i;
      }
      i = this.next[i]!;
    }
    return EMPTY;
  }

  has(key: K): boolean {
    return this.find(key) != EMPTY;
  }

  get(key: K): V {
    const i = this.find(key);
    if (i == EMPTY) rtPanic("Map.get of a missing key");
    return this.entryValues[i]!;
  }

  set(key: K, value: V): Map<K, V> {
    const i = this.find(key);
    if (i != EMPTY) {
      this.entryValues[i] = value;
      return this;
    }
    if (this.entryKeys.length >= this.buckets.length) this.rehash();
    this.entryKeys.push(key);
    this.entryValues.push(value);
    this.next.push(EMPTY);
    this.link(this.entryKeys.length - 1);
    this.size++;
    return this;
  }

  private link(entry: i32): void {
    const b = (hashOf<K>(this.entryKeys[entry]!) & ((this.buckets.length - 1) as u32)) as i32;
    this.next[entry] = this.buckets[b]!;
    this.buckets[b] = entry;
  }

  /** Close the gaps, and double the buckets when entries without gaps still need it. */
  private rehash(): void {
    let kept = 0;
    this.last = EMPTY;
    for (let i = 0; i < this.entryKeys.length; i++) {
      if (this.next[i]! < EMPTY) continue;
      this.entryKeys[kept] = this.entryKeys[i]!;
      this.entryValues[kept] = this.entryValues[i]!;
      this.next[kept] = EMPTY;
      kept++;
    }
    this.entryKeys.length = kept;
    this.entryValues.length = kept;
    this.next.length = kept;
    let count = this.buckets.length == 0 ? 8 : this.buckets.length;
    if (kept * 4 > count * 3) count = count * 2;
    while (this.buckets.length < count) this.buckets.push(EMPTY);
    for (let i = 0; i < count; i++) this.buckets[i] = EMPTY;
    for (let i = 0; i < kept; i++) this.link(i);
  }

  delete(key: K): boolean {
    const entry = this.find(key);
    if (entry == EMPTY) return false;
    const b = (hashOf<K>(key) & ((this.buckets.length - 1) as u32)) as i32;
    if (this.buckets[b]! == entry) this.buckets[b] = this.next[entry]!;
    else {
      let i = this.buckets[b]!;
      while (this.next[i]! != entry) i = this.next[i]!;
      this.next[i] = this.next[entry]!;
    }
    this.next[entry] = -2;
    this.last = EMPTY;
    this.size--;
    return true;
  }

  keys(): K[] {
    const result: K[] = [];
    for (let i = 0; i < this.entryKeys.length; i++) {
      if (this.next[i]! >= EMPTY) result.push(this.entryKeys[i]!);
    }
    return result;
  }

  values(): V[] {
    const result: V[] = [];
    for (let i = 0; i < this.entryKeys.length; i++) {
      if (this.next[i]! >= EMPTY) result.push(this.entryValues[i]!);
    }
    return result;
  }

  clear(): void {
    this.size = 0;
    this.last = EMPTY;
    this.entryKeys.length = 0;
    this.entryValues.length = 0;
    this.next.length = 0;
    for (let i = 0; i < this.buckets.length; i++) this.buckets[i] = EMPTY;
  }

  /** Give back the memory of the table; free() calls this. */
  release(): void {
    free(this.entryKeys);
    free(this.entryValues);
    free(this.next);
    free(this.buckets);
  }
}
