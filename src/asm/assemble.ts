// The assembler for asm`` blocks: one text of Intel-syntax statements to bytes, relocations and errors. Labels belong to
// the text; every other name is a symbol that the caller resolves. Jumps within the text get their shortest form. Nothing
// is thrown and nothing is printed: errors are values that carry the line within the text.
import { Kind, rowAt } from "../isa/row.ts";
import { append, Encoder, Fixup, fits, Statement } from "./encode.ts";
import type { Encoding } from "./encode.ts";
import { Form, isConstant, OperandReader } from "./operand.ts";
import type { Expr } from "./operand.ts";
import { isLocalReference, lowerCase, Scanner, Token } from "./scan.ts";

/** How to assemble. With an origin labels are absolute addresses; without, they need relocation. */
export class AsmEnv {
  code16: bool = false;
  hasOrigin: bool = false;
  origin: i32 = 0;
  externals: string[] | null = null;  // the only names that may be symbols; null: any name may
}

/**
 * A 32-bit word at `offset` becomes symbol + addend, minus its own address if relative (the addend accounts for the
 * word's length already). The symbol "" is the start of the text itself.
 */
export class AsmReloc {
  offset: i32 = 0;
  relative: bool = false;
  symbol: string = "";
  addend: i32 = 0;
}

/** What is wrong on which line of the text, counted from 0. */
export class AsmError {
  line: i32 = 0;
  message: string = "";
}

export class AsmLabel {
  name: string = "";
  offset: i32 = 0;
}

export class AsmResult {
  bytes: u8[] = [];
  relocs: AsmReloc[] = [];
  errors: AsmError[] = [];
  labels: AsmLabel[] = [];
  align: i32 = 1;          // alignment that the text's .align directives need of its start
}

/** One statement's output: bytes with fixups, or padding, or a jump in two lengths. */
class Item {
  line: i32 = 0;
  offset: i32 = 0;
  code: Encoding | null = null;
  longer: Encoding | null = null;  // a jump that still has its short form
  align: i32 = 0;
  bytes: u8[] = [];
  fixups: Fixup[] = [];
}

/** Assembles `text`. The result is complete when it has no errors. */
export function assemble(text: string, env: AsmEnv): AsmResult {
  const assembler = new Assembler(text, env);
  return assembler.run();
}

class Assembler {
  private env: AsmEnv;
  private scan: Scanner;
  private reader: OperandReader;
  private encoder: Encoder = new Encoder();
  private result: AsmResult = new AsmResult();
  private items: Item[] = [];
  private labels: Map<string, i32> = new Map<string, i32>();  // item that follows
  private localNames: string[] = [];                           // numeric labels, in order
  private localItems: i32[] = [];
  private line: i32 = 0;
  // of the expression last resolved
  private value: i32 = 0;
  private symbol: string = "";
  private relocatable: bool = false;

  constructor(text: string, env: AsmEnv) {
    this.env = env;
    this.scan = new Scanner(text);
    this.reader = new OperandReader(this.scan);
    this.encoder.big = !env.code16;
  }

  run(): AsmResult {
    this.parse();
    this.layOut();
    while (this.stretchJumps()) this.layOut();
    for (let i: i32 = 0; i < this.items.length; i++) this.output(i);
    this.listLabels();
    return this.result;
  }

  private error(line: i32, message: string): void {
    const error = new AsmError();
    error.line = line;
    error.message = message;
    this.result.errors.push(error);
  }

  private parse(): void {
    this.reader.next();
    while (!(this.scan.kind == Token.END && this.scan.atEnd)) {
      this.line = this.scan.line;
      this.reader.error = "";
      if (this.scan.kind == Token.END) this.reader.next();
      else this.statement();
      if (this.reader.error.length > 0) this.recover();
    }
  }

  /** Reports the reader's error and skips to the end of the statement. */
  private recover(): void {
    this.error(this.line, this.reader.error);
    while (this.scan.kind != Token.END) this.scan.next();
  }

  private newItem(): Item {
    const item = new Item();
    item.line = this.line;
    this.items.push(item);
    return item;
  }

  /** statement = label ":" | directive | {prefix} mnemonic [operand {"," operand}] */
  private statement(): void {
    const number = this.scan.kind == Token.NUMBER;
    if (this.scan.kind != Token.NAME && !number) {
      this.reader.fail("expected an instruction");
      return;
    }
    const word = number ? `${this.scan.value}` : this.scan.name;
    this.reader.next();
    if (this.scan.is(58)) this.label(word, number);
    else if (number) this.reader.fail("expected an instruction");
    else if (word.startsWith(".")) this.directive(word);
    else this.instruction(lowerCase(word));
  }

  private label(name: string, number: bool): void {
    if (number) {
      this.localNames.push(name);
      this.localItems.push(this.items.length);
    } else if (this.labels.has(name)) {
      this.reader.fail("label " + name + " stands here twice");
      return;
    } else {
      this.labels.set(name, this.items.length);
    }
    this.reader.next();
  }

  private instruction(first: string): void {
    const s = new Statement();
    let word = first;
    while (this.prefix(s, word)) {
      if (this.scan.kind != Token.NAME) {
        this.barePrefix(s);
        return;
      }
      word = lowerCase(this.scan.name);
      this.reader.next();
    }
    s.name = word;
    if (this.scan.kind != Token.END) this.operands(s);
    if (word == "imul" && s.operands.length == 2 && s.operands[1].form == Form.IMM) {
      s.operands.push(s.operands[1]);
      s.operands[1] = s.operands[0];
    }
    if (this.reader.error.length == 0) this.encode(s);
  }

  private prefix(s: Statement, word: string): bool {
    switch (word) {
      case "lock": s.lock = true; return true;
      case "rep": case "repe": case "repz": s.rep = 0xF3; return true;
      case "repne": case "repnz": s.rep = 0xF2; return true;
      case "data16": s.opSize = 2; return true;
      case "data32": s.opSize = 4; return true;
      case "addr16": s.addrSize = 2; return true;
      case "addr32": s.addrSize = 4; return true;
      default: return false;
    }
  }

  /** A prefix as a statement of its own: `lock; dec dword ptr [eax]`. */
  private barePrefix(s: Statement): void {
    const item = this.newItem();
    if (s.lock) item.bytes.push(0xF0);
    if (s.rep != 0) item.bytes.push(s.rep as u8);
    const usual: i32 = this.encoder.big ? 4 : 2;
    if (s.addrSize != 0 && s.addrSize != usual) item.bytes.push(0x67);
    if (s.opSize != 0 && s.opSize != usual) item.bytes.push(0x66);
    this.endOfStatement();
  }

  private operands(s: Statement): void {
    s.operands.push(this.reader.operand());
    while (this.reader.error.length == 0 && this.scan.is(44)) {
      this.reader.next();
      s.operands.push(this.reader.operand());
    }
    this.endOfStatement();
  }

  private endOfStatement(): void {
    if (this.scan.kind != Token.END) this.reader.fail("expected the end of the statement");
  }

  private encode(s: Statement): void {
    const code = this.encoder.encode(s, 0);
    if (code == null) {
      this.reader.fail(this.encoder.error);
      return;
    }
    const item = this.newItem();
    item.code = code;
    if (!isJump(code)) return;
    const short = this.encoder.encode(s, 1);
    const long = this.encoder.encode(s, 2);
    item.code = short == null ? long : short;
    item.longer = short == null ? null : long;
  }

  private directive(word: string): void {
    switch (word) {
      case ".byte": this.data(1); break;
      case ".word": case ".short": case ".word16": this.data(2); break;
      case ".long": case ".int": case ".word32": this.data(4); break;
      case ".ascii": this.text(false); break;
      case ".asciz": case ".string": this.text(true); break;
      case ".align": case ".balign": this.align(); break;
      case ".space": case ".skip": case ".zero": this.space(); break;
      case ".code16": this.encoder.big = false; break;
      case ".code32": this.encoder.big = true; break;
      default: this.reader.fail("unknown directive " + word); return;
    }
    if (this.reader.error.length == 0) this.endOfStatement();
  }

  private data(size: i32): void {
    const item = this.newItem();
    while (true) {
      const value = this.reader.expression();
      if (this.reader.error.length > 0) return;
      item.fixups.push(new Fixup(item.bytes.length, size, false, value));
      append(item.bytes, value.value, size);
      if (!this.scan.is(44)) return;
      this.reader.next();
    }
  }

  private text(terminated: bool): void {
    if (this.scan.kind != Token.STRING) {
      this.reader.fail("expected a string");
      return;
    }
    const item = this.newItem();
    const text = this.scan.name;
    for (let i: i32 = 0; i < text.length; i++) item.bytes.push((text.charCodeAt(i) & 255) as u8);
    if (terminated) item.bytes.push(0);
    this.reader.next();
  }

  private constant(): i32 {
    const value = this.reader.expression();
    if (!isConstant(value)) this.reader.fail("expected a number");
    return value.value;
  }

  private align(): void {
    const to = this.constant();
    if (to < 1 || to > 4096 || (to & (to - 1)) != 0) {
      this.reader.fail("alignment is a power of two up to 4096");
      return;
    }
    this.newItem().align = to;
    if (to > this.result.align) this.result.align = to;
  }

  private space(): void {
    const count = this.constant();
    const item = this.newItem();
    if (count < 0 || count > 65536) this.reader.fail("space is 0 to 65536 bytes");
    else for (let i: i32 = 0; i < count; i++) item.bytes.push(0);
  }

  private layOut(): void {
    let offset: i32 = 0;
    for (const item of this.items) {
      item.offset = offset;
      offset = offset + (item.align != 0 ? this.padding(item) : bytesOf(item).length);
    }
  }

  private padding(item: Item): i32 {
    const start = this.env.hasOrigin ? this.env.origin : 0;
    return -(start + item.offset) & (item.align - 1);
  }

  /** Gives the longer form to short jumps that do not reach; whether there were any. */
  private stretchJumps(): bool {
    let changed = false;
    for (let i: i32 = 0; i < this.items.length; i++) {
      const item = this.items[i];
      if (item.longer == null || this.reachesShort(item, i)) continue;
      item.code = item.longer;
      item.longer = null;
      changed = true;
    }
    return changed;
  }

  private reachesShort(item: Item, number: i32): bool {
    const code = item.code!;
    if (!this.resolve(code.fixups[0].expr, number)) return false;
    if (this.symbol.length > 0) return false;
    const distance = this.distance(item.offset + code.bytes.length);
    return distance >= -128 && distance <= 127;
  }

  /** From the end of a jump to the value resolved last. */
  private distance(end: i32): i32 {
    if (this.relocatable || !this.env.hasOrigin) return (this.value - end) | 0;
    return (this.value - this.env.origin - end) | 0;
  }

  /** Offset of a label as seen from an item, or -1. */
  private find(name: string, number: i32): i32 {
    let target: i32 = -1;
    if (name == ".") target = number;
    else if (isLocalReference(name)) target = this.findLocal(name, number);
    else if (this.labels.has(name)) target = this.labels.get(name)!;
    if (target < 0) return -1;
    return target < this.items.length ? this.items[target].offset : this.size();
  }

  private findLocal(name: string, number: i32): i32 {
    const label = name.substring(0, name.length - 1);
    const forward = name.charCodeAt(name.length - 1) == 102;
    let found: i32 = -1;
    for (let i: i32 = 0; i < this.localNames.length; i++) {
      if (this.localNames[i] != label) continue;
      if (forward && this.localItems[i] > number) return this.localItems[i];
      if (!forward && this.localItems[i] <= number) found = this.localItems[i];
    }
    return found;
  }

  private size(): i32 {
    if (this.items.length == 0) return 0;
    const last = this.items[this.items.length - 1];
    return last.offset + (last.align != 0 ? this.padding(last) : bytesOf(last).length);
  }

  /**
   * Sets value, symbol and relocatable (the value is an offset from the text's start) from an expression; false when its
   * names cannot be combined.
   */
  private resolve(e: Expr, number: i32): bool {
    this.value = e.value;
    this.symbol = "";
    this.relocatable = false;
    if (e.plus.length > 0) {
      const at = this.find(e.plus, number);
      this.relocatable = at >= 0;
      if (at >= 0) this.value = (this.value + at) | 0;
      else this.symbol = e.plus;
    }
    if (e.minus.length > 0) {
      const at = this.find(e.minus, number);
      if (at < 0 || !this.relocatable) return false;
      this.value = (this.value - at) | 0;
      this.relocatable = false;
    }
    return true;
  }

  private output(number: i32): void {
    const item = this.items[number];
    const bytes = this.result.bytes;
    if (item.align != 0) {
      for (let n = this.padding(item); n > 0; n--) bytes.push(0x90);
      return;
    }
    for (const byte of bytesOf(item)) bytes.push(byte);
    for (const fixup of item.code == null ? item.fixups : item.code.fixups) {
      const problem = this.fix(item, fixup, number);
      if (problem.length > 0) this.error(item.line, problem);
    }
  }

  /** Fills in one field or records its relocation; returns what is wrong, or "". */
  private fix(item: Item, fixup: Fixup, number: i32): string {
    const at = item.offset + fixup.at;
    if (!this.resolve(fixup.expr, number)) return "only two labels of this text can be subtracted";
    if (this.symbol.length > 0) return this.external(fixup, at);
    if (fixup.relative) return this.relative(fixup, at);
    if (this.relocatable && this.env.hasOrigin) this.value = (this.value + this.env.origin) | 0;
    else if (this.relocatable) return this.relocate(fixup, at);
    if (!fits(this.value, fixup.size)) return "value does not fit";
    this.patch(at, fixup.size);
    return "";
  }

  private relative(fixup: Fixup, at: i32): string {
    if (!this.relocatable && !this.env.hasOrigin) return "a jump needs a label or a symbol";
    this.value = this.distance(at + fixup.size);
    if (fixup.size == 1 && (this.value < -128 || this.value > 127)) return "jump is too far";
    this.patch(at, fixup.size);
    return "";
  }

  private external(fixup: Fixup, at: i32): string {
    const name = this.symbol;
    if (this.env.externals != null && this.env.externals.indexOf(name) < 0) return "unknown name " + name;
    return this.relocate(fixup, at);
  }

  private relocate(fixup: Fixup, at: i32): string {
    if (fixup.size != 4) return "an address needs 32 bits";
    const reloc = new AsmReloc();
    reloc.offset = at;
    reloc.relative = fixup.relative;
    reloc.symbol = this.symbol;
    reloc.addend = fixup.relative ? (this.value - 4) | 0 : this.value;
    this.result.relocs.push(reloc);
    this.value = 0;
    this.patch(at, 4);
    return "";
  }

  private patch(at: i32, size: i32): void {
    for (let i: i32 = 0; i < size; i++) this.result.bytes[at + i] = ((this.value >> (i * 8)) & 255) as u8;
  }

  private listLabels(): void {
    for (const name of this.labels.keys()) {
      const label = new AsmLabel();
      label.name = name;
      label.offset = this.find(name, 0);
      this.result.labels.push(label);
    }
  }
}

function bytesOf(item: Item): u8[] {
  return item.code == null ? item.bytes : item.code.bytes;
}

function isJump(code: Encoding): bool {
  for (const arg of rowAt(code.row).args) if (arg.kind == Kind.REL) return true;
  return false;
}
