// Keys of a PC keyboard: scan codes of set 1 (what software reads through a translating 8042), set 2 (what the keyboard
// sends) and the way from characters of a US layout to keys.

/** Set 2 codes by set 1 code; 0 where there is no such key. */
const SET2 = [
  0, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66, 0x0d,
  0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14, 0x1c, 0x1b,
  0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a, 0x22, 0x21, 0x2a,
  0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05, 0x06, 0x04, 0x0c, 0x03,
  0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c, 0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69,
  0x72, 0x7a, 0x70, 0x71, 0x84, 0, 0x61, 0x78, 0x07,
];
const SET1 = new Map(SET2.map((code, key) => [code, key] as const).filter(([code]) => code));

const PLAIN = '\x1b1234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;\'`\0\\zxcvbnm,./';
const SHIFTED = '\0!@#$%^&*()_+\0\0QWERTYUIOP{}\0\0ASDFGHJKL:"~\0|ZXCVBNM<>?';
const LEFT_SHIFT = 0x2a;
const SPACE = 0x39;

/** The set 1 code that a translating controller makes of a set 2 code; unknown codes pass. */
export function translated(code: number): number {
  return SET1.get(code) ?? code;
}

/** The set 2 bytes of pressing (or releasing) the key with that set 1 code. */
export function keyBytes(key: number, release: boolean): number[] {
  const code = SET2[key] ?? 0;
  if (!code) return [];
  return release ? [0xf0, code] : [code];
}

/** Presses and releases that type one character; none for characters that a US keyboard does not have. */
export function typing(character: string): { key: number; release: boolean }[] {
  const plain = character === ' ' ? SPACE : PLAIN.indexOf(character) + 1;
  const press = (key: number) => [{ key, release: false }, { key, release: true }];
  if (character === '\0') return [];
  if (plain > 0) return press(plain);
  const shifted = SHIFTED.indexOf(character) + 1;
  if (shifted === 0) return [];
  return [{ key: LEFT_SHIFT, release: false }, ...press(shifted), { key: LEFT_SHIFT, release: true }];
}
