// Paging: accessed and dirty bits, write protection, TLB staleness and INVLPG, page-fault frames, large pages.
import { describe, expect, it } from 'vitest';
import { Program, PAGES, STACK0 } from '../cpu/program.ts';

const A = 0x20, D = 0x40;

describe('paging', () => {
  it('sets the accessed bit on a read and the dirty bit on a write, also after a read', () => {
    const p = new Program().load('mov eax, [0x40000]\n mov ebx, [0x41000]\n mov [0x41000], ebx\n mov [0x42000], eax\n hlt').paging();
    p.run();
    expect([p.pte(0x40) & (A | D), p.pte(0x41) & (A | D), p.pte(0x42) & (A | D), p.pte(0x43) & (A | D)]).toEqual([A, A | D, A | D, 0]);
  });

  it('sets the dirty bit again after it was cleared and INVLPG', () => {
    const p = new Program().load('mov [0x40000], eax\n and dword ptr [0x201100], 0xffffff9f\n invlpg [0x40000]\n mov [0x40000], eax\n hlt').paging();
    p.run();
    expect(p.pte(0x40) & (A | D)).toBe(A | D);
  });

  it('keeps a translation until INVLPG, and reads the new one after it', () => {
    const p = new Program().load(`
      mov eax, [0x40000]
      mov dword ptr [0x201100], 0x41007
      mov ebx, [0x40000]
      invlpg [0x40000]
      mov ecx, [0x40000]
      hlt`).paging();
    p.view.setUint32(0x40000, 1, true);
    p.view.setUint32(0x41000, 2, true);
    p.run();
    expect([p.state.eax, p.state.ebx, p.state.ecx]).toEqual([1, 1, 2]);
  });

  it('forgets what ring 3 knew of a page at INVLPG, for reads and for writes', () => {
    const p = new Program().load(`
      push 0x23
      push 0x9000
      push 2
      push 0x1b
      push offset user
      iretd
    user: mov eax, 0x23
      mov ds, eax
      mov eax, [0x40000]
      mov [0x42000], eax
      int 0x30
      mov ebx, [0x40000]
      mov [0x42000], ebx
      int 0x31
    remap: mov dword ptr [0x201100], 0x41007
      mov dword ptr [0x201108], 0x43007
      invlpg [0x40000]
      invlpg [0x42000]
      iretd
    end: hlt`).paging().gate(0x30, 'remap', 3).gate(0x31, 'end', 3);
    p.view.setUint32(0x40000, 1, true);
    p.view.setUint32(0x41000, 2, true);
    p.run();
    expect([p.state.eax, p.state.ebx, p.word(0x42000), p.word(0x43000)]).toEqual([1, 2, 1, 2]);
  });

  it('forgets all translations when CR3 is loaded', () => {
    const p = new Program().load('mov eax, [0x40000]\n mov dword ptr [0x201100], 0x41007\n mov eax, cr3\n mov cr3, eax\n mov ecx, [0x40000]\n hlt').paging();
    p.view.setUint32(0x41000, 2, true);
    p.run();
    expect(p.state.ecx).toBe(2);
  });

  it('keeps global pages across CR3 when CR4.PGE is set, not across INVLPG', () => {
    const p = new Program().load(`
      mov eax, [0x40000]
      mov dword ptr [0x201100], 0x41107
      mov eax, cr3
      mov cr3, eax
      mov ebx, [0x40000]
      invlpg [0x40000]
      mov ecx, [0x40000]
      hlt`).paging();
    p.setPte(0x40, 0x40107);
    p.state.cr4 = 0x80;
    p.view.setUint32(0x40000, 1, true);
    p.view.setUint32(0x41000, 2, true);
    p.run();
    expect([p.state.ebx, p.state.ecx]).toEqual([1, 2]);
  });

  it.each([[true, 3], [false, null]])('CR0.WP %s: ring 0 writing a read-only page', (wp, error) => {
    const p = new Program().load('mov [0x40000], eax\n hlt\nh: pop edx\n hlt').paging().gate(14, 'h');
    p.setPte(0x40, 0x40005);
    p.state.cr0 = wp ? p.state.cr0 | 0x10000 : p.state.cr0 & ~0x10000;
    p.state.edx = 99;
    p.run();
    expect(p.state.edx).toBe(error ?? 99);
  });

  it('delivers #PF with CR2, error code and the faulting eip; the instruction can be repeated', () => {
    const p = new Program().load(`
      mov eax, 5
    again: add [0x40ffe], eax
      hlt
    h: mov ebx, cr2
      pop ecx
      mov esi, [esp]
      or dword ptr [0x201104], 1
      iretd`).paging().gate(14, 'h');
    p.setPte(0x41, 0x41006);
    p.view.setUint32(0x40ffe, 0x10, true);
    p.run();
    expect([p.state.ebx, p.state.ecx, p.state.esi]).toEqual([0x41000, 2, p.label('again')]);
    expect(p.word(0x40ffe)).toBe(0x15);
    expect(p.state.esp).toBe(STACK0);
  });

  it('a write across two pages that faults on the second changes nothing on the first', () => {
    const p = new Program().load('mov eax, 0xffffffff\n mov [0x40ffe], eax\n hlt\nh: hlt').paging().gate(14, 'h');
    p.setPte(0x41, 0x41005);
    p.run();
    expect(p.word(0x40ffc)).toBe(0);
    expect(p.state.cr2).toBe(0x41000);
  });

  it('keeps ring 3 out of supervisor pages that ring 0 has in its TLB', () => {
    const p = new Program().load('mov eax, [0x40000]\n push 0x23\n push 0x9000\n push 2\n push 0x1b\n push offset user\n iretd\nuser: mov eax, 0x23\n mov ds, eax\n mov eax, [0x40000]\nh: pop edx\n hlt').paging().gate(14, 'h');
    p.setPte(0x40, 0x40003);
    p.run();
    expect(p.state.edx).toBe(5);
  });

  it('maps 4 MiB pages with CR4.PSE', () => {
    const p = new Program().load('mov eax, [0x800123]\n mov [0x800200], eax\n hlt').paging();
    p.view.setUint32(PAGES + 8, 0x00400087, true);
    p.state.cr4 = 0x10;
    p.view.setUint32(0x400123, 0xabcd, true);
    p.run();
    expect([p.state.eax, p.word(0x400200), p.word(PAGES + 8) & 0x60]).toEqual([0xabcd, 0xabcd, 0x60]);
  });

  it('translates for debuggers without side effects', () => {
    const p = new Program().paging();
    p.setPte(0x40, 0x55007);
    p.setPte(0x41, 0);
    expect(p.cpu.translate(0x40123)).toEqual({ pa: 0x55123 });
    expect(p.cpu.translate(0x41000)).toBeNull();
    expect(p.pte(0x40)).toBe(0x55007);
  });
});
