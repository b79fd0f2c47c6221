// From microcode text to an engine: the same program printed as WebAssembly (tier 0) or as JavaScript (reference).
// Both work on the same memory layout, so either can continue what the other began.
import { setFlagsFromString } from 'node:v8';
import { compileMicro, toWasm, toJs } from './micro/index.ts';
import * as L from './layout.ts';
import { flagsText } from './semantics/flags.ts';
import { eventsText } from './semantics/events.ts';
import { farText } from './semantics/far.ts';
import { integerText } from './semantics/integer.ts';
import { interruptsText } from './semantics/interrupts.ts';
import { memoryText } from './semantics/memory.ts';
import { notesText } from './semantics/notes.ts';
import { quickText } from './semantics/quick.ts';
import { runText } from './semantics/run.ts';
import { segmentsText } from './semantics/segments.ts';
import { stackText } from './semantics/stack.ts';
import { stringsText } from './semantics/strings.ts';
import { systemText } from './semantics/system.ts';
import { tasksText } from './semantics/tasks.ts';
import { x87Text } from './x87.ts';
import { tlbText } from '../mmu/tlb.ts';
import { walkText } from '../mmu/walk.ts';

/**
 * The printers that a user chooses from; the first is the default. Another one (regions translated to WebAssembly) is a
 * name here and a branch in createEngine: command lines, vectors, lockstep and fuzz take their engines from this list.
 */
export const ENGINE_KINDS = ['tier0', 'reference'] as const;
/** `observed` is tier 0 that also notes transfers of control (semantics/notes.ts). */
export type EngineKind = (typeof ENGINE_KINDS)[number] | 'observed';

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
  fpuError(): number;
  fpuCleared(): void;
  interruptStarts(vector: number, kind: number, hasError: number, error: number): void;
  deliveryFailed(depth: number, vector: number, error: number, address: number): void;
  codeBreakpoint(la: number, exact: number): number;
  dataAccess(la: number, size: number, write: number): void;
  walked(la: number, t: number, access: number): void;
  notesReady(): void;
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

const sources = (observed: boolean) => [
  { name: 'state', text: L.stateText() },
  { name: 'flags', text: flagsText },
  { name: 'events', text: eventsText },
  { name: 'walk', text: walkText(L.DEBUG.walks) },
  { name: 'tlb', text: tlbText(L) },
  { name: 'memory', text: memoryText },
  { name: 'segments', text: segmentsText },
  { name: 'quick', text: quickText },
  { name: 'interrupts', text: interruptsText },
  { name: 'tasks', text: tasksText },
  { name: 'far', text: farText },
  { name: 'integer', text: integerText },
  { name: 'stack', text: stackText },
  { name: 'strings', text: stringsText },
  { name: 'system', text: systemText },
  { name: 'x87', text: x87Text },
  ...(observed ? [{ name: 'notes', text: notesText }] : []),
  { name: 'run', text: runText(observed) },
];

const programs = new Map<boolean, ReturnType<typeof compileMicro>>();
/** By memory size in pages and whether observed: a module whose memory cannot grow is compiled to better code. */
const modules = new Map<string, WebAssembly.Module>();

function programOf(observed: boolean): ReturnType<typeof compileMicro> {
  const program = programs.get(observed) ?? compileMicro(sources(observed));
  programs.set(observed, program);
  return program;
}

/** Instantiates an engine on a memory. A program is compiled once per process, a module once per memory size. */
export function createEngine(kind: EngineKind, memory: WebAssembly.Memory, imports: EngineImports): Engine {
  const observed = kind === 'observed';
  const program = programOf(observed);
  if (kind === 'reference') {
    // V8's baseline code takes milliseconds to unwind a function as large as `run`, so every guest fault would
    setFlagsFromString('--no-sparkplug');
    return toJs(program, memory, { ...imports }) as unknown as Engine;
  }
  const pages = memory.buffer.byteLength / 65536;
  const key = `${pages} ${observed}`;
  const module = modules.get(key) ?? new WebAssembly.Module(toWasm(program, pages));
  modules.set(key, module);
  const instance = new WebAssembly.Instance(module, { env: { memory, ...(imports as unknown as Record<string, unknown>) } });
  return instance.exports as unknown as Engine;
}
