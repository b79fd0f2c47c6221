// Self-modifying code, code that changes under the micro-op cache, instructions across pages.
import { describe, expect, it } from 'vitest';
import { Program, CODE } from './program.ts';

describe('changing code', () => {
  it('sees a patched following instruction at once', () => {
    const p = new Program().load('mov byte ptr [patch+1], 7\npatch: mov al, 1\n hlt');
    p.run();
    expect(p.state.eax & 0xff).toBe(7);
  });

  it('sees a patch in a running loop', () => {
    const p = new Program().load('mov ecx, 3\n xor eax, eax\nl: add eax, 1\n inc byte ptr [l+2]\n loop l\n hlt');
    p.run();
    expect(p.state.eax).toBe(1 + 2 + 3);
  });

  it('fetches a REP STOS that overwrites itself anew', () => {
    // the second word stored is the instruction and two bytes after it: INC EDX four times
    const p = new Program().load('cld\n xor edx, edx\n mov eax, 0x42424242\n mov ecx, 4\n mov edi, offset r - 4\n jmp r\n nop\n nop\n nop\n nop\nr: rep stosd\n nop\n nop\n hlt');
    p.run();
    expect([p.state.edx, p.state.ecx]).toEqual([4, 2]);
  });

  it('sees code copied by REP MOVS over code that has run', () => {
    const p = new Program().load(`
      cld
      call target
      mov esi, offset fresh
      mov edi, offset target
      mov ecx, 6
      rep movsb
      call target
      hlt
    target: mov eax, 1
      ret
    fresh: mov eax, 2
      ret`);
    p.run();
    expect(p.state.eax).toBe(2);
  });

  it('sees code written by DMA', () => {
    const p = new Program().load('mov eax, 1\n hlt');
    p.run();
    p.cpu.ram[CODE + 1] = 5;
    p.cpu.dmaWritten(CODE + 1, 1);
    p.state.eip = CODE;
    p.state.halted = 0;
    p.run();
    expect(p.state.eax).toBe(5);
  });

  it('keeps micro-ops when data in the same page but another granule changes', () => {
    const p = new Program().load('mov ecx, 1000\nl: mov [0x1800], ecx\n add eax, [0x1800]\n dec ecx\n jnz l\n hlt');
    p.run();
    expect(p.state.eax).toBe(500500);
  });

  it('sees code written again to a page that was written before its code first ran', () => {
    const p = new Program().load(`
      mov byte ptr [0x3000], 0xb8
      mov dword ptr [0x3001], 1
      mov byte ptr [0x3005], 0xc3
      call 0x3000
      mov ebx, eax
      mov dword ptr [0x3001], 2
      call 0x3000
      hlt`);
    p.run();
    expect([p.state.ebx, p.state.eax]).toEqual([1, 2]);
  });

  it('sees the same page patched through another mapping', () => {
    const p = new Program().paging();
    p.setPte(0x300, 0x1007);
    p.load('call f\n mov byte ptr [0x301000 - 0x1000 + f - 0x1000 + 1], 9\n call f\n hlt\nf: mov eax, 1\n ret');
    p.run();
    expect(p.state.eax).toBe(9);
  });

  it('runs instructions that straddle two pages, in a loop', () => {
    const p = new Program().load('l: add eax, 0x10203\n dec ecx\n jnz l\n hlt', 0x2ffd);
    p.state.eip = 0x2ffd;
    p.state.eax = 0;
    p.state.ecx = 50;
    p.run();
    expect(p.state.eax).toBe(50 * 0x10203);
  });

  it.each([1, 2, 3, 4])('fetches an instruction with %i bytes in the first page, and faults on the second page with its address', (inFirst) => {
    const p = new Program().load('mov eax, 0x11223344\n hlt', 0x3000 - inFirst);
    p.load('h: mov ebx, cr2\n hlt', 0x5000).gate(14, 'h').paging();
    p.setPte(3, 0x3006);
    p.state.eip = 0x3000 - inFirst;
    p.run();
    expect([p.state.ebx, p.state.eax]).toEqual([0x3000, 0]);
    p.setPte(3, 0x3007);
    p.state.eip = 0x3000 - inFirst;
    p.state.refresh();
    p.state.halted = 0;
    p.run();
    expect(p.state.eax).toBe(0x11223344);
  });

  it('notices when the second page of a straddling instruction is remapped or rewritten', () => {
    const p = new Program().load('mov eax, 0x11223344\n ret', 0x3000 - 2);
    p.load('call 0x2ffe\n mov ebx, eax\n mov byte ptr [0x3000], 0x55\n call 0x2ffe\n hlt').paging();
    p.run();
    expect([p.state.ebx, p.state.eax]).toEqual([0x11223344, 0x11225544]);
  });
});
