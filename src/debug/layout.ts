// Where the fields of a guest kernel's records lie: the listing that gtc writes with --layout, read by name. Who asks for
// a field that the kernel does not have has made a mistake, and hears which.

export class Layout {
  private readonly offsets = new Map<string, number>();
  private readonly sizes = new Map<string, number>();

  /** @param listing lines `Class size N` and `Class.field OFFSET SIZE` */
  constructor(listing: string) {
    for (const line of listing.split('\n')) {
      const words = line.split(' ');
      if (words.length !== 3) continue;
      if (words[1] === 'size') this.sizes.set(words[0]!, Number(words[2]));
      else this.offsets.set(words[0]!, Number(words[1]));
    }
  }

  has(field: string): boolean {
    return this.offsets.has(field);
  }

  /** Offset of `Class.field` in bytes. */
  offset(field: string): number {
    const found = this.offsets.get(field);
    if (found === undefined) throw new Error(`the kernel's layout has no ${field}`);
    return found;
  }

  /** Bytes of a class. */
  size(name: string): number {
    const found = this.sizes.get(name);
    if (found === undefined) throw new Error(`the kernel's layout has no class ${name}`);
    return found;
  }
}
