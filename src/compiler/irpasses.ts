// The passes over one function, in order, and those about its flow graph: joining and skipping blocks, turning loops so
// that their test is at the bottom, and placing blocks so that the usual path falls through. After `arrange` the order of
// blocks is the order of the code.
import { Op, T_I32 } from "./ir.ts";
import { IrBlock, IrInst } from "./ir.ts";
import type { IrFunc } from "./ir.ts";
import { isTerminator, usesOf } from "./irpasses-ops.ts";
import { LocalPass } from "./irpasses-local.ts";
import { SelectPass } from "./irpasses-select.ts";
import { splitWide } from "./irpasses-wide.ts";

const ROTATE_LIMIT: i32 = 8;      // instructions of a loop test worth repeating at the bottom

/** All passes between the front end's functions and register allocation. */
export class Optimizer {
  private local: LocalPass = new LocalPass();
  private select: SelectPass = new SelectPass();

  run(f: IrFunc): void {
    if (f.naked) return;
    splitWide(f);
    cleanFlow(f);
    this.select.joinMoves(f);
    rotateLoops(f);
    this.local.run(f);
    cleanFlow(f);
    this.select.dropDead(f);
    this.select.run(f);
    arrange(f);
  }
}

function lastOf(b: IrBlock): IrInst {
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

/** Successors of a block, appended to out. */
export function successors(b: IrBlock, out: i32[]): void {
  const last = lastOf(b);
  if (last.target0 >= 0) out.push(last.target0);
  if (last.target1 >= 0) out.push(last.target1);
  const cases = last.cases;
  if (cases != null) {
    for (let k = 0; k < cases.length; k++) out.push(cases[k]!);
  }
}

/** By block: how many edges lead to it from blocks that control can reach; the entry counts one. */
export function countEdges(f: IrFunc): i32[] {
  const edges: i32[] = [];
  for (let b = 0; b < f.blocks.length; b++) edges.push(0);
  const work: i32[] = [0];
  edges[0] = 1;
  const next: i32[] = [];
  while (work.length > 0) {
    next.length = 0;
    successors(f.blocks[work.pop()!]!, next);
    for (let k = 0; k < next.length; k++) {
      const s = next[k]!;
      if (edges[s] == 0) work.push(s);
      edges[s] = edges[s]! + 1;
    }
  }
  return edges;
}

/** Skip empty blocks, join blocks with their only predecessor, drop what nothing reaches. */
export function cleanFlow(f: IrFunc): void {
  for (const b of f.blocks) retarget(f, lastOf(b));
  const edges = countEdges(f);
  for (let b = 0; b < f.blocks.length; b++) {
    if (edges[b] == 0) continue;
    const block = f.blocks[b]!;
    while (true) {
      const last = lastOf(block);
      if (last.op != Op.JMP || last.target0 == b || last.target0 == 0 || edges[last.target0] != 1) break;
      edges[last.target0] = 0;
      const more = f.blocks[last.target0]!.insts;
      block.insts.pop();
      for (const i of more) block.insts.push(i);
    }
  }
  const order: i32[] = [];
  for (let b = 0; b < f.blocks.length; b++) {
    if (edges[b] != 0) order.push(b);
  }
  if (order.length != f.blocks.length) reorder(f, order);
}

/** Make the blocks of `order` (numbers) the function's blocks, in that order. */
function reorder(f: IrFunc, order: i32[]): void {
  const number: i32[] = [];
  for (let b = 0; b < f.blocks.length; b++) number.push(-1);
  const blocks: IrBlock[] = [];
  for (let k = 0; k < order.length; k++) {
    number[order[k]!] = k;
    blocks.push(f.blocks[order[k]!]!);
  }
  f.blocks = blocks;
  for (const b of blocks) {
    const last = lastOf(b);
    if (last.target0 >= 0) last.target0 = number[last.target0]!;
    if (last.target1 >= 0) last.target1 = number[last.target1]!;
    const cases = last.cases;
    if (cases == null) continue;
    for (let k = 0; k < cases.length; k++) cases[k] = number[cases[k]!]!;
  }
}

// ---- loops ----

/** Replace jumps to the short test of a loop, from before it or from its end, by the test itself. */
function rotateLoops(f: IrFunc): void {
  let shared: Uses | null = null;
  for (let b = 0; b < f.blocks.length; b++) {
    const last = lastOf(f.blocks[b]!);
    if (last.op != Op.JMP || !isLoopTest(f, b, last.target0)) continue;
    if (shared == null) shared = new Uses(f);
    const test = f.blocks[last.target0]!;
    f.blocks[b]!.insts.pop();
    repeat(f, test, f.blocks[b]!.insts, shared!);
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

/** By register: the one block that mentions it, or -2 for several. */
class Uses {
  block: i32[] = [];

  constructor(f: IrFunc) {
    for (let v = 0; v < f.vregs.length; v++) this.block.push(-1);
    const list: i32[] = [];
    for (const p of f.params) this.block[p] = -2;
    for (let b = 0; b < f.blocks.length; b++) {
      for (const i of f.blocks[b]!.insts) {
        list.length = 0;
        usesOf(i, list);
        if (i.dst >= 0) list.push(i.dst);
        if (i.dst2 >= 0) list.push(i.dst2);
        for (let k = 0; k < list.length; k++) this.note(list[k]!, b);
      }
    }
  }

  private note(v: i32, b: i32): void {
    const old = this.block[v]!;
    if (old == -1) this.block[v] = b;
    else if (old != b) this.block[v] = -2;
  }
}

/** Append a copy of a block's instructions, with fresh registers for what is known in that block only. */
function repeat(f: IrFunc, from: IrBlock, to: IrInst[], uses: Uses): void {
  const old: i32[] = [];
  const fresh: i32[] = [];
  const count = from.insts.length;
  for (let k = 0; k < count; k++) {
    const i = cloneInst(from.insts[k]!);
    i.a = renamed(i.a, old, fresh);
    i.b = renamed(i.b, old, fresh);
    i.base = renamed(i.base, old, fresh);
    i.index = renamed(i.index, old, fresh);
    if (i.dst >= 0 && i.asm == null && uses.block[i.dst]! >= 0 && i.args == null) {
      old.push(i.dst);
      fresh.push(f.vregs.length);
      uses.block.push(-2);
      f.vregs.push(f.vregs[i.dst]!);
      f.vregNames.push("");
      i.dst = f.vregs.length - 1;
    }
    to.push(i);
  }
}

function renamed(v: i32, old: i32[], fresh: i32[]): i32 {
  if (v < 0) return v;
  for (let k = old.length - 1; k >= 0; k--) {
    if (old[k] == v) return fresh[k]!;
  }
  return v;
}

/** A copy of an instruction; lists are shared except that of a switch. */
export function cloneInst(i: IrInst): IrInst {
  const c = new IrInst();
  c.op = i.op;
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
  c.line = i.line;
  return c;
}

// ---- placing ----

/** Blocks from which control never returns: reports of failed checks. */
function findCold(f: IrFunc): bool[] {
  const cold: bool[] = [];
  for (const b of f.blocks) cold.push(lastOf(b).op == Op.TRAP);
  for (let b = f.blocks.length - 1; b > 0; b--) {
    const last = lastOf(f.blocks[b]!);
    if (last.op == Op.JMP && cold[last.target0]!) cold[b] = true;
  }
  cold[0] = false;
  return cold;
}

/** Put the blocks in the order of the code. */
function arrange(f: IrFunc): void {
  const cold = findCold(f);
  const placed: bool[] = [];
  for (let b = 0; b < f.blocks.length; b++) placed.push(false);
  const order: i32[] = [];
  for (let pass = 0; pass < 2; pass++) {
    for (let b = 0; b < f.blocks.length; b++) {
      if (placed[b]! || (pass == 0 && cold[b]!)) continue;
      let next = b;
      while (next >= 0) {
        placed[next] = true;
        order.push(next);
        next = chooseNext(f, next, placed, cold);
      }
    }
  }
  reorder(f, order);
}

/** The block to put behind block b: one it continues to and that has no place yet, rather in source order. */
function chooseNext(f: IrFunc, b: i32, placed: bool[], cold: bool[]): i32 {
  const last = lastOf(f.blocks[b]!);
  if (!isTerminator(last.op) || last.cases != null) return -1;
  const first = last.target0;
  const second = last.target1;
  const firstOpen = first >= 0 && !placed[first]! && !cold[first]!;
  const secondOpen = second >= 0 && !placed[second]! && !cold[second]!;
  if (last.op == Op.JMP) return firstOpen && isForward(f, b, first, placed) ? first : -1;
  if (firstOpen && secondOpen) return first < second ? first : second;
  if (firstOpen) return first == b + 1 || isForward(f, b, first, placed) ? first : -1;
  return secondOpen && (second == b + 1 || isForward(f, b, second, placed)) ? second : -1;
}

/** A jump forward pulls its target up only when no loop in between would be torn: nothing open jumps back across it. */
function isForward(f: IrFunc, b: i32, target: i32, placed: bool[]): bool {
  if (target <= b + 1) return true;
  const end = lastOf(f.blocks[target]!);
  if ((end.target0 > b && end.target0 <= target) || (end.target1 > b && end.target1 <= target)) return false;
  for (let k = b + 1; k < target; k++) {
    if (placed[k]!) continue;
    const last = lastOf(f.blocks[k]!);
    if (last.target0 >= 0 && last.target0 <= b) return false;
    if (last.target1 >= 0 && last.target1 <= b) return false;
  }
  return true;
}

/** Loop depth of every block by the order of blocks: everything between a block and a jump back to it. */
export function loopDepths(f: IrFunc): i32[] {
  const depths: i32[] = [];
  const ends: i32[] = [];
  for (let b = 0; b < f.blocks.length; b++) {
    depths.push(0);
    ends.push(-1);
  }
  const next: i32[] = [];
  for (let b = 0; b < f.blocks.length; b++) {
    next.length = 0;
    successors(f.blocks[b]!, next);
    for (let k = 0; k < next.length; k++) {
      if (next[k]! <= b && ends[next[k]!]! < b) ends[next[k]!] = b;
    }
  }
  for (let b = 0; b < f.blocks.length; b++) {
    for (let k = b; k <= ends[b]!; k++) depths[k] = depths[k]! + 1;
  }
  return depths;
}

/** A fresh I32 register. */
export function freshVreg(f: IrFunc): i32 {
  f.vregs.push(T_I32);
  f.vregNames.push("");
  return f.vregs.length - 1;
}
