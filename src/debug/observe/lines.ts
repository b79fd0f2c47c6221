// The line table of an ELF file: which source line an address belongs to. Reads what src/elf/dwarf.ts writes (DWARF 2,
// section 6.2): standard opcodes, special opcodes, set_address and end_sequence. Inlined code belongs to the line of the call.

import { readElf, sectionNamed } from '../../elf/read.ts';

export interface LineRow {
  readonly address: number;
  readonly file: string;
  /** From 1; 0 ends a sequence: no line from here on. */
  readonly line: number;
}

class Reader {
  constructor(private readonly bytes: Uint8Array, public at: number) {}

  u8(): number {
    return this.bytes[this.at++]!;
  }

  u32(): number {
    return (this.u8() | (this.u8() << 8) | (this.u8() << 16) | (this.u8() << 24)) >>> 0;
  }

  uleb(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8();
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }

  sleb(): number {
    let value = 0;
    for (let shift = 0; ; ) {
      const byte = this.u8();
      value |= (byte & 127) << shift;
      shift += 7;
      if (byte < 128) return shift < 32 && byte & 64 ? value | (-1 << shift) : value;
    }
  }

  text(): string {
    let text = '';
    for (let byte = this.u8(); byte !== 0; byte = this.u8()) text += String.fromCharCode(byte);
    return text;
  }
}

/** Rows in address order; empty when the file has no line table. */
export function readLines(elf: Uint8Array): LineRow[] {
  const section = sectionNamed(readElf(elf, true), '.debug_line');
  if (!section) return [];
  const reader = new Reader(elf, section.offset);
  const end = reader.at + 4 + reader.u32();
  reader.at += 2;
  const program = reader.at + 4 + reader.u32();
  reader.at += 2;
  const base = (reader.u8() << 24) >> 24;
  const range = reader.u8();
  const first = reader.u8();
  reader.at += first - 1;
  while (reader.u8() !== 0) reader.text();
  const files = fileNames(reader);
  reader.at = program;
  const rows = runProgram(reader, end, { base, range, first, files });
  return rows.sort((a, b) => a.address - b.address || Number(b.line === 0) - Number(a.line === 0));
}

function fileNames(reader: Reader): string[] {
  const files = [''];
  for (let name = reader.text(); name; name = reader.text()) {
    files.push(name);
    for (let i = 0; i < 3; i++) reader.uleb();
  }
  return files;
}

interface Header {
  readonly base: number;
  readonly range: number;
  readonly first: number;
  readonly files: readonly string[];
}

/** The line number program. */
function runProgram(reader: Reader, end: number, { base, range, first, files }: Header): LineRow[] {
  const rows: LineRow[] = [];
  let [address, file, line] = [0, 1, 1];
  const emit = (): void => void rows.push({ address, file: files[file] ?? '', line });
  while (reader.at < end) {
    const opcode = reader.u8();
    if (opcode >= first) {
      address += Math.floor((opcode - first) / range);
      line += base + ((opcode - first) % range);
      emit();
    } else if (opcode === 0) {
      reader.uleb();
      if (reader.u8() === 2) address = reader.u32();
      else {
        rows.push({ address, file: '', line: 0 });
        [file, line] = [1, 1];
      }
    } else if (opcode === 1) emit();
    else if (opcode === 2) address += reader.uleb();
    else if (opcode === 3) line += reader.sleb();
    else if (opcode === 4) file = reader.uleb();
    else throw new Error(`line number opcode ${opcode}`);
  }
  return rows;
}
