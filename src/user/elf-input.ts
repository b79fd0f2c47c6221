// ELF files for the tools that look at them.

import { ElfFile, readElf } from '../elf/read.ts';
import { inputText } from '../libc/input.ts';
import { eprint } from '../libc/stdio.ts';
import { cstr } from '../libc/sys.ts';

/** The bytes of the file that was read last. */
export let elfBytes: u8[] = [];

/** Reads a file with its symbols; null after a message of `program`. */
export function inputElf(program: string, name: string): ElfFile | null {
  const text = inputText(program, name);
  if (text == null) return null;
  const bytes: u8[] = [];
  const from = cstr(text);
  for (let i: i32 = 0; i < text.length; i++) bytes.push(load<u8>(from + (i as usize)));
  elfBytes = bytes;
  const file = readElf(bytes, true);
  if (file.error.length == 0) return file;
  eprint(program + ": " + name + ": " + file.error + "\n");
  return null;
}
