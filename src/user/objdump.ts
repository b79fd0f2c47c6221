// objdump -d: the code of an executable as instructions, function by function, with the names of what calls and jumps lead to.
// With names of functions after the file only those.

import { SHF_EXECINSTR, STT_FUNC } from '../elf/format.ts';
import { ElfSection, ElfSymbol } from '../elf/read.ts';
import { decode, Insn } from '../isa/decode.ts';
import { printInsn } from '../isa/print.ts';
import { setMain } from '../libc/crt.ts';
import { heapMark, heapRelease } from '../libc/malloc.ts';
import { eprint, print } from '../libc/stdio.ts';
import { hexadecimal, padRight } from '../libc/strings.ts';
import { elfBytes, inputElf } from './elf-input.ts';

const COLUMN: i32 = 24;              // of bytes
const LONGEST: i32 = 15;

let functions: ElfSymbol[] = [];
let insn: Insn = new Insn();

function byAddress(a: ElfSymbol, b: ElfSymbol): i32 {
  return (a.addr as u32) < (b.addr as u32) ? -1 : a.addr == b.addr ? 0 : 1;
}

/** The last function at or before an address: its index, or -1. */
function functionAt(address: u32): i32 {
  let low: i32 = 0;
  let high = functions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((functions[middle]!.addr as u32) <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** `<function+0x12>` after the text of a branch to a plain address, else nothing. */
function target(text: string): string {
  if (!text.startsWith("j") && !text.startsWith("call") && !text.startsWith("loop")) return "";
  const at = text.indexOf("0x");
  if (at < 0 || text.indexOf("[") >= 0) return "";
  let address: u32 = 0;
  for (let i = at + 2; i < text.length; i++) {
    const c = text.charCodeAt(i);
    address = address * 16 + ((c <= 57 ? c - 48 : c - 87) as u32);
  }
  const index = functionAt(address);
  if (index < 0) return "";
  const offset = address - (functions[index]!.addr as u32);
  return " <" + functions[index]!.name + (offset == 0 ? "" : "+0x" + hexadecimal(offset, 1)) + ">";
}

/** One instruction at an offset of the file; its length. */
function printOne(at: i32, address: u32, end: i32): i32 {
  let length = decode(elfBytes, at, at + LONGEST < end ? at + LONGEST : end, true, insn);
  const good = length > 0;
  if (!good) length = 1;
  let bytes = "";
  for (let i: i32 = 0; i < length; i++) bytes = bytes + hexadecimal(elfBytes[at + i]! as u32, 2) + " ";
  const text = good ? printInsn(insn, address as i32, true) : "(bad)";
  print(` ${hexadecimal(address, 7)}:  ` + padRight(bytes, COLUMN) + text + target(text) + "\n");
  return length;
}

/** The functions of a section, or those of them that are wanted. */
function printSection(section: ElfSection, wanted: string[]): bool {
  const mark = heapMark();
  let any = false;
  let at = section.offset;
  const end = section.offset + section.size;
  let shown = wanted.length == 0;
  while (at < end) {
    const address = (section.addr + at - section.offset) as u32;
    const index = functionAt(address);
    if (index >= 0 && (functions[index]!.addr as u32) == address) {
      shown = wanted.length == 0 || wanted.indexOf(functions[index]!.name) >= 0;
      if (shown) print("\n" + hexadecimal(address, 8) + " <" + functions[index]!.name + ">:\n");
    }
    if (shown) {
      any = true;
      at += printOne(at, address, end);
    } else {
      const length = decode(elfBytes, at, at + LONGEST < end ? at + LONGEST : end, true, insn);
      at += length > 0 ? length : 1;
    }
    heapRelease(mark);
  }
  return any;
}

function main(args: string[]): i32 {
  if (args.length < 3 || args[1] != "-d") {
    eprint("usage: objdump -d file [function ...]\n");
    return 2;
  }
  const file = inputElf("objdump", args[2]!);
  if (file == null) return 1;
  for (const symbol of file.symbols) if (symbol.type == STT_FUNC) functions.push(symbol);
  functions.sort(byAddress);
  decode(elfBytes, 0, 1, true, insn);        // the tables are made before the heap is marked
  let any = false;
  for (const section of file.sections) {
    if ((section.flags & SHF_EXECINSTR) == 0) continue;
    print("\n" + args[2]! + ": section " + section.name + "\n");
    if (printSection(section, args.slice(3))) any = true;
  }
  if (any) return 0;
  eprint("objdump: " + args[2]! + ": no such function\n");
  return 1;
}

setMain(main);
