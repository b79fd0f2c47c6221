// The BIOS as systems of real mode see it: programs in a boot sector call its services and leave what they got at 0x600.
import { describe, expect, it } from 'vitest';
import { assemble, AsmEnv } from '../../src/asm/assemble.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { geometryOf } from '../../src/pc/bios/rom.ts';
import { Machine } from '../../src/pc/machine.ts';
import type { MachineOptions, RunResult } from '../../src/pc/machine.ts';
import { memoryMap } from '../../src/pc/memory-map.ts';
import { guest } from './guest.ts';
import { linuxKernel } from './images.ts';

const SECTOR = 512;
const CD_BLOCK = 2048;
const MEMORY = 32 << 20;
const OFF = 'mov dx, 0x604\nmov ax, 0x2000\nout dx, ax\n';

function code16(text: string, origin: number): number[] {
  const env = new AsmEnv();
  env.code16 = true;
  env.hasOrigin = true;
  env.origin = origin;
  const { bytes, errors } = assemble(text, env);
  if (errors.length) throw new Error(`line ${errors[0]!.line}: ${errors[0]!.message}\n${text}`);
  return bytes;
}

/** A disk with the program in its boot sector; sector n is full of n. */
function disk(program: string, sectors = 2048): MemoryDisk {
  const bytes = new Uint8Array(sectors * SECTOR);
  for (let n = 1; n < sectors; n++) bytes.fill(n, n * SECTOR, (n + 1) * SECTOR);
  bytes.set(code16(`${program}\n${OFF}`, 0x7c00));
  bytes.set([0x55, 0xaa], 510);
  return new MemoryDisk(bytes);
}

interface Run {
  readonly machine: Machine;
  readonly result: RunResult;
  readonly image: MemoryDisk;
  readonly word: (at: number) => number;
  readonly bytes: (at: number, count: number) => number[];
}

function run(program: string, { options = {} as MachineOptions, sectors = 2048, keys = [] as string[], disks = [] as MemoryDisk[] } = {}): Run {
  const image = disk(program, sectors);
  const machine = new Machine({ memory: MEMORY, disks: [image, ...disks], ...options });
  machine.bootDisk('disk');
  let result = machine.run(200_000, true);
  for (const key of keys) {
    machine.typeTerminal(Buffer.from(key));
    result = machine.run(machine.cpu.instructions + 200_000, true);
  }
  if (result.kind === 'limit') result = machine.run(machine.cpu.instructions + 3_000_000, true);
  const view = new DataView(machine.cpu.ram.buffer, machine.cpu.ram.byteOffset);
  return { machine, result, image, word: (at) => view.getUint16(at, true), bytes: (at, count) => [...machine.cpu.ram.subarray(at, at + count)] };
}

const print = (text: string) => [...text].map((c) => `mov ax, ${0x0e00 + c.charCodeAt(0)}\nmov bx, 7\nint 0x10\n`).join('');
const flags = (at: number) => `pushf\npop word ptr [${at}]\n`;

describe('booting', () => {
  it('starts the first sector of the first disk, with its number and interrupts', () => {
    const { machine, result, word } = run(`call 1f\n1: pop ax\nmov [0x600], ax\nmov [0x602], cs\nmov [0x604], dx\n${flags(0x606)}`);
    expect(result).toEqual({ kind: 'off' });
    expect([word(0x600), word(0x602), word(0x604) & 0xff, word(0x606) & 0x200]).toEqual([0x7c03, 0, 0x80, 0x200]);
    expect(machine.cpu.state.cr0 & 1).toBe(0);
  });

  it.each([['without a signature', (bytes: Uint8Array) => bytes.fill(0, 510, 512), 'no boot sector']])('says what is wrong with a disk %s', (_what, change, message) => {
    let serial = '';
    const image = disk('');
    change(image.bytes);
    const machine = new Machine({ memory: MEMORY, disks: [image], serialConsole: true, serial: (byte) => { serial += String.fromCharCode(byte); } });
    machine.bootDisk('disk');
    expect(machine.run(200_000, true)).toEqual({ kind: 'dead-halt' });
    expect(machine.screen()[0]).toContain(message);
    expect(serial).toContain(message);
  });

  it('starts again after a reset', () => {
    const { machine, result } = run(`${print('x')}mov al, 0xfe\nout 0x64, al\n`);
    expect(result).toEqual({ kind: 'reset' });
    machine.reboot();
    expect(machine.screen()[0]).toBe('');
    expect(machine.run(machine.cpu.instructions + 200_000, true)).toEqual({ kind: 'reset' });
    expect(machine.screen()[0]).toBe('x');
  });
});

describe('the screen', () => {
  it('is a teletype that goes on, back and up', () => {
    const { machine } = run(print('ab\b\bc\r\nd') + print(`${'\n'.repeat(24)}e`));
    expect(machine.screen()[23]).toBe('');
    expect(machine.screen()[24]).toBe(' e');
    expect(machine.screen()[0]).toBe('d');
    expect(machine.picture().cursor).toEqual({ row: 24, column: 2 });
  });

  it('wraps at the right edge', () => {
    const { machine } = run(`mov cx, 83\n1: push cx\n${print('w')}pop cx\nloop 1b\n`);
    expect(machine.screen().slice(0, 2)).toEqual(['w'.repeat(80), 'www']);
  });

  it('tells and takes cursor, cells and attributes', () => {
    const { machine, word } = run(`
      mov ah, 2
      mov bh, 0
      mov dx, 0x0305
      int 0x10
      mov ax, 0x0941
      mov bx, 0x1e
      mov cx, 3
      int 0x10
      mov ah, 8
      mov bh, 0
      int 0x10
      mov [0x600], ax
      mov ah, 3
      int 0x10
      mov [0x602], dx
      mov [0x604], cx
      mov ah, 0x0f
      int 0x10
      mov [0x606], ax`);
    expect(machine.screen()[3]).toBe('     AAA');
    expect([word(0x600), word(0x602), word(0x604), word(0x606)]).toEqual([0x1e41, 0x0305, 0x0607, 0x5003]);
  });

  it('scrolls windows up and down, and clears them', () => {
    const rows = Array.from({ length: 6 }, (_, n) => `${print(`${n}${n}${n}${n}\r\n`)}`).join('');
    const scroll = (ah: number, lines: number, from: number, to: number) => `mov ax, ${ah * 256 + lines}\nmov bx, 0x2a00\nmov cx, ${from}\nmov dx, ${to}\nint 0x10\n`;
    // Three windows: the columns 0, 1 and 2 of rows 1 to 4.
    const { machine } = run(`call 9f\n${OFF}9: ${scroll(6, 1, 0x100, 0x400)}${scroll(7, 2, 0x101, 0x401)}${scroll(6, 0, 0x102, 0x402)}ret`.replace('call 9f', `${rows}call 9f`).slice(0), { sectors: 2048 });
    expect(machine.screen().slice(0, 6)).toEqual(['0000', '2  1', '3  2', '41 3', ' 2 4', '5555']);
    expect(machine.picture().cells[4 * 80]! >> 8).toBe(0x2a);
  });

  it('writes strings with and without attributes', () => {
    const { machine, word } = run(`
      mov ax, 0x1301
      mov bx, 0x4f
      mov cx, 3
      mov dx, 0x0204
      mov bp, offset text
      int 0x10
      mov ax, 0x1302
      mov cx, 2
      mov dx, 0x0400
      mov bp, offset cells
      int 0x10
      mov ah, 3
      mov bh, 0
      int 0x10
      mov [0x600], dx
      jmp 1f
      text: .ascii "one"
      cells: .byte 0x78, 0x11, 0x79, 0x22
      1:`);
    expect([machine.screen()[2], machine.screen()[4]]).toEqual(['    one', 'xy']);
    expect([...machine.picture().cells.subarray(320, 322)].map((cell) => cell >> 8)).toEqual([0x11, 0x22]);
    expect(word(0x600)).toBe(0x0207);
  });
});

const packet = (lba: number, count: number, segment: number) => `
  mov word ptr [0x700], 16
  mov word ptr [0x702], ${count}
  mov word ptr [0x704], 0
  mov word ptr [0x706], ${segment}
  mov dword ptr [0x708], ${lba}
  mov dword ptr [0x70c], 0
  mov si, 0x700
`;

describe('disks', () => {
  it('are read by cylinder, head and sector', () => {
    const { bytes, word } = run(`
      mov ax, 0x0203
      mov bx, 0x8000
      mov cx, 0x003f
      mov dx, 0x0080
      int 0x13
      mov [0x600], ax
      ${flags(0x602)}
      mov ax, 0x0201
      mov bx, 0x9000
      mov cx, 0x0102
      mov dx, 0x0180
      int 0x13`);
    expect([word(0x600), word(0x602) & 1]).toEqual([3, 0]);
    expect([bytes(0x8000, 1), bytes(0x8200, 1), bytes(0x8400, 1), bytes(0x9000, 1)]).toEqual([[62], [63], [64], [(63 * 17 + 1) & 0xff]]);
  });

  it('are written', () => {
    const { image } = run(`
      mov di, 0x8000
      mov ax, 0x5a5a
      mov cx, 512
      rep stosw
      mov ax, 0x0302
      mov bx, 0x8000
      mov cx, 3
      mov dx, 0x0080
      int 0x13
      ${packet(100, 1, 0x800)}
      mov ah, 0x43
      mov dl, 0x80
      int 0x13`);
    expect([1, 2, 3, 4, 99, 100, 101].map((n) => image.bytes[n * SECTOR])).toEqual([1, 0x5a, 0x5a, 4, 99, 0x5a, 101]);
  });

  it('have a geometry, and as many as there are', () => {
    const { word, bytes } = run(`
      mov ah, 8
      mov dx, 0x80
      int 0x13
      mov [0x600], cx
      mov [0x602], dx
      mov ah, 0x15
      mov dl, 0x81
      int 0x13
      mov [0x604], ax
      mov [0x606], dx
      mov word ptr [0x700], 26
      mov si, 0x700
      mov ah, 0x48
      mov dl, 0x81
      int 0x13
      mov bx, 0x55aa
      mov ah, 0x41
      mov dl, 0x80
      int 0x13
      mov [0x608], bx
      mov [0x60a], cx`, { sectors: 1024 * 16 * 63, disks: [disk('', 3000)] });
    expect([word(0x600), word(0x602)]).toEqual([0xffff, 0x0f02]);
    expect([word(0x604) >> 8, word(0x606)]).toEqual([3, 3000]);
    expect([word(0x710), bytes(0x718, 2), word(0x608), word(0x60a) & 1]).toEqual([3000, [0, 2], 0xaa55, 1]);
  });

  it.each([[1000, 16, 1], [1024 * 16 * 63, 16, 1024], [1024 * 16 * 63 + 1, 32, 512], [2 ** 24, 255, 1024]])('of %i sectors have %i heads', (sectors, heads, cylinders) => {
    expect(geometryOf(sectors)).toEqual({ cylinders, heads, spt: 63 });
  });

  it('are read by block, far, and to any segment', () => {
    const { bytes, word } = run(`${packet(200, 130, 0x2fff)}mov ah, 0x42\nmov dl, 0x80\nint 0x13\n${flags(0x600)}`);
    expect([word(0x600) & 1, word(0x702)]).toEqual([0, 130]);
    expect([0, 1, 129].map((n) => bytes(0x2fff0 + n * SECTOR, 1)[0])).toEqual([200, 201, 329 & 0xff]);
  });

  it.each([
    ['that are not there', 'mov ax, 0x0201\nmov bx, 0x8000\nmov cx, 1\nmov dx, 0x81\n', 1],
    ['by diskette', 'mov ax, 0x0201\nmov bx, 0x8000\nmov cx, 1\nmov dx, 0\n', 1],
    ['at sector 0', 'mov ax, 0x0201\nmov bx, 0x8000\nmov cx, 0\nmov dx, 0x80\n', 1],
    ['beyond the last cylinder', 'mov ax, 0x0201\nmov bx, 0x8000\nmov cx, 0x0301\nmov dx, 0x80\n', 1],
    ['beyond the last block', `${packet(2047, 2, 0x800)}mov ah, 0x42\nmov dl, 0x80\n`, 1],
    ['by an unknown function', 'mov ah, 0x77\nmov dl, 0x80\n', 1],
  ])('refuse %s', (_what, program, error) => {
    const { word } = run(`${program}int 0x13\n${flags(0x600)}mov [0x602], ax\nmov ah, 1\nmov dl, 0x80\nint 0x13\nmov [0x604], ax`);
    expect([word(0x600) & 1, word(0x602) >> 8, word(0x604) >> 8]).toEqual([1, error, error]);
  });
});

describe('the CD-ROM', () => {
  /** A disc with a boot catalogue at block 20 and the image at block 30. */
  function disc(program: string, segment = 0, blocks = 3): MemoryDisk {
    const bytes = new Uint8Array(64 * CD_BLOCK);
    const view = new DataView(bytes.buffer);
    bytes.set([0, ...Buffer.from('CD001'), 1, ...Buffer.from('EL TORITO SPECIFICATION')], 17 * CD_BLOCK);
    view.setUint32(17 * CD_BLOCK + 0x47, 20, true);
    bytes.set([1, 0, 0, 0], 20 * CD_BLOCK);
    bytes.set([0x55, 0xaa], 20 * CD_BLOCK + 30);
    bytes.set([0x88, 0, segment & 255, segment >> 8, 0, 0, blocks * 4, 0, 30, 0, 0, 0], 20 * CD_BLOCK + 32);
    bytes.set(code16(`${program}\n${OFF}`, segment ? 0 : 0x7c00), 30 * CD_BLOCK);
    bytes.fill(0x33, 32 * CD_BLOCK, 33 * CD_BLOCK);
    bytes.fill(0x44, 40 * CD_BLOCK, 41 * CD_BLOCK);
    return Object.assign(new MemoryDisk(bytes), { cdrom: true });
  }

  function bootDisc(program: string, segment = 0): Run {
    const image = disc(program, segment);
    const machine = new Machine({ memory: MEMORY, disks: [null, null, image] });
    machine.bootDisk('cdrom');
    const result = machine.run(2_000_000, true);
    const view = new DataView(machine.cpu.ram.buffer, machine.cpu.ram.byteOffset);
    return { machine, result, image, word: (at) => view.getUint16(at, true), bytes: (at, count) => [...machine.cpu.ram.subarray(at, at + count)] };
  }

  it('boots the image that its catalogue names, and reads on by block', () => {
    const { result, word, bytes } = bootDisc(`
      mov [0x600], dx
      ${packet(40, 1, 0x2000)}
      mov ah, 0x42
      int 0x13
      ${flags(0x602)}
      mov si, 0x720
      mov ax, 0x4b01
      mov dl, 0xe0
      int 0x13
      mov ah, 0x43
      mov si, 0x700
      mov dl, 0xe0
      int 0x13
      mov [0x604], ax`);
    expect(result).toEqual({ kind: 'off' });
    expect([word(0x600) & 0xff, word(0x602) & 1, word(0x604) >> 8]).toEqual([0xe0, 0, 3]);
    expect([bytes(0x7c00 + 2 * CD_BLOCK, 1), bytes(0x20000, 1), bytes(0x20000 + CD_BLOCK - 1, 1)]).toEqual([[0x33], [0x44], [0x44]]);
    expect(bytes(0x720, 8)).toEqual([0x13, 0, 0xe0, 0, 30, 0, 0, 0]);
  });

  it('loads it into the segment that it asks for', () => {
    const { word } = bootDisc('xor ax, ax\nmov ds, ax\nmov [0x600], cs', 0x1000);
    expect(word(0x600)).toBe(0x1000);
  });

  it('says when there is nothing to boot', () => {
    const machine = new Machine({ memory: MEMORY, disks: [null, null, Object.assign(new MemoryDisk(new Uint8Array(64 * CD_BLOCK)), { cdrom: true })] });
    machine.bootDisk('cdrom');
    expect(machine.run(2_000_000, true)).toEqual({ kind: 'dead-halt' });
    expect(machine.screen()[0]).toContain('no boot catalogue');
  });
});

describe('keys', () => {
  const READ = 'mov di, 0x600\n1: mov ah, 0x10\nint 0x16\nstosw\ncmp al, 13\njne 1b\n';

  it('come with scan code and character', () => {
    const { result, bytes } = run(READ, { keys: ['aB3', '\x03', '\x1b[A', '\x1bOP', ' ', '\r'] });
    expect(result).toEqual({ kind: 'off' });
    expect(bytes(0x600, 16)).toEqual([0x61, 0x1e, 0x42, 0x30, 0x33, 0x04, 0x03, 0x2e, 0xe0, 0x48, 0, 0x3b, 0x20, 0x39, 13, 0x1c]);
  });

  it('can be looked at before they are taken', () => {
    const { word } = run(`1: mov ah, 1\nint 0x16\njz 1b\nmov [0x600], ax\nmov ah, 1\nint 0x16\nmov [0x602], ax\nmov ah, 0\nint 0x16\nmov ah, 1\nint 0x16\n${flags(0x604)}`, { keys: ['x'] });
    expect([word(0x600), word(0x602), word(0x604) & 0x40]).toEqual([0x2d78, 0x2d78, 0x40]);
  });

  it('have a state of shift keys', () => {
    const flagsAt = (at: number) => `mov ah, 2\nint 0x16\nmov [${at}], ax\nmov ah, 0x12\nint 0x16\nmov [${at + 2}], ax\n`;
    const { word } = run(`${flagsAt(0x600)}1: mov ah, 0x11\nint 0x16\njz 1b\nmov byte ptr [0x417], 0x0c\n${flagsAt(0x604)}`, { keys: ['x'] });
    expect([word(0x600), word(0x602), word(0x604), word(0x606)]).toEqual([0x0200, 0, 0x020c, 0x030c]);
  });

  it('may come over the serial console', () => {
    const image = disk(READ);
    const machine = new Machine({ memory: MEMORY, disks: [image], serialConsole: true });
    machine.bootDisk('disk');
    machine.run(200_000, true);
    machine.receive(Buffer.from('hi\n'));
    expect(machine.run(3_000_000, true)).toEqual({ kind: 'off' });
    expect([...machine.cpu.ram.subarray(0x600, 0x606)]).toEqual([0x68, 0x23, 0x69, 0x17, 13, 0x1c]);
  });
});

describe('the system', () => {
  it('tells its memory in every way', () => {
    const { machine, word } = run(`
      int 0x12
      mov [0x600], ax
      mov ah, 0x88
      int 0x15
      mov [0x602], ax
      mov ax, 0xe801
      int 0x15
      mov [0x604], ax
      mov [0x606], bx
      xor ebx, ebx
      mov di, 0x8000
      xor si, si
      1: mov eax, 0xe820
      mov edx, 0x534d4150
      mov ecx, 20
      int 0x15
      jc 2f
      inc si
      add di, 20
      test ebx, ebx
      jnz 1b
      2: mov [0x608], si`);
    const map = memoryMap(MEMORY);
    expect([word(0x600), word(0x602), word(0x604), word(0x606), word(0x608)]).toEqual([639, 31 * 1024 - 128, 15 * 1024, 254, map.length]);
    const view = new DataView(machine.cpu.ram.buffer, machine.cpu.ram.byteOffset + 0x8000);
    expect(map.map((_, n) => ({ base: view.getUint32(20 * n, true), length: view.getUint32(20 * n + 8, true), type: view.getUint32(20 * n + 16, true) }))).toEqual(map);
  });

  it('moves blocks to and from above 1 MiB', () => {
    const descriptor = (at: number, base: number) => `mov word ptr [${at}], 0xffff\nmov dword ptr [${at + 2}], ${base + 0x93000000}\nmov word ptr [${at + 6}], 0\n`;
    const { machine, word } = run(`
      ${descriptor(0x810, 0x7c00)}${descriptor(0x818, 0x200000)}
      mov si, 0x800
      mov cx, 256
      mov ah, 0x87
      int 0x15
      ${flags(0x600)}
      mov ax, cs
      mov [0x602], ax`);
    expect([word(0x600) & 1, word(0x602)]).toEqual([0, 0]);
    expect([...machine.cpu.ram.subarray(0x200000 + 510, 0x200000 + 514)]).toEqual([0x55, 0xaa, 0, 0]);
  });

  it('opens and closes the A20 gate', () => {
    const { word } = run(`
      mov ax, 0x2400
      int 0x15
      mov ax, 0x2402
      int 0x15
      mov [0x600], ax
      mov ax, 0x2401
      int 0x15
      mov ax, 0x2402
      int 0x15
      mov [0x602], ax`);
    expect([word(0x600), word(0x602)]).toEqual([0, 1]);
  });

  it('knows the time, counts ticks, and waits', () => {
    const { machine, word } = run(`
      mov ah, 4
      int 0x1a
      mov [0x600], cx
      mov [0x602], dx
      mov ah, 1
      mov cx, 0x12
      mov dx, 0x3456
      int 0x1a
      mov ah, 0x86
      mov cx, 0
      mov dx, 20000
      int 0x15
      ${flags(0x604)}
      mov ah, 0
      int 0x1a
      mov [0x606], cx
      mov [0x608], dx`);
    expect([word(0x600), word(0x602), word(0x604) & 1, word(0x606)]).toEqual([0x2007, 0x0101, 0, 0x12]);
    expect([0x3456, 0x3457]).toContain(word(0x608));
    expect(machine.clock.now / machine.clock.hertz).toBeCloseTo(0.02, 3);
  });

  it('ticks 18.2 times a second', () => {
    const { machine, result } = run('mov byte ptr [0x600], 0\n1: hlt\njmp 1b');
    expect(result).toEqual({ kind: 'limit' });
    const ticks = new DataView(machine.cpu.ram.buffer, machine.cpu.ram.byteOffset).getUint32(0x46c, true);
    expect(ticks).toBeGreaterThan(1000);
    expect(ticks / (machine.clock.now / machine.clock.hertz)).toBeCloseTo(18.2, 1);
  });

  it('says no to what it does not have', () => {
    const { word } = run(`mov ax, 0x5300\nint 0x15\n${flags(0x600)}mov [0x602], ax\nmov ax, 0x4f00\nint 0x10\nmov [0x604], ax`);
    expect([word(0x600) & 1, word(0x602) >> 8, word(0x604)]).toEqual([1, 0x86, 0x100]);
  });
});

describe('kernels', () => {
  it('of Linux begin in real mode when they have something there, with command line and initial RAM disk', () => {
    const image = linuxKernel();
    image.set(code16(`
      mov eax, [0x228]
      mov ecx, [0x218]
      mov edx, [0x21c]
      mov ebx, cs
      mov esi, esp
      hlt`, 0x268), 0x268);
    const machine = new Machine({ memory: MEMORY });
    machine.loadKernel(image, 'k', 'some words', [{ bytes: new Uint8Array(100).fill(9), commandLine: '' }]);
    expect(machine.run(100_000, true)).toEqual({ kind: 'dead-halt' });
    const { eax, ecx, edx, ebx, esi } = machine.cpu.state;
    expect(Buffer.from(machine.cpu.ram.subarray(eax, eax + 11)).toString()).toBe('some words\0');
    expect([machine.cpu.ram[ecx], edx, ebx & 0xffff, esi, machine.cpu.ram[0x100000]]).toEqual([9, 100, 0x1020, 0xfff0, 0x90]);
  });

  it('of protected mode find the services when they go back', () => {
    const machine = guest(`
      mov dword ptr [0x700], 0x0000ffff
      mov dword ptr [0x704], 0
      mov dword ptr [0x708], 0x0000ffff
      mov dword ptr [0x70c], 0x00009b00
      mov dword ptr [0x710], 0x0000ffff
      mov dword ptr [0x714], 0x00009300
      mov word ptr [0x720], 23
      mov dword ptr [0x722], 0x700
      lgdt [0x720]
      mov word ptr [0x728], 0x3ff
      mov dword ptr [0x72a], 0
      lidt [0x728]
      push 8
      push offset narrow
      retf
    narrow:
      .code16
      mov ax, 0x10
      mov ds, ax
      mov es, ax
      mov ss, ax
      mov eax, cr0
      and al, 0xfe
      mov cr0, eax
      push 0
      push offset real
      retf
    real:
      xor ax, ax
      mov ds, ax
      mov ss, ax
      ${print('back')}
      ${OFF}`);
    expect(machine.run(10_000, true)).toEqual({ kind: 'off' });
    expect(machine.screen()[0]).toBe('back');
  });
});
