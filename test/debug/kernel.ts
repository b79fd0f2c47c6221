// The test kernel with symbols (test/guest/kernel.ts), compiled once, and a machine that is about to run it.

import { resolve } from 'node:path';
import { compileProgram } from '../../src/image/compile.ts';
import { SourceTree } from '../../src/image/inputs.ts';
import { Debugger } from '../../src/debug/debugger.ts';
import { SymbolTable } from '../../src/debug/symbols.ts';
import { Machine } from '../../src/pc/machine.ts';
import type { MachineOptions } from '../../src/pc/machine.ts';

export const ROOT = resolve(import.meta.dirname, '../..');
let image: Uint8Array | null = null;

export function kernelImage(): Uint8Array {
  return (image ??= compileProgram(new SourceTree(ROOT), ['test/guest/kernel.ts', '--multiboot', '--base', '0x100000']).bytes);
}

/** A machine of 8 MiB with the kernel loaded, and a debugger on it. */
export function debugKernel(commandLine: string, options: MachineOptions = {}): { debug: Debugger; machine: Machine } {
  const machine = new Machine({ memory: 8 << 20, ...options });
  machine.loadKernel(kernelImage(), 'kernel', commandLine);
  return { debug: new Debugger(machine, new SymbolTable(kernelImage())), machine };
}
