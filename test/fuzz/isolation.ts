// `npm run fuzz -- isolation`: test/guest/isolation-fuzz.ts as process 1 of the host kernel, under the eyes of the oracle. With a
// sabotage, the kernel is built from sources of which one check was taken out, to see that the oracle would notice.

import { resolve } from 'node:path';
import { DEV_CONSOLE, DEV_NULL, DEV_TTY, DEV_ZERO } from '../../src/abi/file.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { compileProgram } from '../../src/image/compile.ts';
import { SourceTree } from '../../src/image/inputs.ts';
import { buildExt2 } from '../../src/image/mkfs.ts';
import { Machine } from '../../src/pc/machine.ts';
import { HOST_KERNEL } from '../kern/roots.ts';
import { Oracle } from './oracle.ts';
import type { Violation } from './oracle.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const MEMORY = 32 << 20;
const SEEDS_PER_BOOT = 1000;
const BUDGET_PER_SEED = 40_000_000;
const DEVICES = [
  { path: '/dev/console', dev: DEV_CONSOLE },
  { path: '/dev/tty', dev: DEV_TTY },
  { path: '/dev/null', dev: DEV_NULL },
  { path: '/dev/zero', dev: DEV_ZERO },
];

/** A check that is taken out: in which file, which text, and what stands there instead. */
export interface Sabotage {
  readonly file: string;
  readonly text: string;
  readonly instead: string;
}

export const SABOTAGES: Readonly<Record<string, Sabotage>> = {
  valid: { file: 'src/kern/vpagetable.ts', text: 'if ((vpte & VPTE_V) == 0) return SEGV_MAPERR;', instead: '' },
  writable: { file: 'src/kern/vpagetable.ts', text: '(vpte & VPTE_RW) == 0) return SEGV_MAPERR;', instead: 'false) return SEGV_MAPERR;' },
  'large-page': { file: 'src/kern/vpagetable.ts', text: '|| (vpte & VPTE_PS) != 0) break;', instead: ') break;' },
  'slot-mask': { file: 'src/kern/vpagetable.ts', text: '(index & ((1 << remaining) - 1))', instead: '(index & 0xfffff)' },
  accessed: { file: 'src/kern/vpagetable.ts', text: 'noted |= VPTE_A;', instead: 'noted |= 0;' },
  modified: { file: 'src/kern/vpagetable.ts', text: 'modified &= vpte;', instead: '' },
  'end-of-file': { file: 'src/kern/vm_object.ts', text: 'pindex >= pagesOf(vp.size)', instead: 'pindex >= 0x10000' },
  'read-only-first': { file: 'src/kern/vm_fault.ts', text: '(!walks || modified)', instead: 'true' },
  invalidate: { file: 'src/kern/vm_map.ts', text: 'pmapRemove(vm.pmap, start, end);\n    return 0;', instead: 'return 0;' },
  'set-map': { file: 'src/kern/vm_map.ts', text: 'pmapRemove(vm.pmap, start, end);\n  return error;', instead: 'return error;' },
};

class SabotagedTree extends SourceTree {
  constructor(root: string, private readonly sabotage: Sabotage) {
    super(root);
  }

  override read(path: string): Uint8Array | null {
    const bytes = super.read(path);
    if (bytes === null || path !== this.sabotage.file) return bytes;
    const text = Buffer.from(bytes).toString('latin1');
    if (!text.includes(this.sabotage.text)) throw new Error(`${path}: no longer contains ${this.sabotage.text}`);
    return new Uint8Array(Buffer.from(text.replace(this.sabotage.text, this.sabotage.instead), 'latin1'));
  }
}

export interface IsolationResult {
  readonly seeds: number;
  readonly walks: number;
  readonly loose: number;
  readonly audits: number;
  readonly violation: Violation | null;
}

/**
 * Runs the seeds [seed, seed + count), many per boot, until the oracle objects.
 * @param sabotage name of SABOTAGES
 * @throws Error when the guest did not end as it should: with its console's text
 */
export function fuzzIsolation(seed: number, count: number, sabotage?: string, progress: (done: number) => void = () => {}): IsolationResult {
  const tree = sabotage === undefined ? new SourceTree(ROOT) : new SabotagedTree(ROOT, SABOTAGES[sabotage]!);
  const kernel = compileProgram(tree, HOST_KERNEL).bytes;
  const program = compileProgram(tree, ['test/guest/isolation-fuzz.ts', '--bind', 'rt=src/libc']).bytes;
  const root = buildExt2({ sizeMiB: 8, files: [...DEVICES, { path: '/sbin/init', mode: 0o755, data: program }] });
  const total = { seeds: 0, walks: 0, loose: 0, audits: 0, violation: null as Violation | null };
  while (total.seeds < count && total.violation === null) {
    const some = Math.min(SEEDS_PER_BOOT, count - total.seeds);
    const oracle = bootOnce(kernel, root, seed + total.seeds, some);
    total.seeds += oracle.violation ? oracle.violation.seed - (seed + total.seeds) + 1 : some;
    total.walks += oracle.walks;
    total.loose += oracle.loose;
    total.audits += oracle.audits;
    total.violation = oracle.violation;
    progress(total.seeds);
  }
  return total;
}

function bootOnce(kernel: Uint8Array, root: Uint8Array, seed: number, count: number): Oracle {
  let text = '';
  const machine = new Machine({ memory: MEMORY, disks: [new MemoryDisk(root.slice())], serial: (byte) => (text += String.fromCharCode(byte)) });
  const oracle = new Oracle(machine);
  machine.loadKernel(kernel, 'host-kernel.elf', `kernel seed=${seed} count=${count}`);
  const result = machine.run(BUDGET_PER_SEED * count + 100_000_000, true);
  const fine = result.kind === 'off' && /isolation-fuzz: \d+ passed, 0 failed/.test(text);
  if (oracle.violation === null && !fine) throw new Error(`seeds ${seed} to ${seed + count - 1}: ${result.kind}\n${text}`);
  return oracle;
}
