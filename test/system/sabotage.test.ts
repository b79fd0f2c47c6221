// usertests notices a broken kernel: each line breaks one thing in the sources of the host kernel, or of the virtual one, and the
// named cases, which pass on the sound one, must fail on it (or never come to an end).

import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SYSTEM_MEMORY } from '../../src/api/system.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { compileProgram } from '../../src/image/compile.ts';
import { SourceTree } from '../../src/image/inputs.ts';
import { Machine } from '../../src/pc/machine.ts';
import { rootWith } from '../../src/image/world.ts';
import { HOST_KERNEL, VIRTUAL_KERNEL } from '../kern/roots.ts';
import { world } from './session.ts';

const BUDGET = 300_000_000;

class SpoiltTree extends SourceTree {
  constructor(root: string, private readonly file: string, private readonly from: string, private readonly to: string) {
    super(root);
  }

  override read(path: string): Uint8Array | null {
    const bytes = super.read(path);
    if (path !== this.file || bytes === null) return bytes;
    const text = Buffer.from(bytes).toString('latin1');
    expect(text, `${path} has changed: name another line to break`).toContain(this.from);
    return Buffer.from(text.replace(this.from, this.to), 'latin1');
  }
}

const ROOT = resolve(import.meta.dirname, '../..');

/** Console of a kernel whose `file` says `to` instead of `from`, running these cases. */
function consoleOf(file: string, from: string, to: string, cases: string): string {
  const kernel = compileProgram(new SpoiltTree(ROOT, file, from, to), HOST_KERNEL).bytes;
  return consoleWith(kernel, world().rootImage.slice(), `native exec=usertests ${cases}`);
}

/** Console of a sound host kernel with such a virtual kernel on it. */
function virtualConsoleOf(file: string, from: string, to: string, cases: string): string {
  const virtualKernel = compileProgram(new SpoiltTree(ROOT, file, from, to), VIRTUAL_KERNEL).bytes;
  return consoleWith(world().hostKernel, rootWith({ ...world(), virtualKernel }), `exec=usertests ${cases}`);
}

function consoleWith(kernel: Uint8Array, root: Uint8Array, commandLine: string): string {
  let text = '';
  const machine = new Machine({ memory: SYSTEM_MEMORY, disks: [new MemoryDisk(root)], serial: (byte) => (text += String.fromCharCode(byte)) });
  machine.loadKernel(kernel, 'host-kernel.elf', commandLine);
  machine.run(BUDGET, true);
  return text;
}

type Sabotage = readonly [what: string, file: string, from: string, to: string, cases: string];

const SABOTAGE: readonly Sabotage[] = [
  ['handlers that do not mask their signal', 'src/kern/signal.ts', 'if ((act.flags & SA_NODEFER) == 0) sigAdd(lwp.sigmask, sig);', '', 'handler-masks-its-signal'],
  ['sigsuspend that forgets the mask', 'src/kern/signal.ts', 'const saved: SigSet = lwp.restoreMask ? lwp.oldMask : lwp.sigmask;', 'const saved: SigSet = lwp.sigmask;', 'suspend'],
  ['calls that are never restarted', 'src/kern/signal.ts', '.flags & SA_RESTART) != 0 ? ERESTART : EINTR', '.flags & SA_RESTART) != 0 ? EINTR : EINTR', 'restart-pipe-read restart-wait'],
  ['a pipe that nobody hears break', 'src/kern/pipe.ts', 'if (p.readers == 0) {', 'if (p.readers < 0) {', 'pipe-no-reader sigpipe'],
  ['copy-on-write that leaves the parent its page table', 'src/kern/vm_map.ts', '  pmapProtect(vm.pmap, e.start, e.end);\n', '', 'cow-both-ways'],
  ['mprotect that leaves the page table', 'src/kern/vm_map.ts', 'else if ((prot & PROT_WRITE) == 0) pmapProtect(vm.pmap, start, end);', '', 'mprotect-read-only mprotect-system-call'],
  ['copyout that trusts its pointer', 'src/host-kernel/copyio.ts', 'return userRange(to, bytes) ? guardedCopy(to, from, bytes) : EFAULT;', 'return guardedCopy(to, from, bytes);', 'efault-stat-buffer'],
  ['FPU registers that are not saved', 'src/kern/fpu.ts', '    saveOwner();\n    fpuReach();\n    takeFpu(lwp);', '    fpuReach();\n    takeFpu(lwp);', 'fpu-two-processes fpu-many'],
  ['TLS descriptors that stay', 'src/host-kernel/swtch.ts', '    setTlsDescriptors(tlsOf(to));\n', '', 'tls-of-each'],
  ['exec that closes nothing', 'src/kern/exec.ts', '  fdExec(p.fd!);\n', '', 'exec-closes-marked'],
  ['exec that keeps handlers', 'src/kern/exec.ts', '  sigactsExec(p.sigacts);\n', '', 'exec-resets-handlers'],
  ['timers that fire once', 'src/kern/time.ts', 'if (p.itimerInterval != 0) calloutReset', 'if (p.itimerInterval < 0) calloutReset', 'itimer-repeats'],
  ['mkdir that forgets ..', 'src/kern/ext2_node.ts', 'if (error == 0) addLink(this, 1);', '', 'directory-links'],
  ['a directory renamed into itself', 'src/kern/ext2_node.ts', 'if (node.type == VT_DIR && isBelow(toDir, node)) return EINVAL;', '', 'rename-into-itself'],
  ['truncation that keeps the tail', 'src/kern/ext2_node.ts', 'if (this.object != null) vmObjectTruncate(this.object, size);', '', 'truncate-shorter-longer'],
  ['append that does not', 'src/kern/file_syscalls.ts', 'if ((flags & O_APPEND) != 0) uio.offset = vp.size;', '', 'open-append concurrent-appends'],
  ['orphans nobody owns', 'src/kern/exit.ts', 'const init = pfind(1)!;\n  while', 'const init = p.parent!;\n  while', 'wait-orphan'],
  ['descriptors that are shared after fork', 'src/kern/fork.ts', 'to.fd = fdCopy(from.fd!);', 'to.fd = from.fd;', 'fd-inherited'],
];

/** Of the virtual kernel. */
const VIRTUAL_SABOTAGE: readonly Sabotage[] = [
  ['changes that are not announced', 'src/vkernel/trap.ts', 'wish.count = changedCount;', 'wish.count = 0;', 'cow-both-ways mprotect-read-only'],
  ['the TLS descriptors of somebody else', 'src/vkernel/trap.ts', 'changetype<usize>(tlsOf(lwp))', 'changetype<usize>(tlsOf(lwp.proc.parent != null ? lwp.proc.parent!.lwps! : lwp))', 'tls-of-each'],
  ['FPU registers that are anybody\'s', 'src/vkernel/trap.ts', 'fpuReady(lwp) ? 0 : PGEX_FPFAULT', '0', 'fpu-two-processes fpu-many'],
];

describe('usertests in the virtual kernel notices', () => {
  it.each(VIRTUAL_SABOTAGE)('%s', (_what, file, from, to, cases) => {
    const text = virtualConsoleOf(file, from, to, cases);
    for (const name of cases.split(' ')) expect(text).not.toContain(`${name}: ok`);
  }, 60_000);

  it('nothing where nothing is broken', () => {
    const cases = [...new Set(VIRTUAL_SABOTAGE.flatMap((line) => line[4].split(' ')))];
    const text = virtualConsoleOf('src/kern/fork.ts', 'sysFork', 'sysFork', cases.join(' '));
    expect(text).toContain(`${cases.length} passed, 0 failed`);
  }, 60_000);
});

describe('usertests notices', () => {
  it.each(SABOTAGE)('%s', (_what, file, from, to, cases) => {
    const text = consoleOf(file, from, to, cases);
    for (const name of cases.split(' ')) expect(text).not.toContain(`${name}: ok`);
  }, 60_000);

  it('nothing where nothing is broken', () => {
    const cases = [...new Set(SABOTAGE.flatMap((line) => line[4].split(' ')))];
    const text = consoleOf('src/kern/fork.ts', 'sysFork', 'sysFork', cases.join(' '));
    expect(text).toContain(`${cases.length} passed, 0 failed`);
  }, 60_000);
});
