// nm: the symbols of an executable with address and kind: T code, R constant data, D data, B zero-filled, A absolute. Sorted by
// name, with -n by address; -S with sizes.

import { SHF_EXECINSTR, SHF_WRITE, SHN_ABS, SHT_NOBITS } from '../elf/format.ts';
import { ElfFile, ElfSymbol } from '../elf/read.ts';
import { setMain } from '../libc/crt.ts';
import { eprint, print } from '../libc/stdio.ts';
import { hexadecimal } from '../libc/strings.ts';
import { inputElf } from './elf-input.ts';

function kind(file: ElfFile, symbol: ElfSymbol): string {
  if (symbol.section == SHN_ABS || symbol.section <= 0 || symbol.section >= file.sections.length) return "A";
  const section = file.sections[symbol.section]!;
  if ((section.flags & SHF_EXECINSTR) != 0) return "T";
  if (section.type == SHT_NOBITS) return "B";
  return (section.flags & SHF_WRITE) != 0 ? "D" : "R";
}

function byName(a: ElfSymbol, b: ElfSymbol): i32 {
  return a.name < b.name ? -1 : a.name == b.name ? byAddress(a, b) : 1;
}

function byAddress(a: ElfSymbol, b: ElfSymbol): i32 {
  return (a.addr as u32) < (b.addr as u32) ? -1 : a.addr == b.addr ? 0 : 1;
}

function main(args: string[]): i32 {
  let numeric = false;
  let sizes = false;
  let at: i32 = 1;
  for (; at < args.length && args[at]!.startsWith("-"); at++) {
    numeric = numeric || args[at]!.indexOf("n") > 0;
    sizes = sizes || args[at]!.indexOf("S") > 0;
  }
  if (at != args.length - 1) {
    eprint("usage: nm [-nS] file\n");
    return 2;
  }
  const file = inputElf("nm", args[at]!);
  if (file == null) return 1;
  file.symbols.sort(numeric ? byAddress : byName);
  for (const symbol of file.symbols) {
    if (symbol.name == "") continue;
    print(hexadecimal(symbol.addr as u32, 8) + (sizes ? " " + hexadecimal(symbol.size as u32, 8) : "") + " " + kind(file, symbol) + " " + symbol.name + "\n");
  }
  return 0;
}

setMain(main);
