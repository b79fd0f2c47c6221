// The micro-op handlers: name -> microcode. Each handler is a case of the interpreter loop; its number is its position in
// this list. Hot forms are inline here; the rest are one call to an operation of the other files.
//
// Kinds: `next` falls to the following micro-op; `call` does so too, after calling functions; `end` leaves the trace after an operation that may have changed eip,
// segments, CPL or flags that matter to delivery (eip is set to the following instruction first); `raw` does it itself.
// A `raw` body sets pc and breaks to leave, or sets ip and continues.
import * as L from '../layout.ts';
import { x87Effects } from '../x87.ts';
import { loadText, modifiedText, modifyText, storeText } from './memory.ts';
import { alu, compareCondition, condition, logicCondition, step, type Bits } from './flags.ts';

export interface Handler { name: string; kind: 'next' | 'call' | 'end' | 'raw'; body: string }

const U = L.U;
const f16 = (o: number) => `m16[${o} : ip]`;
export const A = f16(U.a);
export const B = f16(U.b);
export const IMM = `m32[${U.imm} : ip]`;
export const AUX = `m8[${U.aux} : ip]`;
const OFF = f16(U.off);
const NEXT = f16(U.next);
const DISP = `m32[${U.disp} : ip]`;
/** Effective address: base + displacement, and with index. */
const EA_B = `m32[${f16(U.base)}] + ${DISP}`;
const EA_X = `m32[${f16(U.base)}] + (m32[${f16(U.idx)}] << m8[${U.scale} : ip]) + ${DISP}`;
const LINK = (at = 0) => `m32[${U.link + at} : ip]`;
const REM = (p: string) => `m8[${U.rem} : ${p}]`;

const handlers: Handler[] = [];
const names = new Map<string, number>();

/** Adds a handler; returns its number. */
export function addHandler(kind: Handler['kind'], name: string, body: string): number {
  if (names.has(name)) throw new Error(`handler ${name} twice`);
  names.set(name, handlers.length);
  return handlers.push({ name, kind, body }) - 1;
}
const add = (kind: Handler['kind'], name: string, body: string): void => void addHandler(kind, name, body);
const next = (name: string, body: string) => add('next', name, body);
const end = (name: string, body: string) => add('end', name, body);
const raw = (name: string, body: string) => add('raw', name, body);
const call = (name: string, body: string) => add('call', name, body);

/** Number of a handler; a missing one is our bug. */
export function handlerNumber(name: string): number {
  const n = names.get(name);
  if (n === undefined) throw new Error(`no handler ${name}`);
  return n;
}
export const hasHandler = (name: string): boolean => names.has(name);
export const allHandlers = (): readonly Handler[] => handlers;
/** Whether control leaves the trace at a handler. */
export const endsTrace = (n: number): boolean => handlers[n]!.kind === 'end' || handlers[n]!.kind === 'raw';

// ---- traces: leaving, resuming ----

raw('none', `pc = vbase + ${OFF}; left += ${REM('ip')}; break;`);            // 0: dropped or never decoded
raw('fall', `pc = vbase + ${OFF}; break;`);                                   // end of a trace
raw('breakpoint', `m16[${U.op} : ip] = brokenOp; brokenAt = 0; pc = vbase + ${OFF}; left += ${REM('ip')}; kick(); break;`);
raw('chain', `let t = ${LINK()}; left -= ${REM('t')}; if (left < 0) { left += ${REM('t')}; pc = vbase + ${OFF}; break; } ip = t; continue;`);
// In front of an instruction that straddles two pages: link = slot table of the second page, which must still be the one
// that the following linear page maps to.
raw('split', `let va = vbase + 4096 + csBase; let k = codeSlot(va);
  if (m32[CODE_TLB : k] == ((va & 0xfffff000) | ctx) && m32[CODE_TLB + 4 : k] == ${LINK()}) { ip += 32; continue; }
  pc = vbase + ${OFF}; left += ${REM('ip')}; kick(); break;`);
next('nop', '');
call('undefined', 'raiseFault(6);');
call('tooLong', 'raiseError(13, 0);');

// ---- arithmetic ----

const SIZES: Bits[] = [32, 8, 16];
const OPS = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp', 'test'];
const COMPARES = new Set(['cmp', 'test']);

function aluHandlers(op: string, bits: Bits): void {
  const m = `m${bits}`;
  const write = (to: string) => (COMPARES.has(op) ? '' : `${to} = r;`);
  const value = alu(op, bits);
  const reg = (b: string) => `let d = ${A}; let a = ${m}[d]; let b = ${b}; ${value} ${write(`${m}[d]`)}`;
  next(`${op}${bits}rr`, reg(`${m}[${B}]`));
  next(`${op}${bits}ri`, reg(IMM));
  if (bits === 16 || op === 'adc' || op === 'sbb') return;
  for (const [form, ea] of [['B', EA_B], ['X', EA_X]] as const) {
    if (op !== 'test') next(`${op}${bits}rm${form}`, `${loadText(bits, 'b', ea)} let d = ${A}; let a = ${m}[d]; ${value} ${write(`${m}[d]`)}`);
    const memory = (b: string) => (COMPARES.has(op)
      ? `${loadText(bits, 'a', ea)} let b = ${b}; ${value}`
      : `${modifyText(bits, ea)} let a = ${m}[h]; let b = ${b}; ${value} ${m}[h] = r; ${modifiedText(bits)}`);
    next(`${op}${bits}mr${form}`, memory(`${m}[${B}]`));
    next(`${op}${bits}mi${form}`, memory(IMM));
  }
}
for (const op of OPS) for (const bits of SIZES) aluHandlers(op, bits);

for (const bits of SIZES) {
  const m = `m${bits}`;
  for (const [op, by] of [['inc', 1], ['dec', -1]] as const) {
    next(`${op}${bits}r`, `let d = ${A}; let a = ${m}[d]; ${step(by, bits)} ${m}[d] = r;`);
    if (bits !== 32) continue;
    for (const [form, ea] of [['B', EA_B], ['X', EA_X]] as const) {
      next(`${op}${bits}m${form}`, `${modifyText(bits, ea)} let a = ${m}[h]; ${step(by, bits)} ${m}[h] = r; ${modifiedText(bits)}`);
    }
  }
  next(`neg${bits}r`, `let d = ${A}; let a = 0; let b = ${m}[d]; ${alu('sub', bits)} ${m}[d] = r;`);
  next(`not${bits}r`, `let d = ${A}; ${m}[d] = ~${m}[d];`);
  for (const op of ['shl', 'shr', 'sar', 'rol', 'ror', 'rcl', 'rcr']) {
    call(`${op}${bits}i`, `let d = ${A}; ${m}[d] = ${op}${bits}(${m}[d], ${IMM});`);
    call(`${op}${bits}c`, `let d = ${A}; ${m}[d] = ${op}${bits}(${m}[d], ecx);`);
  }
  call(`mul${bits}r`, `mul${bits}(${m}[${A}]);`);
  call(`imul1_${bits}r`, `imulWide${bits}(${m}[${A}]);`);
  call(`div${bits}r`, `div${bits}(${m}[${A}]);`);
  call(`idiv${bits}r`, `idiv${bits}(${m}[${A}]);`);
  next(`xchg${bits}rr`, `let t = ${m}[${A}]; ${m}[${A}] = ${m}[${B}]; ${m}[${B}] = t;`);
  next(`xadd${bits}rr`, `let d = ${A}; let s = ${B}; let a = ${m}[d]; let b = ${m}[s]; ${alu('add', bits)} ${m}[s] = a; ${m}[d] = r;`);
  next(`cmpxchg${bits}rr`, `let d = ${A}; let a = ${m}[${L.REG}]; let b = ${m}[d]; ${alu('cmp', bits)}
    if (a == b) { ${m}[d] = ${m}[${B}]; } else { ${m}[${L.REG}] = b; }`);
}
// The common shifts once more without a call: count is an immediate of 1..31.
next('shl32n', `let d = ${A}; let n = ${IMM}; let a = m32[d]; let r = a << n; m32[d] = r; fr = r;
  fx = (((a >>> (32 - n)) & 1) << 31) | ((r >>> 31) << 30);`);
next('shr32n', `let d = ${A}; let n = ${IMM}; let a = m32[d]; let r = a >>> n; m32[d] = r; fr = r;
  let cf = (a >>> (n - 1)) & 1; fx = (cf << 31) | ((cf ^ (a >>> 31)) << 30);`);
next('sar32n', `let d = ${A}; let n = ${IMM}; let a = m32[d]; let r = a >> n; m32[d] = r; fr = r;
  let cf = (a >> (n - 1)) & 1; fx = (cf << 31) | (cf << 30);`);

for (const bits of [16, 32] as const) {
  const m = `m${bits}`;
  call(`imul${bits}rr`, `let d = ${A}; ${m}[d] = imul${bits}(${m}[d], ${m}[${B}]);`);
  call(`imul${bits}i`, `${m}[${A}] = imul${bits}(${m}[${B}], ${IMM});`);
  for (const op of ['bt', 'bts', 'btr', 'btc']) {
    const write = op === 'bt' ? '' : `${m}[d] = `;
    call(`${op}${bits}rr`, `let d = ${A}; ${write}${op}${bits}(${m}[d], ${m}[${B}]);`);
    call(`${op}${bits}i`, `let d = ${A}; ${write}${op}${bits}(${m}[d], ${IMM});`);
  }
  for (const op of ['bsf', 'bsr']) call(`${op}${bits}rr`, `let d = ${A}; ${m}[d] = ${op}${bits}(${m}[d], ${m}[${B}]);`);
  for (const op of ['shld', 'shrd']) {
    call(`${op}${bits}i`, `let d = ${A}; ${m}[d] = ${op}${bits}(${m}[d], ${m}[${B}], ${IMM});`);
    call(`${op}${bits}c`, `let d = ${A}; ${m}[d] = ${op}${bits}(${m}[d], ${m}[${B}], ecx);`);
  }
}
next('bswap32', `let d = ${A}; let v = m32[d]; m32[d] = (rotl(v, 8) & 0x00ff00ff) | (rotr(v, 8) & 0xff00ff00);`);
next('bswap16', `m16[${A}] = 0;`);
next('cbw', 'setAx((eax << 24) >> 24);');
next('cwde', 'eax = (eax << 16) >> 16;');
next('cwd', 'setDx((eax << 16) >> 31);');
next('cdq', 'edx = eax >> 31;');
call('daa', 'daa();'); call('das', 'das();'); call('aaa', 'aaa();'); call('aas', 'aas();');
call('aam', `aam(${IMM});`);
call('aad', `aad(${IMM});`);

// ---- moves ----

for (const bits of SIZES) {
  const m = `m${bits}`;
  next(`mov${bits}rr`, `${m}[${A}] = ${m}[${B}];`);
  next(`mov${bits}ri`, `${m}[${A}] = ${IMM};`);
  for (const [form, ea] of [['B', EA_B], ['X', EA_X]] as const) {
    next(`mov${bits}rm${form}`, `${loadText(bits, 'v', ea)} ${m}[${A}] = v;`);
    next(`mov${bits}mr${form}`, storeText(bits, ea, `${m}[${B}]`));
    next(`mov${bits}mi${form}`, storeText(bits, ea, IMM));
  }
  // read-modify-write in steps: operand to tmp0, any register operation on tmp0, tmp0 back
  next(`take${bits}`, `${modifyText(bits, EA_X)} rmwAt = h; ${m}[${L.cell('tmp0')}] = ${m}[h];`);
  call(`give${bits}`, `${m}[rmwAt] = ${m}[${L.cell('tmp0')}]; if (rmwAt == BOUNCE) { rmwCommit(${bits / 8}); }`);
}
for (const [from, sign] of [[8, 'z'], [8, 's'], [16, 'z'], [16, 's']] as const) {
  const read = (at: string) => `${sign === 'z' ? 'm' : 's'}${from}[${at}]`;
  const extend = (v: string) => (sign === 'z' ? v : `((${v} << ${32 - from}) >> ${32 - from})`);
  next(`mov${sign}x32_${from}rr`, `m32[${A}] = ${read(B)};`);
  if (from === 8) next(`mov${sign}x16_8rr`, `m16[${A}] = ${read(B)};`);
  for (const [form, ea] of [['B', EA_B], ['X', EA_X]] as const) {
    next(`mov${sign}x32_${from}rm${form}`, `${loadText(from, 'v', ea)} m32[${A}] = ${extend('v')};`);
    if (from === 8) next(`mov${sign}x16_8rm${form}`, `${loadText(8, 'v', ea)} m16[${A}] = ${extend('v')};`);
  }
}
next('lea32B', `m32[${A}] = ${EA_B};`);
next('lea32X', `m32[${A}] = ${EA_X};`);
next('lea16X', `m16[${A}] = ${EA_X};`);
next('eaB', `ea = ${EA_B};`);
next('eaX', `ea = ${EA_X};`);
next('lea32_16', `m32[${A}] = (${EA_X}) & 0xffff;`);
// Any segment, any address size. imm: bytes | need << 8 | 16-bit address << 16 | bit-offset size << 20; b: bit offset register
call('eaSeg', `let at = ${EA_X}; let how = ${IMM};
  if (how & 0x200000) { at += (m32[${B}] >> 5) << 2; } else if (how & 0x100000) { at += (s16[${B}] >> 4) << 1; }
  if (how & 0x10000) { at &= 0xffff; }
  ea = segCheck(m8[${U.seg} : ip], at, how & 0x3ff, (how >>> 12) & 3);`);
// The offset alone, for operands whose parts are checked one by one. imm: 16-bit address.
next('eaOffset', `let at = ${EA_X}; ea = ${IMM} ? at & 0xffff : at;`);
call('xlat', `let at = ebx + (eax & 0xff); if (${f16(U.a)} == 2) { at &= 0xffff; } setAl(rd8(segCheck(${AUX}, at, 1, 1)));`);

for (let cc = 0; cc < 16; cc++) {
  const test = condition(cc);
  next(`setcc${cc}`, `m8[${A}] = ${test};`);
  next(`cmov32_${cc}`, `if (${test}) { m32[${A}] = m32[${B}]; }`);
  next(`cmov16_${cc}`, `if (${test}) { m16[${A}] = m16[${B}]; }`);
}

// ---- stack, flat 32-bit ----

for (const [form, v] of [['r', `m32[${A}]`], ['i', IMM]] as const) {
  next(`push32${form}`, `${storeText(32, 'esp - 4', v)} esp -= 4;`);
}
next('pop32r', `${loadText(32, 'v', 'esp')} esp += 4; m32[${A}] = v;`);
next('leave32', `${loadText(32, 'v', 'ebp')} esp = ebp + 4; ebp = v;`);
// any stack; aux: operand size
call('pushSlow', `pushValue(${AUX}, ${AUX} == 4 ? m32[${A}] : m16[${A}]);`);
call('pushSlowImm', `pushValue(${AUX}, ${IMM});`);
call('popSlow', `let v = popValue(${AUX}); if (${AUX} == 4) { m32[${A}] = v; } else { m16[${A}] = v; }`);
// POP to memory: the address is computed with the new ESP, which is taken back when the store faults
call('popTmp', `tmp1 = esp; tmp0 = popValue(${AUX});`);
call('pushAll', `pushAll(${AUX});`);
call('popAll', `popAll(${AUX});`);
call('pushFlags', `pushFlags(${AUX});`);
end('popFlags', `popFlags(${AUX});`);
call('enterFrame', `enterFrame(${AUX}, ${IMM}, ${f16(U.aux2)});`);
call('leaveSlow', `leaveFrame(${AUX});`);
call('pushSegment', `pushSegment(${AUX}, ${IMM});`);
end('popSegment', `popSegment(${AUX}, ${IMM});`);

// ---- branches ----

/** Take the link of a micro-op at ip + at: a target in the same page. */
const takeLink = (at: number) => `
  let t = ${LINK(at)};
  if (t == 0) { cur = ip; t = resolve(ip + ${at}); ip = cur; if (t == 0) { pc = vbase + m16[${U.next} : ip + ${at}] + m32[${U.imm} : ip + ${at}]; left += ${REM('ip')} - ${at ? 2 : 1}; break; } }
  left += ${REM('ip')} - ${at ? 2 : 1} - ${REM('t')};
  if (left < 0) { left += ${REM('t')}; pc = vbase + ${`m16[${U.off} : t]`}; break; }
  %linked% ip = t; continue;`;
const overLimit = 'if (pc >u csHi) { cur = ip; raiseError(13, 0); trap(); }';
const farBranch = (at: number) => `pc = vbase + m16[${U.next} : ip + ${at}] + m32[${U.imm} : ip + ${at}]; ${overLimit} left += ${REM('ip')} - ${at ? 2 : 1}; break;`;

for (let cc = 0; cc < 16; cc++) {
  raw(`jcc${cc}`, `if (${condition(cc)}) { ${takeLink(0)} } ip += 32; continue;`);
  raw(`jccFar${cc}`, `if (${condition(cc)}) { ${farBranch(0)} } ip += 32; continue;`);
  end(`jccSlow${cc}`, `if (${condition(cc)}) { let to = eip + ${IMM}; if (${AUX} == 2) { to &= 0xffff; } nearJump(to); }`);
}
// A compare (or arithmetic) and the branch that follows it in one: the branch micro-op lies behind it. Only conditions
// that the operands tell without the flags are worth it.
type Direct = (cc: number) => string | null;
const compare8: Direct = (cc) => (cc >= 2 && cc <= 7 ? compareCondition(cc) : null);
const zeroSign: Direct = (cc) => ({ 4: 'fr == 0', 5: 'fr != 0', 8: 'fr < 0', 9: 'fr >= 0' })[cc] ?? null;
const FUSED: [string, Direct][] = [
  ...['cmp32rr', 'cmp32ri', 'cmp32rmB', 'cmp32rmX', 'cmp32mrB', 'cmp32miB', 'cmp32miX', 'sub32rr', 'sub32ri'].map((n): [string, Direct] => [n, compareCondition]),
  ...['cmp8rr', 'cmp8ri', 'cmp8miB', 'cmp8miX', 'cmp8rmB', 'cmp8rmX'].map((n): [string, Direct] => [n, compare8]),
  ...['test32rr', 'test32ri', 'test32miB', 'test8rr', 'test8ri', 'test8miB', 'and32rr', 'and32ri'].map((n): [string, Direct] => [n, logicCondition]),
  ...['dec32r', 'inc32r', 'add32ri', 'add32rr', 'or32rr'].map((n): [string, Direct] => [n, zeroSign]),
];
/** A body that goes on to the micro-op behind it when it has left the fast path: something may stop the run between the two. */
export function partsOnSlowPath(body: string): string {
  const at = body.indexOf('%slow% }');
  return at < 0 ? body : body.replace('%slow%', `${body.slice(at + '%slow% }'.length)} ip += ${L.UOP_BYTES}; continue;`);
}
for (const [name, test] of FUSED) {
  const body = partsOnSlowPath(handlers[handlerNumber(name)]!.body);
  for (let cc = 0; cc < 16; cc++) {
    const direct = test(cc);
    if (direct) raw(`${name}+jcc${cc}`, `${body} if (${direct}) { ${takeLink(32)} } ip += 64; continue;`);
  }
}

raw('jmp', takeLink(0));
raw('jmpFar', farBranch(0));
end('jmpSlow', `let to = eip + ${IMM}; if (${AUX} == 2) { to &= 0xffff; } nearJump(to);`);
raw('jmpCell', `pc = m32[${A}]; ${overLimit} break;`);
end('jmpCellSlow', `nearJump(${AUX} == 2 ? m16[${A}] : m32[${A}]);`);
const pushNext = `${storeText(32, 'esp - 4', `vbase + ${NEXT}`)} esp -= 4;`;
raw('call', `${pushNext} %call% ${takeLink(0)}`);
raw('callFar', `pc = vbase + ${NEXT} + ${IMM}; ${overLimit} ${pushNext} %call% break;`);
end('callSlow', `let to = eip + ${IMM}; if (${AUX} == 2) { to &= 0xffff; } nearCall(${AUX}, to); %call%`);
raw('callCell', `pc = m32[${A}]; ${overLimit} ${pushNext} %call% break;`);
end('callCellSlow', `nearCall(${AUX}, ${AUX} == 2 ? m16[${A}] : m32[${A}]); %call%`);
raw('ret', `${loadText(32, 'target', 'esp')} pc = target; ${overLimit} esp += 4; %ret% break;`);
raw('retImm', `${loadText(32, 'target', 'esp')} pc = target; ${overLimit} esp += 4 + ${IMM}; %ret% break;`);
end('retSlow', `nearReturn(${AUX}, ${IMM}); %ret%`);
// aux: operand size, aux2: address size; b: 0 loopne 1 loope 2 loop 3 jcxz
end('loop', `let mask = ${f16(U.aux2)} == 4 ? -1 : 0xffff; let kind = ${B};
  let count = kind == 3 ? ecx & mask : (ecx - 1) & mask;
  let go = kind == 3 ? count == 0 : count != 0 && (kind == 2 || (fr == 0) == kind);
  if (go) { let to = eip + ${IMM}; if (${AUX} == 2) { to &= 0xffff; } nearJump(to); }
  if (kind != 3) { ecx = (ecx & ~mask) | count; }`);

// ---- far transfers, interrupts ----

end('jmpFarPtr', `farTransfer(${f16(U.aux2)}, ${IMM}, 0, ${AUX});`);
end('callFarPtr', `farTransfer(${f16(U.aux2)}, ${IMM}, 1, ${AUX});`);
const SEGMENT = `m8[${U.seg} : ip]`;
const farOperand = `let offset = farOffset(${SEGMENT}, ${AUX}); let sel = farSelector(${SEGMENT}, ${AUX});`;
end('jmpFarMem', `${farOperand} farTransfer(sel, offset, 0, ${AUX});`);
end('callFarMem', `${farOperand} farTransfer(sel, offset, 1, ${AUX});`);
end('retFar', `farReturn(${IMM}, ${AUX});`);
end('iret', `interruptReturn(${AUX}); %iret%`);
end('int', `softInterrupt(${IMM}, 1);`);
end('int3', 'softInterrupt(3, 0);');
end('into', 'if ((fx ^ (fx << 1)) < 0) { softInterrupt(4, 0); }');
end('icebp', 'interrupt(1, INTR_HARD, 0, 0);');
end('sysenter', 'sysenter();');
end('sysexit', 'sysexit();');

// ---- segments ----

end('loadSegment', `loadSegment(${IMM}, m16[${A}]); if (${IMM} == 2) { castStackShadow(); }`);
end('loadFarPointer', `${farOperand} loadSegment(${IMM}, sel);
  if (${AUX} == 4) { m32[${A}] = offset; } else { m16[${A}] = offset; }`);

// ---- strings ----

for (const op of ['Move', 'Fill', 'Load', 'Scan', 'Compare', 'Input', 'Output']) end(`string${op}`, `string${op}(ip);`);
// without REP nothing but the operation happens, so the trace goes on
call('movsOnce', 'stringMove(ip);');
call('stosOnce', 'stringFill(ip);');
call('lodsOnce', 'stringLoad(ip);');
call('scasOnce', 'stringScan(ip);');
call('cmpsOnce', 'stringCompare(ip);');

// ---- flags and processor control ----

next('clc', 'setCarry(0);');
next('stc', 'setCarry(1);');
next('cmc', 'setCarry((fx >>> 31) ^ 1);');
next('cld', 'eflags &= ~DF;');
next('std', 'eflags |= DF;');
call('lahf', 'eax = (eax & ~0xff00) | ((getFlags() & 0xff) << 8);');
call('sahf', 'setArith((getFlags() & OF) | ((eax >>> 8) & 0xd5));');
next('salc', 'setAl(fx >> 31);');
end('cli', 'clearInterrupts();');
end('sti', 'setInterrupts();');
end('hlt', 'halt();');
end('inPort', `input(${B} ? edx & 0xffff : ${IMM}, ${AUX});`);
end('outPort', `output(${B} ? edx & 0xffff : ${IMM}, ${AUX});`);
end('moveToControl', `moveToControl(${IMM}, m32[${A}]);`);
call('moveFromControl', `m32[${A}] = moveFromControl(${IMM});`);
end('moveToDebug', `moveToDebug(${IMM}, m32[${A}]);`);
call('moveFromDebug', `m32[${A}] = moveFromDebug(${IMM});`);
end('lmsw', `loadMachineStatus(m16[${A}]);`);
end('clts', 'clearTaskSwitched();');
end('invlpg', 'invalidatePage(ea);');
end('ring0', 'needRing0();');
end('lgdt', `loadGdt(ea, ${AUX});`);
end('lidt', `loadIdt(ea, ${AUX});`);
call('sgdt', `storeTable(ea, gdtBase, gdtLimit, ${AUX});`);
call('sidt', `storeTable(ea, idtBase, idtLimit, ${AUX});`);
end('lldt', `loadLocalTable(m16[${A}]);`);
end('ltr', `loadTaskRegister(m16[${A}]);`);
call('needProtected', 'needProtected();');
call('needRing0', 'needRing0();');
call('needProtectedRing0', 'needProtected(); needRing0();');
call('noCounter', 'raiseError(13, 0);');
for (const [name, fn] of [['lar', 'accessRights'], ['lsl', 'segmentLimit']] as const) {
  call(name, `let found = ${fn}(m16[${B}]); setZero(found);
    if (found) { if (${AUX} == 4) { m32[${A}] = tmp0; } else { m16[${A}] = tmp0; } }`);
}
call('verr', `setZero(verify(m16[${A}], 0));`);
call('verw', `setZero(verify(m16[${A}], 1));`);
// operand in the cell a; tmp0 := adjusted selector; the write happens only when something changes
call('arpl', `let d = m16[${A}]; let s = m16[${B}]; let lower = (d & 3) < (s & 3); setZero(lower);
  if (lower) { m16[${A}] = (d & ~3) | (s & 3); }`);
call('arplMem', `let d = rd16(segCheck(${SEGMENT}, ea, 2, 1)); let s = m16[${B}]; let lower = (d & 3) < (s & 3);
  if (lower) { wr16(segCheck(${SEGMENT}, ea, 2, 2), (d & ~3) | (s & 3)); } setZero(lower);`);
call('bound', `boundCheck(${SEGMENT}, ${AUX} == 4 ? m32[${A}] : m16[${A}], ${AUX});`);
call('cmpxchg8b', 'compareExchange8(ea);');
call('rdtsc', 'readTimeStamp();');
call('cpuid', 'identify();');
call('rdmsr', 'readMsr();');
call('wrmsr', 'writeMsr();');
call('needFpu', `needFpu(${IMM});`);
// imm: bits 16 and up are what needFpu wants to know
for (const name of x87Effects) {
  call(`x87_${name}`, `if ((cr0 & 12) | (fpuStatus & 0x80)) { needFpu(${IMM} >>> 16); } x87_${name}(ip);`);
}
