// od: the bytes of a file. By default as hd does, sixteen a line: offset, bytes in hexadecimal, characters. -c characters, -b octal bytes,
// -o octal words of two bytes, -x hexadecimal ones, -t KIND of c, or o, x, u or d and 1, 2 or 4 bytes; -A d|o|x|n how offsets are written,
// -j N skips bytes, -N N shows only so many.

import { setMain } from '../libc/crt.ts';
import { inputNames, inputText } from '../libc/input.ts';
import { afterOptions, nextOption, optionValue } from '../libc/options.ts';
import { eprint, print } from '../libc/stdio.ts';
import { hexadecimal, padLeft, parseNumber } from '../libc/strings.ts';

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

/** The bytes of a word, the lowest first; none behind the end. */
function wordAt(text: string, at: i32, end: i32): u32 {
  let value: u32 = 0;
  for (let i: i32 = 0; i < size && at + i < end; i++) value |= (text.charCodeAt(at + i) as u32) << ((8 * i) as u32);
  return value;
}

function octalWord(value: u32): string {
  let text = "";
  let rest = value;
  for (const digits = (8 * size + 2) / 3; text.length < digits; rest = rest >>> 3) text = `${rest & 7}` + text;
  return text;
}

function signedWord(value: u32): i32 {
  return size == 1 ? ((value << 24) as i32) >> 24 : size == 2 ? ((value << 16) as i32) >> 16 : value as i32;
}

/** One word in the form that is asked for, in the columns of the widest. */
function wordText(value: u32): string {
  if (kind == "c") return padLeft(characterOf(value as i32), 3);
  if (kind == "x") return hexadecimal(value, 2 * size);
  if (kind == "o") return octalWord(value);
  const columns: i32 = size == 1 ? 4 : size == 2 ? 6 : 11;
  return padLeft(kind == "u" ? `${value}` : `${signedWord(value)}`, columns);
}

function offsetText(at: i32): string {
  if (radix == "n") return "";
  if (radix == "x") return hexadecimal(at as u32, 7);
  return radix == "d" ? `0000000${at}`.substring(`${at}`.length) : octal(at, 7);
}

function wordLine(text: string, at: i32, end: i32): string {
  let line = offsetText(at);
  for (let i = at; i < end; i += size) line = line + " " + wordText(wordAt(text, i, end));
  return line + "\n";
}

let kind: string = "";         // as of -t; empty: as hd
let size: i32 = 1;
let radix: string = "o";

/** c, or one of oxud and perhaps the size of a word. */
function setKind(text: string): bool {
  kind = text.substring(0, 1);
  size = kind == "c" ? 1 : text.length > 1 ? parseNumber(text.substring(1), 0) : 4;
  return text.length > 0 && "coxud".indexOf(kind) >= 0 && (size == 1 || size == 2 || size == 4);
}

let skip: i32 = 0;
let most: i32 = 0x7fffffff;

function setOption(option: i32): bool {
  switch (option) {
    case 98: return setKind("o1");
    case 99: return setKind("c");
    case 111: return setKind("o2");
    case 120: return setKind("x2");
    case 116: return setKind(optionValue);
    case 65:
      radix = optionValue;
      return radix.length == 1 && "doxn".indexOf(radix) >= 0;
    case 106:
      skip = parseNumber(optionValue, -1);
      return skip >= 0;
    case 78:
      most = parseNumber(optionValue, -1);
      return most >= 0;
    default: return option == 118;
  }
}

function dump(text: string): void {
  const start = skip < text.length ? skip : text.length;
  const last = text.length - start > most ? start + most : text.length;
  for (let at = start; at < last; at += WIDTH) {
    const end = at + WIDTH < last ? at + WIDTH : last;
    print(kind == "" ? hexLine(text, at, end) : wordLine(text, at, end));
  }
  if (kind == "") print(hexadecimal(last as u32, 8) + "\n");
  else if (radix != "n") print(offsetText(last) + "\n");
}

function main(args: string[]): i32 {
  for (let option = nextOption(args, "A:N:bcj:ot:vx"); option != 0; option = nextOption(args, "A:N:bcj:ot:vx")) {
    if (setOption(option)) continue;
    eprint("usage: od [-bcovx] [-t c|o|x|u|d[1|2|4]] [-A d|o|x|n] [-j skip] [-N count] [file ...]\n");
    return 2;
  }
  let status: i32 = 0;
  for (const name of inputNames(args, afterOptions)) {
    const text = inputText("od", name);
    if (text == null) status = 1;
    else dump(text!);
  }
  return status;
}

setMain(main);
