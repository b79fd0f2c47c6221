// Makes the text of src/libc/stubs.ts from the system call table: a function for each call, with a parameter for each argument
// slot, that traps with exactly these. The same text on Node and in the guest, whose build makes it anew.

import { SYSCALLS } from './syscalls.ts';

const HEAD: string = "// Made by gensys from src/abi/syscalls.ts: the system calls with their argument slots, a 64-bit argument in two. Change the\n" +
  "// table, not this file. The arguments lie where the caller has pushed them, which is where the kernel looks for them. Each\n" +
  "// returns what the kernel returned, or -1 with the error number in errno().\n\n" +
  "import { failed } from './sys.ts';\n";

/** The whole file. */
export function stubsText(): string {
  let text = HEAD;
  for (let i = 0; i < SYSCALLS.length; i++) text = text + stub(SYSCALLS[i]!);
  return text;
}

/** The text between the bars number `n` and `n` + 1 of a row, without blanks around it. */
function column(row: string, n: i32): string {
  let start = 0;
  for (let i = 0; i < n; i++) start = row.indexOf("|", start) + 1;
  const end = row.indexOf("|", start);
  return trimmed(row.substring(start, end < 0 ? row.length : end));
}

function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) == 32) start++;
  while (end > start && text.charCodeAt(end - 1) == 32) end--;
  return text.substring(start, end);
}

/** Names of the slots, in order. */
function slotNames(list: string): string[] {
  const names: string[] = [];
  let start = 0;
  while (start < list.length) {
    const comma = list.indexOf(",", start);
    const end = comma < 0 ? list.length : comma;
    const argument = trimmed(list.substring(start, end));
    const name = argument.substring(argument.lastIndexOf(" ") + 1, argument.length);
    if (argument.startsWith("i64 ")) {
      names.push(name + "Low");
      names.push(name + "High");
    } else names.push(name);
    start = end + 1;
  }
  return names;
}

/** Words of the language get one more letter. */
function parameter(name: string): string {
  return name == "new" || name == "in" ? name + "_" : name;
}

function stub(row: string): string {
  const slots = slotNames(column(row, 3));
  let parameters = "";
  for (let i = 0; i < slots.length; i++) parameters = parameters + (i == 0 ? "" : ", ") + parameter(slots[i]!) + ": usize";
  return "\nexport function sys_" + column(row, 1) + "(" + parameters + "): i32 {\n  naked();\n" +
    "  asm`mov eax, " + column(row, 0) + "\n      int 0x80\n      jb bad\n      ret\n bad: jmp ${failed}`;\n}\n";
}
