// What the parts of the ledger are. Every instruction that a kernel executes belongs to exactly one of them, by this rule:
//
//   1. A source line that calls a function of the table (or is its declaration) belongs to that function's part. `caller:callee`
//      holds only for calls in `caller`. Code that the compiler has put in place of a call carries the line of the call.
//   2. Every other line of a function of the table belongs to the function's part.
//   3. All else belongs to the part of the line that called it; at the bottom, to kernel work. What the host kernel does
//      for a virtual kernel belongs to the part for which the virtual kernel has called it, unless this table says otherwise.
//
// The same table serves both kernels; a name need only exist in one of them.

import type { Code } from './code.ts';
import { functionName } from './code.ts';
import type { LineRow } from './lines.ts';

export const PARTS = ['work', 'entry', 'cr3', 'frame', 'descriptors', 'fpu', 'walk', 'invalidation', 'exit'] as const;
export type Part = (typeof PARTS)[number];

/** The parts as a reader should know them. */
export const PART_TEXT: Readonly<Record<Part, string>> = {
  entry: 'from the trap to the code that handles it',
  cr3: 'loading %cr3, and in cycles the TLB misses that follow',
  frame: 'copying register frames between the kernels',
  descriptors: 'TLS descriptors, trap stack',
  fpu: 'the right to the FPU, and its registers',
  walk: 'following VPTEs',
  invalidation: 'making page table entries forgotten',
  work: 'what the program has asked for, and all else',
  exit: 'pending signals and reschedules, and the way back to user mode',
};

/** Function -> part, in the order of a trap's way through the kernels. */
export const PART_OF: Readonly<Record<string, Part>> = {
  trapEntry: 'entry', fastEntry: 'entry', fastTrap: 'entry', hostTrap: 'entry', userTrap: 'entry', faultTrap: 'entry', 'faultTrap:leaveKernel': 'exit', 'faultTrap:isPlain': 'exit', chargeUser: 'entry', faultAddress: 'entry', trap: 'entry',
  'userTrap:intrDispatch': 'work', 'hostTrap:intrDispatch': 'work', 'hostTrap:kernelTrap': 'work', 'trap:syscall': 'work', 'trap:pageFault': 'work',
  'trap:vkernelTrap': 'work', 'trap:trapSignal': 'work', enterSpace: 'work', leaveSpace: 'work',
  activatePmap: 'cr3', pmapActivate: 'cr3', loadCr3: 'cr3',
  'enterSpace:prepared': 'work', grantWish: 'work', 'enterSpace:fetcher': 'frame', fetch: 'frame', 'leaveSpace:copier': 'frame', copyFrame: 'frame', cleanFrame: 'frame', 'run:copyin': 'frame',
  'vkernelTrap:copyout': 'frame', answerOwner: 'frame',
  setTrapStack: 'descriptors', setTlsDescriptors: 'descriptors', frameActivate: 'descriptors', tlsLoad: 'descriptors', checkTls: 'descriptors', goodTls: 'descriptors',
  fpuVirt: 'fpu', fpuArm: 'fpu', fpuReach: 'fpu', fpuReady: 'fpu', fpuTrap: 'fpu', takeFpu: 'fpu', saveTo: 'fpu', loadFrom: 'fpu',
  vptWalk: 'walk',
  pmapInvalidate: 'invalidation', invlpg: 'invalidation',
  leaveKernel: 'exit', userret: 'exit', userPending: 'exit', chargeSystem: 'exit', charge: 'exit', doreti: 'exit', isPlain: 'exit', returnFast: 'exit', fastReturn: 'exit',
  'userret:postsig': 'work', 'userret:cursig': 'work', 'userret:yieldCpu': 'work', 'leaveKernel:userret': 'exit',
  goUser: 'exit', resume: 'exit', runOnly: 'exit', runAmong: 'exit', 'runAmong:returnToKernel': 'entry', enterProcess: 'exit', enterFast: 'exit', 'goUser:splopen': 'entry', 'goUser:syscall': 'work', 'goUser:trap': 'entry', 'goUser:settle': 'work', 'goUser:consFlush': 'work',
};

/** Sources by path, as the line tables name them. */
export type SourceReader = (path: string) => string | null;

/** Gives the instructions of a kernel their parts. */
export function assignParts(code: Code, lines: readonly LineRow[], source: SourceReader, used: (rule: string) => void = () => {}): void {
  const rules = new LineRules(source);
  let row = 0;
  code.setParts((la, fn) => {
    while (row + 1 < lines.length && lines[row + 1]!.address <= la) row++;
    const name = functionName(fn).split('.').at(-1)!;
    const rule = rules.find(name, lines[row]);
    if (rule) used(rule);
    return rule ? PARTS.indexOf(PART_OF[rule]!) + 1 : 0;
  });
}

/** Which entry of the table a line of a function falls under. */
class LineRules {
  private readonly files = new Map<string, readonly string[]>();
  private readonly known = new Map<string, string>();

  constructor(private readonly source: SourceReader) {}

  /** The key of PART_OF, or nothing. */
  find(name: string, row: LineRow | undefined): string {
    const key = `${name} ${row?.file}:${row?.line}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const rule = this.calls(row).flatMap((callee) => [`${name}:${callee}`, callee]).find((rule) => Object.hasOwn(PART_OF, rule)) ?? (Object.hasOwn(PART_OF, name) ? name : '');
    this.known.set(key, rule);
    return rule;
  }

  /** Names that are called on a line, first to last. */
  private calls(row: LineRow | undefined): string[] {
    if (!row || row.line === 0) return [];
    const lines = this.files.get(row.file) ?? (this.source(row.file) ?? '').split('\n');
    this.files.set(row.file, lines);
    const text = (lines[row.line - 1] ?? '').replace(/\/\/.*|"[^"]*"|'[^']*'/g, '');
    return [...text.matchAll(/([A-Za-z_]\w*)\(/g)].map((match) => match[1]!);
  }
}
