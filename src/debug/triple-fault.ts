// The triple-fault story: the exceptions that shut the processor down, each with what was looked at when it happened (page
// walk, gate, descriptors, stack), then the registers, the code around eip and the callers by name. A failed delivery
// changes nothing, so the machine still stands where the first exception happened. (Intel SDM vol. 3, 6.15 "#DF".)

import type { Cpu, FaultRecord } from '../cpu/cpu.ts';
import { backtraceText, codeAround } from './code.ts';
import { gateStory, selectorText, walkText } from './inspect.ts';
import { registersText } from './registers.ts';
import type { SymbolTable } from './symbols.ts';
import { hasErrorCode, hex, hex0x, vectorName } from './text.ts';

const PAGE_FAULT = 14;
const DOUBLE_FAULT = 8;

/** An error code in words: a page fault's bits, or the selector with its table. */
export function errorText(vector: number, error: number): string {
  if (vector === PAGE_FAULT) {
    const access = error & 16 ? 'instruction fetch' : error & 2 ? 'write' : 'read';
    return `${error & 4 ? 'user' : 'supervisor'} ${access}, ${error & 8 ? 'reserved bit set' : error & 1 ? 'protection violation' : 'page not present'}`;
  }
  if (!hasErrorCode(vector) || vector === DOUBLE_FAULT || error === 0) return '';
  const external = error & 1 ? ', while delivering an event' : '';
  return error & 2 ? `IDT vector ${error >>> 3}${external}` : `selector ${hex(error & 0xfffc, 4)}${external}`;
}

function headline(fault: FaultRecord, number: number, symbols: SymbolTable): string {
  const code = hasErrorCode(fault.vector) ? ` error ${hex0x(fault.error)}` : '';
  const words = errorText(fault.vector, fault.error);
  const when = fault.during < 0 ? '' : `, while delivering ${vectorName(fault.during)}`;
  const name = symbols.text(fault.eip);
  return `${number}. ${vectorName(fault.vector)}${code}${words ? ` (${words})` : ''}${when}\n   at ${hex(fault.cs, 4)}:${hex(fault.eip)}${name ? ` <${name}>` : ''}, stack ${hex(fault.ss, 4)}:${hex(fault.esp)}`;
}

/** What the processor looked at: the address of a page fault, the descriptor of an error code. */
function causeText(cpu: Cpu, fault: FaultRecord): string[] {
  if (fault.vector === PAGE_FAULT) return [`cr2 ${hex(fault.address)}: ${walkText(cpu, fault.address)}`];
  if (fault.during < 0 && hasErrorCode(fault.vector) && fault.error & 2) return gateStory(cpu, fault.error >>> 3).slice(0, 1);
  const names = hasErrorCode(fault.vector) && fault.vector !== DOUBLE_FAULT && !(fault.error & 2);
  return names && fault.error & 0xfffc ? [`selector ${hex(fault.error & 0xfffc, 4)}: ${selectorText(cpu, fault.error & 0xfffc)}`] : [];
}

/** Which vector the processor delivered after a fault: itself, or #DF after two that do not go together. */
function delivered(chain: readonly FaultRecord[], index: number): number | null {
  return index + 1 < chain.length ? chain[index + 1]!.during : null;
}

function faultStory(cpu: Cpu, chain: readonly FaultRecord[], index: number, symbols: SymbolTable): string[] {
  const fault = chain[index]!;
  const vector = delivered(chain, index);
  const lines = [headline(fault, index + 1, symbols), ...causeText(cpu, fault).map((line) => `   ${line}`)];
  if (vector === null) return [...lines, '   a fault while delivering #DF shuts the processor down'];
  const goes = vector === fault.vector ? `delivering ${vectorName(vector)}` : `${vectorName(fault.vector)} after ${vectorName(fault.during)} makes a double fault; delivering ${vectorName(vector)}`;
  return [...lines, `   ${goes}:`, ...gateStory(cpu, vector).map((line) => `     ${line}`)];
}

/** The story, one string per line. */
export function tripleFaultStory(cpu: Cpu, symbols: SymbolTable): string[] {
  const chain = cpu.faultChain;
  return [
    `triple fault after ${cpu.instructions} instructions`,
    ...chain.flatMap((_, index) => faultStory(cpu, chain, index, symbols)),
    'registers:',
    ...registersText(cpu).map((line) => `   ${line}`),
    'code:',
    ...codeAround(cpu, symbols),
    'backtrace:',
    ...backtraceText(cpu, symbols).map((line) => `   ${line}`),
  ];
}
