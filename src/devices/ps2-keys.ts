// Keys of a PC keyboard: scan codes of set 1 (what software reads through a translating 8042), set 2 (what the keyboard
// sends) and the way from characters of a US layout to keys.

/** Set 2 codes by set 1 code; 0 where there is no such key. */
const SET2 = [
  0, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66, 0x0d,
  0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14, 0x1c, 0x1b,
  0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a, 0x22, 0x21, 0x2a,
  0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05, 0x06, 0x04, 0x0c, 0x03,
  0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c, 0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69,
  0x72, 0x7a, 0x70, 0x71, 0x84, 0, 0x61, 0x78, 0x07, 0, 0, 0x1f, 0x27, 0x2f,
];
const SET1 = new Map(SET2.map((code, key) => [code, key] as const).filter(([code]) => code));

const PLAIN = '\x1b1234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;\'`\0\\zxcvbnm,./';
const SHIFTED = '\0!@#$%^&*()_+\0\0QWERTYUIOP{}\0\0ASDFGHJKL:"~\0|ZXCVBNM<>?';
const LEFT_SHIFT = 0x2a;
const LEFT_CONTROL = 0x1d;
const LEFT_ALT = 0x38;
const SPACE = 0x39;
/** Marks the keys that came with the 101-key keyboard: arrows and friends, whose codes begin with E0. */
export const EXTENDED = 0x100;
/** What terminals send for keys without a character, after ESC. */
const SEQUENCES: Readonly<Record<string, number>> = {
  '[A': 0x48 | EXTENDED, '[B': 0x50 | EXTENDED, '[C': 0x4d | EXTENDED, '[D': 0x4b | EXTENDED, '[H': 0x47 | EXTENDED, '[F': 0x4f | EXTENDED,
  'OA': 0x48 | EXTENDED, 'OB': 0x50 | EXTENDED, 'OC': 0x4d | EXTENDED, 'OD': 0x4b | EXTENDED, 'OH': 0x47 | EXTENDED, 'OF': 0x4f | EXTENDED,
  '[1~': 0x47 | EXTENDED, '[2~': 0x52 | EXTENDED, '[3~': 0x53 | EXTENDED, '[4~': 0x4f | EXTENDED, '[5~': 0x49 | EXTENDED, '[6~': 0x51 | EXTENDED,
  'OP': 0x3b, 'OQ': 0x3c, 'OR': 0x3d, 'OS': 0x3e, '[11~': 0x3b, '[12~': 0x3c, '[13~': 0x3d, '[14~': 0x3e,
  '[15~': 0x3f, '[17~': 0x40, '[18~': 0x41, '[19~': 0x42, '[20~': 0x43, '[21~': 0x44, '[23~': 0x57, '[24~': 0x58,
};

/** The set 1 code that a translating controller makes of a set 2 code; unknown codes pass. */
export function translated(code: number): number {
  return SET1.get(code) ?? code;
}

/** The set 2 bytes of pressing (or releasing) the key with that set 1 code. */
export function keyBytes(key: number, release: boolean): number[] {
  const code = SET2[key & 0x7f] ?? 0;
  if (!code) return [];
  return [...(key & EXTENDED ? [0xe0] : []), ...(release ? [0xf0, code] : [code])];
}

export interface Stroke {
  readonly key: number;
  readonly release: boolean;
}

function held(modifier: number, strokes: readonly Stroke[]): Stroke[] {
  return strokes.length ? [{ key: modifier, release: false }, ...strokes, { key: modifier, release: true }] : [];
}

function press(key: number): Stroke[] {
  return [{ key, release: false }, { key, release: true }];
}

/** Presses and releases that type one character; none for characters that a US keyboard does not have. */
export function typing(character: string): Stroke[] {
  if (character === '\0') return [];
  const plain = character === ' ' ? SPACE : character === '\x7f' ? PLAIN.indexOf('\b') + 1 : character === '\r' ? PLAIN.indexOf('\n') + 1 : PLAIN.indexOf(character) + 1;
  if (plain > 0) return press(plain);
  const shifted = SHIFTED.indexOf(character) + 1;
  if (shifted > 0) return held(LEFT_SHIFT, press(shifted));
  const code = character.charCodeAt(0);
  return code < 0x20 ? held(LEFT_CONTROL, typing(String.fromCharCode(code + 0x60))) : [];
}

/** The keys behind what a terminal has sent: characters, control characters, escape sequences, Alt as ESC and a character. */
export function terminalTyping(text: string): Stroke[] {
  const strokes: Stroke[] = [];
  for (let at = 0; at < text.length;) {
    const sequence = /^\x1b(\[\d*[A-Z~]|O[A-Z])/.exec(text.slice(at));
    const key = sequence ? SEQUENCES[sequence[1]!] : undefined;
    const alt = text[at] === '\x1b' && at + 1 < text.length;
    if (sequence) strokes.push(...(key === undefined ? [] : press(key)));
    else strokes.push(...(alt ? held(LEFT_ALT, typing(text[at + 1]!)) : typing(text[at]!)));
    at += sequence ? sequence[0].length : alt ? 2 : 1;
  }
  return strokes;
}
