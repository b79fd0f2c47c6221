// What devices do to the processor: the A20 gate, x87 errors by interrupt, DMA into code, the clock while halted.
import { describe, expect, it } from 'vitest';
import { Machine } from '../../src/pc/machine.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { assembled, guest, OFF } from './guest.ts';

const word = (machine: Machine, at: number) => new DataView(machine.cpu.ram.buffer, machine.cpu.ram.byteOffset).getUint32(at, true);

/** An IDT at 0x800 with a gate for one vector, and both interrupt controllers at vectors 0x20 and 0x28. */
const INTERRUPTS = (vector: number, handler: string) => `
  mov eax, ${handler}
  mov [${0x800 + vector * 8}], ax
  mov word ptr [${0x800 + vector * 8 + 2}], 0x8
  mov word ptr [${0x800 + vector * 8 + 4}], 0x8e00
  shr eax, 16
  mov [${0x800 + vector * 8 + 6}], ax
  mov word ptr [0x700], 0x7ff
  mov dword ptr [0x702], 0x800
  lidt [0x700]
  mov dword ptr [0x608], 0x0000ffff
  mov dword ptr [0x60c], 0x00cf9b00
  mov dword ptr [0x610], 0x0000ffff
  mov dword ptr [0x614], 0x00cf9300
  mov word ptr [0x710], 0x1f
  mov dword ptr [0x712], 0x600
  lgdt [0x710]
  mov al, 0x11
  out 0x20, al
  out 0xa0, al
  mov al, 0x20
  out 0x21, al
  mov al, 0x28
  out 0xa1, al
  mov al, 4
  out 0x21, al
  mov al, 2
  out 0xa1, al
  mov al, 1
  out 0x21, al
  out 0xa1, al
  mov al, 0xfb
  out 0x21, al
  mov al, 0xdf
  out 0xa1, al
`;

describe.each(['tier0', 'reference'] as const)('%s', (engine) => {
  it.each([
    ['port 0x92', 'in al, 0x92\nand al, 0xfd\nout 0x92, al\n', 'in al, 0x92\nor al, 2\nout 0x92, al\n'],
    ['the keyboard controller', 'mov al, 0xd1\nout 0x64, al\nmov al, 0xdd\nout 0x60, al\n', 'mov al, 0xdf\nout 0x64, al\n'],
  ])('A20 closed by %s folds the second mebibyte on the first', (_name, close, open) => {
    const machine = guest(`
      mov dword ptr [0x3000], 0x11111111
      mov dword ptr [0x103000], 0x22222222
      ${close}
      mov ebx, [0x103000]
      mov dword ptr [0x103004], 0x33333333
      ${open}
      mov ecx, [0x103000]
      ${OFF}`, {}, engine);
    expect(machine.run(1000, true)).toEqual({ kind: 'off' });
    expect(machine.cpu.state.ebx).toBe(0x11111111);
    expect(machine.cpu.state.ecx).toBe(0x22222222);
    expect(word(machine, 0x3004)).toBe(0x33333333);
    expect(word(machine, 0x103004)).toBe(0);
  });

  it('A20 holds behind page tables, too', () => {
    const machine = guest(`
      mov dword ptr [0x4000], 0x5003
      mov dword ptr [0x5008], 0x2003
      mov dword ptr [0x5014], 0x103003
      mov dword ptr [0x3000], 7
      mov eax, 0x4000
      mov cr3, eax
      mov eax, cr0
      or eax, 0x80000000
      mov cr0, eax
      mov ebx, [0x5000]
      in al, 0x92
      and al, 0xfd
      out 0x92, al
      mov ecx, [0x5000]
      ${OFF}`, {}, engine);
    expect(machine.run(1000, true)).toEqual({ kind: 'off' });
    expect([machine.cpu.state.ebx, machine.cpu.state.ecx]).toEqual([0, 7]);
  });

  it('an x87 error with CR0.NE clear is IRQ 13, and the instruction is tried again', () => {
    const machine = guest(`
      ${INTERRUPTS(0x2d, 'handler')}
      mov eax, cr0
      and eax, 0xffffffdf
      mov cr0, eax
      fninit
      mov word ptr [0x3000], 0x37b
      fldcw [0x3000]
      sti
      fld1
      fldz
      fdivp st(1), st
      nop
      fld1
      ${OFF}
    handler:
      inc ebp
      mov esi, [esp]
      out 0xf0, al
      fnstsw ax
      mov edi, eax
      fnclex
      mov al, 0x20
      out 0xa0, al
      out 0x20, al
      iret`, {}, engine);
    machine.cpu.state.ebp = 0;
    expect(machine.run(5000, true)).toEqual({ kind: 'off' });
    const { ebp, esi, edi } = machine.cpu.state;
    expect(ebp).toBe(1);
    expect([...machine.cpu.ram.subarray(esi, esi + 2)]).toEqual([0xd9, 0xe8]);
    expect(edi & 0x84).toBe(0x84);
    expect(machine.cpu.getFpu().tag).not.toBe(0);
  });

  it('an x87 error that nobody serves freezes the processor', () => {
    const machine = guest(`
      cli
      mov eax, cr0
      and eax, 0xffffffdf
      mov cr0, eax
      fninit
      mov word ptr [0x3000], 0x37b
      fldcw [0x3000]
      fld1
      fldz
      fdivp st(1), st
      fwait
      ${OFF}`, {}, engine);
    expect(machine.run(5000, true)).toEqual({ kind: 'dead-halt' });
  });

  it('DMA into code that has run already is executed', () => {
    const sector = new Uint8Array(512);
    sector.set(assembled('mov ebx, 2\nret', 0x3000));
    const machine = guest(`
      mov dword ptr [0x3000], 0x000001bb
      mov word ptr [0x3004], 0xc300
      call 0x3000
      mov ebp, ebx
      mov dword ptr [0x4000], 0x3000
      mov dword ptr [0x4004], 0x80000200
      mov eax, 0x80000904
      mov dx, 0xcf8
      out dx, eax
      mov eax, 5
      mov dx, 0xcfc
      out dx, eax
      mov eax, 0x4000
      mov dx, 0xc004
      out dx, eax
      mov al, 1
      mov dx, 0x1f2
      out dx, al
      mov al, 0
      inc dx
      out dx, al
      inc dx
      out dx, al
      inc dx
      out dx, al
      mov al, 0xe0
      inc dx
      out dx, al
      mov al, 0xc8
      inc dx
      out dx, al
      mov al, 9
      mov dx, 0xc000
      out dx, al
      mov dx, 0xc002
    wait:
      in al, dx
      test al, 4
      jz wait
      call 0x3000
      ${OFF}`, { disks: [new MemoryDisk(sector)] }, engine);
    expect(machine.run(200_000, true)).toEqual({ kind: 'off' });
    expect([machine.cpu.state.ebp, machine.cpu.state.ebx]).toEqual([1, 2]);
  });
});
