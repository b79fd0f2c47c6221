// The PC's entry: a multiboot loader has put us at 1 MiB, in protected mode without paging. Map all memory at KERNBASE with
// 4 MiB pages, continue there, set up the CPU's tables, and hand over to kernMain.

import { consInit } from "./console.ts";
import { clockInit } from "./clock.ts";
import { fpuInit } from "../kern/fpu.ts";
import { intrInit } from "./intr.ts";
import { pmapBootstrap } from "./pmap.ts";
import { segmentsInit } from "./segments.ts";
import { vectorsInit } from "./vectors.ts";
import { kernMain } from "../kern/main.ts";
import { stringOf } from "../kern/kstring.ts";
import { panic } from "../kern/panic.ts";
import { vmPageStartup } from "../kern/vm_page.ts";

const KERNBASE: u32 = 0xc0000000;
const MAGIC: u32 = 0x2badb002;
const MAX_RAM: u32 = 0x30000000;      // 768 MiB can be mapped

// Multiboot information: offsets and flags.
const MBI_MEMORY: u32 = 1;
const MBI_CMDLINE: u32 = 4;
const MBI_MODS: u32 = 8;
const MBI_MEM_UPPER: usize = 8;       // KiB above 1 MiB
const MBI_CMDLINE_AT: usize = 16;
const MBI_MODS_COUNT: usize = 20;
const MBI_MODS_AT: usize = 24;

let bootTables!: FixedArray<u32, 2048>;  // room for one page directory at a page boundary
let bootStack!: FixedArray<u32, 4096>;
let commandLine!: FixedArray<u8, 2048>;
let commandLength: i32 = 0;
let bootLine: string | null = null;

/** Entry, at its physical address: eax = magic, ebx = multiboot information. */
export function _start(): void {
  naked();
  asm`cli
      cld
      mov esi, eax
      mov edi, ${bootTables}
      add edi, 0x40000fff
      and edi, 0xfffff000
      mov edx, edi
      xor eax, eax
      mov ecx, 1024
      rep stosd
      mov eax, 0x83
      mov dword ptr [edx], eax
      mov dword ptr [edx+4], 0x400083
      lea edi, [edx+3072]
      mov ecx, 192
      fill:
      stosd
      add eax, 0x400000
      loop fill
      mov eax, cr4
      or eax, 0x10
      mov cr4, eax
      mov cr3, edx
      mov eax, cr0
      or eax, 0x80010001
      mov cr0, eax
      mov eax, ${high}
      jmp eax`;
}

/** The same, at our linked address. */
function high(): void {
  naked();
  asm`mov esp, ${bootStack}
      add esp, 16304
      xor ebp, ebp
      push ebx
      push esi
      call ${hostBoot}
      hang:
      hlt
      jmp hang`;
}

function hostBoot(magic: u32, info: u32): void {
  __init();
  segmentsInit();
  vectorsInit();
  intrInit();
  consInit();
  if (magic != MAGIC) panic("not loaded by a multiboot loader");
  const mbi: usize = info + KERNBASE;
  keepCommandLine(mbi);
  const end = memoryEnd(mbi);
  const first = pmapBootstrap(firstFree(mbi), end);
  vmPageStartup(first, end);
  fpuInit();
  clockInit();
  kernMain(addressof(bootStack));
}

function memoryEnd(mbi: usize): u32 {
  if ((load<u32>(mbi) & MBI_MEMORY) == 0) panic("the loader did not say how much memory there is");
  const upper = load<u32>(mbi, MBI_MEM_UPPER);
  const end: u32 = upper >= (MAX_RAM >>> 10) - 1024 ? MAX_RAM : 0x100000 + (upper << 10);
  return end & 0xfffff000;
}

/** First page above the kernel and above the modules that the loader put behind it. */
function firstFree(mbi: usize): u32 {
  let end: u32 = linkerSymbol("_end") - KERNBASE;
  if ((load<u32>(mbi) & MBI_MODS) != 0) {
    const count = load<u32>(mbi, MBI_MODS_COUNT);
    const at: usize = load<u32>(mbi, MBI_MODS_AT) + KERNBASE;
    for (let i: u32 = 0; i < count; i++) {
      const moduleEnd = load<u32>(at + i * 16, 4);
      if (moduleEnd > end) end = moduleEnd;
    }
  }
  return (end + 4095) & 0xfffff000;
}

function keepCommandLine(mbi: usize): void {
  if ((load<u32>(mbi) & MBI_CMDLINE) == 0) return;
  const at: usize = load<u32>(mbi, MBI_CMDLINE_AT) + KERNBASE;
  while (commandLength < 2047 && load<u8>(at + (commandLength as u32)) != 0) {
    commandLine[commandLength] = load<u8>(at + (commandLength as u32));
    commandLength++;
  }
}

/** The command line that the loader passed: the kernel's file name, then arguments. */
export function bootArgs(): string {
  if (bootLine == null) bootLine = stringOf(addressof(commandLine), commandLength as u32);
  return bootLine;
}

export function platformName(): string {
  return "host";
}

/** /dev/mem can be written only if the boot word `insecure` says so. */
export function memoryWritable(): bool {
  const line = bootArgs();
  const at = line.indexOf(" insecure");
  const command = line.indexOf("exec=");
  return at >= 0 && (command < 0 || at < command);
}
