// The smallest kernel that has rings and paging: flat segments for rings 0 and 3, one TSS, gates, and an identity map of
// the first 16 MiB that ring 3 may use as well. DS and ES hold the data segment of ring 3 in both rings.

const DIRECTORY: usize = 0x800000;          // page directory, then four page tables, then one table for WINDOW
export const WINDOW: usize = 0x10000000;    // 4 MiB of linear addresses that the work maps as it likes
export const WINDOW_TABLE: usize = 0x805000;
const USER_CODE: u32 = 0x1b;
const USER_DATA: u32 = 0x23;

let gdt!: FixedArray<u32, 12>;
let tss!: FixedArray<u32, 26>;
let idt!: FixedArray<u32, 512>;
let pseudo!: FixedArray<u32, 2>;
let trapStack!: FixedArray<u32, 1024>;
let userStack!: FixedArray<u32, 1024>;
let kernelStack: u32 = 0;

export function inb(port: u32): u32 {
  let value: u32 = 0;
  asm`mov edx, ${port}
      xor eax, eax
      in al, dx
      mov ${value}, eax`;
  return value;
}

export function outb(port: u32, value: u32): void {
  asm`mov edx, ${port}
      mov eax, ${value}
      out dx, al`;
}

export function outw(port: u32, value: u32): void {
  asm`mov edx, ${port}
      mov eax, ${value}
      out dx, ax`;
}

export function loadDirectory(at: usize): void {
  asm`mov eax, ${at}
      mov cr3, eax`;
}

export function directory(): usize {
  return DIRECTORY;
}

/** An interrupt gate that ring 3 may use. */
export function setGate(vector: u32, handler: usize): void {
  const at = addressof(idt) + vector * 8;
  store<u32>(at, (handler & 0xffff) | (8 << 16));
  store<u32>(at, (handler & 0xffff0000) | 0xee00, 4);
}

function setSegment(n: u32, low: u32, high: u32): void {
  store<u32>(addressof(gdt) + n * 8, low);
  store<u32>(addressof(gdt) + n * 8, high, 4);
}

function segments(): void {
  const task = addressof(tss);
  setSegment(1, 0xffff, 0xcf9a00);
  setSegment(2, 0xffff, 0xcf9200);
  setSegment(3, 0xffff, 0xcffa00);
  setSegment(4, 0xffff, 0xcff200);
  setSegment(5, 103 | (task << 16), ((task >>> 16) & 0xff) | 0x8900 | (task & 0xff000000));
  store<u32>(task, addressof(trapStack) + 4096, 4);
  store<u32>(task, 0x10, 8);
  pseudo[0] = 47 | (addressof(gdt) << 16);
  pseudo[1] = addressof(gdt) >>> 16;
  const at = addressof(pseudo);
  asm`mov eax, ${at}
      lgdt [eax]
      jmp 0x08:flush
      flush:
      mov eax, 0x10
      mov ss, ax
      mov eax, ${USER_DATA}
      mov ds, ax
      mov es, ax
      mov eax, 0x28
      ltr ax`;
  pseudo[0] = 2047 | (addressof(idt) << 16);
  pseudo[1] = addressof(idt) >>> 16;
  asm`mov eax, ${at}
      lidt [eax]`;
}

function paging(): void {
  for (let n: u32 = 0; n < 1024; n++) store<u32>(DIRECTORY + n * 4, 0);
  for (let n: u32 = 0; n < 4096; n++) store<u32>(DIRECTORY + 4096 + n * 4, (n << 12) | 7);
  for (let n: u32 = 0; n < 1024; n++) store<u32>(WINDOW_TABLE + n * 4, 0);
  for (let n: u32 = 0; n < 4; n++) store<u32>(DIRECTORY + n * 4, (DIRECTORY + 4096 + n * 4096) | 7);
  store<u32>(DIRECTORY + (WINDOW >>> 20), WINDOW_TABLE | 7);
  loadDirectory(DIRECTORY);
  asm`mov eax, cr0
      or eax, 0x80010020
      mov cr0, eax
      fninit`;
}

/** Where ring 3 ends: back behind runInRing3's call of enter. */
function leave(): void {
  naked();
  asm`mov esp, [${kernelStack}]
      pop ebp
      pop edi
      pop esi
      pop ebx
      ret`;
}

function enter(): void {
  naked();
  asm`mov eax, [esp+4]
      push ebx
      push esi
      push edi
      push ebp
      mov [${kernelStack}], esp
      push ${USER_DATA}
      mov ecx, ${userStack}
      add ecx, 4096
      push ecx
      push 2
      push ${USER_CODE}
      push eax
      iretd`;
}

/** Runs code in ring 3 until its int 0x81. */
export function runInRing3(code: usize): void {
  asm`mov eax, ${code}
      push eax
      call ${enter}
      add esp, 4`;
}

function trapSerial(): void {
  naked();
  asm`push eax
      mov al, 0x20
      out 0x20, al
      pop eax
      iretd`;
}

/** The two PICs at vectors 32 and 40, with nothing but COM1 let through, and that one asked to interrupt. */
function serialInterrupts(): void {
  setGate(0x24, codeof(trapSerial));
  outb(0x20, 0x11);
  outb(0xa0, 0x11);
  outb(0x21, 0x20);
  outb(0xa1, 0x28);
  outb(0x21, 4);
  outb(0xa1, 2);
  outb(0x21, 1);
  outb(0xa1, 1);
  outb(0x21, 0xef);
  outb(0xa1, 0xff);
  outb(0x3f9, 1);
  outb(0x3fc, 0x0b);
}

/** Sleeps until a byte has come over COM1, or did so since the last sleep. */
export function waitForSerial(): void {
  asm`sti
      hlt
      cli`;
}

export function machineInit(): void {
  segments();
  serialInterrupts();
  setGate(0x81, codeof(leave));
  paging();
}
