// System calls as text, in the manner of strace: `read(0, 0x8051000, 512) = 5`. Names and arguments come from the table in
// src/abi/syscalls.ts. Strings are read from the caller's memory; what cannot be read is printed as an address.

import * as errors from '../../abi/errno.ts';
import * as signals from '../../abi/signal.ts';
import { Sys, SYSCALLS } from '../../abi/syscalls.ts';
import type { Memory } from '../guest.ts';
import { hex0x } from '../text.ts';

const MOST_TEXT = 32;
const INDIRECT = 0;
const INDIRECT64 = 198;

interface Argument {
  readonly type: string;
  readonly name: string;
}

interface Signature {
  readonly name: string;
  readonly arguments: readonly Argument[];
}

const SIGNATURES = new Map(SYSCALLS.map((line): [number, Signature] => {
  const [number, name, , list] = line.split('|').map((field) => field.trim()) as [string, string, string, string];
  const found = list.split(',').map((text) => text.trim().split(' ')).filter(([type]) => type).map(([type, argument]) => ({ type: type!, name: argument ?? '' }));
  return [Number(number), { name, arguments: found }];
}));

const NAMES = (table: Record<string, unknown>, pattern: RegExp) => new Map(Object.entries(table).filter(([name]) => pattern.test(name)).map(([name, value]) => [value as number, name]));
const ERRORS = NAMES(errors, /^E[A-Z0-9]+$/);
const SIGNALS = NAMES(signals, /^SIG[A-Z0-9]+$/);

/** A call as its caller made it. */
export interface SystemCall {
  readonly number: number;
  readonly name: string;
  /** `(0, 0x8051000, 512)` */
  readonly text: string;
  readonly words: readonly number[];
}

/** Never returns. */
export function isExit(number: number): boolean {
  return number === Sys.exit;
}

export function signalName(number: number): string {
  return SIGNALS.get(number) ?? `signal ${number}`;
}

/** The call that a program makes with these registers. */
export function systemCall(memory: Memory, eax: number, esp: number): SystemCall {
  let number = eax;
  let at = esp + 4;
  if (number === INDIRECT || number === INDIRECT64) {
    at += number === INDIRECT ? 4 : 8;
    number = memory.word(esp + 4);
  }
  const signature = SIGNATURES.get(number);
  if (!signature) return { number, name: `syscall ${number}`, text: '()', words: [] };
  const words: number[] = [];
  const texts: string[] = [];
  for (const { type, name } of signature.arguments) {
    const word = memory.word(at);
    words.push(word);
    if (name !== 'pad') texts.push(argumentText(memory, type, word, memory.word(at + 4)));
    at += type === 'i64' || type === 'u64' ? 8 : 4;
  }
  return { number, name: signature.name, text: `(${texts.join(', ')})`, words };
}

function argumentText(memory: Memory, type: string, word: number, next: number): string {
  if (type === 'char*') return stringText(memory, word);
  if (type.endsWith('*') || type === 'usize') return word ? hex0x(word) : '0';
  if (type === 'i64') return String((BigInt(next | 0) << 32n) | BigInt(word));
  return type === 'i32' ? String(word | 0) : word > 0xffff ? hex0x(word) : String(word);
}

function stringText(memory: Memory, at: number): string {
  const text = at ? memory.text(at, MOST_TEXT + 1) : null;
  if (text === null) return at ? hex0x(at) : '0';
  const shown = text.slice(0, MOST_TEXT).replace(/[^ -~]|["\\]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `"${shown}"${text.length > MOST_TEXT ? '...' : ''}`;
}

/** The result of a call: a number, an address, or an errno's name. */
export function resultText(failed: boolean, eax: number): string {
  if (failed) return `-1 ${ERRORS.get(eax) ?? `errno ${eax}`}`;
  return eax > 0xffff && eax < 0xfffff000 ? hex0x(eax) : String(eax | 0);
}
