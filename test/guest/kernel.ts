// A Multiboot kernel that is not ours: it prints on COM1 what its loader told it, and ends as the last word of its command
// line says: off, reset, twice (a reset, and off the second time), exit (with 3 to isa-debug-exit), triple, dead, idle, echo (letters from COM1 until a dot, then off),
// disk (the first letters of sector 1, which it then overwrites), or anything else: never. Linked at 1 MiB; no paging.

const COM1: u32 = 0x3f8;
const ATA: u32 = 0x1f0;
const MBI_CMDLINE: usize = 16;

let stack!: FixedArray<u32, 4096>;
let zeroIdt!: FixedArray<u32, 2>;

/** Entry: ebx = multiboot information. */
export function _start(): void {
  naked();
  asm`mov esp, ${stack}
      add esp, 16320
      push ebx
      call ${main}
      ud2`;
}

function inb(port: u32): u32 {
  let value: u32 = 0;
  asm`mov edx, ${port}
      xor eax, eax
      in al, dx
      mov ${value}, eax`;
  return value;
}

function outb(port: u32, value: u32): void {
  asm`mov edx, ${port}
      mov eax, ${value}
      out dx, al`;
}

function outw(port: u32, value: u32): void {
  asm`mov edx, ${port}
      mov eax, ${value}
      out dx, ax`;
}

function outl(port: u32, value: u32): void {
  asm`mov edx, ${port}
      mov eax, ${value}
      out dx, eax`;
}

/** Two bytes of the sector that the drive holds ready. */
function dataWord(): u32 {
  let value: u32 = 0;
  asm`mov edx, ${ATA}
      xor eax, eax
      in ax, dx
      mov ${value}, eax`;
  return value;
}

function put(c: i32): void {
  while ((inb(COM1 + 5) & 0x20) == 0) continue;
  outb(COM1, c as u32);
}

function print(text: string): void {
  for (let i: i32 = 0; i < text.length; i++) put(text.charCodeAt(i));
}

function printNumber(value: u32): void {
  if (value >= 10) printNumber(value / 10);
  put((48 + value % 10) as i32);
}

/** Print a C string; its last word begins at the result. */
function printText(at: usize): usize {
  let word = at;
  for (let p = at; load<u8>(p) != 0; p++) {
    put(load<u8>(p) as i32);
    if (load<u8>(p) == 32) word = p + 1;
  }
  return word;
}

function isWord(at: usize, word: string): bool {
  for (let i: i32 = 0; i < word.length; i++) if ((load<u8>(at + (i as u32)) as i32) != word.charCodeAt(i)) return false;
  return load<u8>(at + (word.length as u32)) == 0;
}

function ataReady(): void {
  while ((inb(ATA + 7) & 0x88) != 8) continue;
}

function ataCommand(command: u32): void {
  outb(ATA + 2, 1);
  outb(ATA + 3, 1);
  outb(ATA + 4, 0);
  outb(ATA + 5, 0);
  outb(ATA + 6, 0xe0);
  outb(ATA + 7, command);
  ataReady();
}

function disk(): void {
  ataCommand(0x20);
  for (let i: u32 = 0; i < 256; i++) {
    const pair = dataWord();
    if (i < 4) put((pair & 255) as i32);
    if (i < 4) put((pair >>> 8) as i32);
  }
  ataCommand(0x30);
  for (let i: u32 = 0; i < 256; i++) outw(ATA, 0x2121);
  while ((inb(ATA + 7) & 0x80) != 0) continue;
  print("\n");
}

function echo(): void {
  for (;;) {
    while ((inb(COM1 + 5) & 1) == 0) continue;
    const c = inb(COM1) as i32;
    if (c == 46) return;
    put(c);
  }
}

/** The battery-backed memory knows whether the machine has been reset before. */
function twice(): void {
  outb(0x70, 0x40);
  if (inb(0x71) == 0x5a) outw(0x604, 0x2000);
  outb(0x71, 0x5a);
  outb(0xcf9, 6);
}

/** A timer interrupt that nobody enabled can't end this. */
function halt(interrupts: bool): void {
  if (interrupts) asm`sti`;
  for (;;) asm`hlt`;
}

function modules(info: usize): void {
  const count = load<u32>(info, 20);
  for (let i: u32 = 0; i < count; i++) {
    const record: usize = load<usize>(info, 24) + i * 16;
    print("module ");
    printText(load<usize>(record, 8));
    print(": ");
    for (let at = load<usize>(record); at < load<usize>(record, 4); at++) put(load<u8>(at) as i32);
    print("\n");
  }
}

function main(info: usize): void {
  __init();
  print("memory ");
  printNumber((load<u32>(info, 8) + 1024) >>> 10);
  print(" MiB\ncommand line ");
  const end = printText(load<usize>(info, MBI_CMDLINE));
  print("\n");
  modules(info);
  finish(end);
}

function finish(end: usize): void {
  if (isWord(end, "echo")) echo();
  if (isWord(end, "disk")) disk();
  if (isWord(end, "off") || isWord(end, "echo") || isWord(end, "disk")) outw(0x604, 0x2000);
  if (isWord(end, "reset")) outb(0x64, 0xfe);
  if (isWord(end, "twice")) twice();
  if (isWord(end, "exit")) outl(0xf4, 3);
  if (isWord(end, "dead")) halt(false);
  if (isWord(end, "idle")) {
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    halt(true);
  }
  if (isWord(end, "triple")) {
    asm`lidt [${zeroIdt}]
        int3`;
  }
  for (;;) continue;
}
