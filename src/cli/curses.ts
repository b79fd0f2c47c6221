// `-display curses`: the text screen of the VGA on a terminal. A frame is the shortest text that turns what the terminal
// shows into what the screen shows: changed runs of cells, with colours, then the cursor. Nothing here reads the guest.

import { glyph } from '../devices/vga.ts';
import type { TextPicture } from '../devices/vga.ts';

/** VGA colours in the order of terminals: blue and red change places. */
const COLOURS = [0, 4, 2, 6, 1, 5, 3, 7];
const CONTROL_GLYPHS = ' ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼';
const ENTER = '\x1b[?1049h\x1b[2J';
const LEAVE = '\x1b[0m\x1b[?25h\x1b[?1049l';

function colours(attribute: number): string {
  const foreground = attribute & 15;
  const background = (attribute >> 4) & 7;
  return `\x1b[0;${(foreground & 8 ? 90 : 30) + COLOURS[foreground & 7]!};${40 + COLOURS[background]!}${attribute & 0x80 ? ';5' : ''}m`;
}

function character(code: number): string {
  if (code < 0x20) return CONTROL_GLYPHS[code]!;
  return code === 0x7f ? '⌂' : glyph(code);
}

export class CursesScreen {
  private shown: TextPicture | null = null;

  /** What to write to the terminal so that it shows `picture`; empty when it does already. */
  frame(picture: TextPicture): string {
    const old = this.shown;
    const same = old !== null && old.columns === picture.columns && old.rows === picture.rows;
    const changes = this.changes(picture, same ? old.cells : null);
    const place = JSON.stringify(picture.cursor);
    const moved = !same || place !== JSON.stringify(old.cursor);
    this.shown = picture;
    if (!changes && !moved) return '';
    const cursor = picture.cursor ? `\x1b[${picture.cursor.row + 1};${picture.cursor.column + 1}H\x1b[?25h` : '\x1b[?25l';
    return `${old ? '' : ENTER}${old && !same ? '\x1b[0m\x1b[2J' : ''}${changes}${cursor}`;
  }

  private changes({ columns, rows, cells }: TextPicture, old: Uint16Array | null): string {
    let text = '';
    let attribute = -1;
    let next = -1;
    for (let i = 0; i < columns * rows; i++) {
      const cell = cells[i]!;
      if (old && old[i] === cell) continue;
      if (i !== next || i % columns === 0) text += `\x1b[${Math.floor(i / columns) + 1};${(i % columns) + 1}H`;
      if (cell >> 8 !== attribute) text += colours(cell >> 8);
      attribute = cell >> 8;
      text += character(cell & 0xff);
      next = i + 1;
    }
    return text;
  }

  /** Gives the terminal back; the last picture as plain lines remain in its place. */
  leave(): string {
    if (!this.shown) return '';
    const { columns, rows, cells } = this.shown;
    const lines = Array.from({ length: rows }, (_, row) => Array.from(cells.subarray(row * columns, (row + 1) * columns), (cell) => character(cell & 0xff)).join('').trimEnd());
    while (lines.length && !lines.at(-1)) lines.pop();
    return `${LEAVE}${lines.map((line) => `${line}\n`).join('')}`;
  }
}
