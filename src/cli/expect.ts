// `--expect FILE`: a conversation with the guest's console, one step a line, so that a boot can be judged by a script:
//
//   # a comment
//   wait login:            until the guest has written this text since the last match; /.../ is a regular expression
//   send root              type this and Enter; \n, \r, \t, \\ and \xNN are understood
//   type \x03              type this and nothing more
//
// Steps act at the instruction that writes the byte which completes a match, so a run is repeatable. The run ends with code
// 0 when all steps are done, and with 12 when it ends or is given up before.

import { readFileSync } from 'node:fs';
import { UsageError } from './args.ts';
import { describe } from './drives.ts';

type Step = { readonly kind: 'wait'; readonly pattern: RegExp; readonly text: string } | { readonly kind: 'send'; readonly bytes: readonly number[] };

/** Text kept for patterns that are not there yet. */
const WINDOW = 4096;

function literal(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
}

function unescaped(text: string): string {
  const letters: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\\': '\\' };
  return text.replace(/\\(?:x([0-9a-f]{2})|([nrt\\]))/gi, (_, code: string | undefined, letter: string) => (code ? String.fromCharCode(parseInt(code, 16)) : letters[letter]!));
}

function bytesOf(text: string): number[] {
  return [...Buffer.from(unescaped(text), 'latin1')];
}

function parseStep(line: string, place: string): Step {
  const [, word = '', rest = ''] = /^(\S+)\s?(.*)$/.exec(line)!;
  if (word === 'send') return { kind: 'send', bytes: bytesOf(`${rest}\\n`) };
  if (word === 'type') return { kind: 'send', bytes: bytesOf(rest) };
  if (word !== 'wait' || !rest) throw new UsageError(`${place}: '${line}'; expected wait TEXT, wait /EXPRESSION/, send TEXT or type TEXT`);
  const expression = /^\/(.+)\/$/.exec(rest);
  try {
    return { kind: 'wait', pattern: expression ? new RegExp(expression[1]!) : literal(unescaped(rest)), text: rest };
  } catch (error) {
    throw new UsageError(`${place}: ${(error as Error).message}`);
  }
}

/** The steps of the script in a file. @throws UsageError naming file and line */
export function readScript(path: string): Step[] {
  try {
    return parseScript(readFileSync(path, 'utf8'), path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--expect ${path}: ${describe(error)}; expected a script of wait and send lines`);
  }
}

/** The steps of a script. @throws UsageError naming `path` and line */
export function parseScript(text: string, path: string): Step[] {
  return text.split('\n').flatMap((line, i) => (/^\s*(#|$)/.test(line) ? [] : [parseStep(line.trimStart(), `${path}:${i + 1}`)]));
}

export class Expectation {
  private seen = '';
  private next = 0;

  /** @param send types bytes at the guest's console */
  constructor(private readonly steps: readonly Step[], private readonly send: (bytes: readonly number[]) => void) {}

  get done(): boolean {
    return this.next === this.steps.length;
  }

  /** What is being waited for, as written in the script. */
  get missing(): string {
    const step = this.steps[this.next];
    return step?.kind === 'wait' ? step.text : '';
  }

  /** Does the sends that stand before the first wait. */
  begin(): void {
    this.advance();
  }

  /** The guest has written a byte. */
  put(byte: number): void {
    if (this.done) return;
    this.seen += String.fromCharCode(byte);
    if (this.seen.length > 2 * WINDOW) this.seen = this.seen.slice(-WINDOW);
    this.advance();
  }

  private advance(): void {
    for (; !this.done; this.next++) {
      const step = this.steps[this.next]!;
      if (step.kind === 'send') {
        this.send(step.bytes);
        continue;
      }
      const match = step.pattern.exec(this.seen);
      if (!match) return;
      this.seen = this.seen.slice(match.index + match[0].length);
    }
  }
}
