// VGA as far as text mode needs it: the register files of the sequencer, the graphics, attribute and CRT controllers, the
// palette, the input status with its retrace bits, and the screen as text, read from video memory at 0xB8000, which is
// plain RAM. The registers start as a BIOS leaves them in mode 3 (80 x 25 characters, 16 colours).

import type { Clock } from '../bus/clock.ts';
import type { PortHandler } from '../bus/ports.ts';

export const TEXT_MEMORY = 0xb8000;
const TEXT_BYTES = 0x8000;
const MOST_ROWS = 60;
/** A space in grey on black. */
const BLANK = 0x0720;

const MODE3_CRTC = [0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff];
const MODE3_SEQUENCER = [0x03, 0x00, 0x03, 0x00, 0x02];
const MODE3_GRAPHICS = [0, 0, 0, 0, 0, 0x10, 0x0e, 0x0f, 0xff];
const MODE3_ATTRIBUTE = [0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0, 0x0f, 0x08, 0];
/** Lines of a frame and of its visible part; 70 frames a second. */
const FRAME_LINES = 449;
const VISIBLE_LINES = 400;
const LINES_PER_SECOND = 31469;
/** Code page 437 above the ASCII letters, as Unicode. */
const HIGH_GLYPHS = 'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';

/** An index register and the registers behind it. */
class RegisterFile {
  index = 0;
  readonly bytes = new Uint8Array(256);

  constructor(initial: readonly number[]) {
    this.bytes.set(initial);
  }
}

/** What a text screen shows: cells of character and attribute (high byte). */
export interface TextPicture {
  readonly columns: number;
  readonly rows: number;
  readonly cells: Uint16Array;
  readonly cursor: { row: number; column: number } | null;
}

export class Vga {
  private readonly crtc = new RegisterFile(MODE3_CRTC);
  private readonly sequencer = new RegisterFile(MODE3_SEQUENCER);
  private readonly graphics = new RegisterFile(MODE3_GRAPHICS);
  private readonly attribute = new RegisterFile(MODE3_ATTRIBUTE);
  private attributeIndexNext = true;
  private miscellaneous = 0x67;
  private readonly palette = new Uint8Array(768);
  private paletteRead = 0;
  private paletteWrite = 0;
  private paletteMask = 0xff;

  constructor(private readonly clock: Clock, private readonly ram: Uint8Array) {
    for (let at = 0; at < TEXT_BYTES; at += 2) ram.set([BLANK & 0xff, BLANK >> 8], TEXT_MEMORY + at);
  }

  /** Ports 0x3C0-0x3DF. */
  readonly ports: PortHandler = {
    read: (port) => this.read(port),
    write: (port, _size, value) => this.write(port, value),
  };

  private read(port: number): number {
    switch (port) {
      case 0x3c0: return this.attribute.index;
      case 0x3c1: return this.attribute.bytes[this.attribute.index & 31]!;
      case 0x3c4: return this.sequencer.index;
      case 0x3c5: return this.sequencer.bytes[this.sequencer.index]!;
      case 0x3c6: return this.paletteMask;
      case 0x3c8: return Math.floor(this.paletteWrite / 3);
      case 0x3c9: return this.palette[this.paletteRead++ % 768]!;
      case 0x3cc: return this.miscellaneous;
      case 0x3ce: return this.graphics.index;
      case 0x3cf: return this.graphics.bytes[this.graphics.index]!;
      case 0x3d4: return this.crtc.index;
      case 0x3d5: return this.crtc.bytes[this.crtc.index]!;
      case 0x3da:
        this.attributeIndexNext = true;
        return this.retrace();
      default: return 0xff;
    }
  }

  private write(port: number, value: number): void {
    switch (port) {
      case 0x3c0: return this.writeAttribute(value);
      case 0x3c2: this.miscellaneous = value; break;
      case 0x3c4: this.sequencer.index = value; break;
      case 0x3c5: this.sequencer.bytes[this.sequencer.index] = value; break;
      case 0x3c6: this.paletteMask = value; break;
      case 0x3c7: this.paletteRead = value * 3; break;
      case 0x3c8: this.paletteWrite = value * 3; break;
      case 0x3c9: this.palette[this.paletteWrite++ % 768] = value & 0x3f; break;
      case 0x3ce: this.graphics.index = value; break;
      case 0x3cf: this.graphics.bytes[this.graphics.index] = value; break;
      case 0x3d4: this.crtc.index = value; break;
      case 0x3d5: this.crtc.bytes[this.crtc.index] = value; break;
    }
  }

  private writeAttribute(value: number): void {
    if (this.attributeIndexNext) this.attribute.index = value & 0x3f;
    else this.attribute.bytes[this.attribute.index & 31] = value;
    this.attributeIndexNext = !this.attributeIndexNext;
  }

  /** Input status 1: bit 0 while nothing is displayed, bit 3 during vertical retrace. */
  private retrace(): number {
    const lines = (this.clock.now % this.clock.hertz) * (LINES_PER_SECOND / this.clock.hertz);
    const line = Math.floor(lines) % FRAME_LINES;
    const horizontal = lines % 1 > 0.8;
    return (line >= VISIBLE_LINES || horizontal ? 1 : 0) | (line >= VISIBLE_LINES + 12 && line < VISIBLE_LINES + 14 ? 8 : 0);
  }

  /** The text screen as it is: its size, a character and its attribute in each cell, and the cursor when it is shown. */
  picture(): TextPicture {
    const columns = this.crtc.bytes[1]! + 1;
    const height = (this.crtc.bytes[9]! & 31) + 1;
    const lines = this.crtc.bytes[0x12]! | ((this.crtc.bytes[7]! & 2) << 7) | ((this.crtc.bytes[7]! & 0x40) << 3);
    const rows = Math.min(MOST_ROWS, Math.max(1, Math.floor((lines + 1) / height)));
    const start = this.pair(0x0c);
    const cells = new Uint16Array(columns * rows);
    for (let i = 0; i < cells.length; i++) {
      const at = TEXT_MEMORY + ((2 * (start + i)) % TEXT_BYTES);
      cells[i] = this.ram[at]! | (this.ram[at + 1]! << 8);
    }
    const { row, column } = this.cursor();
    const shown = !(this.crtc.bytes[0x0a]! & 0x20) && row >= 0 && row < rows;
    return { columns, rows, cells, cursor: shown ? { row, column } : null };
  }

  private pair(register: number): number {
    return (this.crtc.bytes[register]! << 8) | this.crtc.bytes[register + 1]!;
  }

  /** What the screen shows, one line of text per row, blanks at the ends cut off. */
  text(): string[] {
    const { columns, rows, cells } = this.picture();
    return Array.from({ length: rows }, (_, row) => Array.from(cells.subarray(row * columns, (row + 1) * columns), (cell) => glyph(cell & 0xff)).join('').trimEnd());
  }

  /** Where the cursor is, as row and column. */
  cursor(): { row: number; column: number } {
    const columns = this.crtc.bytes[1]! + 1;
    const at = this.pair(0x0e) - this.pair(0x0c);
    return { row: Math.floor(at / columns), column: ((at % columns) + columns) % columns };
  }
}

/** The character of code page 437 as Unicode. */
export function glyph(code: number): string {
  if (code >= 0x80) return HIGH_GLYPHS[code - 0x80] ?? ' ';
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ' ';
}
