// A Multiboot kernel that runs one piece of work for each letter that comes over COM1, for `npm run bench -- cpu`. It says
// `<` when a piece begins and `>`, a checksum and a line end when it is done; whoever sent the letter holds the watch. The
// letter q switches the machine off. Work is fixed, so instruction counts are the same on every machine and in every run.

import { inb, machineInit, outb, outw, waitForSerial } from './cpu-machine.ts';
import { crc, dhrystone, fibonacci, queens, sieve } from './cpu-integer.ts';
import { mandelbrot, nbody } from './cpu-float.ts';
import { copyRuns, directoryLoads, fillRuns, freshPages, pageFaults, patches, systemCalls } from './cpu-system.ts';

const COM1: u32 = 0x3f8;
let stack!: FixedArray<u32, 4096>;

/** Entry: protected mode, flat, no paging. */
export function _start(): void {
  naked();
  asm`mov esp, ${stack}
      add esp, 16384
      call ${main}
      ud2`;
}

function put(c: i32): void {
  while ((inb(COM1 + 5) & 0x20) == 0) continue;
  outb(COM1, c as u32);
}

/** The next byte; the processor sleeps until it comes. */
function get(): i32 {
  while ((inb(COM1 + 5) & 1) == 0) waitForSerial();
  return inb(COM1) as i32;
}

function print(text: string): void {
  for (let i: i32 = 0; i < text.length; i++) put(text.charCodeAt(i));
}

function printNumber(value: u32): void {
  if (value >= 10) printNumber(value / 10);
  put((48 + value % 10) as i32);
}

function run(letter: i32): u32 {
  switch (letter) {
    case 97: return crc();
    case 98: return sieve();
    case 99: return fibonacci(27);
    case 100: return dhrystone();
    case 101: return queens();
    case 102: return mandelbrot();
    case 103: return nbody();
    case 104: return systemCalls();
    case 105: return pageFaults();
    case 106: return directoryLoads();
    case 107: return freshPages();
    case 108: return copyRuns();
    case 109: return fillRuns();
    case 110: return patches();
    default: return 0;
  }
}

function main(): void {
  __init();
  machineInit();
  print("ready\n");
  for (;;) {
    const letter = get();
    if (letter == 113) outw(0x604, 0x2000);
    put(60);
    const sum = run(letter);
    put(62);
    printNumber(sum);
    print("\n");
  }
}
