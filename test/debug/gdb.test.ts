// The stub judged by the real gdb on our own host kernel: breakpoints, watchpoints, steps, memory through page tables,
// registers, monitor commands. And packet by packet, for what gdb does not send.

import { describe, expect, it } from 'vitest';
import { GdbStub } from '../../src/debug/gdb.ts';
import { buildWorld } from '../../src/image/world.ts';
import { hasGdb, session } from './gdb-session.ts';
import { debugKernel } from './kernel.ts';

describe.skipIf(!hasGdb)('the real gdb', () => {
  it('breaks, steps, reads memory, watches and continues in the host kernel', async () => {
    const { hostKernel } = buildWorld();
    const { text, code } = await session(hostKernel, ['--native', '--exec', 'echo done; exit 3'], [
      'break syscall', 'continue', 'printf "at %x\\n", $eip', 'x/2i $eip', 'stepi', 'printf "after %x\\n", $eip', 'info registers cr0 eflags',
      'printf "word %x\\n", *(int*)$esp', 'monitor info status', 'monitor x/1i $eip', 'backtrace 2',
      'delete', 'watch -location *(int*)($esp-8)', 'continue', 'printf "watched\\n"', 'delete', 'hbreak dispatch', 'continue', 'printf "second %x\\n", $eip', 'delete', 'continue',
    ]);
    const start = Number(`0x${/^at ([0-9a-f]+)$/m.exec(text)?.[1]}`);
    expect(text).toMatch(/^Breakpoint 1, (0x[0-9a-f]+ in )?syscall/m);
    expect(text).toMatch(/<syscall>:\s+push\s+%ebp/);
    expect(text).toMatch(new RegExp(`^after ${(start + 1).toString(16)}$`, 'm'));
    expect(text).toMatch(/^cr0 .*\[.*PG.*\]$/m);
    expect(text).toMatch(/^VM status: paused, \d+ instructions$/m);
    expect(text).toMatch(/mov +ebp,esp$/m);
    expect(text).toMatch(/^Hardware watchpoint 2: [^]*^Old value = [^]*^New value = [^]*^watched$/m);
    expect(text).toMatch(/Breakpoint 3, (0x[0-9a-f]+ in )?dispatch/);
    expect(text).toMatch(/\[Inferior 1 \(.*\) exited with code 03\]/);
    expect(code).toBe(3);
  }, 120_000);
});

/** A stub on the test kernel; `ask` sends a packet and returns the answer without its frame. */
function stubOn(commandLine: string): { ask: (data: string) => string; stub: GdbStub } & ReturnType<typeof debugKernel> {
  const fixture = debugKernel(commandLine);
  let sent = '';
  const stub = new GdbStub(fixture.debug, (bytes) => (sent += bytes));
  fixture.debug.onStop = (stop) => stub.stopped(stop);
  const ask = (data: string): string => {
    const sum = Buffer.from(data, 'latin1').reduce((a, b) => (a + b) & 0xff, 0).toString(16).padStart(2, '0');
    sent = '';
    stub.receive(`$${data}#${sum}`);
    while (!fixture.debug.paused && fixture.debug.run(fixture.machine.cpu.instructions + 10_000_000, true).kind !== 'stopped') break;
    return sent.replace(/^\+/, '').replace(/^\$([^]*)#[0-9a-f]{2}$/, '$1');
  };
  return { ask, stub, ...fixture };
}

describe('packets', () => {
  it('that are unknown get the empty answer, wrong sums a minus', () => {
    const { ask, stub } = stubOn('off');
    for (const packet of ['vMustReplyEmpty', 'qTStatus', 'Z5,0,1', 'qL1', '!']) expect(ask(packet)).toBe('');
    expect(ask('?')).toBe('T05thread:1;');
    let bad = '';
    new GdbStub(stubOn('off').debug, (bytes) => (bad += bytes)).receive('$g#00');
    expect(bad).toBe('-');
    expect(stub).toBeDefined();
  });

  it('read and write registers and memory', () => {
    const { ask, machine } = stubOn('off');
    const all = ask('g');
    expect(all.slice(0, 8)).toBe('02b0ad2b');
    expect(ask(`G${'78563412'}${all.slice(8)}`)).toBe('OK');
    expect(machine.cpu.state.eax).toBe(0x12345678);
    expect(ask('p0')).toBe('78563412');
    expect(ask('P3=01000000')).toBe('OK');
    expect(machine.cpu.state.ebx).toBe(1);
    expect(ask('pff')).toBe('E22');
    expect(ask('M2000,4:01020304')).toBe('OK');
    expect(ask('X2004,2:}\x03}\x04')).toBe('OK');
    expect(ask('m2000,6')).toBe('010203042324');
    expect(ask('mffff0000,4')).toBe('E14');
    expect(ask('Mffff0000,1:00')).toBe('E14');
  });

  it('stop at breakpoints again and again, without touching the code', () => {
    const { ask, debug, machine } = stubOn('off');
    const put = debug.symbols.address('print')!;
    const before = machine.cpu.ram.slice(put, put + 8);
    expect(ask(`Z0,${put.toString(16)},1`)).toBe('OK');
    for (let i = 0; i < 3; i++) {
      expect(ask('vCont;c')).toBe('T05swbreak:;thread:1;');
      expect(machine.cpu.state.eip).toBe(put);
    }
    expect(machine.cpu.ram.slice(put, put + 8)).toEqual(before);
    expect(ask('s')).toBe('T05thread:1;');
    expect(machine.cpu.state.eip).toBe(put + 1);
  });

  it('watch reads and writes', () => {
    const { ask, debug, machine } = stubOn('off');
    const address = machine.cpu.state.ebx;
    expect(ask(`Z3,${address.toString(16)},20`)).toBe('OK');
    expect(ask('c')).toMatch(/^T05rwatch:[0-9a-f]+;thread:1;$/);
    expect(debug.symbols.text(machine.cpu.state.eip)).toMatch(/^main/);
    expect(ask(`z3,${address.toString(16)},20`)).toBe('OK');
    expect(ask(`Z2,${(machine.cpu.state.esp - 8).toString(16)},4`)).toBe('OK');
    expect(ask('c')).toMatch(/^T05watch:/);
  });

  it('interrupt a running machine', () => {
    const { stub, debug, machine } = stubOn('never');
    debug.resume();
    expect(debug.run(100_000, true)).toEqual({ kind: 'limit' });
    stub.receive('\x03');
    expect(debug.paused).toBe(true);
    expect(machine.cpu.instructions).toBe(100_000);
  });

  it('hand out the target description in pieces', () => {
    const { ask } = stubOn('off');
    let xml = '';
    for (let piece = 'm'; piece[0] === 'm';) {
      piece = ask(`qXfer:features:read:target.xml:${xml.length.toString(16)},200`);
      xml += piece.slice(1);
    }
    expect(xml).toContain('<architecture>i386</architecture>');
    expect(xml.match(/<reg /g)).toHaveLength(36);
  });
});
