// Micro-ops that often follow each other, as one handler each: the first of two does the work of both and saves the second a
// turn of the interpreter loop. Both micro-ops stay where they are, so a jump to the second finds it, and a fault or a stop
// in either sees its own fields. Where the first one leaves the fast path the pair parts (`%slow%`), because something may
// stop the run between the two. The second may be a compare and branch that are one handler already.
import { UOP_BYTES as UOP } from '../layout.ts';
import { addHandler, allHandlers, handlerNumber, hasHandler, partsOnSlowPath } from './handlers.ts';

/** first: seconds. What the compiler's code, the kernels and the usual loops execute most. */
const FOLLOWERS: readonly (readonly [string, string])[] = [
  ['push32r', 'push32r mov32rr mov32rmB callFar call sub32ri'],
  ['push32i', 'push32r'],
  ['pop32r', 'pop32r ret'],
  ['leave32', 'ret'],
  ['mov32rmB', 'mov32rmB mov32rr mov32mrB push32r movzx32_8rmX mov32rmX add32ri xor32rr sub32rr and32ri'],
  ['mov32rmX', 'mov32rr add32rr'],
  ['mov32mrB', 'mov32rmB add32ri mov32rr mov32mrB'],
  ['mov32rr', 'push32r mov32rmB sub32rr add32rr sub32ri add32ri shr32n and32ri pop32r add32rmB mov32rr jmp'],
  ['mov32ri', 'mov32rr mov32rmB'],
  ['lea32B', 'pop32r push32r mov32ri mov32mrB'],
  ['inc32r', 'mov32rmB chain lea32X'],
  ['dec32r', 'chain'],
  ['add32ri', 'pop32r jmp mov32rmB add32ri mov32ri'],
  ['add32rr', 'add32ri mov32rr'],
  ['sub32ri', 'mov32rmB'],
  ['sub32rr', 'mov32rr'],
  ['xor32rr', 'and32ri jmp'],
  ['xor32rmX', 'inc32r'],
  ['and32ri', 'shr32n add32ri'],
  ['shr32n', 'xor32rmX add32rr'],
  ['movzx32_8rmB', 'xor32rr mov32rr'],
  ['movzx32_8rmX', 'movzx32_8rmX mov8mrX mov32rr'],
  ['mov8mrX', 'inc32r'],
  ['mov8miB', 'add32rr inc32r'],
  ['mov32miB', 'mov32miB'],
];
/** Compares and tests with their branches, by condition, behind what usually is in front of them. */
const BRANCHES: readonly (readonly [string, string, readonly number[]])[] = [
  ['mov32rmB', 'cmp32rr', [2, 3, 4, 5, 13, 14]], ['mov32rmB', 'cmp32ri', [3, 4, 5, 12]],
  ['mov32rmB', 'test32rr', [4, 5]], ['mov32rmB', 'cmp32rmB', [3, 12, 14]],
  ['mov32rmX', 'cmp32rr', [4, 5]], ['mov32rmX', 'test32rr', [4, 5]],
  ['movzx32_8rmX', 'cmp32rr', [4, 5]], ['movzx32_8rmX', 'cmp32ri', [4, 5]], ['movzx32_8rmX', 'cmp32rmB', [5]],
  ['movzx32_8rmB', 'cmp32rr', [5]], ['movzx32_8rmB', 'cmp32ri', [4, 5]],
  ['mov32rr', 'test32rr', [4, 5]], ['mov32rr', 'cmp32rr', [4, 5, 12, 13]],
  ['mov32ri', 'cmp32rr', [3]], ['mov32ri', 'cmp32ri', [6]], ['mov32ri', 'cmp32rmB', [3]],
  ['inc32r', 'cmp32ri', [2, 12]], ['inc32r', 'cmp32rr', [2, 12, 14]], ['inc32r', 'cmp32rmB', [12]],
  ['add32ri', 'test32rr', [4, 5]], ['add32ri', 'cmp32ri', [2]],
  ['add32rr', 'cmp32ri', [2]], ['add32rr', 'cmp32rr', [2]],
  ['sub32rr', 'cmp32rr', [4, 5]], ['sub32rr', 'cmp32rmB', [3]],
];

/** The body of a handler for the micro-op `by` bytes behind `ip`. */
function behind(body: string, by: number): string {
  return body
    .replace(/\[(\d+) : ip(?: \+ (\d+))?\]/g, (_, offset: string, more = '0') => `[${Number(offset) + Number(more) + by} : ip]`)
    .replace(/\b(slowLoad|slowStore|slowModify)\(ip,/g, `$1(ip + ${by},`)
    .replace(/\bresolve\(ip \+ (\d+)\)/g, (_, offset: string) => `resolve(ip + ${Number(offset) + by})`)
    .replace(/\bcur = ip;/g, `cur = ip + ${by};`)
    .replace(/\bip = cur;/g, `ip = cur - ${by};`)
    .replace(/\bip \+= (\d+);/g, (_, step: string) => `ip += ${Number(step) + by};`);
}

function pairText(first: string, second: string): string {
  const handlers = allHandlers();
  const { body, kind } = handlers[handlerNumber(second)]!;
  const rest = behind(body, UOP);
  return `{ ${partsOnSlowPath(handlers[handlerNumber(first)]!.body)} } { ${rest} } ${kind === 'next' ? `ip += ${2 * UOP}; continue;` : ''}`;
}

/** pairs[first][second] = number of the handler for both, 0 = none. */
const pairs: (Uint16Array | undefined)[] = [];
const MOST_HANDLERS = 2048;
const defined: [string, string][] = [];

function definePair(first: string, second: string): void {
  const name = `${first}+${second}`;
  if (hasHandler(name)) return;
  const text = pairText(first, second);
  defined.push([first, second]);
  const seconds = (pairs[handlerNumber(first)] ??= new Uint16Array(MOST_HANDLERS));
  seconds[handlerNumber(second)] = addHandler('raw', name, text);
}

for (const [first, seconds] of FOLLOWERS) for (const second of seconds.split(' ')) definePair(first, second);
for (const [first, compare, conditions] of BRANCHES) for (const cc of conditions) definePair(first, `${compare}+jcc${cc}`);

/** Names of all pairs: the first, the second. */
export const pairNames: readonly (readonly [string, string])[] = defined;

/** Number of the handler that does two micro-ops, or 0. */
export function pairOf(first: number, second: number): number {
  const seconds = pairs[first];
  return seconds === undefined ? 0 : seconds[second]!;
}
