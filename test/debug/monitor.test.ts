// The monitor: its commands on a machine that stands still, one that runs, and on page tables.

import { spawnSync } from 'node:child_process';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Monitor } from '../../src/debug/monitor.ts';
import { memoryRanges, pageList } from '../../src/debug/tables.ts';
import { Program } from '../cpu/program.ts';
import { debugKernel, kernelImage, ROOT } from './kernel.ts';

function monitorOn(commandLine: string) {
  const fixture = debugKernel(commandLine);
  const monitor = new Monitor(fixture.debug);
  return { ...fixture, say: (line: string) => monitor.execute(line) };
}

describe('monitor', () => {
  it('shows memory in every format', () => {
    const { say, machine } = monitorOn('off');
    machine.cpu.ram.set([0x41, 0x42, 0xff, 0xff, 1, 0, 0, 0], 0x3000);
    expect(say('x/2xw 0x3000')).toBe('00003000: 0xffff4241 0x00000001\n');
    expect(say('x /2xw 0x3000')).toBe('00003000: 0xffff4241 0x00000001\n');
    expect(say('xp/4xb 0x3000')).toBe('00003000: 0x41 0x42 0xff 0xff\n');
    expect(say('x/2c 0x3000')).toBe("00003000: 'A' 'B'\n");
    expect(say('x/1dh 0x3002')).toBe('00003002: -1\n');
    expect(say('x/hu 0x3002')).toBe('00003002: 65535\n');
    expect(say('x/o 0x3004')).toBe('00003004: 01\n');
    expect(say('x 0xffff0000')).toBe('Cannot access memory at address 0xffff0000\n');
    expect(say('x/2i _start')).toMatch(/^00100080 .* mov +esp,0x10[0-9a-f]{4}\n00100085 .* add +esp,0x3fc0\n$/);
    expect(say('p $eip + 0x10 - 1')).toBe('0x10008f\n');
  });

  it('shows registers, the interrupt controllers and the status', () => {
    const { say } = monitorOn('off');
    expect(say('info registers')).toMatch(/^EAX=2badb002 [^]*\nEIP=00100080 [^]*\nCR0=00000011 /);
    expect(say('info pic')).toBe('pic0: irr=00 imr=ff isr=00 irq_base=00 elcr=00\npic1: irr=00 imr=ff isr=00 irq_base=00 elcr=00\n');
    expect(say('info mem')).toBe('paging is off\n');
    expect(say('info fpu')).toMatch(/^FCW=/);
    expect(say('info status')).toBe('VM status: running, 0 instructions\n');
  });

  it('stops, breaks, steps, continues and quits', () => {
    const { say, debug } = monitorOn('off');
    const stops: string[] = [];
    debug.onStop = (stop) => stops.push(stop.kind);
    say('stop');
    say('break main');
    expect(say('info breakpoints')).toMatch(/^[0-9a-f]{8} main\n$/);
    say('cont');
    expect(debug.run(1_000_000, true)).toEqual({ kind: 'stopped' });
    expect(say('info backtrace')).toMatch(/^#0 [0-9a-f]{8} main\n/);
    expect(say('step')).toMatch(/^stopped at [0-9a-f]{8} <main\+0x1>\n$/);
    say('cont');
    expect(say('step')).toBe('the machine is running; stop it first\n');
    expect(debug.run(10_000_000, true)).toEqual({ kind: 'off' });
    expect(stops).toEqual(['asked', 'breakpoint']);
    say('q');
    expect(debug.quit).toBe(true);
  });

  it('answers mistakes with one line', () => {
    const { say } = monitorOn('off');
    for (const line of ['nonsense', 'info nonsense', 'x/99z 0', 'x', 'x nowhere', 'p $nothing', 'x/99999x 0', 'constructor']) expect(say(line)).toMatch(/^[^\n]+\n$/);
    expect(say('')).toBe('');
    expect(say('help')).toContain('xp/FMT ADDR');
  });

  it('presses the buttons of the machine', () => {
    const { say, machine } = monitorOn('idle');
    machine.ports.write(0x602, 2, 0x100);
    machine.ports.write(0xb2, 1, 0xf1);
    expect(say('system_powerdown')).toBe('');
    expect(machine.ports.read(0x600, 2)).toBe(0x100);
    expect(machine.pic.registers()[1]!.request).toBe(1 << 1);
    expect(say('system_reset')).toBe('');
    expect(machine.run(machine.cpu.instructions + 100, true)).toEqual({ kind: 'reset' });
  });

  it('lists page tables', () => {
    const { cpu, setPte } = (() => {
      const program = new Program().paging();
      return { cpu: program.cpu, setPte: (page: number, value: number) => program.setPte(page, value) };
    })();
    setPte(2, 0);
    setPte(3, 0x3005);
    expect(memoryRanges(cpu)).toEqual(['00000000-00002000 00002000 urw', '00003000-00004000 00001000 ur-', '00004000-00400000 003fc000 urw']);
    expect(pageList(cpu).slice(0, 3)).toEqual(['00000000: 00000000 ------UW', '00001000: 00001000 ------UW', '00003000: 00003000 ------U-']);
  });

  it('is on the terminal with -monitor stdio', () => {
    const folder = mkdtempSync(join(tmpdir(), 'monitor-'));
    writeFileSync(join(folder, 'kernel'), kernelImage());
    const run = (args: string[], input: string) => spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/emulate.ts', join(folder, 'kernel'), ...args], { cwd: ROOT, input, encoding: 'latin1', timeout: 60_000 });
    const result = run(['-S', '-monitor', 'stdio'], 'p $eip\nquit\n');
    expect([result.stdout, result.stderr, result.status]).toEqual(['0x100080\n', '', 0]);
    expect(run(['-S', '-monitor', 'stdio', '-serial', 'stdio'], '')).toMatchObject({ status: 2, stderr: expect.stringContaining('both want the terminal') as string });
    rmSync(folder, { recursive: true });
  }, 120_000);
});
