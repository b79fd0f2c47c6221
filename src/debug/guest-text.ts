// The monitor's views of our own system: `info processes`, `info vmspaces`, `info vpte SPACE ADDR`. Each level of kernels is
// indented below the process that is the kernel.

import { VM_MAX_USER_ADDRESS, VPTE_FRAME, VPTE_PS, VPTE_RW, VPTE_V } from '../abi/mman.ts';
import type { KernelView, MapEntry, Proc, Space, VpteStep } from './guest.ts';
import { kernels, ownedSpaces } from './spaces.ts';
import type { OwnedSpace } from './spaces.ts';
import { bitNames, hex, hex0x } from './text.ts';

const VPTE_BITS = ['V', 'RW', 'U', '', '', 'A', 'M', 'PS', 'G', 'WIRED', 'MANAGED'];
const STATES = ['?', 'active', 'stopped', 'zombie'];
const PERMISSIONS = ['---', 'r--', '-w-', 'rw-', '--x', 'r-x', '-wx', 'rwx'];

/** A mistake of the user's; the message is the whole answer. */
export class ViewError extends Error {}

/** `info processes`: as ps, for every kernel. */
export function processesText(host: KernelView): string[] {
  const lines: string[] = [];
  for (const { kernel, name } of kernels(host)) {
    lines.push(`${name}:`, '  pid  ppid state    lwps pages spaces name');
    for (const proc of kernel.processes()) lines.push(processText(kernel, proc));
  }
  return lines;
}

function processText(kernel: KernelView, proc: Proc): string {
  const parent = proc.parent ? kernel.proc(proc.parent).pid : 0;
  const running = proc.lwps.some(({ at }) => at === kernel.curLwp());
  const state = running ? 'running' : STATES[proc.state] ?? '?';
  const columns = [String(proc.pid).padStart(5), String(parent).padStart(5), state.padEnd(8), String(proc.lwps.length).padStart(4)];
  const spaces = kernel.spaces(proc).length;
  return `${columns.join(' ')} ${String(kernel.residentPages(proc.vmspace)).padStart(5)} ${String(spaces).padStart(6)} ${proc.name}`;
}

/** `info vmspaces`: id, owner, pages, root VPTEs, who runs it, references. */
export function spacesText(host: KernelView): string[] {
  const lines: string[] = [];
  for (const { kernel, name } of kernels(host)) {
    for (const owner of kernel.processes().filter((proc) => proc.vkernel !== 0)) {
      lines.push(`owner ${owner.pid} (${owner.name}) of the ${name.startsWith('vkernel') ? name : 'host kernel'}:`);
      lines.push('   id pages  refs lwp      root vpte process');
      for (const space of kernel.spaces(owner)) lines.push(spaceText(kernel, owner, space));
    }
  }
  return lines.length ? lines : ['no process owns a VM space'];
}

function spaceText(kernel: KernelView, owner: Proc, space: Space): string {
  const roots = [...new Set(kernel.mapEntries(space.vmspace).flatMap(({ root }) => (root === null ? [] : [root])))];
  const runner = runnerOf(kernel, space);
  const user = kernel.virtualKernel(owner)?.processOfSpace(space.id);
  const columns = [String(space.id).padStart(5), String(kernel.residentPages(space.vmspace)).padStart(5), String(space.refs).padStart(5), (runner || '-').padEnd(8)];
  return `${columns.join(' ')} ${roots.map((root) => hex(root)).join(' ') || '-       '}  ${user ? `${user.pid} ${user.name}` : '-'}`;
}

/** `PID.TID` of the threads inside a space. */
function runnerOf(kernel: KernelView, space: Space): string {
  return kernel.processes().flatMap((proc) => proc.lwps.filter(({ ve }) => ve === space.at).map(({ tid }) => `${proc.pid}.${tid}`)).join(',');
}

/** `2.5`: space 5 of process 2 of the host; `2.4.5`: of process 4 of the kernel that process 2 is. */
function nameOf({ kernel, owner, space }: OwnedSpace): string {
  return `${kernel.chain && `${kernel.chain}.`}${owner.pid}.${space.id}`;
}

/** A space by its name, or by as much of the end of it as no other has. @throws ViewError */
function findSpace(host: KernelView, text: string): OwnedSpace {
  const match = /^((?:\d+\.)*)(0x[0-9a-f]+|\d+)$/i.exec(text);
  if (!match) throw new ViewError(`${text}: expected the id of a VM space, or OWNER.ID; info vmspaces lists them`);
  const name = `${match[1]!}${Number(match[2])}`;
  const found = [...ownedSpaces(host)].filter((space) => `.${nameOf(space)}`.endsWith(`.${name}`));
  const one = found.length === 1 ? found[0] : found.find((space) => nameOf(space) === name);
  if (one) return one;
  throw new ViewError(found.length ? `VM space ${text}: ${found.map(nameOf).join(' or ')}?` : `no VM space ${text}; info vmspaces lists them`);
}

/** `info vpte SPACE ADDR`: the walk with every level, its result, and what the page tables have. @throws ViewError */
export function vpteText(host: KernelView, spaceText: string, va: number): string[] {
  const { kernel, owner, space } = findSpace(host, spaceText);
  if (va >= VM_MAX_USER_ADDRESS) throw new ViewError(`${hex0x(va)} is no user address; they end at ${hex0x(VM_MAX_USER_ADDRESS)}`);
  const walk = kernel.walk(space.vmspace, va);
  if (!walk) return [`VM space ${space.id} of process ${owner.pid}: nothing is mapped at ${hex(va)}`];
  const { entry, steps } = walk;
  const lines = [`VM space ${space.id} of process ${owner.pid}, ${hex(va)}: mapping ${hex(entry.start)}-${hex(entry.end)} ${PERMISSIONS[entry.prot & 7]!}`];
  if (entry.root !== null) lines.push(`root     ${vpteWords(entry.root)}`, ...steps.map((step, i) => stepText(step, i + 1)));
  lines.push(resultText(walk.page, walk.pa, entry, steps));
  lines.push(hardwareText(kernel, space, va));
  return lines;
}

function vpteWords(vpte: number): string {
  return `${hex(vpte)}  frame ${hex0x(vpte >>> 12)}${vpte & 0x7ff ? `  ${bitNames(vpte & 0x7ff, VPTE_BITS)}` : ''}`;
}

function stepText({ page, index, entry }: VpteStep, level: number): string {
  return `level ${level}  ${entry === null ? `page ${hex0x(page)} of the image is not in memory` : `${vpteWords(entry)}  (word ${index} of page ${hex0x(page)})`}`;
}

function resultText(page: number | null, pa: number | null, entry: MapEntry, steps: readonly VpteStep[]): string {
  if (page === null) return `result   fault: ${(steps.at(-1)?.entry ?? entry.root ?? 0) & VPTE_V ? 'the walk left memory' : `not valid at ${steps.length ? `level ${steps.length}` : 'the root'}`}`;
  const all = [...(entry.root === null ? [] : [entry.root]), ...steps.map((step) => step.entry ?? 0)];
  const writable = entry.prot & 2 && all.every((vpte) => vpte & VPTE_RW);
  return `result   page ${hex0x(page)}${all.some((vpte) => vpte & VPTE_PS) ? ' (by PS)' : ''}, ${writable ? 'writable' : 'read-only'}, ${pa === null ? 'not in memory' : `physical ${hex(pa)}`}`;
}

function hardwareText(kernel: KernelView, space: Space, va: number): string {
  const pde = kernel.directoryEntry(space.vmspace, va);
  if (!(pde & VPTE_V)) return `hardware PDE[${va >>> 22}] = ${hex(pde)} not present: the next access faults`;
  const pte = kernel.pageTableEntry(space.vmspace, va);
  const words = pte & VPTE_V ? `${bitNames(pte & 0x7ff, VPTE_BITS)}, physical ${hex((pte & VPTE_FRAME) | (va & 0xfff))}` : 'not present: the next access faults';
  return `hardware PDE[${va >>> 22}] = ${hex(pde)}, PTE[${(va >>> 12) & 1023}] = ${hex(pte)} ${words}`;
}
