// A whole machine that runs a few instructions of assembly in flat protected mode, loaded at 0x2000 with its stack below.
import { assemble, AsmEnv } from '../../src/asm/assemble.ts';
import type { EngineKind } from '../../src/cpu/engine.ts';
import { Machine } from '../../src/pc/machine.ts';
import type { MachineOptions } from '../../src/pc/machine.ts';
import { multibootKernel } from './images.ts';

export const ORIGIN = 0x2000;
/** Powers the machine off. */
export const OFF = 'mov dx, 0x604\nmov ax, 0x2000\nout dx, ax\n';

export function assembled(text: string, origin = ORIGIN): Uint8Array {
  const env = new AsmEnv();
  env.hasOrigin = true;
  env.origin = origin;
  const result = assemble(text, env);
  if (result.errors.length) throw new Error(`line ${result.errors[0]!.line}: ${result.errors[0]!.message}\n${text}`);
  return Uint8Array.from(result.bytes);
}

/** A machine about to run the program. */
export function guest(text: string, options: MachineOptions = {}, engine: EngineKind = 'tier0'): Machine {
  const machine = new Machine({ memory: 4 << 20, engine, ...options });
  machine.loadKernel(multibootKernel(), 'k');
  machine.cpu.ram.set(assembled(text), ORIGIN);
  machine.cpu.state.eip = ORIGIN;
  machine.cpu.state.esp = ORIGIN;
  return machine;
}
