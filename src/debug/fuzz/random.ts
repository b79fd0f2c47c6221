// Repeatable random numbers (xorshift32): the same seed gives the same sequence on every machine.

export class Random {
  private state: number;

  /** Any whole numbers; together they are the seed. */
  constructor(...seeds: readonly number[]) {
    let state = 0x9e3779b9 | 0;
    for (const seed of seeds) state = Math.imul(state ^ (seed | 0), 0x85ebca6b) ^ (state >>> 13) ^ Math.imul(Math.floor(seed / 0x1_0000_0000) | 0, 0xc2b2ae35);
    this.state = state || 1;
    for (let i = 0; i < 4; i++) this.word();
  }

  /** 32 random bits, as an unsigned number. */
  word(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  /** 0 .. n - 1. */
  below(n: number): number {
    return Math.floor((this.word() / 0x1_0000_0000) * n);
  }

  /** True once in n times. */
  once(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}
