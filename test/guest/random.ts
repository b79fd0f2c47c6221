// A small random number generator for the guest programs that try things by chance: xorshift, the same sequence for the same
// seed everywhere.

let state: u32 = 1;

/** Begin the sequence of `seed`. */
export function seedRandom(seed: u32): void {
  state = seed * 0x9e3779b1 + 0x7f4a7c15;
  if (state == 0) state = 1;
  for (let i: i32 = 0; i < 4; i++) random();
}

/** The next 32 bits. */
export function random(): u32 {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state;
}

/** A number below `n`. */
export function below(n: u32): u32 {
  return (random() >>> 8) % n;
}

/** True once in `n` times. */
export function oneIn(n: u32): bool {
  return below(n) == 0;
}
