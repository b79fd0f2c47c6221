// Events are counted exactly, cost what the table says, and let a deadline in cycles fall on the same instruction whatever
// the engine and however the run is cut.
import { describe, expect, it } from 'vitest';
import { Cpu } from '../../src/cpu/cpu.ts';
import type { EngineKind } from '../../src/cpu/engine.ts';
import { P4_COSTS } from '../../src/cpu/p4.ts';
import { EVENTS, FLAT, P4, scaled, timingNamed, type EventKind, type Timing } from '../../src/cpu/timing.ts';
import { Program } from './program.ts';

/** Ring 3 calls ring 0 forty times, touches pages, divides, reloads CR3, uses the FPU, ports and segments. */
const WORK = `
  fninit
  push 0x23
  push 0x9000
  push 0x3202
  push 0x1b
  push offset user
  iretd
user:
  mov eax, 0x23
  mov ds, eax
  mov es, eax
  mov esi, 40
  cld
again:
  mov edi, esi
  shl edi, 12
  add edi, 0x40000
  mov [edi], esi
  cmp dword ptr [edi+0x80000], 7
  jne skip
  inc ebx
skip:
  mov ecx, 300
  push edi
  rep stosd
  pop edi
  lea edx, [edi+0xffe]
  add [edx], ebx
  mov eax, esi
  xor edx, edx
  mov ecx, 7
  div ecx
  fld1
  fldpi
  fdivp
  fstp dword ptr [edi]
  int 0x80
  out 0x80, al
  mov eax, 0x23
  mov ds, eax
  dec esi
  jnz again
  int 0x81
sys:
  mov eax, cr3
  mov cr3, eax
  iretd
stop: hlt`;

class Timed extends Program {
  constructor(engine: EngineKind, timing: Timing) {
    super(engine, timing);
    this.load(WORK).gate(0x80, 'sys', 3).gate(0x81, 'stop', 3).paging();
  }
}

/** Everything that a run must leave equal. */
function outcome({ cpu, state }: Program): unknown[] {
  return [cpu.instructions, cpu.cycles, [...cpu.events.snapshot()], state.eip, state.esp, state.eax, state.ebx, state.eflags];
}

describe('cost tables', () => {
  it('give every event of p4 a positive cost, and flat none', () => {
    expect(P4_COSTS.map(({ event }) => event)).toEqual([...EVENTS]);
    for (const { event, cycles } of P4_COSTS) expect([event, cycles > 0 && Number.isInteger(cycles), P4.costs[event]]).toEqual([event, true, cycles]);
    expect(Object.values(FLAT.costs).every((cost) => cost === 0)).toBe(true);
    expect([timingNamed('p4'), timingNamed('flat'), timingNamed('p5')]).toEqual([P4, FLAT, null]);
  });

  it('can be scaled one cost at a time', () => {
    const half = scaled(P4, 'tlbMiss', 0.5);
    expect(half.costs.tlbMiss).toBe(Math.round(P4.costs.tlbMiss / 2));
    expect(half.costs.divide).toBe(P4.costs.divide);
  });
});

describe('events', () => {
  it('are counted, each kind by itself', () => {
    const { cpu } = ((p) => (p.run(), p))(new Timed('tier0', FLAT));
    const expected: Partial<Record<EventKind, number>> = {
      softwareInterrupt: 41, interruptReturn: 41, directoryLoad: 40, divide: 40, x87Divide: 40, portWrite: 40, segmentLoad: 42, exception: 0, hardwareInterrupt: 0,
    };
    for (const [event, count] of Object.entries(expected)) expect([event, cpu.events.of(event as EventKind)]).toEqual([event, count]);
  });

  it('count a page walk for each page after each flush, once for both rings, and none without paging', () => {
    const touch = 'mov eax, [0x30000]\n mov eax, [0x31000]\n mov [0x31004], eax\n mov eax, [0x30004]\n mov ecx, cr3\n mov cr3, ecx\n mov eax, [0x30000]\n hlt';
    const paged = new Program().load(touch).paging();
    paged.run();
    expect(paged.cpu.events.of('tlbMiss')).toBe(3 + 2);      // the page of the code is one of them
    const flat = new Program().load(touch);
    flat.run();
    expect(flat.cpu.events.of('tlbMiss')).toBe(0);
  });

  it('count accessed and dirty bits that a walk sets', () => {
    const p = new Program().load('mov eax, [0x30000]\n mov [0x30000], eax\n mov [0x31000], eax\n mov [0x31000], eax\n hlt').paging();
    p.run();
    expect(p.cpu.events.of('pageMark')).toBe(1 + 2 + 1);     // code; read, then written; written
  });

  it('cost nothing under flat: a cycle is an instruction', () => {
    const p = new Timed('tier0', FLAT);
    p.run();
    expect(p.cpu.cycles).toBe(p.cpu.instructions);
  });

  it('cost what the table says under p4', () => {
    const flat = new Timed('tier0', FLAT), p4 = new Timed('tier0', P4);
    flat.run();
    p4.run();
    expect(p4.cpu.instructions).toBe(flat.cpu.instructions);
    expect([...p4.cpu.events.snapshot()]).toEqual([...flat.cpu.events.snapshot()]);
    const extra = EVENTS.reduce((sum, event) => sum + p4.cpu.events.of(event) * P4.costs[event], 0);
    expect(extra).toBeGreaterThan(1000);
    expect(p4.cpu.cycles).toBe(p4.cpu.instructions + extra);
    const zero = new Float64Array(EVENTS.length);
    expect(p4.cpu.events.cyclesSince(zero, P4).reduce((a, b) => a + b)).toBe(extra);
  });

  it('are seen by RDTSC', () => {
    const p = new Program('tier0', P4).load('xor edx, edx\n mov eax, 9\n mov ecx, 2\n rdtsc\n mov ebx, eax\n xor edx, edx\n div ecx\n rdtsc\n sub eax, ebx\n hlt');
    p.run();
    expect(p.state.eax).toBe(4 + P4.costs.timeStamp + P4.costs.divide);
  });

  it('survive a reset of the processor, as the instruction count does', () => {
    const p = new Timed('tier0', P4);
    p.run();
    const before = [p.cpu.cycles, p.cpu.events.of('divide')];
    p.cpu.reset();
    expect([p.cpu.cycles, p.cpu.events.of('divide')]).toEqual(before);
  });
});

describe('runs by cycles', () => {
  it('agree on both engines', () => {
    const a = new Timed('tier0', P4), b = new Timed('reference', P4);
    a.run();
    b.run();
    expect(outcome(b)).toEqual(outcome(a));
  });

  it.each([1, 2, 3])('do not depend on how they are sliced (seed %i)', (seed) => {
    const whole = new Timed('tier0', P4);
    whole.run();
    const sliced = new Timed('tier0', P4);
    for (let state = seed; ;) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      const { cpu } = sliced;
      const size = 1 + (state >>> 16) % 400;
      const reason = state & 0x8000 ? cpu.run(cpu.instructions + size) : cpu.run(Infinity, cpu.cycles + size);
      if (reason === 'halt') break;
      expect(reason).toBe('budget');
    }
    expect(outcome(sliced)).toEqual(outcome(whole));
  });

  it('stop at the first instruction boundary at or after their deadline', () => {
    const boundaries = [];
    const stepped = new Timed('tier0', P4);
    const start = stepped.cpu.cycles;
    for (let reason = 'budget'; reason === 'budget';) {
      boundaries.push(stepped.cpu.cycles);
      reason = stepped.cpu.run(stepped.cpu.instructions + 1);
    }
    for (let deadline = start + 1; deadline < start + 20_000; deadline += 61) {
      const p = new Timed('tier0', P4);
      p.cpu.run(Infinity, deadline);
      expect([deadline, p.cpu.cycles]).toEqual([deadline, boundaries.find((cycle) => cycle >= deadline)]);
    }
  });

  it('stop between a compare and its branch when the load of the compare took the rest', () => {
    const text = 'cmp dword ptr [0x30000], 7\n jne over\nover: inc eax\n hlt';
    const p = new Program('tier0', P4).load(text).paging();
    p.cpu.run(Infinity, p.cpu.cycles + 1 + P4.costs.tlbMiss + P4.costs.pageMark * 2);
    expect([p.cpu.events.of('tlbMiss'), p.state.eip - 0x1000]).toEqual([2, 7]);
  });
});

it('the processor takes any table', () => {
  const timing = scaled(FLAT, 'divide', 3);
  expect(new Cpu({ ramBytes: 1 << 20, bus: null as never, timing }).timing).toBe(timing);
});
