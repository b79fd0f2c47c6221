// Constants of ELF32 for i386 (System V ABI, chapter 4) and little-endian access to bytes. Addresses and sizes are 32-bit
// patterns in i32; only `below` compares them, as unsigned numbers.

export const EHDR_BYTES: i32 = 52;
export const PHDR_BYTES: i32 = 32;
export const SHDR_BYTES: i32 = 40;
export const SYM_BYTES: i32 = 16;
export const PAGE: i32 = 4096;

export const ET_EXEC: i32 = 2;
export const EM_386: i32 = 3;
export const PT_LOAD: i32 = 1;
export const PF_X: i32 = 1;
export const PF_W: i32 = 2;
export const PF_R: i32 = 4;

export const SHT_PROGBITS: i32 = 1;
export const SHT_SYMTAB: i32 = 2;
export const SHT_STRTAB: i32 = 3;
export const SHT_NOBITS: i32 = 8;
export const SHF_WRITE: i32 = 1;
export const SHF_ALLOC: i32 = 2;
export const SHF_EXECINSTR: i32 = 4;
export const SHN_ABS: i32 = 0xFFF1;

export const STT_NOTYPE: i32 = 0;
export const STT_OBJECT: i32 = 1;
export const STT_FUNC: i32 = 2;
export const STB_GLOBAL: i32 = 1;

const SIGN: i32 = -2147483648;

/** a < b as unsigned 32-bit numbers. */
export function below(a: i32, b: i32): bool {
  return (a ^ SIGN) < (b ^ SIGN);
}

export function put16(out: u8[], value: i32): void {
  out.push((value & 255) as u8);
  out.push(((value >> 8) & 255) as u8);
}

export function put32(out: u8[], value: i32): void {
  out.push((value & 255) as u8);
  out.push(((value >> 8) & 255) as u8);
  out.push(((value >> 16) & 255) as u8);
  out.push(((value >> 24) & 255) as u8);
}

/** Overwrites four bytes. */
export function set32(out: u8[], at: i32, value: i32): void {
  out[at] = (value & 255) as u8;
  out[at + 1] = ((value >> 8) & 255) as u8;
  out[at + 2] = ((value >> 16) & 255) as u8;
  out[at + 3] = ((value >> 24) & 255) as u8;
}

/** The bytes of text and a NUL. */
export function putString(out: u8[], text: string): void {
  for (let i: i32 = 0; i < text.length; i++) out.push((text.charCodeAt(i) & 255) as u8);
  out.push(0);
}

/** DWARF's variable-length numbers, unsigned and signed. */
export function putUleb(out: u8[], value: i32): void {
  let rest = value;
  while ((rest & ~127) != 0) {
    out.push(((rest & 127) | 128) as u8);
    rest = (rest >> 7) & 0x1FFFFFF;
  }
  out.push(rest as u8);
}

export function putSleb(out: u8[], value: i32): void {
  let rest = value;
  while (rest < -64 || rest > 63) {
    out.push(((rest & 127) | 128) as u8);
    rest = rest >> 7;
  }
  out.push((rest & 127) as u8);
}

export function get16(bytes: ByteArray, at: i32): i32 {
  return bytes[at] | (bytes[at + 1] << 8);
}

export function get32(bytes: ByteArray, at: i32): i32 {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
