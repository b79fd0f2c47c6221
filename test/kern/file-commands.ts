// Random commands for the file system and its model.

/** One deterministic stream of numbers below n. */
export function generator(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % n;
  };
}

/** A random command: few names, so that they meet. */
export function randomCommand(next: (n: number) => number): string {
  const name = () => ['a', 'b', 'a-much-longer-name-than-the-others-are'][next(3)]!;
  const path = () => `/${Array.from({ length: 1 + next(1 + next(3)) }, name).join('/')}`;
  const target = () => [path(), path().slice(1), `../${path()}`, 'no/'.repeat(40)][next(4)]!;
  const offset = () => [next(5000), next(60_000), next(300_000), next(6_000_000)][next(4)]!;
  switch (next(22)) {
    case 0: case 1: case 2: return `create ${path()}`;
    case 3: case 4: case 5: return `mkdir ${path()}`;
    case 6: case 7: case 8: case 9: return `write ${path()} ${offset()} ${1 + next(next(4) === 0 ? 100_000 : 9000)} ${next(256)}`;
    case 10: case 11: return `read ${path()} ${offset()} ${1 + next(20_000)}`;
    case 12: return `truncate ${path()} ${offset()}`;
    case 13: return `unlink ${path()}`;
    case 14: return `rmdir ${path()}`;
    case 15: case 16: return `rename ${path()} ${path()}`;
    case 17: return `link ${path()} ${path()}`;
    case 18: return next(3) === 0 ? `symlink ${target()} ${path()}` : `hold ${path()}`;
    case 19: return next(3) === 0 ? `fault ${path()} ${offset()} ${1 + next(9000)}` : `stat ${path()}`;
    case 20: return next(8) === 0 ? 'sync' : next(3) === 0 ? 'drop' : `readlink ${path()}`;
    default: return `list ${path()}`;
  }
}
