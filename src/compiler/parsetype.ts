// The parser's base: token handling, and types as written.
//
//   type     = ["readonly"] primary { "[" "]" } [ "|" "null" ]
//   primary  = name [ "." name ] [ "<" type { "," type } ">" ] | "(" type ")" | "(" params ")" "=>" type
//            | number | "typeof" name | "void" | "null"

import { Module, Ty, TypeNode } from "./ast.ts";
import type { SourceFile, Diags } from "./diag.ts";
import { Lexer } from "./lexer.ts";
import type { Names } from "./names.ts";
import { Tok } from "./token.ts";

export class TypeParser {
  readonly lx: Lexer;
  readonly names: Names;
  readonly module: Module;
  protected readonly nReadonly: i32;
  private failed: bool = false;      // an error was reported at this token: be quiet until one matches
  private failedAt: i32 = -1;

  constructor(file: SourceFile, names: Names, diags: Diags) {
    this.lx = new Lexer(file, names, diags);
    this.names = names;
    this.module = new Module(file);
    this.nReadonly = names.get("readonly");
  }

  error(pos: i32, text: string): void {
    if (this.failed && this.failedAt == pos) return;
    this.failed = true;
    this.failedAt = pos;
    this.lx.error(pos, text);
  }

  is(tok: i32): bool {
    return this.lx.tok == tok;
  }

  isName(name: i32): bool {
    return this.lx.tok == Tok.NAME && this.lx.name == name;
  }

  accept(tok: i32): bool {
    if (this.lx.tok != tok) return false;
    this.lx.next();
    return true;
  }

  expect(tok: i32, what: string): void {
    if (this.lx.tok == tok) this.lx.next();
    else this.error(this.lx.start, what + " is expected here");
  }

  /** A name; keywords are names too behind a dot and as members. */
  expectName(keywordsToo: bool): i32 {
    const isWord = this.lx.tok == Tok.NAME || (keywordsToo && this.lx.tok >= Tok.KEYWORD_BASE);
    if (!isWord) {
      this.error(this.lx.start, "a name is expected here");
      return this.names.get("?");
    }
    const name = this.lx.name;
    this.lx.next();
    return name;
  }

  /** The end of a statement: `;`, or a place where JavaScript inserts one. */
  expectSemi(): void {
    if (this.accept(Tok.SEMI)) return;
    if (this.is(Tok.RBRACE) || this.is(Tok.END) || this.lx.newlineBefore) return;
    this.error(this.lx.start, "';' is expected here");
  }

  parseType(): TypeNode {
    if (this.is(Tok.OR)) this.lx.next();
    if (this.isName(this.nReadonly)) this.lx.next();
    let type = this.parsePrimaryType();
    while (this.is(Tok.LBRACKET) && !this.lx.newlineBefore) {
      const array = new TypeNode(Ty.ARRAY, this.lx.start);
      this.lx.next();
      this.expect(Tok.RBRACKET, "']'");
      const args: TypeNode[] = [type];
      array.args = args;
      type = array;
    }
    while (this.accept(Tok.OR)) {
      const at = this.lx.start;
      if (this.accept(Tok.NULL)) continue;
      const other = this.parseType();
      if (type.kind == Ty.NAME && this.names.text(type.name) == "null") type = other;
      else this.error(at, "a union can only be with null");
    }
    return type;
  }

  private parsePrimaryType(): TypeNode {
    const pos = this.lx.start;
    if (this.is(Tok.LPAREN)) return this.isFuncType() ? this.parseFuncType() : this.parseParenType();
    if (this.is(Tok.INT)) {
      const number = new TypeNode(Ty.NUMBER, pos);
      number.value = this.lx.lo;
      this.lx.next();
      return number;
    }
    if (this.accept(Tok.TYPEOF)) {
      const type = new TypeNode(Ty.TYPEOF, pos);
      type.name = this.expectName(false);
      return type;
    }
    if (this.is(Tok.VOID) || this.is(Tok.NULL) || this.is(Tok.NAME)) return this.parseNamedType();
    this.error(pos, "a type is expected here");
    return new TypeNode(Ty.BAD, pos);
  }

  private parseNamedType(): TypeNode {
    const type = new TypeNode(Ty.NAME, this.lx.start);
    type.name = this.expectName(true);
    if (this.accept(Tok.DOT)) {
      type.qualifier = type.name;
      type.name = this.expectName(false);
    }
    if (this.is(Tok.LT) && !this.lx.newlineBefore) type.args = this.parseTypeArgs();
    return type;
  }

  /** `<T, U>` in a place where it can be nothing else. */
  parseTypeArgs(): TypeNode[] {
    const args: TypeNode[] = [];
    this.expect(Tok.LT, "'<'");
    do {
      args.push(this.parseType());
    } while (this.accept(Tok.COMMA));
    this.expect(Tok.GT, "'>'");
    return args;
  }

  private parseParenType(): TypeNode {
    this.lx.next();
    const type = this.parseType();
    this.expect(Tok.RPAREN, "')'");
    return type;
  }

  /** At `(`: do parameters follow, rather than a type in parentheses? */
  private isFuncType(): bool {
    const start = this.lx.start;
    this.lx.next();
    let result = this.is(Tok.RPAREN);
    if (!result && this.is(Tok.NAME)) {
      this.lx.next();
      result = this.is(Tok.COLON) || this.is(Tok.COMMA) || this.is(Tok.QUESTION);
    }
    this.lx.rewind(start);
    return result;
  }

  private parseFuncType(): TypeNode {
    const type = new TypeNode(Ty.FUNC, this.lx.start);
    const parts: TypeNode[] = [];
    this.lx.next();
    while (!this.is(Tok.RPAREN) && !this.is(Tok.END)) {
      this.expectName(true);
      this.expect(Tok.COLON, "':' and the parameter's type");
      parts.push(this.parseType());
      if (!this.accept(Tok.COMMA)) break;
    }
    this.expect(Tok.RPAREN, "')'");
    this.expect(Tok.ARROW, "'=>'");
    parts.push(this.parseType());
    type.args = parts;
    return type;
  }
}
