// A reset and what follows: which of the machine's state is new, and which stays.
import { describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { Machine } from '../../src/pc/machine.ts';
import { assembled, guest, OFF } from './guest.ts';
import { linuxKernel, multibootKernel } from './images.ts';

/** Runs code at 1 MiB + 12, where `multibootKernel` enters. */
const kernel = (text: string) => multibootKernel([...assembled(text, 0x10000c)]);
const WAYS = [
  ['the keyboard controller', 'mov al, 0xfe\nout 0x64, al\n'],
  ['port 0xCF9', 'mov dx, 0xcf9\nmov al, 6\nout dx, al\n'],
  ['port 0x92', 'mov al, 1\nout 0x92, al\n'],
] as const;

describe('reset', () => {
  it.each(WAYS)('by %s comes before the next instruction', (_way, text) => {
    const machine = guest(`mov ebx, 1\n${text}inc ebx\n${OFF}`);
    expect(machine.run(100, true)).toEqual({ kind: 'reset' });
    expect(machine.cpu.state.ebx).toBe(1);
  });

  it('starts the kernel again as the first time', () => {
    const seen: number[] = [];
    const machine = new Machine({ memory: 4 << 20, serial: (byte) => seen.push(byte) });
    // Its own copy of a byte is changed, descriptor tables, paging, the interrupt controller and A20 are set, and it resets.
    machine.loadKernel(kernel(`
      mov dx, 0x3f8
      in al, 0x21
      out dx, al
      in al, 0x92
      out dx, al
      mov al, [0x100008]
      out dx, al
      inc byte ptr [0x100008]
      mov byte ptr [0xb8000], 0x21
      mov byte ptr [0x200000], 0x77
      mov al, 0x12
      out 0x21, al
      mov al, 1
      out 0x92, al
      hlt`), 'k', 'words');
    const first = { ...machine.cpu.state };
    for (let boot = 0; boot < 3; boot++) {
      expect(machine.run(100 * (boot + 1), true)).toEqual({ kind: 'reset' });
      machine.reboot();
      expect({ ...machine.cpu.state }).toMatchObject({ eip: first.eip, eax: first.eax, ebx: first.ebx, cr0: first.cr0, eflags: first.eflags });
    }
    expect(seen).toEqual([...seen.slice(0, 3), ...seen.slice(0, 3), ...seen.slice(0, 3)]);
    expect(machine.screen()[0]).toBe('');
    expect(machine.cpu.ram[0x200000]).toBe(0x77);
  });

  it('loads Linux again', () => {
    const machine = new Machine({ memory: 4 << 20 });
    machine.loadKernel(linuxKernel([0xc6, 0x05, 0x20, 0x00, 0x10, 0x00, 0x55, 0xb0, 0xfe, 0xe6, 0x64]), 'k', 'words');
    const { eip, esi } = machine.cpu.state;
    expect(machine.run(100, true)).toEqual({ kind: 'reset' });
    machine.reboot();
    expect([machine.cpu.state.eip, machine.cpu.state.esi, machine.cpu.ram[0x100020]]).toEqual([eip, esi, 0x90]);
    expect(machine.run(100, true)).toEqual({ kind: 'reset' });
  });

  it('keeps the disks, the clock and its memory, and what was typed', () => {
    const disk = new MemoryDisk(new Uint8Array(1024));
    const machine = guest(`
      mov al, 0x50
      out 0x70, al
      mov al, 0x99
      out 0x71, al
      mov al, 0x0b
      out 0x70, al
      mov al, 0x86
      out 0x71, al
      mov al, 9
      out 0x70, al
      mov al, 20
      out 0x71, al
      mov al, 0x0b
      out 0x70, al
      mov al, 2
      out 0x71, al
      mov dx, 0x3f8
      in al, dx
      mov bl, al
      ${WAYS[0][1]}`, { disks: [disk] });
    machine.receive(Buffer.from('abc'));
    expect(machine.run(100, true)).toEqual({ kind: 'reset' });
    expect(machine.cpu.state.ebx & 255).toBe(0x61);
    disk.bytes[512] = 0x42;
    machine.reboot();
    const read = (register: number) => {
      machine.ports.write(0x70, 1, register);
      return machine.ports.read(0x71, 1);
    };
    expect([read(0x50), read(9), machine.unread, machine.ports.read(0x3f8, 1)]).toEqual([0x99, 0x20, 2, 0x62]);
    expect(disk.bytes[512]).toBe(0x42);
  });

  it('forgets what was under way: events, interrupts, and the time-stamp counter', () => {
    const machine = guest(`
      mov al, 0x34
      out 0x43, al
      mov al, 1
      out 0x40, al
      out 0x40, al
      ${WAYS[1][1]}`);
    machine.clock.skip(1_000_000);
    expect(machine.run(100, true)).toEqual({ kind: 'reset' });
    expect(machine.clock.untilNext).toBeLessThan(Infinity);
    machine.reboot();
    expect(machine.clock.untilNext).toBe(Infinity);
    machine.cpu.ram.set(assembled(`rdtsc\nmov ebx, eax\n${OFF}`, 0x100100), 0x100100);
    machine.cpu.state.eip = 0x100100;
    expect(machine.run(machine.cpu.instructions + 100, true)).toEqual({ kind: 'off' });
    expect(machine.cpu.state.ebx).toBeLessThan(10);
  });

  it('is what its button asks for, also after power off', () => {
    const machine = guest(OFF);
    expect(machine.run(100, true)).toEqual({ kind: 'off' });
    machine.pressReset();
    expect(machine.run(100, true)).toEqual({ kind: 'reset' });
  });
});
