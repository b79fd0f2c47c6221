// Debug exceptions: the kinds of breakpoints, DR6 and DR7, single steps and the shadows that delay them (SDM volume 3, 17).
import { describe, expect, it } from 'vitest';
import { ENGINE_KINDS } from '../../src/cpu/engine.ts';
import { DATA0, Program } from './program.ts';

/** A handler that notes where the trap came from (edx, first one in ebp) and DR6 (ebx), and stops. */
const HANDLER = '\nh: mov edx, [esp]\n mov ebx, dr6\n hlt';
const EXECUTE = 0, WRITE = 1, PORT = 2, ACCESS = 3;

describe.each(ENGINE_KINDS)('debug exceptions on %s', (engine) => {
  /** Runs with DR0 armed; [where the trap returns to, DR6's low bits and BS]. */
  function trapped(text: string, kind: number, address: string | number, setup: (p: Program) => void = () => {}): [number, number, Program] {
    const p = new Program(engine).load(text + HANDLER).gate(1, 'h');
    p.state.dr0 = typeof address === 'string' ? p.label(address) : address;
    p.state.dr7 = 0x401 | (kind << 16);
    setup(p);
    p.run(1000);
    return [p.state.edx, p.state.ebx & 0xf00f, p];
  }

  it('execution: a fault before the instruction, once per RF', () => {
    const [at, bits, p] = trapped('nop\nhere: inc ecx\n hlt', EXECUTE, 'here');
    expect([at, bits]).toEqual([p.label('here'), 1]);
    const q = new Program(engine).load('nop\nhere: inc esi\n hlt\nh: inc edi\n or dword ptr [esp+8], 0x10000\n iretd').gate(1, 'h');
    q.state.dr0 = q.label('here');
    q.state.dr7 = 0x401;
    q.run(1000);
    expect([q.state.esi, q.state.edi]).toEqual([1, 1]);
  });

  it('data writes and accesses: a trap after the instruction', () => {
    const text = 'mov eax, [0xa000]\nread: mov [0xa002], al\nwrite: hlt';
    for (const [kind, label] of [[WRITE, 'write'], [ACCESS, 'read']] as const) {
      const [at, bits, p] = trapped(text, kind, 0xa002);
      expect([at, bits]).toEqual([p.label(label), 1]);
    }
  });

  it('ports, when CR4.DE is set', () => {
    const text = 'out 0x7f, al\n out 0x80, al\nafter: nop\n hlt';
    const [at, bits, p] = trapped(text, PORT, 0x80, (q) => { q.state.cr4 = 8; });
    expect([at, bits]).toEqual([p.label('after'), 1]);
    expect(trapped(text, PORT, 0x80)[2].state.edx).not.toBe(p.label('after'));
    const [string, , q] = trapped('mov edx, 0x80\n mov esi, 0xa000\n outsb\nafter: hlt', PORT, 0x80, (r) => { r.state.cr4 = 8; });
    expect(string).toBe(q.label('after'));
  });

  it('a data breakpoint of an instruction that faults is forgotten', () => {
    const p = new Program(engine).load('add [0x90000000], eax\nh13: hlt' + HANDLER).gate(1, 'h').gate(13, 'h13').gate(14, 'h13').paging();
    p.state.dr0 = 0x9000_0000;
    p.state.dr7 = 0x401 | (ACCESS << 16) | (3 << 18);
    p.run(1000);
    expect([p.cpu.halted, p.state.eip]).toEqual([true, p.label('h13') + 1]);
  });

  it('DR7.GD guards the registers, and every debug exception clears it', () => {
    const [at, bits] = trapped('nop\nhere: mov eax, dr3\n hlt', EXECUTE, 0, (p) => { p.state.dr7 = 0x2400; });
    expect([at, bits & 0x2000]).toEqual([0x1001, 0x2000]);
    const p = trapped('nop\nhere: nop\n hlt', EXECUTE, 'here', (q) => { q.state.dr7 |= 0x2000; })[2];
    expect(p.state.dr7 & 0x2000).toBe(0);
  });

  it('TF: a trap after STI at once, after MOV SS one instruction later', () => {
    const step = (text: string) => {
      const p = new Program(engine).load(`push 0x102\n mov eax, ${DATA0}\n popfd\n${text}` + HANDLER).gate(1, 'h');
      p.run(1000);
      return p.state.edx === p.label('first') ? 'first' : p.state.edx === p.label('second') ? 'second' : p.state.edx;
    };
    expect(step('sti\nfirst: nop\nsecond: nop\n hlt')).toBe('first');
    expect(step('mov ss, ax\nfirst: nop\nsecond: nop\n hlt')).toBe('second');
  });

  it('TF: the step that MOV SS swallows does not trap in the handler of the INT behind it', () => {
    const p = new Program(engine).load(`push 0x102\n mov eax, ${DATA0}\n popfd\n mov ss, ax\n int 0x30\nsystem: mov ecx, 5\n hlt` + HANDLER).gate(1, 'h').gate(0x30, 'system');
    p.state.dr6 = 0xffff0ff0;
    p.run(1000);
    expect([p.state.eip, p.state.ecx]).toEqual([p.label('system') + 6, 5]);
  });

  it('an execution breakpoint right after MOV SS does not hit', () => {
    const [at] = trapped(`mov eax, ${DATA0}\n mov ss, ax\nhere: inc ecx\n mov edx, 7\n hlt`, EXECUTE, 'here');
    expect(at).toBe(7);
  });
});
