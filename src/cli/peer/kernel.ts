// A Multiboot kernel that judges a processor: it runs a batch of cases, one after the other, at CPL 3 or in virtual 8086 mode,
// and writes what each has come to as bytes to the debug console (port 0xE9). The same kernel runs on our machine and on
// another one. A case ends at an exception; what follows its code is INT3, and a timer ends what never gets there.
//
// A case can reach the arena and nothing else: linear 0x400000 (code, two pages of data, a stack), which virtual 8086 mode sees at
// 0x10000. The kernel's own pages are supervisor only. Physical layout: kernel 0x100000, page tables 0x180000, cases
// 0x200000, arena 0x400000, its pristine copy 0x410000.

import { assemble, AsmEnv } from '../../asm/assemble.ts';
import { PF_R, PF_W, PF_X, SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_PROGBITS } from '../../elf/format.ts';
import { ElfImage } from '../../elf/image.ts';

export const ARENA = 0x40_0000, ARENA_BYTES = 0x4000, LOW_ARENA = 0x1_0000;
export const CASE_BYTES = 512, MOST_CASES = 4000;
const KERNEL = 0x10_0000, TABLES = 0x18_0000, CASES = 0x20_0000, PRISTINE = 0x41_0000;

/** Offsets in a case. frame: eip cs eflags esp ss es ds fs gs; registers: edi esi ebp ebx edx ecx eax. */
export const CASE = { frame: 0, registers: 40, codeAt: 72, codeBytes: 76, code: 80, fpu: 256 } as const;
export const CODE3 = 0x1b, DATA3 = 0x23, CODE16 = 0x2b, DATA16 = 0x33;

/** Words of a result: what the handler pushed, CR2, a digest of the arena, and FNSAVE's image. */
export const RESULT_NAMES = ['gs', 'fs', 'es', 'ds', 'edi', 'esi', 'ebp', '-', 'ebx', 'edx', 'ecx', 'eax', 'vector', 'error',
  'eip', 'cs', 'eflags', 'esp', 'ss', 'vm.es', 'vm.ds', 'vm.fs', 'vm.gs', 'cr2', 'memory'] as const;
export const RESULT_BYTES = RESULT_NAMES.length * 4 + 108;

const HAS_ERROR = new Set([8, 10, 11, 12, 13, 14, 17]);
const stub = (n: number) => `v${n}: ${HAS_ERROR.has(n) ? '' : 'push 0; '}push ${n}; jmp common\n`;
const gate = (n: number) => `mov edi, offset v${n}; mov dl, ${n === 3 || n === 4 ? 0xee : 0x8e}; mov esi, offset idt + ${n * 8}; call setgate\n`;
const VECTORS = Array.from({ length: 34 }, (_, n) => n);

const TEXT = `
  .long 0x1badb002, 0, 0xe4524ffe
start:
  cli
  cld
  mov esp, offset stacktop
  lgdt [gdtr]
  jmp 8:here
here:
  mov eax, 0x10
  mov ds, ax; mov es, ax; mov ss, ax; mov fs, ax; mov gs, ax
  mov esi, offset idt; mov ecx, 256
fill: mov edi, offset v33; mov dl, 0x8e; call setgate; add esi, 8; dec ecx; jnz fill
  ${VECTORS.map(gate).join('  ')}
  lidt [idtr]
  mov eax, offset tss
  mov [gdt+0x3a], ax; shr eax, 16; mov [gdt+0x3c], al; mov [gdt+0x3f], ah
  mov eax, 0x38; ltr ax
  # page tables: the first 8 MiB for the kernel, the arena for everybody, here and below 1 MiB
  mov edi, ${TABLES}; xor eax, eax; mov ecx, 0xc00; rep stosd
  mov dword ptr [${TABLES}], ${TABLES + 0x1007}
  mov dword ptr [${TABLES + 4}], ${TABLES + 0x2007}
  mov edi, ${TABLES + 0x1000 + (KERNEL >> 10)}; mov eax, ${KERNEL + 3}
map1: stosd; add eax, 0x1000; cmp eax, 0x800003; jb map1
  mov edi, ${TABLES + 0x1000 + (ARENA >> 10)}; mov eax, ${ARENA + 7}
map2: stosd; add eax, 0x1000; cmp eax, ${ARENA + ARENA_BYTES}; jb map2
  mov edi, ${TABLES + 0x1000 + (LOW_ARENA >> 10)}; mov eax, ${ARENA + 7}
map3: stosd; add eax, 0x1000; cmp eax, ${ARENA + ARENA_BYTES}; jb map3
  mov eax, ${TABLES}; mov cr3, eax
  mov eax, cr0; and eax, 0x9fffffff; or eax, 0x80010023; and eax, 0xfffffff3; mov cr0, eax
  fninit
  # interrupts at 0x20, only the timer
  mov al, 0x11; out 0x20, al; out 0xa0, al
  mov al, 0x20; out 0x21, al; mov al, 0x28; out 0xa1, al
  mov al, 4; out 0x21, al; mov al, 2; out 0xa1, al
  mov al, 1; out 0x21, al; out 0xa1, al
  mov al, 0xfe; out 0x21, al; mov al, 0xff; out 0xa1, al
next:
  mov esp, offset stacktop
  mov ebx, [current]
  cmp ebx, [last]
  je done
  add dword ptr [current], ${CASE_BYTES}
  mov esi, ${PRISTINE}; mov edi, ${ARENA}; mov ecx, ${ARENA_BYTES / 4}; rep movsd
  lea esi, [ebx+${CASE.code}]; mov edi, [ebx+${CASE.codeAt}]; mov ecx, [ebx+${CASE.codeBytes}]; rep movsb
  xor eax, eax; mov cr2, eax
  mov al, 0x30; out 0x43, al; xor eax, eax; out 0x40, al; mov al, 0x20; out 0x40, al
  frstor [ebx+${CASE.fpu}]
  test dword ptr [ebx+8], 0x20000
  jz flat
  push dword ptr [ebx+32]; push dword ptr [ebx+28]; push dword ptr [ebx+24]; push dword ptr [ebx+20]
flat:
  push dword ptr [ebx+16]; push dword ptr [ebx+12]; push dword ptr [ebx+8]; push dword ptr [ebx+4]; push dword ptr [ebx]
  test dword ptr [ebx+8], 0x20000
  jnz registers
  mov es, [ebx+20]; mov fs, [ebx+28]; mov gs, [ebx+32]; mov ds, [ebx+24]
registers:
  mov edi, ss:[ebx+40]; mov esi, ss:[ebx+44]; mov ebp, ss:[ebx+48]
  mov edx, ss:[ebx+56]; mov ecx, ss:[ebx+60]; mov eax, ss:[ebx+64]; mov ebx, ss:[ebx+52]
  iretd
common:
  pushad
  xor eax, eax
  mov ax, ds; push eax; mov ax, es; push eax; mov ax, fs; push eax; mov ax, gs; push eax
  mov eax, 0x10; mov ds, ax; mov es, ax
  cld
  fnsave [image]
  fninit
  mov esi, ${ARENA}; mov ecx, ${ARENA_BYTES / 4}; xor edx, edx
digest: rol edx, 5; xor edx, [esi]; add esi, 4; dec ecx; jnz digest
  mov [sum], edx
  mov eax, cr2; mov [address], eax
  mov edx, 0xe9
  mov esi, esp; mov ecx, 92; rep outsb
  mov esi, offset address; mov ecx, 116; rep outsb
  mov al, 0x20; out 0x20, al
  jmp next
done:
  mov al, 0; out 0xf4, al
  cli
  hlt
setgate:
  mov [esi], di; mov word ptr [esi+2], 8; mov byte ptr [esi+4], 0; mov [esi+5], dl
  mov eax, edi; shr eax, 16; mov [esi+6], ax
  ret
${VECTORS.map(stub).join('')}
  .align 16
gdt: .long 0, 0, 0xffff, 0x00cf9b00, 0xffff, 0x00cf9300, 0xffff, 0x00cffb00, 0xffff, 0x00cff300
  .long 0xffff, 0x0040fb00, 0xffff, 0x0040f300, 0x67, 0x8900
gdtr: .word 63; .long gdt
idtr: .word 2047; .long idt
  .align 16
tss: .long 0, stacktop, 0x10; .space 90; .word 0x68
current: .long ${CASES}
last: .long 0
address: .long 0
sum: .long 0
image: .space 108
  .align 16
idt: .space 2048
  .space 2048
stacktop: .space 64
`;

/** The 16-bit segments lie over the arena: base 0x400000, 64 KiB, no D bit. */
const SEGMENTS16: readonly [number, number][] = [[CODE16, 0xfb], [DATA16, 0xf3]];

/** The kernel with its cases and the pristine arena, as an ELF executable. */
export function buildKernel(cases: readonly Uint8Array[], arena: Uint8Array): Uint8Array {
  const env = new AsmEnv();
  env.hasOrigin = true;
  env.origin = KERNEL;
  const { bytes, errors, labels } = assemble(TEXT, env);
  if (errors.length) throw new Error(`line ${errors[0]!.line}: ${errors[0]!.message}`);
  const code = Uint8Array.from(bytes);
  const view = new DataView(code.buffer);
  const label = (name: string) => labels.find((l) => l.name === name)!.offset;
  view.setUint32(label('last'), CASES + cases.length * CASE_BYTES, true);
  for (const [selector, access] of SEGMENTS16) {
    const at = label('gdt') + (selector & 0xf8);
    view.setUint32(at, 0xffff, true);
    view.setUint32(at + 4, (access << 8) | (ARENA >>> 16), true);
  }
  return link(code, Buffer.concat(cases), arena, KERNEL + label('start'));
}

function link(code: Uint8Array, cases: Uint8Array, arena: Uint8Array, entry: number): Uint8Array {
  const elf = new ElfImage();
  elf.entry = entry;
  const parts: [string, number, Uint8Array][] = [['.text', KERNEL, code], ['.cases', CASES, cases], ['.arena', PRISTINE, arena]];
  for (const [name, at, bytes] of parts) {
    const n = elf.addSection(name, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR, at, 4096, [...bytes]);
    elf.addSegment(PF_R | PF_W | PF_X, n, n, false);
  }
  return Uint8Array.from(elf.write().flat());
}
