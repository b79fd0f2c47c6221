// The passes over one function, in order, and those about its flow graph: joining and skipping blocks, turning loops so
// that their test is at the bottom, and placing blocks so that the usual path falls through. After `arrange` the order of
// blocks is the order of the code.
import { Op, T_I32 } from "./ir.ts";
import type { IrBlock, IrFunc, IrInst } from "./ir.ts";
import { isTerminator, newInst, put, refill, usesOf } from "./irpasses-ops.ts";
import { LocalPass } from "./irpasses-local.ts";
import { SelectPass } from "./irpasses-select.ts";
import { splitWide } from "./irpasses-wide.ts";

const ROTATE_LIMIT: i32 = 8;      // instructions of a loop test worth repeating at the bottom
const NOBODY: i32 = -1;
const SEVERAL: i32 = -2;

/** All passes between the front end's functions and register allocation. */
export class Optimizer {
  private flow: FlowPass = new FlowPass();
  private local: LocalPass = new LocalPass();
  private select: SelectPass = new SelectPass();

  run(f: IrFunc): void {
    if (f.naked) return;
    splitWide(f);
    this.flow.clean(f);
    this.select.joinMoves(f);
    this.flow.rotateLoops(f);
    this.flow.countEdges(f);
    this.local.run(f, this.flow.edges);
    this.flow.clean(f);
    this.select.dropDead(f);
    this.select.run(f);
    this.flow.arrange(f);
  }
}

/** The terminator of a block. */
export function lastOf(b: IrBlock): IrInst {
  return b.insts[b.insts.length - 1]!;
}

/** Where a jump to a block really ends up. */
function finalTarget(f: IrFunc, start: i32): i32 {
  let block = start;
  for (let steps = 0; steps < 16; steps++) {
    const insts = f.blocks[block]!.insts;
    if (insts.length != 1 || insts[0]!.op != Op.JMP) break;
    block = insts[0]!.target0;
  }
  return block;
}

function retarget(f: IrFunc, last: IrInst): void {
  if (last.target0 >= 0) last.target0 = finalTarget(f, last.target0);
  if (last.target1 >= 0) last.target1 = finalTarget(f, last.target1);
  const cases = last.cases;
  if (cases != null) {
    for (let k = 0; k < cases.length; k++) cases[k] = finalTarget(f, cases[k]!);
  }
  if (last.target1 >= 0 && last.target0 == last.target1) {
    last.op = Op.JMP;
    last.a = -1;
    last.b = -1;
    last.useImm = false;
    last.target1 = -1;
  }
}

/** Whether block `at`, to which block b jumps, is a short test that decides about going round once more. */
function isLoopTest(f: IrFunc, b: i32, at: i32): bool {
  const insts = f.blocks[at]!.insts;
  const end = lastOf(f.blocks[at]!);
  if (at == b || insts.length > ROTATE_LIMIT || end.target1 < 0) return false;
  for (const i of insts) {
    if (i.args != null || i.asm != null) return false;
  }
  if (at < b) return true;
  return (end.target0 > b && end.target0 < at) || (end.target1 > b && end.target1 < at);
}

/** A copy of an instruction; lists are shared except that of a switch. */
export function cloneInst(i: IrInst): IrInst {
  const c = newInst(i.op, i.line);
  c.type = i.type;
  c.dst = i.dst;
  c.dst2 = i.dst2;
  c.a = i.a;
  c.b = i.b;
  c.useImm = i.useImm;
  c.imm = i.imm;
  c.imm2 = i.imm2;
  c.cond = i.cond;
  c.base = i.base;
  c.index = i.index;
  c.scale = i.scale;
  c.disp = i.disp;
  c.slot = i.slot;
  c.sym = i.sym;
  c.width = i.width;
  c.signed = i.signed;
  c.volatile = i.volatile;
  c.args = i.args;
  c.cases = i.cases;
  c.target0 = i.target0;
  c.target1 = i.target1;
  c.asm = i.asm;
  return c;
}

/** The passes about the flow graph. Lists are kept for reuse. */
export class FlowPass {
  edges: i32[] = [];               // by block: edges from blocks that control can reach; the entry counts one
  private f!: IrFunc;
  private work: i32[] = [];
  private next: i32[] = [];
  private order: i32[] = [];
  private number: i32[] = [];
  private placed: i32[] = [];
  private cold: i32[] = [];        // by block: 1 if control never returns from it
  private mention: i32[] = [];     // by register: the one block that mentions it, NOBODY or SEVERAL
  private old: i32[] = [];
  private fresh: i32[] = [];

  countEdges(f: IrFunc): void {
    refill(this.edges, f.blocks.length, 0);
    this.work.length = 0;
    this.work.push(0);
    this.edges[0] = 1;
    while (this.work.length > 0) {
      const last = lastOf(f.blocks[this.work.pop()!]!);
      if (last.target0 >= 0) this.countEdge(last.target0);
      if (last.target1 >= 0) this.countEdge(last.target1);
      const cases = last.cases;
      if (cases == null) continue;
      for (let k = 0; k < cases.length; k++) this.countEdge(cases[k]!);
    }
  }

  private countEdge(to: i32): void {
    const edges = this.edges;
    const before = edges[to]!;
    edges[to] = before + 1;
    if (before == 0) this.work.push(to);
  }

  /** Skip empty blocks, join blocks with their only predecessor, drop what nothing reaches. */
  clean(f: IrFunc): void {
    this.f = f;
    for (const b of f.blocks) retarget(f, lastOf(b));
    this.countEdges(f);
    for (let b = 0; b < f.blocks.length; b++) {
      if (this.edges[b] != 0) this.join(b);
    }
    this.order.length = 0;
    for (let b = 0; b < f.blocks.length; b++) {
      if (this.edges[b] != 0) this.order.push(b);
    }
    if (this.order.length != f.blocks.length) this.reorder();
  }

  private join(b: i32): void {
    const block = this.f.blocks[b]!;
    while (true) {
      const target = lastOf(block).target0;
      if (lastOf(block).op != Op.JMP || target == b || target == 0 || this.edges[target] != 1) return;
      this.edges[target] = 0;
      const more = this.f.blocks[target]!.insts;
      block.insts.pop();
      for (const i of more) block.insts.push(i);
      more.length = 0;
    }
  }

  /** Make the blocks of `order` (numbers) the function's blocks, in that order. */
  private reorder(): void {
    refill(this.number, this.f.blocks.length, -1);
    const blocks: IrBlock[] = [];
    for (let k = 0; k < this.order.length; k++) {
      this.number[this.order[k]!] = k;
      blocks.push(this.f.blocks[this.order[k]!]!);
    }
    this.f.blocks = blocks;
    for (const b of blocks) {
      const last = lastOf(b);
      if (last.target0 >= 0) last.target0 = this.number[last.target0]!;
      if (last.target1 >= 0) last.target1 = this.number[last.target1]!;
      const cases = last.cases;
      if (cases == null) continue;
      for (let k = 0; k < cases.length; k++) cases[k] = this.number[cases[k]!]!;
    }
  }

  // ---- loops ----

  /** Replace jumps to the short test of a loop, from before it or from its end, by the test itself. */
  rotateLoops(f: IrFunc): void {
    this.f = f;
    let counted = false;
    for (let b = 0; b < f.blocks.length; b++) {
      const last = lastOf(f.blocks[b]!);
      if (last.op != Op.JMP || !isLoopTest(f, b, last.target0)) continue;
      if (!counted) this.findMentions();
      counted = true;
      f.blocks[b]!.insts.pop();
      this.repeat(f.blocks[last.target0]!, f.blocks[b]!.insts);
    }
  }

  private findMentions(): void {
    refill(this.mention, this.f.vregs.length, NOBODY);
    for (const p of this.f.params) this.mention[p] = SEVERAL;
    for (let b = 0; b < this.f.blocks.length; b++) {
      for (const i of this.f.blocks[b]!.insts) {
        const n = usesOf(i, this.next);
        for (let k = 0; k < n; k++) this.noteMention(this.next[k]!, b);
        if (i.dst >= 0) this.noteMention(i.dst, b);
        if (i.dst2 >= 0) this.noteMention(i.dst2, b);
      }
    }
  }

  private noteMention(v: i32, b: i32): void {
    const before = this.mention[v]!;
    if (before == NOBODY) this.mention[v] = b;
    else if (before != b) this.mention[v] = SEVERAL;
  }

  /** Append a copy of a block's instructions, with fresh registers for what is known in that block only. */
  private repeat(from: IrBlock, to: IrInst[]): void {
    this.old.length = 0;
    this.fresh.length = 0;
    const count = from.insts.length;
    for (let k = 0; k < count; k++) {
      const i = cloneInst(from.insts[k]!);
      i.a = this.renamed(i.a);
      i.b = this.renamed(i.b);
      i.base = this.renamed(i.base);
      i.index = this.renamed(i.index);
      if (i.dst >= 0 && this.mention[i.dst]! >= 0) i.dst = this.rename(i.dst);
      to.push(i);
    }
  }

  private rename(v: i32): i32 {
    const copy = this.f.vregs.length;
    this.f.vregs.push(this.f.vregs[v]!);
    put(this.mention, copy, SEVERAL);
    this.old.push(v);
    this.fresh.push(copy);
    return copy;
  }

  private renamed(v: i32): i32 {
    if (v < 0) return v;
    for (let k = this.old.length - 1; k >= 0; k--) {
      if (this.old[k] == v) return this.fresh[k]!;
    }
    return v;
  }

  // ---- placing ----

  /** Put the blocks in the order of the code. */
  arrange(f: IrFunc): void {
    this.f = f;
    this.findCold();
    refill(this.placed, f.blocks.length, 0);
    this.order.length = 0;
    for (let pass = 0; pass < 2; pass++) {
      for (let b = 0; b < f.blocks.length; b++) {
        if (this.placed[b] != 0 || (pass == 0 && this.cold[b] != 0)) continue;
        let next = b;
        while (next >= 0) {
          this.placed[next] = 1;
          this.order.push(next);
          next = this.chooseNext(next);
        }
      }
    }
    this.reorder();
  }

  /** Blocks from which control never returns: reports of failed checks. */
  private findCold(): void {
    const blocks = this.f.blocks;
    refill(this.cold, blocks.length, 0);
    for (let b = blocks.length - 1; b > 0; b--) {
      const last = lastOf(blocks[b]!);
      if (last.op == Op.TRAP || (last.op == Op.JMP && this.cold[last.target0] != 0)) this.cold[b] = 1;
    }
  }

  private isOpen(b: i32): bool {
    return b >= 0 && this.placed[b] == 0 && this.cold[b] == 0;
  }

  /** The block to put behind block b: one it continues to and that has no place yet, rather in source order. */
  private chooseNext(b: i32): i32 {
    const last = lastOf(this.f.blocks[b]!);
    if (!isTerminator(last.op) || last.cases != null) return -1;
    const first = last.target0;
    const second = last.target1;
    if (last.op == Op.JMP) return this.isOpen(first) && this.isForward(b, first) ? first : -1;
    if (this.isOpen(first) && this.isOpen(second)) return first < second ? first : second;
    if (this.isOpen(first)) return first == b + 1 || this.isForward(b, first) ? first : -1;
    return this.isOpen(second) && (second == b + 1 || this.isForward(b, second)) ? second : -1;
  }

  /** A jump forward pulls its target up only when no loop in between would be torn: nothing open jumps back across it. */
  private isForward(b: i32, target: i32): bool {
    if (target <= b + 1) return true;
    const end = lastOf(this.f.blocks[target]!);
    if ((end.target0 > b && end.target0 <= target) || (end.target1 > b && end.target1 <= target)) return false;
    for (let k = b + 1; k < target; k++) {
      if (this.placed[k] != 0) continue;
      const last = lastOf(this.f.blocks[k]!);
      if (last.target0 >= 0 && last.target0 <= b) return false;
      if (last.target1 >= 0 && last.target1 <= b) return false;
    }
    return !this.returnsBetween(b, target);
  }

  /** Whether something behind the target jumps back to between b and it: the target is in a loop with those blocks. */
  private returnsBetween(b: i32, target: i32): bool {
    for (let k = target; k < this.f.blocks.length; k++) {
      const last = lastOf(this.f.blocks[k]!);
      if (last.target0 > b && last.target0 < target) return true;
      if (last.target1 > b && last.target1 < target) return true;
    }
    return false;
  }

  /** If b jumps back to a block, it is the last so far that does. */
  private noteLoop(to: i32, b: i32): void {
    if (to >= 0 && to <= b) this.number[to] = b;
  }

  /** Loop depth of every block by the order of blocks: everything between a block and a jump back to it. */
  loopDepths(f: IrFunc, depths: i32[]): void {
    refill(depths, f.blocks.length, 0);
    refill(this.number, f.blocks.length, -1);
    for (let b = 0; b < f.blocks.length; b++) {
      const last = lastOf(f.blocks[b]!);
      this.noteLoop(last.target0, b);
      this.noteLoop(last.target1, b);
      const cases = last.cases;
      if (cases == null) continue;
      for (let k = 0; k < cases.length; k++) this.noteLoop(cases[k]!, b);
    }
    for (let b = 0; b < f.blocks.length; b++) {
      for (let k = b; k <= this.number[b]!; k++) depths[k] = depths[k]! + 1;
    }
  }
}

/** A fresh I32 register. */
export function freshVreg(f: IrFunc): i32 {
  f.vregs.push(T_I32);
  return f.vregs.length - 1;
}
