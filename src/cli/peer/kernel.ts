// A Multiboot kernel that judges a processor: it runs a batch of cases, one after the other, in real and virtual 8086 mode and in
// protected mode of every ring, and writes what each has come to as bytes to the debug console (port 0xE9). The same kernel
// runs on our machine and on another one. A case ends at an exception; what follows its code is INT3, and a timer ends what
// never gets there while interrupts are on. Before each case, tables and arenas are copied from pristine ones.
//
// The kernel itself runs without paging. An exception comes in by an interrupt gate on the inner stack (common), by a task gate, so that
// it needs no stack of the case (tcommon), or by the real-mode vector table (prot); all three fill the same record.

import { assemble, AsmEnv, type AsmResult } from '../../asm/assemble.ts';
import { PF_R, PF_W, PF_X, SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_PROGBITS } from '../../elf/format.ts';
import { ElfImage } from '../../elf/image.ts';
import * as L from './layout.ts';
import { CASE, HAS_ERROR, KIND, RESULT_NAMES, SYS, SYSTEM, type ResultName, VECTORS } from './layout.ts';
import { systemTables } from './tables.ts';

const ALL = Array.from({ length: VECTORS }, (_, n) => n);
const each = (text: (n: number) => string): string => ALL.map(text).join('\n');
const r = (name: ResultName): string => `result + ${RESULT_NAMES.indexOf(name) * 4}`;
const INNER_STACK = SYSTEM + SYS.end;
const WORDS = 10;
/** In the state that real mode leaves: general registers in the order of the result, then segments, vector, CR0. */
const REAL = { eax: 0, segments: 32, vector: 56, cr0: 60, prot: 64, gdtr: 72, idtr: 80, frame: 88, registers: 128 } as const;
const low = (name: keyof typeof REAL, offset = 0): number => L.REAL_STATE + REAL[name] + offset;

const TEXT = `
  .long 0x1badb002, 0, 0xe4524ffe
start:
  cli
  cld
  mov esp, offset stacktop
  mov esi, ${L.SYSTEM_PRISTINE}; mov edi, ${SYSTEM}; mov ecx, ${SYS.end / 4}; rep movsd
  lgdt [gdtr]
  jmp 8:here
here:
  mov eax, 0x10
  mov ds, ax; mov es, ax; mov ss, ax; mov fs, ax; mov gs, ax
  # page tables: the first 8 MiB for the kernel, the arena for everybody, here and below 1 MiB
  mov edi, ${L.PAGE_TABLES}; xor eax, eax; mov ecx, 0xc00; rep stosd
  mov dword ptr [${L.PAGE_TABLES}], ${L.PAGE_TABLES + 0x1007}
  mov dword ptr [${L.PAGE_TABLES + 4}], ${L.PAGE_TABLES + 0x2007}
  mov edi, ${L.PAGE_TABLES + 0x1000 + (L.KERNEL >> 10)}; mov eax, ${L.KERNEL + 3}
map1: stosd; add eax, 0x1000; cmp eax, 0x800003; jb map1
  mov edi, ${L.PAGE_TABLES + 0x1000 + (L.ARENA >> 10)}; mov eax, ${L.ARENA + 7}
map2: stosd; add eax, 0x1000; cmp eax, ${L.ARENA + L.ARENA_BYTES}; jb map2
  mov edi, ${L.PAGE_TABLES + 0x1000 + (L.LOW_ARENA >> 10)}; mov eax, ${L.ARENA + 7}
map3: stosd; add eax, 0x1000; cmp eax, ${L.ARENA + L.ARENA_BYTES}; jb map3
  # interrupts at 0x20, only the timer
  mov al, 0x11; out 0x20, al; out 0xa0, al
  mov al, 0x20; out 0x21, al; mov al, 0x28; out 0xa1, al
  mov al, 4; out 0x21, al; mov al, 2; out 0xa1, al
  mov al, 1; out 0x21, al; out 0xa1, al
  mov al, 0xfe; out 0x21, al; mov al, 0xff; out 0xa1, al
next:
  push 2; popfd
  mov esp, offset stacktop
  mov ebx, [current]
  cmp ebx, [last]
  je done
  add dword ptr [current], ${L.CASE_BYTES}
  mov esi, ${L.SYSTEM_PRISTINE}; mov edi, ${SYSTEM}; mov ecx, ${SYS.end / 4}; rep movsd
  lgdt [gdtr]
  mov eax, ${L.TSS_A}; ltr ax; mov eax, ${L.LDT_SELECTOR}; lldt ax
  mov esi, ${L.ARENA_PRISTINE}; mov edi, ${L.ARENA}; mov ecx, ${L.ARENA_BYTES / 4}; rep movsd
  xor eax, eax; mov edi, offset result; mov ecx, ${RESULT_NAMES.length}; rep stosd
  # without paging nothing keeps a case from what lies behind its arena: INT3 there too
  test dword ptr [ebx+${CASE.kind}], ${KIND.paged}
  jnz behind
  mov eax, 0xcccccccc; mov edi, ${L.ARENA + L.ARENA_BYTES}; mov ecx, ${(0x1_0000 - L.ARENA_BYTES) / 4}; rep stosd
behind:
  test dword ptr [ebx+${CASE.kind}], ${KIND.low}
  jz code
  mov esi, ${L.ARENA_PRISTINE}; mov edi, ${L.LOW_ARENA}; mov ecx, ${L.ARENA_BYTES / 4}; rep movsd
  mov eax, 0xcccccccc; mov ecx, ${(0x1_0000 - L.ARENA_BYTES) / 4}; rep stosd
code:
  lea esi, [ebx+${CASE.code}]; mov edi, [ebx+${CASE.codeAt}]; mov ecx, [ebx+${CASE.codeBytes}]; rep movsb
  mov esi, ebx; mov edi, offset vars; mov ecx, 18; rep movsd
  mov al, 0x30; out 0x43, al; xor eax, eax; out 0x40, al; mov al, 0x20; out 0x40, al
  frstor [ebx+${CASE.fpu}]
  mov eax, 0xffff0ff0; mov dr6, eax
  mov eax, [ebx+${CASE.dr0}]; mov dr0, eax; mov eax, [ebx+${CASE.dr0 + 4}]; mov dr1, eax
  mov eax, [ebx+${CASE.dr0 + 8}]; mov dr2, eax; mov eax, [ebx+${CASE.dr0 + 12}]; mov dr3, eax
  mov eax, [ebx+${CASE.cr4}]; mov cr4, eax
  mov eax, ${L.PAGE_TABLES}; mov cr3, eax
  test dword ptr [ebx+${CASE.kind}], ${KIND.real + KIND.ring0}
  jz outward
  # the frame that IRET will find where the case has its stack
  mov edi, [ebx+${CASE.stackAt}]
  mov eax, [vars]; mov [edi], eax; mov eax, [vars+4]; mov [edi+4], eax; mov eax, [vars+8]; mov [edi+8], eax
  sub dword ptr [vars+12], 12
  test dword ptr [ebx+${CASE.kind}], ${KIND.real}
  jnz real
  call control
  mov es, [vars+20]; mov fs, [vars+28]; mov gs, [vars+32]
  call registers
  lss esp, cs:[vars+12]
  mov ds, cs:[vars+24]
  iretd
outward:
  call control
  test dword ptr [vars+8], 0x20000
  jz flat
  push dword ptr [vars+32]; push dword ptr [vars+28]; push dword ptr [vars+24]; push dword ptr [vars+20]
flat:
  push dword ptr [vars+16]; push dword ptr [vars+12]; push dword ptr [vars+8]; push dword ptr [vars+4]; push dword ptr [vars]
  test dword ptr [vars+8], 0x20000
  jnz load
  mov es, [vars+20]; mov fs, [vars+28]; mov gs, [vars+32]
load:
  call registers
  test dword ptr cs:[vars+8], 0x20000
  jnz go
  mov ds, cs:[vars+24]
go: iretd
control:                      # IDT, CR0 and DR7 of the case
  lidt [idtrgates]
  test dword ptr [ebx+${CASE.kind}], ${KIND.tasks}
  jz gated
  lidt [idtrtasks]
gated:
  mov eax, [ebx+${CASE.cr0}]; mov cr0, eax
  mov eax, [ebx+${CASE.dr7}]; mov dr7, eax
  ret
registers:
  mov edi, [vars+40]; mov esi, [vars+44]; mov ebp, [vars+48]; mov ebx, [vars+52]
  mov edx, [vars+56]; mov ecx, [vars+60]; mov eax, [vars+64]
  ret
real:
  mov esi, offset vars; mov edi, ${low('frame')}; mov ecx, 17; rep movsd
  mov eax, [ebx+${CASE.dr7}]; mov dr7, eax
  mov eax, [ebx+${CASE.cr0}]; and eax, 0x7ffffffe; mov [${low('cr0')}], eax
  mov dword ptr [${low('prot')}], offset prot; mov word ptr [${low('prot', 4)}], 8
  mov word ptr [${low('gdtr')}], ${L.GDT_BYTES - 1}; mov dword ptr [${low('gdtr', 2)}], ${SYSTEM}
  mov word ptr [${low('idtr')}], ${VECTORS * 4 - 1}; mov dword ptr [${low('idtr', 2)}], 0
  mov esi, offset lowcode; mov edi, ${L.REAL_CODE}; mov ecx, [lowbytes]; rep movsb
  xor edi, edi; mov eax, [lowstubs]; mov ecx, ${VECTORS}
vector: stosd; add eax, 16; dec ecx; jnz vector
  jmp ${L.LOW_CODE}:${L.REAL_CODE}

prot:                         # from real mode
  mov eax, 0x10; mov ds, ax; mov es, ax; mov ss, ax
  mov esp, offset stacktop
  mov esi, ${low('eax')}; mov edi, offset result; mov ecx, 14; cld; rep movsd
  mov eax, [${low('vector')}]; mov [${r('vector')}], eax
  mov eax, [${low('cr0')}]; mov [${r('cr0')}], eax
  mov edx, [${r('ss')}]; shl edx, 4
  mov esi, [${r('esp')}]; and esi, 0xffff; add edx, esi
  xor eax, eax
  mov ax, [edx]; mov [${r('eip')}], eax
  mov ax, [edx+2]; mov [${r('cs')}], eax
  mov ax, [edx+4]; mov [${r('eflags')}], eax
  mov word ptr [edx+4], 0     # of flags only what is defined is compared
  jmp rest
common:
  pushad
  mov ebp, esp                # on an inner stack of the case's own only SP counts
  xor eax, eax; mov ax, ss; cmp eax, 0x10
  je wide
  and ebp, 0xffff
wide:
  xor ebx, ebx; mov bx, ds; xor ecx, ecx; mov cx, es; xor edx, edx; mov dx, fs; xor esi, esi; mov si, gs
  mov eax, 0x10; mov ds, ax; mov es, ax
  mov [${r('ds')}], ebx; mov [${r('es')}], ecx; mov [${r('fs')}], edx; mov [${r('gs')}], esi
  ${ALL.slice(0, 8).map((n) => `mov eax, [ebp+${n * 4}]; mov [result+${n * 4}], eax`).join('; ')}
  cld
  mov eax, [ebp+32]; mov [${r('vector')}], eax
  mov eax, [ebp+36]; mov [${r('error')}], eax
  mov eax, [ebp+40]; mov [${r('eip')}], eax
  mov eax, [ebp+44]; mov [${r('cs')}], eax
  mov edx, [ebp+48]; mov [${r('eflags')}], edx
  test edx, 0x20000
  jnz fromvm
  test al, 3
  jnz outer
  lea eax, [ebp+52]; mov [${r('esp')}], eax
  xor eax, eax; mov ax, ss; mov [${r('ss')}], eax
  mov esi, ${INNER_STACK - WORDS * 4}; mov edi, offset ${r('w9')}; mov ecx, ${WORDS}; rep movsd
  jmp selectors
fromvm:
  movzx eax, word ptr [ebp+60]; mov [${r('es')}], eax; movzx eax, word ptr [ebp+64]; mov [${r('ds')}], eax
  movzx eax, word ptr [ebp+68]; mov [${r('fs')}], eax; movzx eax, word ptr [ebp+72]; mov [${r('gs')}], eax
outer:
  mov eax, [ebp+52]; mov [${r('esp')}], eax
  mov eax, [ebp+56]; mov [${r('ss')}], eax
selectors:
  xor eax, eax; sldt ax; mov [${r('ldtr')}], eax
  str ax; mov [${r('tr')}], eax
  mov eax, cr0; mov [${r('cr0')}], eax
  jmp rest
tcommon:                      # from a task gate: the outgoing task is where the back link says
  mov eax, [${r('vector')}]; imul eax, eax, ${L.TSS_BYTES}; mov eax, [eax+${SYSTEM + SYS.vectorTss}]
  and eax, 0xffff; mov [${r('tr')}], eax
  and eax, 0xfff8; add eax, ${SYSTEM}
  mov edx, [eax+2]; and edx, 0xffffff
  test byte ptr [eax+5], 8
  jz sixteen
  mov ecx, [edx+0x20]; mov [${r('eip')}], ecx
  mov ecx, [edx+0x24]; mov [${r('eflags')}], ecx
  ${(['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr'] as const)
    .map((name, n) => `${n < 8 ? `mov ecx, [edx+${0x28 + n * 4}]` : `movzx ecx, word ptr [edx+${0x28 + n * 4}]`}; mov [${r(name)}], ecx`).join('\n  ')}
  test byte ptr [${r('cs')}], 3
  jnz sixteen
  mov esi, ${INNER_STACK - WORDS * 4}; mov edi, offset ${r('w9')}; mov ecx, ${WORDS}; rep movsd
sixteen:
  mov eax, cr0; mov [${r('cr0')}], eax
rest:
  mov eax, cr2; mov [${r('cr2')}], eax; mov eax, cr3; mov [${r('cr3')}], eax; mov eax, cr4; mov [${r('cr4')}], eax
  mov eax, dr6; mov [${r('dr6')}], eax; mov eax, dr7; mov [${r('dr7')}], eax
  sgdt [${r('gdt')}]; sidt [${r('idt')}]
  mov eax, 0x400; mov dr7, eax
  mov eax, 0x31; mov cr0, eax; xor eax, eax; mov cr4, eax
  mov eax, 0x10; mov ss, ax; mov esp, offset stacktop; mov fs, ax; mov gs, ax
  fnsave [image]
  fninit
  mov esi, ${L.ARENA}; mov ecx, ${L.ARENA_BYTES / 4}; xor edx, edx; call digest
  test dword ptr [vars+${CASE.kind}], ${KIND.low}
  jz tables
  mov esi, ${L.LOW_ARENA}; mov ecx, ${L.ARENA_BYTES / 4}; call digest
tables:
  mov [${r('memory')}], edx
  mov esi, ${SYSTEM}; mov ecx, ${SYS.tables / 4}; xor edx, edx; call digest
  mov [${r('tables')}], edx
  mov edx, 0xe9
  mov esi, offset result; mov ecx, ${RESULT_NAMES.length * 4}; rep outsb
  mov esi, offset image; mov ecx, ${L.FPU_BYTES}; rep outsb
  mov al, 0x20; out 0x20, al
  jmp next
digest: rol edx, 5; xor edx, [esi]; add esi, 4; dec ecx; jnz digest
  ret
done:
  mov al, 0; out 0xf4, al
  cli
  hlt
${each((n) => `v${n}: ${HAS_ERROR.has(n) ? '' : 'push 0; '}push ${n}; jmp common`)}
${each((n) => `t${n}: ${HAS_ERROR.has(n) ? `pop dword ptr [${r('error')}]; ` : ''}mov dword ptr [${r('vector')}], ${n}; jmp tcommon`)}
  .align 16
gdtr: .word ${L.GDT_BYTES - 1}; .long ${SYSTEM}
idtrgates: .word ${VECTORS * 8 - 1}; .long ${SYSTEM + SYS.idtGates}
idtrtasks: .word ${VECTORS * 8 - 1}; .long ${SYSTEM + SYS.idtTasks}
  .align 16
current: .long ${L.CASES}
last: .long 0
lowbytes: .long 0
lowstubs: .long 0
vars: .space 80
result: .space ${RESULT_NAMES.length * 4}
image: .space 112
  .space 2048
stacktop: .space 64
lowcode: .space 1536
`;

/** What runs below 64 KiB: from protected into real mode, and back when a vector is delivered. */
const LOW_TEXT = `
  .code16
  mov ax, ${L.LOW_DATA}; mov ds, ax; mov es, ax; mov fs, ax; mov gs, ax; mov ss, ax
  mov eax, [${low('cr0')}]; mov cr0, eax
  jmp 0:realmode
realmode:
  xor ax, ax; mov ds, ax; mov ss, ax
  lidt [${low('idtr')}]
  mov es, [${low('frame', 20)}]; mov fs, [${low('frame', 28)}]; mov gs, [${low('frame', 32)}]
  mov edi, [${low('registers')}]; mov esi, [${low('registers', 4)}]; mov ebp, [${low('registers', 8)}]; mov ebx, [${low('registers', 12)}]
  mov edx, [${low('registers', 16)}]; mov ecx, [${low('registers', 20)}]; mov eax, [${low('registers', 24)}]
  lss esp, [${low('frame', 12)}]
  mov ds, [${low('frame', 24)}]
  iretd
common:
  mov cs:[${low('eax', 0)}], edi; mov cs:[${low('eax', 4)}], esi; mov cs:[${low('eax', 8)}], ebp; mov cs:[${low('eax', 12)}], esp
  mov cs:[${low('eax', 16)}], ebx; mov cs:[${low('eax', 20)}], edx; mov cs:[${low('eax', 24)}], ecx; mov cs:[${low('eax', 28)}], eax
  xor eax, eax; xor ebx, ebx; mov bx, ds; mov ds, ax
  mov [${low('segments', 0)}], eax; mov [${low('segments', 4)}], eax; mov [${low('segments', 8)}], eax; mov [${low('segments', 12)}], ebx
  mov [${low('segments', 16)}], eax; mov [${low('segments', 20)}], eax
  mov [${low('segments', 0)}], es; mov [${low('segments', 8)}], ss; mov [${low('segments', 16)}], fs; mov [${low('segments', 20)}], gs
  mov eax, cr0; mov [${low('cr0')}], eax
  lgdt [${low('gdtr')}]
  mov eax, 0x31; mov cr0, eax
  .byte 0x66; jmp far ptr [${low('prot')}]
  .align 16
stubs:
${each((n) => `  .byte 0x2e, 0xc6, 0x06; .word ${low('vector')}; .byte ${n}; jmp common; .align 16`)}
`;

function assembled(text: string, origin: number): AsmResult {
  const env = new AsmEnv();
  env.hasOrigin = true;
  env.origin = origin;
  const result = assemble(text, env);
  if (result.errors.length) throw new Error(`line ${result.errors[0]!.line}: ${result.errors[0]!.message}: ${text.split('\n')[result.errors[0]!.line]}`);
  return result;
}

/** The kernel with its cases and the pristine arena, as an ELF executable; descriptor tables come from the seed. */
export function buildKernel(cases: readonly Uint8Array[], arena: Uint8Array, seed: number): Uint8Array {
  const { bytes, labels } = assembled(TEXT, L.KERNEL);
  const code = Uint8Array.from(bytes);
  const view = new DataView(code.buffer);
  const label = (name: string) => labels.find((l) => l.name === name)!.offset;
  const lowCode = assembled(LOW_TEXT, L.REAL_CODE);
  code.set(lowCode.bytes, label('lowcode'));
  view.setUint32(label('last'), L.CASES + cases.length * L.CASE_BYTES, true);
  view.setUint32(label('lowbytes'), lowCode.bytes.length, true);
  view.setUint32(label('lowstubs'), L.REAL_CODE + lowCode.labels.find((l) => l.name === 'stubs')!.offset, true);
  const at = (prefix: string) => ALL.map((n) => L.KERNEL + label(`${prefix}${n}`));
  const system = systemTables(seed, { gates: at('v'), tasks: at('t'), stack: L.KERNEL + label('stacktop') });
  return link(code, Buffer.concat(cases), arena, system, L.KERNEL + label('start'));
}

function link(code: Uint8Array, cases: Uint8Array, arena: Uint8Array, system: Uint8Array, entry: number): Uint8Array {
  const elf = new ElfImage();
  elf.entry = entry;
  const parts: [string, number, Uint8Array][] = [['.text', L.KERNEL, code], ['.system', L.SYSTEM_PRISTINE, system], ['.cases', L.CASES, cases], ['.arena', L.ARENA_PRISTINE, arena]];
  for (const [name, at, bytes] of parts) {
    const n = elf.addSection(name, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR, at, 4096, [...bytes]);
    elf.addSegment(PF_R | PF_W | PF_X, n, n, false);
  }
  return Uint8Array.from(elf.write().flat());
}
