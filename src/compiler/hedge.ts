// Baseline back end (hedge): every vreg lives in the frame.
import { Op, Cond, T_I32, T_I64, T_F64, T_VOID, ASM_LOCAL, ASM_CONST, SEC_RODATA, SEC_DATA, SEC_BSS } from './ir.ts';
import type { IrModule, IrFunc, IrInst } from './ir.ts';
export interface HedgeOpts { base: number; physOffset: number; multiboot: boolean; entry: string; assemble: (text: string) => { bytes: number[]; relocs: { at: number; sym: string; addend: number; rel: boolean }[] } }
interface Reloc { at: number; sym: string; addend: number; rel: boolean }
const CC: Record<number, number> = { [Cond.EQ]: 4, [Cond.NE]: 5, [Cond.LT]: 12, [Cond.LE]: 14, [Cond.GT]: 15, [Cond.GE]: 13, [Cond.ULT]: 2, [Cond.ULE]: 6, [Cond.UGT]: 7, [Cond.UGE]: 3 };
const EAX = 0, ECX = 1, EDX = 2, ESP = 4, EBP = 5;
class Gen {
  b: number[] = []; relocs: Reloc[] = []; extra: { name: string; bytes: number[]; relocs: Reloc[] }[] = []; need = new Set<string>();
  u8(...x: number[]) { for (const v of x) this.b.push(v & 255); }
  u32(v: number) { this.u8(v, v >> 8, v >> 16, v >> 24); }
  abs(sym: string, addend = 0) { this.relocs.push({ at: this.b.length, sym, addend, rel: false }); this.u32(0); }
  rel(sym: string) { this.relocs.push({ at: this.b.length, sym, addend: -4, rel: true }); this.u32(0); }
  mem(reg: number, off: number) { if (off >= -128 && off < 128) this.u8(0x45 | reg << 3, off); else { this.u8(0x85 | reg << 3); this.u32(off); } }
  ld(r: number, off: number) { this.u8(0x8b); this.mem(r, off); }
  st(r: number, off: number) { this.u8(0x89); this.mem(r, off); }
  imm(r: number, v: number) { this.u8(0xb8 + r); this.u32(v); }
}
export function hedgeEmit(m: IrModule, o: HedgeOpts): number[] {
  const syms = new Map<string, number>(); const text = new Gen(); let tables = 0; const jt: { name: string; targets: number[] }[] = [];
  const funcSizes: { name: string; at: number; size: number }[] = [];
  const helpers = new Set<string>();
  const emitFunc = (f: IrFunc) => {
    const g = text; while (g.b.length % 16) g.u8(0x90); const start = g.b.length; syms.set(f.name, start);
    const off: number[] = []; let fr = 0;
    { let a = 8; const isP = new Set(f.params); for (const p of f.params) { off[p] = a; a += f.vregs[p] === T_I32 ? 4 : 8; } f.vregs.forEach((t, v) => { if (!isP.has(v)) { fr += t === T_I32 ? 4 : 8; off[v] = -fr; } }); }
    const slotOff = f.slots.map((s) => { fr = (fr + s.size + 3) & ~3; return -fr; });
    fr = (fr + 3) & ~3;
    if (!f.naked) { g.u8(0x55, 0x89, 0xe5); if (fr) { g.u8(0x81, 0xec); g.u32(fr); } }
    const blockAt: number[] = []; const fix: { at: number; block: number }[] = [];
    const jmp = (t: number) => { g.u8(0xe9); fix.push({ at: g.b.length, block: t }); g.u32(0); };
    const jcc = (cc: number, t: number) => { g.u8(0x0f, 0x80 + cc); fix.push({ at: g.b.length, block: t }); g.u32(0); };
    // operand b into reg
    const ldb = (i: IrInst, r: number) => { if (i.useImm) g.imm(r, i.imm); else g.ld(r, off[i.b]!); };
    // address: returns modrm emitter with base in eax, index in ecx
    const addr = (i: IrInst) => {
      if (i.slot >= 0) { g.u8(0x8d); g.mem(EDX, slotOff[i.slot]!); if (i.base >= 0) { g.u8(0x03); g.mem(EDX, off[i.base]!); } }
      else if (i.base >= 0) g.ld(EDX, off[i.base]!);
      if (i.index >= 0) g.ld(ECX, off[i.index]!);
      const hasB = i.slot >= 0 || i.base >= 0; const hasI = i.index >= 0;
      return (reg: number, extra = 0) => {
        const put32 = () => { if (i.sym) g.abs(i.sym, i.disp + extra); else g.u32(i.disp + extra); };
        const sc = { 1: 0, 2: 1, 4: 2, 8: 3 }[i.scale]!;
        if (hasI) { g.u8((hasB ? 0x84 : 0x04) | reg << 3, sc << 6 | ECX << 3 | (hasB ? EDX : 5)); put32(); }
        else if (hasB) { g.u8(0x80 | reg << 3 | EDX); put32(); }
        else { g.u8(0x05 | reg << 3); put32(); }
      };
    };
    const fld = (v: number) => { g.u8(0xdd); g.mem(0, off[v]!); };
    const fstp = (v: number) => { g.u8(0xdd); g.mem(3, off[v]!); };
    const cmp = (i: IrInst): number => { // emits compare, returns cc
      if (i.type === T_I32) { g.ld(EAX, off[i.a]!); if (i.useImm) { g.u8(0x3d); g.u32(i.imm); } else { g.u8(0x3b); g.mem(EAX, off[i.b]!); } return CC[i.cond]!; }
      if (i.type === T_F64) {
        // want flags of a ? b : fld b; fld a; fucompp -> C flags; sahf : CF=a<b, ZF=equal, PF=unordered
        let x = i.a, y = i.b, c = i.cond; if (c === Cond.LT) { c = Cond.GT; [x, y] = [y, x]; } else if (c === Cond.LE) { c = Cond.GE; [x, y] = [y, x]; }
        fld(y); fld(x); g.u8(0xda, 0xe9, 0xdf, 0xe0, 0x9e);
        if (c === Cond.GT) return 7; if (c === Cond.GE) return 3;
        // EQ: ZF=1 and PF=0 ; compute al
        g.u8(0x0f, 0x9b, 0xc0, 0x0f, 0x94, 0xc1, 0x20, 0xc8, 0x84, 0xc0); // setnp al; sete cl; and al,cl; test al,al
        return c === Cond.EQ ? 5 : 4;
      }
      // I64
      let a = i.a, b = i.b, c = i.cond; const swap = c === Cond.GT || c === Cond.LE || c === Cond.UGT || c === Cond.ULE;
      const lo = (w: 'a' | 'b', r: number) => { if (w === 'b' && i.useImm) g.imm(r, i.imm); else g.ld(r, off[w === 'a' ? a : b]!); };
      const hi = (w: 'a' | 'b', r: number) => { if (w === 'b' && i.useImm) g.imm(r, i.imm2); else g.ld(r, off[w === 'a' ? a : b]! + 4); };
      if (c === Cond.EQ || c === Cond.NE) { lo('a', EAX); lo('b', ECX); g.u8(0x31, 0xc8); hi('a', EDX); hi('b', ECX); g.u8(0x31, 0xca, 0x09, 0xd0); return CC[c]!; }
      const p = swap ? 'b' : 'a', q = swap ? 'a' : 'b'; lo(p, EAX); lo(q, ECX); g.u8(0x39, 0xc8); hi(p, EAX); hi(q, ECX); g.u8(0x19, 0xc8);
      if (swap) c = { [Cond.GT]: Cond.LT, [Cond.LE]: Cond.GE, [Cond.UGT]: Cond.ULT, [Cond.ULE]: Cond.UGE }[c]!; return CC[c]!;
    };
    const save64 = (d: number) => { g.st(EAX, off[d]!); g.st(EDX, off[d]! + 4); };
    const ins = (i: IrInst, bi: number) => {
      const t = i.type; const d = i.dst >= 0 ? off[i.dst]! : 0;
      switch (i.op) {
        case Op.CONST: g.u8(0xc7); g.mem(0, d); g.u32(i.imm); if (t !== T_I32) { g.u8(0xc7); g.mem(0, d + 4); g.u32(i.imm2); } break;
        case Op.MOV: g.ld(EAX, off[i.a]!); g.st(EAX, d); if (t !== T_I32) { g.ld(EAX, off[i.a]! + 4); g.st(EAX, d + 4); } break;
        case Op.ADD: case Op.SUB: case Op.AND: case Op.OR: case Op.XOR: case Op.MUL:
          if (t === T_F64) { fld(i.a); g.u8(0xdc); g.mem(i.op === Op.ADD ? 0 : i.op === Op.SUB ? 4 : 1, off[i.b]!); fstp(i.dst); break; }
          if (t === T_I32) {
            g.ld(EAX, off[i.a]!);
            if (i.op === Op.MUL) { if (i.useImm) { g.u8(0x69, 0xc0); g.u32(i.imm); } else { g.u8(0x0f, 0xaf); g.mem(EAX, off[i.b]!); } }
            else { const n = { [Op.ADD]: 0, [Op.OR]: 1, [Op.AND]: 4, [Op.SUB]: 5, [Op.XOR]: 6 }[i.op as number]!; if (i.useImm) { g.u8(n * 8 + 5); g.u32(i.imm); } else { g.u8(n * 8 + 3); g.mem(EAX, off[i.b]!); } }
            g.st(EAX, d); break;
          }
          if (i.op === Op.MUL) { // edx:eax = a.lo*b.lo ; edx += a.hi*b.lo + a.lo*b.hi
            const blo = (r: number) => i.useImm ? g.imm(r, i.imm) : g.ld(r, off[i.b]!); const bhi = (r: number) => i.useImm ? g.imm(r, i.imm2) : g.ld(r, off[i.b]! + 4);
            blo(ECX); g.u8(0x0f, 0xaf); g.mem(ECX, off[i.a]! + 4); g.u8(0x51); bhi(ECX); g.u8(0x0f, 0xaf); g.mem(ECX, off[i.a]!); g.u8(0x51); blo(ECX); g.ld(EAX, off[i.a]!); g.u8(0xf7, 0xe1, 0x59, 0x01, 0xca, 0x59, 0x01, 0xca); save64(i.dst); break;
          }
          { const n = { [Op.ADD]: [0, 2], [Op.OR]: [1, 1], [Op.AND]: [4, 4], [Op.SUB]: [5, 3], [Op.XOR]: [6, 6] }[i.op as number]!; g.ld(EAX, off[i.a]!); g.ld(EDX, off[i.a]! + 4);
            if (i.useImm) { g.u8(n[0]! * 8 + 5); g.u32(i.imm); g.u8(0x81, 0xc2 | n[1]! << 3); g.u32(i.imm2); } else { g.u8(n[0]! * 8 + 3); g.mem(EAX, off[i.b]!); g.u8(n[1]! * 8 + 3); g.mem(EDX, off[i.b]! + 4); } save64(i.dst); } break;
        case Op.DIVS: case Op.DIVU: case Op.REMS: case Op.REMU: {
          if (t === T_F64) { fld(i.a); g.u8(0xdc); g.mem(6, off[i.b]!); fstp(i.dst); break; }
          const s = i.op === Op.DIVS || i.op === Op.REMS; const rem = i.op === Op.REMS || i.op === Op.REMU;
          if (t === T_I32) { ldb(i, ECX); g.ld(EAX, off[i.a]!); if (s) g.u8(0x99, 0xf7, 0xf9); else g.u8(0x31, 0xd2, 0xf7, 0xf1); g.st(rem ? EDX : EAX, d); break; }
          const h = s ? (rem ? '__moddi3' : '__divdi3') : rem ? '__umoddi3' : '__udivdi3'; helpers.add(h);
          if (i.useImm) { g.u8(0x68); g.u32(i.imm2); g.u8(0x68); g.u32(i.imm); } else { g.u8(0xff); g.mem(6, off[i.b]! + 4); g.u8(0xff); g.mem(6, off[i.b]!); }
          g.u8(0xff); g.mem(6, off[i.a]! + 4); g.u8(0xff); g.mem(6, off[i.a]!); g.u8(0xe8); g.rel(h); g.u8(0x83, 0xc4, 16); save64(i.dst); break; }
        case Op.SHL: case Op.SHRS: case Op.SHRU:
          if (t === T_I32) { g.ld(EAX, off[i.a]!); const n = i.op === Op.SHL ? 4 : i.op === Op.SHRS ? 7 : 5; if (i.useImm) g.u8(0xc1, 0xc0 | n << 3, i.imm & 31); else { g.ld(ECX, off[i.b]!); g.u8(0xd3, 0xc0 | n << 3); } g.st(EAX, d); break; }
          ldb(i, ECX); g.ld(EAX, off[i.a]!); g.ld(EDX, off[i.a]! + 4);
          if (i.op === Op.SHL) g.u8(0x0f, 0xa5, 0xc2, 0xd3, 0xe0, 0xf6, 0xc1, 32, 0x74, 4, 0x89, 0xc2, 0x31, 0xc0);
          else if (i.op === Op.SHRU) g.u8(0x0f, 0xad, 0xd0, 0xd3, 0xea, 0xf6, 0xc1, 32, 0x74, 4, 0x89, 0xd0, 0x31, 0xd2);
          else g.u8(0x0f, 0xad, 0xd0, 0xd3, 0xfa, 0xf6, 0xc1, 32, 0x74, 5, 0x89, 0xd0, 0xc1, 0xfa, 31);
          save64(i.dst); break;
        case Op.NEG: if (t === T_F64) { fld(i.a); g.u8(0xd9, 0xe0); fstp(i.dst); break; } g.ld(EAX, off[i.a]!); if (t === T_I32) { g.u8(0xf7, 0xd8); g.st(EAX, d); } else { g.ld(EDX, off[i.a]! + 4); g.u8(0xf7, 0xd8, 0x83, 0xd2, 0, 0xf7, 0xda); save64(i.dst); } break;
        case Op.NOT: g.ld(EAX, off[i.a]!); g.u8(0xf7, 0xd0); if (t === T_I32) g.st(EAX, d); else { g.ld(EDX, off[i.a]! + 4); g.u8(0xf7, 0xd2); save64(i.dst); } break;
        case Op.CMP: { const cc = cmp(i); g.u8(0x0f, 0x90 + cc, 0xc0, 0x0f, 0xb6, 0xc0); g.st(EAX, d); break; }
        case Op.SEXT8: g.u8(0x0f, 0xbe); g.mem(EAX, off[i.a]!); g.st(EAX, d); break;
        case Op.SEXT16: g.u8(0x0f, 0xbf); g.mem(EAX, off[i.a]!); g.st(EAX, d); break;
        case Op.ZEXT8: g.u8(0x0f, 0xb6); g.mem(EAX, off[i.a]!); g.st(EAX, d); break;
        case Op.ZEXT16: g.u8(0x0f, 0xb7); g.mem(EAX, off[i.a]!); g.st(EAX, d); break;
        case Op.EXTS: g.ld(EAX, off[i.a]!); g.u8(0x99); save64(i.dst); break;
        case Op.EXTU: g.ld(EAX, off[i.a]!); g.u8(0x31, 0xd2); save64(i.dst); break;
        case Op.WRAP: g.ld(EAX, off[i.a]!); g.st(EAX, d); break;
        case Op.I2F: g.u8(0xdb); g.mem(0, off[i.a]!); fstp(i.dst); break;
        case Op.U2F: g.u8(0x6a, 0); g.u8(0xff); g.mem(6, off[i.a]!); g.u8(0xdf, 0x2c, 0x24, 0x83, 0xc4, 8); fstp(i.dst); break;
        case Op.L2F: g.u8(0xdf); g.mem(5, off[i.a]!); fstp(i.dst); break;
        case Op.F2I: case Op.F2L: fld(i.a); g.u8(0x83, 0xec, 12, 0xd9, 0x3c, 0x24, 0x66, 0x8b, 0x04, 0x24, 0x66, 0x0d, 0, 0x0c, 0x66, 0x89, 0x44, 0x24, 2, 0xd9, 0x6c, 0x24, 2, 0xdf, 0x7c, 0x24, 4, 0xd9, 0x2c, 0x24, 0x8b, 0x44, 0x24, 4, 0x8b, 0x54, 0x24, 8, 0x83, 0xc4, 12); if (i.op === Op.F2I) g.st(EAX, d); else save64(i.dst); break;
        case Op.BITS2F: case Op.F2BITS: g.ld(EAX, off[i.a]!); g.ld(EDX, off[i.a]! + 4); save64(i.dst); break;
        case Op.SQRT: fld(i.a); g.u8(0xd9, 0xfa); fstp(i.dst); break;
        case Op.LOAD: { const a = addr(i); if (i.width === 8) { g.u8(0x8b); a(EAX, 0); g.st(EAX, d); g.u8(0x8b); a(EAX, 4); g.st(EAX, d + 4); } else { if (i.width === 4) g.u8(0x8b); else g.u8(0x0f, (i.signed ? 0xbe : 0xb6) | (i.width === 2 ? 1 : 0)); a(EAX); g.st(EAX, d); } break; }
        case Op.STORE: { const a = addr(i); if (i.useImm) g.imm(EAX, i.imm); else g.ld(EAX, off[i.a]!); if (i.width === 8) { g.u8(0x89); a(EAX); if (i.useImm) g.imm(EAX, i.imm2); else g.ld(EAX, off[i.a]! + 4); g.u8(0x89); a(EAX, 4); } else { if (i.width === 2) g.u8(0x66); g.u8(i.width === 1 ? 0x88 : 0x89); a(EAX); } break; }
        case Op.LEA: { const a = addr(i); g.u8(0x8d); a(EAX); g.st(EAX, d); break; }
        case Op.CALL: case Op.CALLI: {
          let n = 0; const args = i.args ?? []; for (let k = args.length - 1; k >= 0; k--) { const v = args[k]!; if (f.vregs[v] !== T_I32) { g.u8(0xff); g.mem(6, off[v]! + 4); n += 4; } g.u8(0xff); g.mem(6, off[v]!); n += 4; }
          if (i.op === Op.CALL) { g.u8(0xe8); g.rel(i.sym); } else { g.u8(0xff); g.mem(2, off[i.a]!); }
          if (n) { g.u8(0x81, 0xc4); g.u32(n); }
          if (i.dst >= 0) { const rt = f.vregs[i.dst]; if (rt === T_I32) g.st(EAX, d); else if (rt === T_I64) save64(i.dst); else fstp(i.dst); } else if (t === T_F64) g.u8(0xdd, 0xd8);
          break; }
        case Op.COPY: case Op.FILL: { const a = i.args!; g.u8(0x56, 0x57); g.ld(7, off[a[0]!]!);
          if (i.op === Op.FILL) { g.ld(EAX, off[a[1]!]!); g.ld(ECX, off[a[2]!]!); g.u8(0xf3, 0xaa); }
          else { g.ld(6, off[a[1]!]!); g.ld(ECX, off[a[2]!]!);
            // if (edi - esi) <u ecx: backward bytes else forward dwords
            g.u8(0x89, 0xf8, 0x29, 0xf0, 0x39, 0xc8, 0x72, 0x0e); // mov eax,edi; sub eax,esi; cmp eax,ecx; jb back
            g.u8(0x89, 0xca, 0xc1, 0xe9, 2, 0xf3, 0xa5, 0x89, 0xd1, 0x83, 0xe1, 3); // 12 bytes
            g.u8(0xf3, 0xa4); // 14
            const fixAt = g.b.length; g.u8(0xeb, 0); // over back (16)
            g.b[fixAt - 15] = 16; // jb distance
            const s = g.b.length; g.u8(0x8d, 0x74, 0x0e, 0xff, 0x8d, 0x7c, 0x0f, 0xff, 0xfd, 0xf3, 0xa4, 0xfc); g.b[fixAt + 1] = g.b.length - s; }
          g.u8(0x5f, 0x5e); break; }
        case Op.ASM: {
          const a = i.asm!; let s = a.pieces[0]!; a.operands.forEach((x, k) => { s += x.kind === ASM_LOCAL ? `dword ptr [ebp${off[x.vreg]! < 0 ? '-' + -off[x.vreg]! : '+' + off[x.vreg]!}]` : x.kind === ASM_CONST ? String(x.imm) : x.sym; s += a.pieces[k + 1]!; });
          const r = o.assemble(s); const at = g.b.length; const here = `.asm${tables++}`; syms.set(here, at); g.u8(...r.bytes); for (const q of r.relocs) g.relocs.push({ ...q, sym: q.sym || here, at: q.at + at }); break; }
        case Op.JMP: if (i.target0 !== bi + 1) jmp(i.target0); break;
        case Op.BR: { const cc = cmp(i); jcc(cc, i.target0); if (i.target1 !== bi + 1) jmp(i.target1); break; }
        case Op.SWITCH: { g.ld(EAX, off[i.a]!); g.u8(0x2d); g.u32(i.imm); g.u8(0x3d); g.u32(i.cases!.length); jcc(3, i.target0); const name = `.jt${tables++}`; g.u8(0xff, 0x24, 0x85); g.abs(name); jt.push({ name, targets: i.cases!.map((c) => c) }); (jt[jt.length - 1] as any).blockAt = blockAt; break; }
        case Op.RET: if (i.a >= 0) { const rt = f.vregs[i.a]; g.ld(EAX, off[i.a]!); if (rt === T_I64) g.ld(EDX, off[i.a]! + 4); if (rt === T_F64) fld(i.a); } g.u8(0xc9, 0xc3); break;
        case Op.TRAP: g.u8(0x0f, 0x0b); break;
        default: throw new Error(`op ${i.op}`);
      }
    };
    f.blocks.forEach((bl, bi) => { blockAt[bi] = g.b.length; for (const i of bl.insts) { if (f.naked && i.op === Op.RET) continue; ins(i, bi); } });
    for (const x of fix) { const v = blockAt[x.block]! - (x.at + 4); g.b[x.at] = v & 255; g.b[x.at + 1] = v >> 8 & 255; g.b[x.at + 2] = v >> 16 & 255; g.b[x.at + 3] = v >> 24 & 255; }
    funcSizes.push({ name: f.name, at: start, size: g.b.length - start });
  };
  for (const f of m.funcs) emitFunc(f);
  if (helpers.size) {
    const divmod = `push ebp\nmov ebp, esp\npush ebx\npush esi\npush edi\n`;
    // unsigned: args a at [ebp+8], b at [ebp+16]; result q in edx:eax, r in edi:esi  (restoring division, 64 steps)
    const core = `mov eax, [ebp+8]\nmov edx, [ebp+12]\nxor esi, esi\nxor edi, edi\nmov ecx, 64\nlp:\nshl eax, 1\nrcl edx, 1\nrcl esi, 1\nrcl edi, 1\ncmp edi, [ebp+20]\njb no\nja yes\ncmp esi, [ebp+16]\njb no\nyes:\nsub esi, [ebp+16]\nsbb edi, [ebp+20]\ninc eax\nno:\ndec ecx\njnz lp\n`;
    const absArgs = `xor ebx, ebx\ncmp dword ptr [ebp+12], 0\njge p1\nneg dword ptr [ebp+8]\nadc dword ptr [ebp+12], 0\nneg dword ptr [ebp+12]\nxor ebx, 3\np1:\ncmp dword ptr [ebp+20], 0\njge p2\nneg dword ptr [ebp+16]\nadc dword ptr [ebp+20], 0\nneg dword ptr [ebp+20]\nxor ebx, 1\np2:\n`;
    const toRem = `mov eax, esi\nmov edx, edi\n`; const neg = (bit: number) => `test ebx, ${bit}\njz p3\nneg eax\nadc edx, 0\nneg edx\np3:\n`;
    const end = `pop edi\npop esi\npop ebx\npop ebp\nret\n`;
    const bodies: Record<string, string> = { __udivdi3: divmod + core + end, __umoddi3: divmod + core + toRem + end, __divdi3: divmod + absArgs + core + neg(1) + end, __moddi3: divmod + absArgs + core + toRem + neg(2) + end };
    for (const h of helpers) { while (text.b.length % 16) text.u8(0x90); const r = o.assemble(bodies[h]!); syms.set(h, text.b.length); const at = text.b.length; text.u8(...r.bytes); for (const q of r.relocs) text.relocs.push({ ...q, at: q.at + at }); funcSizes.push({ name: h, at, size: r.bytes.length }); }
  }
  // layout
  const hdr = 0x1000; const textVa = o.base + hdr; const tb = text.b; const relocs = text.relocs.slice();
  const place = (sec: number, buf: number[], va: number) => { for (const d of m.data) { if (d.section !== sec) continue; while (buf.length % Math.max(4, d.align)) buf.push(0); gsyms.set(d.name, va + buf.length); const at = buf.length; for (const x of d.bytes) buf.push(x & 255); for (const r of d.relocs) rels.push({ buf, at: at + r.offset, sym: r.sym, addend: r.addend }); if (sec === SEC_BSS) for (let k = 0; k < d.size; k++) buf.push(0); } };
  const gsyms = new Map<string, number>(); const rels: { buf: number[]; at: number; sym: string; addend: number }[] = [];
  for (const [n, a] of syms) gsyms.set(n, textVa + a);
  while (tb.length % 16) tb.push(0x90);
  const ro: number[] = []; const roVa = textVa + tb.length; place(SEC_RODATA, ro, roVa);
  for (const t of jt) { while (ro.length % 4) ro.push(0); gsyms.set(t.name, roVa + ro.length); for (const c of t.targets) { const v = textVa + (t as any).blockAt[c]; ro.push(v & 255, v >> 8 & 255, v >> 16 & 255, v >>> 24); } }
  const seg1 = hdr + tb.length + ro.length; const dataVa = (o.base + seg1 + 4095) & ~4095; const data: number[] = []; place(SEC_DATA, data, dataVa >>> 0);
  const bssVa = ((dataVa >>> 0) + data.length + 15) & ~15; const bss: number[] = []; place(SEC_BSS, bss, bssVa >>> 0);
  const end = (bssVa >>> 0) + bss.length;
  gsyms.set('_text', textVa); gsyms.set('_etext', roVa); gsyms.set('_data', dataVa >>> 0); gsyms.set('_edata', (dataVa >>> 0) + data.length); gsyms.set('_bss', bssVa >>> 0); gsyms.set('_end', end);
  const look = (s: string) => { const v = gsyms.get(s); if (v === undefined) throw new Error(`undefined symbol ${s}`); return v; };
  const put = (b: number[], at: number, v: number) => { b[at] = v & 255; b[at + 1] = v >> 8 & 255; b[at + 2] = v >> 16 & 255; b[at + 3] = v >>> 24; };
  for (const r of relocs) put(tb, r.at, (look(r.sym) + r.addend - (r.rel ? textVa + r.at : 0)) | 0);
  for (const r of rels) put(r.buf, r.at, (look(r.sym) + r.addend) | 0);
  // symbols
  const str: number[] = [0]; const symt: number[] = new Array(16).fill(0); const w32 = (b: number[], v: number) => b.push(v & 255, v >> 8 & 255, v >> 16 & 255, v >>> 24); const w16 = (b: number[], v: number) => b.push(v & 255, v >> 8 & 255);
  const dataSize = new Map(m.data.map((d) => [d.name, d.section === SEC_BSS ? d.size : d.bytes.length])); const fsz = new Map(funcSizes.map((x) => [x.name, x.size]));
  const bytesOf = (s: string) => [...s].map((c) => c.charCodeAt(0));
  for (const [n, a] of gsyms) { if (n[0] === '.') continue; w32(symt, str.length); str.push(...bytesOf(n), 0); w32(symt, a); w32(symt, fsz.get(n) ?? dataSize.get(n) ?? 0); symt.push(fsz.has(n) ? 0x12 : 0x11, 0); w16(symt, fsz.has(n) ? 1 : a >= (bssVa >>> 0) ? 4 : a >= (dataVa >>> 0) ? 3 : 2); }
  const out: number[] = []; const phnum = 2; const dataOff = (seg1 + 4095) & ~4095; const symOff = dataOff + ((data.length + 3) & ~3); const strOff = symOff + symt.length; const shstr = bytesOf('\0.text\0.rodata\0.data\0.bss\0.symtab\0.strtab\0.shstrtab\0'); const shstrOff = strOff + str.length; const shOff = (shstrOff + shstr.length + 3) & ~3;
  out.push(0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0); w16(out, 2); w16(out, 3); w32(out, 1); w32(out, (look(o.entry) - o.physOffset) >>> 0); w32(out, 52); w32(out, shOff); w32(out, 0); w16(out, 52); w16(out, 32); w16(out, phnum); w16(out, 40); w16(out, 8); w16(out, 7);
  const ph = (off: number, va: number, fs: number, ms: number, fl: number) => { w32(out, 1); w32(out, off); w32(out, va); w32(out, (va - o.physOffset) >>> 0); w32(out, fs); w32(out, ms); w32(out, fl); w32(out, 4096); };
  ph(0, o.base, seg1, seg1, 5); ph(dataOff, dataVa >>> 0, data.length, end - (dataVa >>> 0), 6);
  if (o.multiboot) { w32(out, 0x1badb002); w32(out, 3); w32(out, (-(0x1badb002 + 3)) >>> 0); }
  while (out.length < hdr) out.push(0); for (const x of tb) out.push(x); for (const x of ro) out.push(x); while (out.length < dataOff) out.push(0); for (const x of data) out.push(x); while (out.length < symOff) out.push(0); for (const x of symt) out.push(x); for (const x of str) out.push(x); for (const x of shstr) out.push(x); while (out.length < shOff) out.push(0);
  const sh = (n: number, ty: number, fl: number, a: number, off: number, sz: number, link = 0, info = 0, ent = 0) => { for (const v of [n, ty, fl, a, off, sz, link, info, 4, ent]) w32(out, v); };
  sh(0, 0, 0, 0, 0, 0); sh(1, 1, 6, textVa, hdr, tb.length); sh(7, 1, 2, roVa, hdr + tb.length, ro.length); sh(15, 1, 3, dataVa >>> 0, dataOff, data.length); sh(21, 8, 3, bssVa >>> 0, dataOff + data.length, bss.length); sh(26, 2, 0, 0, symOff, symt.length, 6, 1, 16); sh(34, 3, 0, 0, strOff, str.length); sh(42, 3, 0, 0, shstrOff, shstr.length);
  return out;
}
void T_VOID; void SEC_DATA; void ESP; void EBP;
