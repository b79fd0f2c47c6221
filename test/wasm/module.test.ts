import { expect, test } from 'vitest';
import { ByteWriter } from '../../src/wasm/bytes.ts';
import { WasmModule } from '../../src/wasm/module.ts';
import { Op } from '../../src/wasm/opcodes.ts';

function written(write: (out: ByteWriter) => void): number[] {
  const out = new ByteWriter();
  write(out);
  return [...out.take()];
}

test('LEB128 integers', () => {
  expect(written((o) => o.u32(0))).toEqual([0]);
  expect(written((o) => o.u32(624485))).toEqual([0xe5, 0x8e, 0x26]);
  expect(written((o) => o.u32(0xffffffff))).toEqual([0xff, 0xff, 0xff, 0xff, 0x0f]);
  expect(written((o) => o.s32(-123456))).toEqual([0xc0, 0xbb, 0x78]);
  expect(written((o) => o.s32(63))).toEqual([63]);
  expect(written((o) => o.s32(64))).toEqual([0xc0, 0]);
  expect(written((o) => o.s64(-1n))).toEqual([0x7f]);
  expect(written((o) => o.s64(1n << 63n)).length).toBe(10);
});

test('a module with an import, a global, two functions and a memory', () => {
  const module = new WasmModule();
  module.importMemory('env', 'memory', 1);
  const unary = module.type(['i32'], ['i32']);
  const twice = module.importFunction('env', 'twice', unary);
  const count = module.addGlobal('i64', 41n);
  const store = module.addFunction('store', module.type([], []));
  const main = module.addFunction('main', unary);
  module.setBody(store, { locals: [], code: Uint8Array.from([Op.i32_const, 8, Op.i32_const, 5, Op.i32_store, 0, 0]) });
  module.setBody(main, {
    locals: ['i32', 'i32', 'f64'],
    code: Uint8Array.from([Op.call, store, Op.local_get, 0, Op.call, twice]),
  });
  module.exportFunction('main', main);
  module.exportGlobal('count', count);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const compiled = new WebAssembly.Module(module.toBytes());
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory, twice: (x: number) => 2 * x } });
  expect((exports.main as (x: number) => number)(21)).toBe(42);
  expect(new Uint8Array(memory.buffer)[8]).toBe(5);
  expect((exports.count as { value: bigint }).value).toBe(41n);
});

test('the same type is one type, and every function needs a body', () => {
  const module = new WasmModule();
  expect(module.type(['i32'], [])).toBe(module.type(['i32'], []));
  expect(module.type([], ['i32'])).not.toBe(module.type(['i32'], []));
  module.addFunction('empty', 0);
  expect(() => module.toBytes()).toThrow('without a body');
});
