// From microcode text to an engine: the same program printed as WebAssembly (tier 0) or as JavaScript (reference).
// Both work on the same memory layout, so either can continue what the other began.
import { compileMicro, toWasm, toJs } from './micro/index.ts';
import * as L from './layout.ts';
import { flagsText } from './semantics/flags.ts';
import { farText } from './semantics/far.ts';
import { integerText } from './semantics/integer.ts';
import { interruptsText } from './semantics/interrupts.ts';
import { memoryText } from './semantics/memory.ts';
import { runText } from './semantics/run.ts';
import { segmentsText } from './semantics/segments.ts';
import { stackText } from './semantics/stack.ts';
import { stringsText } from './semantics/strings.ts';
import { systemText } from './semantics/system.ts';
import { tasksText } from './semantics/tasks.ts';
import { x87Text } from './x87.ts';
import { tlbText } from '../mmu/tlb.ts';
import { walkText } from '../mmu/walk.ts';

export type EngineKind = 'tier0' | 'reference';

/** What the engine calls in JavaScript. */
export interface EngineImports {
  portRead(port: number, size: number): number;
  portWrite(port: number, size: number, value: number): void;
  mmioRead(pa: number, size: number): number;
  mmioWrite(pa: number, size: number, value: number): void;
  interruptAcknowledge(): number;
  codeSlots(page: number): number;
  decodeBlock(pa: number): number;
  decodeSingle(pa: number, bytes: number, page2: number, bytes2: number): number;
  resolve(at: number): number;
  decodeSplit(pa: number, page2: number): number;
  codeWritten(pa: number, size: number): void;
  interruptStarts(vector: number, kind: number, hasError: number, error: number): void;
  deliveryFailed(depth: number, vector: number, error: number, address: number): void;
  codeBreakpoint(la: number, exact: number): number;
  dataAccess(la: number, size: number, write: number): void;
}

/** What JavaScript calls in the engine. */
export interface Engine {
  run(): number;
  kick(): void;
  reset(): void;
  getFlags(): number;
  setFlags(f: number): void;
  setSeg(n: number, sel: number, base: number, limit: number, attr: number): void;
  refreshMode(): void;
  tlbFlush(keepGlobal: number): void;
  protectPage(page: number): void;
  peek(la: number): bigint;
}

const sources = () => [
  { name: 'state', text: L.stateText() },
  { name: 'flags', text: flagsText },
  { name: 'walk', text: walkText },
  { name: 'tlb', text: tlbText(L) },
  { name: 'memory', text: memoryText },
  { name: 'segments', text: segmentsText },
  { name: 'interrupts', text: interruptsText },
  { name: 'tasks', text: tasksText },
  { name: 'far', text: farText },
  { name: 'integer', text: integerText },
  { name: 'stack', text: stackText },
  { name: 'strings', text: stringsText },
  { name: 'system', text: systemText },
  { name: 'x87', text: x87Text },
  { name: 'run', text: runText() },
];

let program: ReturnType<typeof compileMicro> | null = null;
let module: WebAssembly.Module | null = null;

/** Instantiates an engine on a memory. The program is compiled once per process. */
export function createEngine(kind: EngineKind, memory: WebAssembly.Memory, imports: EngineImports): Engine {
  program ??= compileMicro(sources());
  if (kind === 'reference') return toJs(program, memory, { ...imports }) as unknown as Engine;
  module ??= new WebAssembly.Module(toWasm(program));
  const instance = new WebAssembly.Instance(module, { env: { memory, ...(imports as unknown as Record<string, unknown>) } });
  return instance.exports as unknown as Engine;
}
