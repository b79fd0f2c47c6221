// Expressions. One function per precedence level where the levels differ, one table-driven climb for binary operators.
//
//   assignment = arrow | conditional [ ( "=" | "+=" | ... ) assignment ]
//   conditional = binary [ "?" assignment ":" assignment ]
//   binary     = unary { operator unary } with JavaScript's precedences; `as Type` binds like a comparison
//   unary      = ( "-" | "+" | "!" | "~" | "++" | "--" | "void" ) unary | postfix
//   postfix    = primary { "." name | "[" expr "]" | [ "<" types ">" ] "(" args ")" | "!" | "++" | "--" | template }

import {
  ArrayExpr, BinaryExpr, CallExpr, CastExpr, CondExpr, Ex, Expr, FuncDecl, FuncExpr, IndexExpr, MemberExpr, NameExpr,
  NewExpr, TemplateExpr, TextExpr, Ty, TypeNode, UnaryExpr, VarDecl, K_INT,
} from "./ast.ts";
import type { Block } from "./ast.ts";
import type { Diags, SourceFile } from "./diag.ts";
import type { Names } from "./names.ts";
import { TypeParser } from "./parsetype.ts";
import { Tok } from "./token.ts";

/** Precedence of a binary operator, 0 for other tokens. */
function precedence(tok: i32): i32 {
  switch (tok) {
    case Tok.OR_OR: return 1;
    case Tok.AND_AND: return 2;
    case Tok.OR: return 3;
    case Tok.XOR: return 4;
    case Tok.AND: return 5;
    case Tok.EQ: case Tok.NE: return 6;
    case Tok.LT: case Tok.GT: case Tok.LE: case Tok.GE: return 7;
    case Tok.SHL: case Tok.SHR: case Tok.USHR: return 8;
    case Tok.ADD: case Tok.SUB: return 9;
    case Tok.MUL: case Tok.DIV: case Tok.REM: return 10;
    default: return 0;
  }
}

/** The plain operator of a compound assignment, Tok.ASSIGN for `=`, 0 for other tokens. */
function assignOperator(tok: i32): i32 {
  switch (tok) {
    case Tok.ASSIGN: return Tok.ASSIGN;
    case Tok.ADD_ASSIGN: return Tok.ADD;
    case Tok.SUB_ASSIGN: return Tok.SUB;
    case Tok.MUL_ASSIGN: return Tok.MUL;
    case Tok.DIV_ASSIGN: return Tok.DIV;
    case Tok.REM_ASSIGN: return Tok.REM;
    case Tok.AND_ASSIGN: return Tok.AND;
    case Tok.OR_ASSIGN: return Tok.OR;
    case Tok.XOR_ASSIGN: return Tok.XOR;
    case Tok.SHL_ASSIGN: return Tok.SHL;
    case Tok.SHR_ASSIGN: return Tok.SHR;
    case Tok.USHR_ASSIGN: return Tok.USHR;
    default: return 0;
  }
}

export abstract class ExprParser extends TypeParser {
  protected readonly nAs: i32;
  private readonly nAsm: i32;

  constructor(file: SourceFile, names: Names, diags: Diags) {
    super(file, names, diags);
    this.nAs = names.get("as");
    this.nAsm = names.get("asm");
  }

  /** `{ ... }` as the body of a function. */
  protected abstract parseBody(): Block;
  /** `(a: T, b = 1): R`, into `f`. */
  protected abstract parseSignature(f: FuncDecl): void;

  parseExpr(): Expr {
    if (this.isArrow()) return this.parseArrow();
    const left = this.parseConditional();
    this.lx.joinGreater();
    const op = assignOperator(this.lx.tok);
    if (op == 0) return left;
    const pos = this.lx.start;
    if (left.kind != Ex.NAME && left.kind != Ex.MEMBER && left.kind != Ex.INDEX) {
      this.error(left.pos, "this can't be assigned to");
    }
    this.lx.next();
    return new BinaryExpr(Ex.ASSIGN, pos, op, left, this.parseExpr());
  }

  private parseConditional(): Expr {
    const test = this.parseBinary(1);
    if (!this.is(Tok.QUESTION)) return test;
    const pos = this.lx.start;
    this.lx.next();
    const yes = this.parseExpr();
    this.expect(Tok.COLON, "':'");
    return new CondExpr(pos, test, yes, this.parseExpr());
  }

  private parseBinary(minimum: i32): Expr {
    let left = this.parseUnary();
    while (true) {
      if (this.isName(this.nAs) && !this.lx.newlineBefore && minimum <= 7) {
        left = this.parseCast(left);
        continue;
      }
      this.lx.joinGreater();
      const op = this.lx.tok;
      const level = precedence(op);
      if (op == Tok.INSTANCEOF || op == Tok.IN || op == Tok.UNSUPPORTED) {
        this.error(this.lx.start, "this operator is not part of the guest language");
        this.lx.next();
        this.parseUnary();
        continue;
      }
      if (level == 0 || level < minimum) return left;
      const pos = this.lx.start;
      this.lx.next();
      const right = this.parseBinary(level + 1);
      left = new BinaryExpr(level <= 2 ? Ex.LOGICAL : Ex.BINARY, pos, op, left, right);
    }
  }

  private parseCast(operand: Expr): Expr {
    const pos = this.lx.start;
    this.lx.next();
    if (this.is(Tok.CONST)) {
      this.lx.next();
      return operand;
    }
    return new CastExpr(pos, operand, this.parseType());
  }

  private parseUnary(): Expr {
    const pos = this.lx.start;
    const op = this.lx.tok;
    switch (op) {
      case Tok.SUB: case Tok.ADD: case Tok.NOT: case Tok.TILDE: case Tok.VOID:
        this.lx.next();
        return new UnaryExpr(Ex.UNARY, pos, op, this.parseUnary());
      case Tok.INC: case Tok.DEC:
        this.lx.next();
        return new UnaryExpr(Ex.UPDATE, pos, op, this.parseUnary());
      case Tok.TYPEOF: case Tok.DELETE:
        this.error(pos, "this operator is not part of the guest language");
        this.lx.next();
        return this.parseUnary();
      default:
        return this.parsePostfix(this.parsePrimary());
    }
  }

  private parsePostfix(start: Expr): Expr {
    let e = start;
    while (true) {
      const pos = this.lx.start;
      switch (this.lx.tok) {
        case Tok.DOT:
          this.lx.next();
          e = new MemberExpr(this.lx.start, e, this.expectName(true));
          break;
        case Tok.LBRACKET:
          this.lx.next();
          e = new IndexExpr(pos, e, this.parseExpr());
          this.expect(Tok.RBRACKET, "']'");
          break;
        case Tok.LPAREN:
          e = this.parseCall(e, null);
          break;
        case Tok.LT: {
          const call = this.parseGenericCall(e);
          if (call == null) return e;
          e = call;
          break;
        }
        case Tok.NOT:
          if (this.lx.newlineBefore) return e;
          this.lx.next();
          break;
        case Tok.INC: case Tok.DEC: {
          if (this.lx.newlineBefore) return e;
          const update = new UnaryExpr(Ex.UPDATE, pos, this.lx.tok, e);
          update.isPrefix = false;
          this.lx.next();
          e = update;
          break;
        }
        case Tok.UNSUPPORTED:
          return e;
        case Tok.TEMPLATE:
          e = this.parseTagged(e);
          break;
        default:
          return e;
      }
    }
  }

  private parseCall(callee: Expr, typeArgs: TypeNode[] | null): Expr {
    const call = new CallExpr(callee.kind == Ex.MEMBER || callee.kind == Ex.NAME ? callee.pos : this.lx.start, callee);
    call.typeArgs = typeArgs;
    this.parseArgs(call.args);
    return call;
  }

  private parseArgs(args: Expr[]): void {
    this.expect(Tok.LPAREN, "'('");
    while (!this.is(Tok.RPAREN) && !this.is(Tok.END)) {
      if (this.is(Tok.ELLIPSIS)) {
        this.error(this.lx.start, "spread is not part of the guest language");
        this.lx.next();
      }
      args.push(this.parseExpr());
      if (!this.accept(Tok.COMMA)) break;
    }
    this.expect(Tok.RPAREN, "')'");
  }

  /** At `<` behind an expression: a call with type arguments, or null (nothing consumed) when it is a comparison. */
  private parseGenericCall(callee: Expr): Expr | null {
    if (callee.kind != Ex.NAME && callee.kind != Ex.MEMBER) return null;
    const start = this.lx.start;
    if (!this.skipTypeArgs()) {
      this.lx.rewind(start);
      return null;
    }
    this.lx.rewind(start);
    return this.parseCall(callee, this.parseTypeArgs());
  }

  /** Do `<`, tokens that types consist of, the matching `>` and `(` follow? */
  private skipTypeArgs(): bool {
    let depth = 0;
    while (true) {
      switch (this.lx.tok) {
        case Tok.LT:
          depth++;
          break;
        case Tok.GT:
          depth--;
          if (depth == 0) {
            this.lx.next();
            return this.is(Tok.LPAREN);
          }
          break;
        case Tok.NAME: case Tok.COMMA: case Tok.LBRACKET: case Tok.RBRACKET: case Tok.OR: case Tok.NULL: case Tok.DOT:
        case Tok.INT: case Tok.TYPEOF: case Tok.VOID: case Tok.LPAREN: case Tok.RPAREN: case Tok.ARROW: case Tok.COLON:
          break;
        default:
          return false;
      }
      this.lx.next();
    }
  }

  private parsePrimary(): Expr {
    const pos = this.lx.start;
    switch (this.lx.tok) {
      case Tok.INT: {
        const e = new Expr(Ex.INT, pos);
        e.konst = K_INT;
        e.lo = this.lx.lo;
        e.hi = this.lx.hi;
        this.lx.next();
        return e;
      }
      case Tok.FLOAT: return this.textExpr(Ex.FLOAT, pos);
      case Tok.STRING: return this.textExpr(Ex.STRING, pos);
      case Tok.TEMPLATE: return this.parseTemplate(Ex.TEMPLATE, pos);
      case Tok.NAME: {
        const e = new NameExpr(Ex.NAME, pos);
        e.name = this.lx.name;
        this.lx.next();
        return e;
      }
      case Tok.TRUE: case Tok.FALSE: {
        const e = new Expr(Ex.BOOL, pos);
        e.konst = K_INT;
        e.lo = this.is(Tok.TRUE) ? 1 : 0;
        this.lx.next();
        return e;
      }
      case Tok.NULL: return this.simple(Ex.NULL, pos);
      case Tok.THIS: return this.simple(Ex.THIS, pos);
      case Tok.SUPER: return this.simple(Ex.SUPER, pos);
      case Tok.NEW: return this.parseNew();
      case Tok.LPAREN: {
        this.lx.next();
        const e = this.parseExpr();
        if (this.is(Tok.COMMA)) this.error(this.lx.start, "the comma operator is not part of the guest language");
        this.expect(Tok.RPAREN, "')'");
        return e;
      }
      case Tok.LBRACKET: return this.parseArray();
      case Tok.FUNCTION: return this.parseFuncExpr();
      case Tok.LBRACE:
        this.error(pos, "object literals are not part of the guest language");
        this.lx.next();
        return new Expr(Ex.NULL, pos);
      default:
        this.error(pos, "an expression is expected here");
        if (!this.is(Tok.RBRACE) && !this.is(Tok.END)) this.lx.next();
        return new Expr(Ex.NULL, pos);
    }
  }

  private simple(kind: i32, pos: i32): Expr {
    this.lx.next();
    return new Expr(kind, pos);
  }

  private textExpr(kind: i32, pos: i32): Expr {
    const e = new TextExpr(kind, pos);
    e.text = this.lx.text;
    this.lx.next();
    return e;
  }

  private parseTemplate(kind: i32, pos: i32): Expr {
    const e = new TemplateExpr(kind, pos);
    while (true) {
      e.chunks.push(this.lx.templateChunk(kind == Ex.ASM));
      if (this.lx.chunkEnds) break;
      this.lx.next();
      e.parts.push(this.parseExpr());
      if (!this.is(Tok.RBRACE)) {
        this.error(this.lx.start, "'}' is expected here");
        return e;
      }
    }
    this.lx.next();
    return e;
  }

  private parseTagged(tag: Expr): Expr {
    const isAsm = tag.kind == Ex.NAME && (tag as NameExpr).name == this.nAsm;
    if (!isAsm) this.error(tag.pos, "asm is the only tag of templates");
    return this.parseTemplate(Ex.ASM, tag.pos);
  }

  private parseNew(): Expr {
    const pos = this.lx.start;
    this.lx.next();
    const type = new TypeNode(Ty.NAME, this.lx.start);
    type.name = this.expectName(false);
    if (this.accept(Tok.DOT)) {
      type.qualifier = type.name;
      type.name = this.expectName(false);
    }
    if (this.is(Tok.LT)) type.args = this.parseTypeArgs();
    const e = new NewExpr(pos, type);
    if (this.is(Tok.LPAREN)) this.parseArgs(e.args);
    return e;
  }

  private parseArray(): Expr {
    const e = new ArrayExpr(Ex.ARRAY, this.lx.start);
    this.lx.next();
    while (!this.is(Tok.RBRACKET) && !this.is(Tok.END)) {
      if (this.is(Tok.ELLIPSIS)) {
        this.error(this.lx.start, "spread is not part of the guest language");
        this.lx.next();
      }
      e.items.push(this.parseExpr());
      if (!this.accept(Tok.COMMA)) break;
    }
    this.expect(Tok.RBRACKET, "']'");
    return e;
  }

  private parseFuncExpr(): Expr {
    const pos = this.lx.start;
    this.lx.next();
    const f = new FuncDecl(pos, this.is(Tok.NAME) ? this.expectName(false) : this.names.get("function"));
    f.module = this.module;
    this.parseSignature(f);
    f.body = this.parseBody();
    return new FuncExpr(pos, f);
  }

  /** Does an arrow function start here? Told by `name =>`, `()`, `(name:`, `(name,` and `(name) =>`. */
  private isArrow(): bool {
    if (this.is(Tok.NAME)) return this.lx.isFollowedBy(61, 62);
    if (!this.is(Tok.LPAREN)) return false;
    const start = this.lx.start;
    let result = false;
    this.lx.next();
    if (this.is(Tok.RPAREN)) result = true;
    else if (this.is(Tok.NAME)) {
      this.lx.next();
      result = this.is(Tok.COLON) || this.is(Tok.COMMA);
      if (this.accept(Tok.RPAREN)) result = this.is(Tok.ARROW);
    }
    this.lx.rewind(start);
    return result;
  }

  private parseArrow(): Expr {
    const pos = this.lx.start;
    const f = new FuncDecl(pos, this.names.get("arrow"));
    f.module = this.module;
    if (this.is(Tok.NAME)) {
      const at = this.lx.start;
      f.params.push(new VarDecl(at, this.expectName(false)));
    } else this.parseSignature(f);
    this.expect(Tok.ARROW, "'=>'");
    if (this.is(Tok.LBRACE)) f.body = this.parseBody();
    else f.value = this.parseExpr();
    return new FuncExpr(pos, f);
  }
}
