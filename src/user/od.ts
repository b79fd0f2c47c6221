// od: the bytes of a file. By default as hd does, sixteen a line: offset, bytes in hexadecimal, characters; -o as octal words of
// two bytes; -c as characters.

import { setMain } from '../libc/crt.ts';
import { inputNames, inputText } from '../libc/input.ts';
import { eprint, print } from '../libc/stdio.ts';
import { hexadecimal, padLeft } from '../libc/strings.ts';

const WIDTH: i32 = 16;

function octal(value: i32, digits: i32): string {
  let text = "";
  for (let i: i32 = 0; i < digits; i++) text = `${(value >> (3 * i)) & 7}` + text;
  return text;
}

function characterOf(c: i32): string {
  if (c == 10) return "\\n";
  if (c == 9) return "\\t";
  if (c == 0) return "\\0";
  return c >= 32 && c < 127 ? String.fromCharCode(c) : octal(c, 3);
}

function hexLine(text: string, at: i32, end: i32): string {
  let bytes = "";
  let characters = "";
  for (let i = at; i < at + WIDTH; i++) {
    if (i == at + WIDTH / 2) bytes = bytes + " ";
    bytes = bytes + (i < end ? hexadecimal(text.charCodeAt(i) as u32, 2) + " " : "   ");
    if (i < end) characters = characters + (text.charCodeAt(i) >= 32 && text.charCodeAt(i) < 127 ? String.fromCharCode(text.charCodeAt(i)) : ".");
  }
  return hexadecimal(at as u32, 8) + "  " + bytes + " |" + characters + "|\n";
}

function otherLine(text: string, at: i32, end: i32, characters: bool): string {
  let line = octal(at, 7);
  for (let i = at; i < end; i += characters ? 1 : 2) {
    line = line + " " + (characters ? padLeft(characterOf(text.charCodeAt(i)), 3) : octal(text.charCodeAt(i) | (i + 1 < end ? text.charCodeAt(i + 1) << 8 : 0), 6));
  }
  return line + "\n";
}

function main(args: string[]): i32 {
  const option = args.length > 1 && args[1]!.startsWith("-") && args[1] != "-" ? args[1]! : "";
  if (option != "" && option != "-o" && option != "-c" && option != "-x") {
    eprint("usage: od [-c | -o | -x] [file ...]\n");
    return 2;
  }
  let status: i32 = 0;
  for (const name of inputNames(args, option == "" ? 1 : 2)) {
    const text = inputText("od", name);
    if (text == null) {
      status = 1;
      continue;
    }
    for (let at: i32 = 0; at < text.length; at += WIDTH) {
      const end = at + WIDTH < text.length ? at + WIDTH : text.length;
      print(option == "-o" || option == "-c" ? otherLine(text, at, end, option == "-c") : hexLine(text, at, end));
    }
    print((option == "-o" || option == "-c" ? octal(text.length, 7) : hexadecimal(text.length as u32, 8)) + "\n");
  }
  return status;
}

setMain(main);
