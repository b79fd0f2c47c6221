// The two engines are one text printed twice: they must agree on every bit of state, at every instruction boundary.
import { describe, expect, it, vi } from 'vitest';
import { decode, Insn } from '../../src/isa/decode.ts';
import { Program } from './program.ts';
import { NOTE_BYTES, REG, SCRATCH } from '../../src/cpu/layout.ts';

vi.setConfig({ testTimeout: 60_000 });

const WORK = `
  push 0x23
  push 0x9000
  push 0x202
  push 0x1b
  push offset user
  iretd
user:
  mov eax, 0x23
  mov ds, eax
  mov es, eax
  cld
again:
  mov edx, 0x40ff0
  mov eax, ecx
  imul eax, eax, 77
  mov [edx+ecx*4], eax
  adc ebx, [edx+ecx*4]
  bsf esi, ebx
  shld ebx, eax, 5
  xadd [edx], ebx
  mov edi, 0xb000
  push ecx
  and ecx, 15
  rep stosw
  pop ecx
  mov al, bl
  aam 10
  daa
  int 0x80
  setl ah
  cmova ebp, eax
  mul ebx
  inc ecx
  cmp ecx, 40
  jb again
  int 0x81
sys:
  push eax
  mov eax, cr3
  mov cr3, eax
  pop eax
  xor eax, ebp
  ror eax, cl
  iretd
stop: hlt`;

describe('engines', () => {
  it('agree after every slice of a run', () => {
    const make = (engine: 'tier0' | 'reference') =>
      new Program(engine).load(WORK).gate(0x80, 'sys', 3).gate(0x81, 'stop', 3).paging();
    const a = make('tier0'), b = make('reference');
    const state = (p: Program) => Buffer.from(p.cpu.memory.buffer, REG, SCRATCH - REG);
    for (let slice = 1; ; slice++) {
      const until = a.cpu.instructions + 1 + (slice * 7) % 23;
      const reason = a.cpu.run(until);
      expect(b.cpu.run(until)).toBe(reason);
      if (Buffer.compare(state(a), state(b)) !== 0) expect([slice, state(a).toString('hex')]).toEqual([slice, state(b).toString('hex')]);
      if (reason === 'budget') continue;
      expect(reason).toBe('halt');
      break;
    }
    expect(Buffer.compare(a.cpu.ram, b.cpu.ram)).toBe(0);
    expect(a.cpu.instructions).toBeGreaterThan(1000);
  });
});

/** The test program, with its gates, on an engine. */
function workOn(engine: 'tier0' | 'observed'): Program {
  return new Program(engine).load(WORK).gate(0x80, 'sys', 3).gate(0x81, 'stop', 3).paging();
}

/** Linear addresses of the instructions of a run, one by one as the debugger's hook sees them. */
function stepped(): number[] {
  const program = workOn('tier0');
  const seen: number[] = [];
  program.cpu.setHooks({ breakpoint: (la) => { seen.push(la); return 1; }, breakpointPage: () => true });
  program.run();
  return seen.slice(0, program.cpu.instructions);
}

/** The same from notes: each says where a straight run begins; REP stays at its instruction. */
function fromNotes(slices: boolean): { seen: number[]; rings: Set<number> } {
  const { cpu } = workOn('observed');
  const seen: number[] = [];
  const rings = new Set<number>();
  const insn = new Insn();
  let at = 0, count = 0;
  const advance = (until: number): void => {
    while (count < until) {
      seen.push(at);
      count++;
      const length = decode(cpu.ram, at, at + 15, true, insn);
      if (count < until && cpu.ram[at] !== 0xf3) at += length;
    }
  };
  cpu.observe({
    wanted: () => 3,
    notes: (words, from, to) => {
      for (let n = from; n < to; n += NOTE_BYTES / 4) {
        advance(words[n + 1]!);
        at = words[n]!;
        rings.add(words[n + 3]! >> 4);
      }
    },
  });
  const limit = 100_000;
  if (slices) while (!cpu.halted) cpu.run(cpu.instructions + 13);
  else cpu.run(limit);
  cpu.takeNotes();
  advance(cpu.instructions);
  return { seen, rings };
}

describe('the observed engine', () => {
  it('notes where every instruction was, however the run is cut', () => {
    const expected = stepped();
    for (const slices of [false, true]) {
      const { seen, rings } = fromNotes(slices);
      expect(seen).toEqual(expected);
      expect([...rings].sort()).toEqual([0, 3]);
    }
  });

  it('is asked for at the start', () => {
    expect(() => workOn('tier0').cpu.observe({ wanted: () => 3, notes: () => {} })).toThrow('tier0 takes no notes');
  });
});
