// The descriptor tables: GDT (19 slots: null, kernel code and data, the user code and data that SYSEXIT loads, LDT, TSS, and TLS in
// 15-17), LDT (user code in slot 3, user data in slot 5), the TSS that gives the stack for traps from user mode, and the IDT.

import { VextFrame } from "../abi/frames.ts";

const SEL_KCODE: u32 = 0x08;
const SEL_KDATA: u32 = 0x10;
const GDT_SLOTS: u32 = 19;
const GDT_UCODE: u32 = 3;      // SYSENTER and SYSEXIT want kernel code and data, user code and data one after the other
const GDT_UDATA: u32 = 4;
const GDT_LDT: u32 = 5;
const GDT_TSS: u32 = 6;
const GDT_TLS: u32 = 15;
const LDT_SLOTS: u32 = 17;
const LDT_UCODE: u32 = 3;
const LDT_UDATA: u32 = 5;

const FLAT_CODE: u32 = 0x9a;   // access bytes: present, code, readable
const FLAT_DATA: u32 = 0x92;
const DPL3: u32 = 0x60;
const ACC_TSS: u32 = 0x89;
const ACC_LDT: u32 = 0x82;
const TSS_BYTES: u32 = 104;
const TSS_ESP0: u32 = 4;
const TSS_SS0: u32 = 8;
const TSS_IOMAP: u32 = 102;
const STEP_STACK: u32 = 1024; // bytes of stack below TSS_ESP0, for what is traced into SYSENTER (fastcall.ts)

let gdt!: FixedArray<u32, 38>;
let ldt!: FixedArray<u32, 34>;
let tss!: FixedArray<u32, 282>;  // STEP_STACK and the TSS
let idt!: FixedArray<u32, 512>;
let pseudo!: FixedArray<u32, 2>; // operand of lgdt and lidt

function setDescriptor(table: usize, slot: u32, base: u32, limit: u32, access: u32, flags: u32): void {
  store<u32>(table + slot * 8, (limit & 0xffff) | (base << 16));
  store<u32>(table + slot * 8, ((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf0000) | (flags << 20) | (base & 0xff000000), 4);
}

function tssAt(): usize {
  return addressof(tss) + STEP_STACK;
}

function setPseudo(limit: u32, base: u32): void {
  pseudo[0] = (limit & 0xffff) | (base << 16);
  pseudo[1] = base >>> 16;
}

/** Load our tables and segment registers. */
export function segmentsInit(): void {
  const flat: u32 = 12; // 4 KiB granularity, 32-bit
  const at = addressof(gdt);
  setDescriptor(at, 1, 0, 0xfffff, FLAT_CODE, flat);
  setDescriptor(at, 2, 0, 0xfffff, FLAT_DATA, flat);
  setDescriptor(at, GDT_UCODE, 0, 0xfffff, FLAT_CODE | DPL3, flat);
  setDescriptor(at, GDT_UDATA, 0, 0xfffff, FLAT_DATA | DPL3, flat);
  setDescriptor(at, GDT_TSS, tssAt(), TSS_BYTES - 1, ACC_TSS, 0);
  setDescriptor(at, GDT_LDT, addressof(ldt), LDT_SLOTS * 8 - 1, ACC_LDT, 0);
  setDescriptor(addressof(ldt), LDT_UCODE, 0, 0xfffff, FLAT_CODE | DPL3, flat);
  setDescriptor(addressof(ldt), LDT_UDATA, 0, 0xfffff, FLAT_DATA | DPL3, flat);
  store<u32>(tssAt(), SEL_KDATA, TSS_SS0);
  store<u16>(tssAt(), TSS_BYTES as u16, TSS_IOMAP);
  setPseudo(GDT_SLOTS * 8 - 1, at);
  loadTables();
}

/** Make the table of `slots` at `table` the LDT; 0: our own. */
export function loadLdt(table: usize, slots: u32): void {
  if (table == 0) setDescriptor(addressof(gdt), GDT_LDT, addressof(ldt), LDT_SLOTS * 8 - 1, ACC_LDT, 0);
  else setDescriptor(addressof(gdt), GDT_LDT, table, slots * 8 - 1, ACC_LDT, 0);
  asm`mov eax, 0x28
      lldt ax`;
}

/** Our own descriptors, at the beginning of another table. */
export function copyDefaultLdt(table: usize): void {
  memory.copy(table, addressof(ldt), LDT_SLOTS * 8);
}

function loadTables(): void {
  const at = addressof(pseudo);
  asm`mov eax, ${at}
      lgdt [eax]
      jmp 0x08:flush
      flush:
      mov eax, 0x10
      mov ds, ax
      mov es, ax
      mov ss, ax
      xor eax, eax
      mov fs, ax
      mov gs, ax
      mov eax, 0x28
      lldt ax
      mov eax, 0x30
      ltr ax`;
}

/** Gate of a vector: type 15 keeps interrupts as they are, 14 disables them. */
export function setGate(vector: u32, handler: usize, type: u32, dpl: u32): void {
  const at = addressof(idt) + vector * 8;
  store<u32>(at, (handler & 0xffff) | (SEL_KCODE << 16));
  store<u32>(at, (handler & 0xffff0000) | 0x8000 | (dpl << 13) | (type << 8), 4);
}

export function loadIdt(): void {
  setPseudo(2047, addressof(idt));
  const at = addressof(pseudo);
  asm`mov eax, ${at}
      lidt [eax]`;
}

/** Stack for the next trap from user mode. */
export function setTrapStack(top: usize): void {
  store<u32>(tssAt(), top, TSS_ESP0);
}

/** Address of the word that setTrapStack sets. Below it there is room for the frame of one trap. */
export function trapStackWord(): usize {
  return tssAt() + TSS_ESP0;
}

/** Put three TLS descriptors into the GDT; segment registers see them when they are next loaded. */
export function setTlsDescriptors(tls: VextFrame): void {
  const slots = changetype<VextFrame>(addressof(gdt) + GDT_TLS * 8);
  slots.tls0lo = tls.tls0lo;
  slots.tls0hi = tls.tls0hi;
  slots.tls1lo = tls.tls1lo;
  slots.tls1hi = tls.tls1hi;
  slots.tls2lo = tls.tls2lo;
  slots.tls2hi = tls.tls2hi;
}
