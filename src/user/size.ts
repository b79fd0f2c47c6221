// size: bytes of code and constants, of data and of zero-filled data in executables.

import { SHF_ALLOC, SHF_WRITE, SHT_NOBITS } from '../elf/format.ts';
import { setMain } from '../libc/crt.ts';
import { eprint, print } from '../libc/stdio.ts';
import { hexadecimal, padLeft } from '../libc/strings.ts';
import { inputElf } from './elf-input.ts';

function report(name: string): i32 {
  const file = inputElf("size", name);
  if (file == null) return 1;
  let text: i32 = 0;
  let data: i32 = 0;
  let bss: i32 = 0;
  for (const section of file.sections) {
    if ((section.flags & SHF_ALLOC) == 0) continue;
    if (section.type == SHT_NOBITS) bss += section.size;
    else if ((section.flags & SHF_WRITE) != 0) data += section.size;
    else text += section.size;
  }
  const all = text + data + bss;
  print(padLeft(`${text}`, 8) + padLeft(`${data}`, 9) + padLeft(`${bss}`, 9) + padLeft(`${all}`, 9) + padLeft(hexadecimal(all as u32, 1), 9) + "  " + name + "\n");
  return 0;
}

function main(args: string[]): i32 {
  if (args.length < 2) {
    eprint("usage: size file ...\n");
    return 2;
  }
  print("    text     data      bss      dec      hex  filename\n");
  let status: i32 = 0;
  for (let i: i32 = 1; i < args.length; i++) if (report(args[i]!) != 0) status = 1;
  return status;
}

setMain(main);
