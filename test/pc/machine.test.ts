import { describe, expect, it } from 'vitest';
import { CYCLES_PER_SECOND } from '../../src/bus/clock.ts';
import { Machine } from '../../src/pc/machine.ts';
import { multibootKernel } from './images.ts';

const OFF = [0x66, 0xba, 0x04, 0x06, 0x66, 0xb8, 0x00, 0x20, 0x66, 0xef]; // out 0x604, 0x2000

describe('machine', () => {
  it('passes the bytes of port 0xE9 to the debug console, and 0xE9 reads as itself', () => {
    let text = '';
    const machine = new Machine({ memory: 2 << 20, debugConsole: (byte) => { text += String.fromCharCode(byte); } });
    // mov al,'h'; out 0xe9,al; in al,0xe9; out 0xe9,al
    machine.loadKernel(multibootKernel([0xb0, 0x68, 0xe6, 0xe9, 0xe4, 0xe9, 0xe6, 0xe9, ...OFF]), 'k');
    expect(machine.run(100, true)).toEqual({ kind: 'off' });
    expect(text).toBe('h\xe9');
  });

  it('sends COM2 its own way and takes typed keys at port 0x60', () => {
    const sent: number[] = [];
    const machine = new Machine({ memory: 2 << 20, serial2: (byte) => sent.push(byte) });
    // in al,0x60; mov dx,0x2f8; out dx,al
    machine.loadKernel(multibootKernel([0xe4, 0x60, 0x66, 0xba, 0xf8, 0x02, 0xee, ...OFF]), 'k');
    machine.type('a');
    machine.run(100, true);
    expect(sent).toEqual([0x1e]);
  });

  it('shows the text screen', () => {
    const machine = new Machine({ memory: 2 << 20 });
    // mov word [0xb8000], 0x0741
    machine.loadKernel(multibootKernel([0x66, 0xc7, 0x05, 0x00, 0x80, 0x0b, 0x00, 0x41, 0x07, ...OFF]), 'k');
    machine.run(100, true);
    expect(machine.screen()[0]).toBe('A');
  });

  it('lets the time-stamp counter run while the processor is halted', () => {
    const machine = new Machine({ memory: 2 << 20 });
    machine.loadKernel(multibootKernel([0x0f, 0x31, 0x89, 0xc3, ...OFF]), 'k'); // rdtsc; mov ebx,eax
    machine.clock.skip(CYCLES_PER_SECOND);
    machine.run(100, true);
    expect(machine.cpu.state.ebx - CYCLES_PER_SECOND).toBeLessThan(10);
    expect(machine.cpu.state.ebx).toBeGreaterThanOrEqual(CYCLES_PER_SECOND);
  });
});
