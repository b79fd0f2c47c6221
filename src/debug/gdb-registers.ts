// The registers as gdb's remote protocol sees them: one list from which the target description, the `g` packet and single
// registers are all made. Feature names and order are gdb's for i386; the control registers are in a feature of ours.

import type { Cpu } from '../cpu/cpu.ts';
import { CS, DS, ES, FS, GS, SS } from '../cpu/layout.ts';

interface GdbRegister {
  readonly name: string;
  readonly bits: number;
  readonly type: string;
  readonly group?: string;
  readonly read: (cpu: Cpu) => bigint;
  readonly write: (cpu: Cpu, value: bigint) => void;
}

function cell(name: string, type: string): GdbRegister {
  return { name, bits: 32, type, read: (cpu) => BigInt(cpu.state[name] as number), write: (cpu, value) => { cpu.state[name] = Number(value); } };
}

/** A selector; writing it reloads nothing, so writes are ignored. */
function selector(name: string, n: number): GdbRegister {
  return { name, bits: 32, type: 'int32', read: (cpu) => BigInt(cpu.state.segment(n).sel), write: () => {} };
}

function fpuIndex(cpu: Cpu, n: number): number {
  return (((cpu.state.fpuStatus as number) >>> 11) + n) & 7;
}

function stack(n: number): GdbRegister {
  return {
    name: `st${n}`, bits: 80, type: 'i387_ext',
    read: (cpu) => {
      const { significand, exponent } = cpu.getFpu().registers[fpuIndex(cpu, n)]!;
      return significand | (BigInt(exponent) << 64n);
    },
    write: (cpu, value) => {
      const fpu = cpu.getFpu();
      fpu.registers[fpuIndex(cpu, n)] = { significand: BigInt.asUintN(64, value), exponent: Number((value >> 64n) & 0xffffn) };
      cpu.setFpu(fpu);
    },
  };
}

/** The tag word, two bits a register: valid, zero, special, empty. (Intel SDM vol. 1, 8.1.7.) */
function tagWord(cpu: Cpu): bigint {
  const { tag, registers } = cpu.getFpu();
  return registers.reduce((word, { significand, exponent }, n) => {
    const exp = exponent & 0x7fff;
    const kind = !(tag & (1 << n)) ? 3n : exp === 0 && significand === 0n ? 1n : exp === 0 || exp === 0x7fff || !(significand >> 63n) ? 2n : 0n;
    return word | (kind << BigInt(2 * n));
  }, 0n);
}

function fpuControl(name: string, read: (cpu: Cpu) => bigint, write: GdbRegister['write'] = () => {}): GdbRegister {
  return { name, bits: 32, type: 'int', group: 'float', read, write };
}

function fpuCell(name: string, from: string): GdbRegister {
  return fpuControl(name, (cpu) => BigInt((cpu.state[from] as number | undefined) ?? 0), (cpu, value) => { cpu.state[from] = Number(value); });
}

const CORE: readonly GdbRegister[] = [
  ...['eax', 'ecx', 'edx', 'ebx'].map((name) => cell(name, 'int32')),
  cell('esp', 'data_ptr'), cell('ebp', 'data_ptr'), cell('esi', 'int32'), cell('edi', 'int32'),
  cell('eip', 'code_ptr'), cell('eflags', 'i386_eflags'),
  selector('cs', CS), selector('ss', SS), selector('ds', DS), selector('es', ES), selector('fs', FS), selector('gs', GS),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map(stack),
  fpuCell('fctrl', 'fpuControl'), fpuCell('fstat', 'fpuStatus'), fpuControl('ftag', tagWord),
  fpuCell('fiseg', 'fpuCs'), fpuCell('fioff', 'fpuIp'), fpuCell('foseg', 'fpuDs'), fpuCell('fooff', 'fpuDp'), fpuCell('fop', 'fpuOp'),
];
const CONTROL: readonly GdbRegister[] = [cell('cr0', 'cr0_flags'), cell('cr2', 'data_ptr'), cell('cr3', 'data_ptr'), cell('cr4', 'cr4_flags')];
const ALL = [...CORE, ...CONTROL];

const EFLAGS = 'CF:0 PF:2 AF:4 ZF:6 SF:7 TF:8 IF:9 DF:10 OF:11 NT:14 RF:16 VM:17 AC:18 VIF:19 VIP:20 ID:21';
const CR0 = 'PE:0 MP:1 EM:2 TS:3 ET:4 NE:5 WP:16 AM:18 NW:29 CD:30 PG:31';
const CR4 = 'VME:0 PVI:1 TSD:2 DE:3 PSE:4 PAE:5 MCE:6 PGE:7 PCE:8 OSFXSR:9';

function flags(id: string, fields: string): string {
  const lines = fields.split(' ').map((field) => {
    const [name, bit] = field.split(':');
    return `<field name="${name}" start="${bit}" end="${bit}"/>`;
  });
  return `<flags id="${id}" size="4">${lines.join('')}</flags>`;
}

function registerXml({ name, bits, type, group }: GdbRegister): string {
  return `<reg name="${name}" bitsize="${bits}" type="${type}"${group ? ` group="${group}"` : ''}/>`;
}

/** The target description. */
export const TARGET_XML = `<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target version="1.0"><architecture>i386</architecture>
<feature name="org.gnu.gdb.i386.core">${flags('i386_eflags', EFLAGS)}${CORE.map(registerXml).join('\n')}</feature>
<feature name="org.damselfly.i386.system">${flags('cr0_flags', CR0)}${flags('cr4_flags', CR4)}${CONTROL.map(registerXml).join('\n')}</feature></target>
`;

function toHex(value: bigint, bits: number): string {
  const digits = value.toString(16).padStart(bits / 4, '0');
  return digits.match(/../g)!.reverse().join('');
}

function fromHex(text: string): bigint {
  return BigInt(`0x${(text.match(/../g) ?? ['00']).reverse().join('')}`);
}

/** The `g` packet: all registers, little-endian hexadecimal. */
export function readAll(cpu: Cpu): string {
  return ALL.map((register) => toHex(register.read(cpu), register.bits)).join('');
}

/** The `G` packet. False when it is too short. */
export function writeAll(cpu: Cpu, text: string): boolean {
  if (text.length < ALL.reduce((sum, { bits }) => sum + bits / 4, 0)) return false;
  let at = 0;
  for (const register of ALL) {
    register.write(cpu, fromHex(text.slice(at, at + register.bits / 4)));
    at += register.bits / 4;
  }
  return true;
}

/** One register, or null when there is none with this number. */
export function readOne(cpu: Cpu, n: number): string | null {
  const register = ALL[n];
  return register ? toHex(register.read(cpu), register.bits) : null;
}

export function writeOne(cpu: Cpu, n: number, text: string): boolean {
  const register = ALL[n];
  if (!register || !/^([0-9a-f]{2})+$/i.test(text)) return false;
  register.write(cpu, fromHex(text));
  return true;
}
