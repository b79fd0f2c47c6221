// Numbers and names as every debugging text of ours prints them: hexadecimal without 0x in register dumps, with it in
// sentences; vectors by the manual's mnemonics (Intel SDM vol. 3, table 6-1).

const VECTORS = ['#DE', '#DB', 'NMI', '#BP', '#OF', '#BR', '#UD', '#NM', '#DF', '#CSO', '#TS', '#NP', '#SS', '#GP', '#PF', '', '#MF', '#AC', '#MC'];
const WITH_ERROR = new Set([8, 10, 11, 12, 13, 14, 17]);

/** `digits` hexadecimal digits of an unsigned number. */
export function hex(value: number, digits = 8): string {
  return (value >>> 0).toString(16).padStart(digits, '0');
}

/** 0x and the shortest hexadecimal digits. */
export function hex0x(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

/** The manual's name of an exception, or INT 0xNN. */
export function vectorName(vector: number): string {
  return VECTORS[vector] || `INT ${hex0x(vector)}`;
}

/** Does the exception push an error code? */
export function hasErrorCode(vector: number): boolean {
  return WITH_ERROR.has(vector);
}

/** The words of the bits that are set, `names` from bit 0 up. */
export function bitNames(value: number, names: readonly string[]): string {
  return names.filter((name, bit) => name && value & (1 << bit)).join(' ');
}
