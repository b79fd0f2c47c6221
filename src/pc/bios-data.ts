// The BIOS data area at 0x400, as a BIOS leaves it for kernels that look there: serial ports, equipment, the extended data
// area, base memory, the text mode, the number of disks. (IBM PC AT technical reference, "BIOS data area".)

import { EXTENDED_DATA, LOWER_BYTES } from './memory-map.ts';

/** Colour 80 x 25, x87, PS/2 mouse absent, two serial ports. */
const EQUIPMENT = 0x0422;
const [COLUMNS, ROWS, PAGE_BYTES, FONT_HEIGHT, MODE, CRTC] = [80, 25, 4096, 16, 3, 0x3d4];
const ENHANCED_KEYBOARD = 0x10;

/** Fills in the data area of a machine with that many hard disks. */
export function writeBiosData(ram: Uint8Array, disks: number): void {
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  const words: [number, number][] = [
    [0x400, 0x3f8], [0x402, 0x2f8], [0x40e, EXTENDED_DATA >>> 4], [0x410, EQUIPMENT], [0x413, LOWER_BYTES >>> 10],
    [0x41a, 0x1e], [0x41c, 0x1e], [0x44a, COLUMNS], [0x44c, PAGE_BYTES], [0x460, 0x0607], [0x463, CRTC], [0x480, 0x1e], [0x482, 0x3e], [0x485, FONT_HEIGHT],
  ];
  for (const [at, value] of words) view.setUint16(at, value, true);
  const bytes: [number, number][] = [[0x449, MODE], [0x465, 0x29], [0x466, 0x30], [0x475, disks], [0x484, ROWS - 1], [0x487, 0x60], [0x488, 0x09], [0x489, 0x11], [0x496, ENHANCED_KEYBOARD]];
  for (const [at, value] of bytes) ram[at] = value;
  view.setUint16(EXTENDED_DATA, 1, true);        // its own size in KiB
}
