// wc: counts lines, words and bytes of files; -l, -w and -c choose.

import { setMain } from '../libc/crt.ts';
import { inputNames, inputText } from '../libc/input.ts';
import { eprint, print } from '../libc/stdio.ts';
import { padLeft } from '../libc/strings.ts';

let chosen: string = "";

function line(lines: i32, words: i32, bytes: i32, name: string): void {
  let text = "";
  if (chosen.indexOf("l") >= 0) text = text + padLeft(`${lines}`, 8);
  if (chosen.indexOf("w") >= 0) text = text + padLeft(`${words}`, 8);
  if (chosen.indexOf("c") >= 0) text = text + padLeft(`${bytes}`, 8);
  print(text + (name == "-" ? "" : " " + name) + "\n");
}

function main(args: string[]): i32 {
  let at: i32 = 1;
  for (; at < args.length && args[at]!.startsWith("-") && args[at] != "-"; at++) chosen = chosen + args[at]!.substring(1);
  for (let i: i32 = 0; i < chosen.length; i++) {
    if ("lwc".indexOf(chosen.substring(i, i + 1)) >= 0) continue;
    eprint("usage: wc [-clw] [file ...]\n");
    return 2;
  }
  if (chosen == "") chosen = "lwc";
  let status: i32 = 0;
  let allLines: i32 = 0;
  let allWords: i32 = 0;
  let allBytes: i32 = 0;
  const names = inputNames(args, at);
  for (const name of names) {
    const text = inputText("wc", name);
    if (text == null) {
      status = 1;
      continue;
    }
    let lines: i32 = 0;
    let words: i32 = 0;
    let blank = true;
    for (let i: i32 = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c == 10) lines++;
      if (blank && c > 32) words++;
      blank = c <= 32;
    }
    line(lines, words, text.length, name);
    allLines += lines;
    allWords += words;
    allBytes += text.length;
  }
  if (names.length > 1) line(allLines, allWords, allBytes, "total");
  return status;
}

setMain(main);
