// The virtual kernel's command line, with vkernel(7)'s options where they make sense here. Whatever is wrong ends the process
// before anything has been made: one line on standard error, exit code 2 for usage and 1 for what the host refuses.

import { EWOULDBLOCK, strerror } from '../abi/errno.ts';
import { MAXCPU } from '../kern/cpu.ts';
import { stringOf } from '../kern/kstring.ts';
import { _exit, cstr, errno, write } from '../libc/sys.ts';
import { malloc } from 'rt/rt.ts';

const MEGABYTE: u32 = 0x100000;
const LEAST_MEMORY: u32 = 32 * MEGABYTE;
const MOST_MEMORY: u32 = 1024 * MEGABYTE;
const PIECE: u32 = 4 * MEGABYTE;

class Options {
  /** -m: bytes of memory; 0 when not said. */
  memory: u32 = 0;
  /** -n: virtual CPUs. */
  cpus: i32 = 1;
  /** -r: the disk. */
  disk: string = "";
  /** -i: the memory image, kept afterwards; empty: one of its own, which goes with the process. */
  image: string = "";
  /** -p: file for the process id, locked while we run, or empty. */
  pidFile: string = "";
  /** -e: words for the kernel, after its name. */
  settings: string = "vkernel";
  /** -U: /dev/mem can be written. */
  insecure: bool = false;
  /** -v: say what is used. */
  verbose: bool = false;
}

/** What the command line says. */
export let options!: Embed<Options>;

export function say(text: string): void {
  write(2, cstr(text), text.length as usize);
}

/** `vkernel: ` and one line on standard error, and the end. */
export function refuse(text: string): void {
  say("vkernel: " + text + "\n");
  _exit(1);
}

/** The same for a file, with why the last call failed. */
export function refuseFile(path: string): void {
  refuse(path + ": " + (errno() == EWOULDBLOCK ? "locked by another process" : strerror(errno())));
}

function usage(): void {
  say("usage: vkernel [-hUv] [-m size[kmg]] [-n cpus] -r disk [-i image] [-p pidfile] [-e name=value[:name=value ...]]\n");
}

function misuse(text: string): void {
  say("vkernel: " + text + " (vkernel -h lists the options)\n");
  _exit(2);
}

/** The NUL-terminated string at an address. */
export function textAt(address: usize): string {
  let end = address;
  while (load<u8>(end) != 0) end++;
  return stringOf(address, end - address);
}

/** Refuses sizes that no virtual kernel can have; `what` is where the size came from. */
export function checkMemory(bytes: u32, what: string): void {
  if (bytes < LEAST_MEMORY || bytes > MOST_MEMORY || bytes % PIECE != 0) refuse(what + ": expected a multiple of 4 MB from 32m to 1024m");
}

/** Bytes of a size such as 64m. */
function sizeOf(text: string): u32 {
  let value: u32 = 0;
  let shift: u32 = 0;
  for (let i: i32 = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const last = i == text.length - 1 && i > 0;
    if (c >= 48 && c <= 57 && value < 400000000) value = value * 10 + ((c - 48) as u32);
    else if (last && (c == 107 || c == 75)) shift = 10;
    else if (last && (c == 109 || c == 77)) shift = 20;
    else if (last && (c == 103 || c == 71)) shift = 30;
    else misuse("-m " + text + ": expected a size such as 64m");
  }
  if (value > MOST_MEMORY >>> shift) value = 0;
  checkMemory(value << shift, "-m " + text);
  return value << shift;
}

/** A number of virtual CPUs. */
function cpusOf(text: string): i32 {
  let n: i32 = 0;
  for (let i: i32 = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    n = c >= 48 && c <= 57 && n <= MAXCPU ? n * 10 + c - 48 : MAXCPU + 1;
  }
  if (n < 1 || n > MAXCPU) misuse(`-n ${text}: expected a number of CPUs from 1 to ${MAXCPU}`);
  return n;
}

/** -e a=b:c=d: words for the kernel. A colon in quotes does not separate, nor one after exec=, which takes the rest. */
function addSettings(value: string): void {
  const word = malloc((value.length as usize) + 1);       // the present one, without quotes
  let length: usize = 0;
  let quote: i32 = 0;
  for (let i: i32 = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (length == 5 && stringOf(word, length) == "exec=") {
      addSetting("exec=" + value.substring(i));
      return;
    }
    if (c == quote) quote = 0;
    else if (quote == 0 && (c == 34 || c == 39)) quote = c;
    else if (quote == 0 && c == 58) {
      addSetting(stringOf(word, length));
      length = 0;
    } else {
      store<u8>(word + length, c as u8);
      length++;
    }
  }
  if (quote != 0) misuse("-e " + value + ": a quote is not closed");
  addSetting(stringOf(word, length));
}

function addSetting(word: string): void {
  if (word.indexOf("=") < 1) misuse("-e " + word + ": expected name=value");
  options.settings = options.settings + " " + word;
}

function takeFlag(flag: i32): void {
  if (flag == 104) {
    usage();
    _exit(0);
  } else if (flag == 118) options.verbose = true;
  else if (flag == 85) options.insecure = true;
  else misuse("-" + String.fromCharCode(flag) + ": unknown option");
}

function takeValue(flag: i32, value: string): void {
  if (flag == 109) options.memory = sizeOf(value);
  else if (flag == 110) options.cpus = cpusOf(value);
  else if (flag == 105) options.image = value;
  else if (flag == 112) options.pidFile = value;
  else if (flag == 101) addSettings(value);
  else if (options.disk != "") misuse("-r " + value + ": there can be only one disk");
  else options.disk = value;
}

/** Fills `options` from the argument vector. */
export function parseOptions(argc: i32, argv: usize): void {
  for (let i: i32 = 1; i < argc; i++) {
    const word = textAt(load<usize>(argv + ((i as usize) << 2)));
    if (word.length < 2 || word.charCodeAt(0) != 45) misuse(word + ": expected an option");
    for (let at: i32 = 1; at < word.length; at++) {
      const flag = word.charCodeAt(at);
      if ("mnriep".indexOf(String.fromCharCode(flag)) < 0) {
        takeFlag(flag);
        continue;
      }
      let value = word.substring(at + 1);
      if (value == "") {
        i++;
        if (i == argc) misuse("-" + String.fromCharCode(flag) + ": expected a value");
        value = textAt(load<usize>(argv + ((i as usize) << 2)));
      }
      takeValue(flag, value);
      break;
    }
  }
  if (options.disk == "") misuse("-r disk: missing");
}
