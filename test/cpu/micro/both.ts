/** Both printings of a microcode program, each on its own memory, called side by side. */
import { compileMicro, toJs, toWasm, type MicroExports } from '../../../src/cpu/micro/index.ts';

export interface Printed { exports: MicroExports; bytes: Uint8Array }

export interface Both { wasm: Printed; js: Printed; call(name: string, ...args: (number | bigint)[]): unknown }

/** Instantiates a program twice. `imports` makes the extern functions for one instance. */
export function both(text: string, imports: (exports: () => MicroExports) => Record<string, unknown> = () => ({})): Both {
  const program = compileMicro([{ name: 'test', text }]);
  const wasm = printed((memory, given) => {
    const module = new WebAssembly.Module(toWasm(program));
    return new WebAssembly.Instance(module, { env: { memory, ...given } }).exports;
  }, imports);
  const js = printed((memory, given) => toJs(program, memory, given), imports);
  return { wasm, js, call: (name, ...args) => agree(wasm, js, name, args) };
}

function printed(
  make: (memory: WebAssembly.Memory, imports: Record<string, unknown>) => MicroExports,
  imports: (exports: () => MicroExports) => Record<string, unknown>,
): Printed {
  const memory = new WebAssembly.Memory({ initial: 2 });
  const self: Printed = { exports: {}, bytes: new Uint8Array(memory.buffer) };
  self.exports = make(memory, imports(() => self.exports));
  return self;
}

function outcome(p: Printed, name: string, args: (number | bigint)[]): unknown {
  try {
    return p.exports[name](...args);
  } catch {
    return 'trap';
  }
}

function agree(wasm: Printed, js: Printed, name: string, args: (number | bigint)[]): unknown {
  const [a, b] = [outcome(wasm, name, args), outcome(js, name, args)];
  if (!Object.is(a, b)) throw new Error(`${name}(${args.join(', ')}): WebAssembly ${String(a)}, JavaScript ${String(b)}`);
  if (Buffer.compare(wasm.bytes, js.bytes) !== 0) throw new Error(`${name}(${args.join(', ')}): memories differ`);
  return a;
}
