/**
 * Tokens of the microcode language. A whole source becomes one array of tokens, closed by an `end` token; comments and
 * white space disappear. The first malformed character raises MicroError with its place.
 */
export interface MicroSource { name: string; text: string }

/** A mistake in microcode, which is a mistake of ours: `name:line:column: message`. */
export class MicroError extends Error {
  constructor(source: MicroSource, at: number, message: string) {
    const before = source.text.slice(0, at).split('\n');
    super(`${source.name}:${before.length}:${before[before.length - 1]!.length + 1}: ${message}`);
    this.name = 'MicroError';
  }
}

export type TokenKind = 'name' | 'i32' | 'i64' | 'f64' | 'mark' | 'end';

export interface Token { kind: TokenKind; text: string; value: number | bigint; at: number }

/** Longest first within each first character; a `u` suffix must not run into a name. */
const marks = [
  '>>>=', '>>>', '>>=', '<<=', '>=u', '<=u', '>>', '<<', '>=', '<=', '>u', '<u', '==', '!=', '&&', '||', '/u', '%u',
  '+=', '-=', '*=', '&=', '|=', '^=',
  '+', '-', '*', '/', '%', '&', '|', '^', '<', '>', '!', '~', '?', ':', ';', ',', '(', ')', '{', '}', '[', ']', '=', '@',
];
const marksByFirst = new Map<string, string[]>();
for (const m of marks) marksByFirst.set(m[0]!, [...(marksByFirst.get(m[0]!) ?? []), m]);

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', 0: '\0', '\\': '\\', "'": "'" };

function isNameChar(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c === 95;
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

export function tokenize(source: MicroSource): Token[] {
  const { text } = source;
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at = skipBlank(text, at);
    if (at >= text.length) break;
    const c = text.charCodeAt(at);
    let token: Token;
    if (isDigit(c)) token = number(source, at);
    else if (isNameChar(c)) token = { kind: 'name', text: text.slice(at, nameEnd(text, at)), value: 0, at };
    else if (c === 39) token = character(source, at);
    else token = { kind: 'mark', text: mark(source, at), value: 0, at };
    tokens.push(token);
    at += token.text.length;
  }
  tokens.push({ kind: 'end', text: 'end of text', value: 0, at: text.length });
  return tokens;
}

function skipBlank(text: string, from: number): number {
  let at = from;
  for (;;) {
    while (at < text.length && text.charCodeAt(at) <= 32) at++;
    if (text.charCodeAt(at) !== 47 || text.charCodeAt(at + 1) !== 47) return at;
    const line = text.indexOf('\n', at);
    at = line < 0 ? text.length : line;
  }
}

function nameEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && isNameChar(text.charCodeAt(at))) at++;
  return at;
}

function mark(source: MicroSource, at: number): string {
  const { text } = source;
  for (const m of marksByFirst.get(text[at]!) ?? []) {
    if (!text.startsWith(m, at)) continue;
    if (m.endsWith('u') && isNameChar(text.charCodeAt(at + m.length))) continue;
    return m;
  }
  throw new MicroError(source, at, `unexpected character '${text[at]}'`);
}

function number(source: MicroSource, at: number): Token {
  const { text } = source;
  let end = nameEnd(text, at);
  const dotted = text[end] === '.' && isDigit(text.charCodeAt(end + 1));
  if (dotted) end = nameEnd(text, end + 1);
  const raw = text.slice(at, end);
  const digits = raw.replaceAll('_', '');
  if (dotted) return { kind: 'f64', text: raw, value: Number(digits), at };
  if (/^(0x[0-9a-fA-F]+|0b[01]+|[0-9]+)L$/.test(digits)) {
    const big = BigInt(digits.slice(0, -1));
    if (big >> 64n) throw new MicroError(source, at, `${raw} does not fit in 64 bits`);
    return { kind: 'i64', text: raw, value: BigInt.asIntN(64, big), at };
  }
  const value = Number(digits);
  if (!(value <= 0xffffffff)) throw new MicroError(source, at, `${raw} is no 32-bit integer`);
  return { kind: 'i32', text: raw, value: value | 0, at };
}

function character(source: MicroSource, at: number): Token {
  const { text } = source;
  const escaped = text[at + 1] === '\\';
  const length = escaped ? 4 : 3;
  const c = escaped ? escapes[text[at + 2] ?? ''] : text[at + 1];
  if (c === undefined || text[at + length - 1] !== "'") throw new MicroError(source, at, 'malformed character');
  return { kind: 'i32', text: text.slice(at, at + length), value: c.charCodeAt(0), at };
}
