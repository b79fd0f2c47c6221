// Source file to Module: declarations, statements, and through the base classes expressions and types. After an error the
// parser goes on at the next statement, so that one run reports several. Ambient declarations (`declare ...`) are skipped.
// The bodies of functions and methods may be left for later: most programs use little of the modules that they import.

import {
  AliasDecl, Block, ClassDecl, Decl, EnumDecl, ExprStmt, FieldDecl, ForOfStmt, ForStmt, FuncDecl, FuncStmt, IfStmt,
  ImportDecl, ImportEdge, JumpStmt, LabeledStmt, LoopStmt, St, Stmt, SwitchCase, SwitchStmt, VarDecl, VarStmt, Ex,
  BinaryExpr, CallExpr, Expr, MemberExpr, NameExpr,
} from "./ast.ts";
import type { Diags, SourceFile } from "./diag.ts";
import type { Names } from "./names.ts";
import { ExprParser } from "./parseexpr.ts";
import { Tok } from "./token.ts";

/** Modifiers in front of a class member or constructor parameter. */
class Modifiers {
  isStatic: bool = false;
  isReadonly: bool = false;
  isAbstract: bool = false;
  any: bool = false;
}

/** The parser of one file. */
export class Parser extends ExprParser {
  private isLazy: bool = false;
  private readonly nType: i32;
  private readonly nDeclare: i32;
  private readonly nAbstract: i32;
  private readonly nFrom: i32;
  private readonly nOf: i32;
  private readonly nStatic: i32;
  private readonly nPublic: i32;
  private readonly nPrivate: i32;
  private readonly nProtected: i32;
  private readonly nOverride: i32;
  private readonly nConstructor: i32;
  private readonly nInterface: i32;
  private readonly nGet: i32;
  private readonly nSet: i32;
  private readonly nAsync: i32;

  constructor(file: SourceFile, names: Names, diags: Diags) {
    super(file, names, diags);
    this.nType = names.get("type");
    this.nDeclare = names.get("declare");
    this.nAbstract = names.get("abstract");
    this.nFrom = names.get("from");
    this.nOf = names.get("of");
    this.nStatic = names.get("static");
    this.nPublic = names.get("public");
    this.nPrivate = names.get("private");
    this.nProtected = names.get("protected");
    this.nOverride = names.get("override");
    this.nConstructor = names.get("constructor");
    this.nInterface = names.get("interface");
    this.nGet = names.get("get");
    this.nSet = names.get("set");
    this.nAsync = names.get("async");
  }

  /** Parse the whole file; `lazy`: without the bodies of functions and methods. */
  parseAll(lazy: bool): void {
    this.isLazy = lazy;
    this.lx.next();
    while (!this.is(Tok.END)) {
      const start = this.lx.start;
      this.parseItem();
      if (this.lx.start == start && !this.is(Tok.END)) this.lx.next();
    }
  }

  /** Parse a signature that was left; its body is then still to be parsed. */
  parseSignatureOf(f: FuncDecl): void {
    this.lx.rewind(f.signatureAt);
    f.signatureAt = -1;
    this.parseSignature(f);
    if (this.is(Tok.LBRACE)) f.bodyAt = this.lx.start;
    else this.error(this.lx.start, "a function needs a body");
  }

  /** Behind a function's name: leave the rest for later, if that is wanted and its end is found. */
  private leaveFunction(f: FuncDecl): bool {
    if (!this.isLazy) return false;
    const start = this.lx.start;
    if (!this.lx.skipFunction()) return false;
    f.signatureAt = start;
    return true;
  }

  /** Parse a body that was left. */
  parseRest(f: FuncDecl): void {
    this.lx.rewind(f.bodyAt);
    f.bodyAt = -1;
    this.parseFunctionBody(f);
  }

  /** At `{`: leave the body for later, if that is wanted and its end is found. */
  private leaveBody(f: FuncDecl): bool {
    if (!this.isLazy) return false;
    const start = this.lx.start;
    if (!this.lx.skipBlock()) return false;
    f.bodyAt = start;
    return true;
  }

  // ---- top level ----

  private parseItem(): void {
    if (this.is(Tok.IMPORT)) return this.parseImport();
    let exported = false;
    if (this.is(Tok.EXPORT)) {
      this.lx.next();
      exported = true;
      if (this.is(Tok.LBRACE) || this.is(Tok.MUL) || (this.isName(this.nType) && this.peekIs(Tok.LBRACE))) {
        return this.parseExportList();
      }
      if (this.is(Tok.DEFAULT)) {
        this.error(this.lx.start, "default exports are not part of the guest language");
        this.lx.next();
      }
    }
    this.parseDeclaration(exported);
  }

  private parseDeclaration(exported: bool): void {
    if (this.is(Tok.NAME)) {
      if (this.lx.name == this.nDeclare && this.peekIsWord()) return this.skipAmbient();
      if (this.lx.name == this.nInterface && this.peekIsWord()) {
        this.error(this.lx.start, "interfaces are not part of the guest language; use an abstract class");
        return this.skipAmbient();
      }
      if (this.lx.name == this.nAsync && this.peekIs(Tok.FUNCTION)) {
        this.error(this.lx.start, "async functions are not part of the guest language");
        this.lx.next();
      }
      if (this.lx.name == this.nType && this.peekIsWord()) return this.parseAlias(exported);
      if (this.lx.name == this.nAbstract && this.peekIs(Tok.CLASS)) {
        this.lx.next();
        return this.parseClass(exported, true);
      }
    }
    switch (this.lx.tok) {
      case Tok.FUNCTION: return this.parseFunction(exported);
      case Tok.CLASS: return this.parseClass(exported, false);
      case Tok.ENUM: return this.parseEnum(exported);
      case Tok.CONST:
        if (this.peekIs(Tok.ENUM)) {
          this.lx.next();
          return this.parseEnum(exported);
        }
        return this.parseGlobals(exported);
      case Tok.LET: case Tok.VAR: return this.parseGlobals(exported);
      default:
        this.module.inits.push(this.parseStatement());
    }
  }

  private peekIs(tok: i32): bool {
    const start = this.lx.start;
    this.lx.next();
    const result = this.is(tok);
    this.lx.rewind(start);
    return result;
  }

  /** Is the token behind the current one a name or keyword on the same line? */
  private peekIsWord(): bool {
    const start = this.lx.start;
    this.lx.next();
    const result = (this.is(Tok.NAME) || this.lx.tok >= Tok.KEYWORD_BASE) && !this.lx.newlineBefore;
    this.lx.rewind(start);
    return result;
  }

  private declare(d: Decl, exported: bool): void {
    d.module = this.module;
    if (this.module.names.has(d.name)) {
      this.lx.error(d.pos, `'${this.names.text(d.name)}' is declared twice`);
      return;
    }
    this.module.names.set(d.name, d);
    if (exported) this.module.exports.set(d.name, d);
  }

  /** import { a, b as c } from "p"; import * as n from "p"; import "p"; each also with `type`. */
  private parseImport(): void {
    const pos = this.lx.start;
    this.lx.next();
    let typeOnly = false;
    if (this.isName(this.nType) && !this.peekIsFrom()) {
      typeOnly = true;
      this.lx.next();
    }
    const edge = new ImportEdge(pos, "", typeOnly);
    if (this.is(Tok.MUL)) {
      this.lx.next();
      if (!this.isName(this.nAs)) this.error(this.lx.start, "'as' is expected here");
      this.lx.next();
      const at = this.lx.start;
      this.declare(new ImportDecl(at, this.expectName(false), edge), false);
      this.expectFrom(edge);
    } else if (this.is(Tok.LBRACE)) {
      this.parseSpecifiers(edge, true, false);
      this.expectFrom(edge);
    } else if (this.is(Tok.STRING)) {
      edge.path = this.lx.text;
      edge.pos = this.lx.start;
      this.lx.next();
    } else {
      this.error(this.lx.start, "default imports are not part of the guest language");
      this.skipStatement();
      return;
    }
    this.module.edges.push(edge);
    this.expectSemi();
  }

  private peekIsFrom(): bool {
    const start = this.lx.start;
    this.lx.next();
    const result = this.isName(this.nFrom) || this.is(Tok.COMMA);
    this.lx.rewind(start);
    return result;
  }

  private expectFrom(edge: ImportEdge): void {
    if (!this.isName(this.nFrom)) this.error(this.lx.start, "'from' is expected here");
    this.lx.next();
    edge.pos = this.lx.start;
    edge.path = this.lx.text;
    this.expect(Tok.STRING, "a path");
  }

  /** `{ a, type b, c as d }` of an import, or of a re-export. */
  private parseSpecifiers(edge: ImportEdge, imports: bool, exports: bool): void {
    this.lx.next();
    while (!this.is(Tok.RBRACE) && !this.is(Tok.END)) {
      if (this.isName(this.nType) && this.peekIsWord()) this.lx.next();
      const pos = this.lx.start;
      const foreign = this.expectName(true);
      let local = foreign;
      if (this.isName(this.nAs)) {
        this.lx.next();
        local = this.expectName(true);
      }
      const d = new ImportDecl(pos, local, edge);
      d.foreign = foreign;
      d.module = this.module;
      if (imports) this.declare(d, false);
      if (exports) this.module.exports.set(local, d);
      if (!this.accept(Tok.COMMA)) break;
    }
    this.expect(Tok.RBRACE, "'}'");
  }

  /** export { a, b as c } [from "p"]; export * from "p". */
  private parseExportList(): void {
    const start = this.lx.start;
    const typeOnly = this.isName(this.nType);
    if (typeOnly) this.lx.next();
    const edge = new ImportEdge(start, "", typeOnly);
    if (this.accept(Tok.MUL)) {
      this.expectFrom(edge);
      this.module.edges.push(edge);
      this.module.stars.push(edge);
      return this.expectSemi();
    }
    this.parseSpecifiers(edge, false, true);
    if (this.isName(this.nFrom)) {
      this.expectFrom(edge);
      this.module.edges.push(edge);
    } else {
      edge.target = this.module;
    }
    this.expectSemi();
  }

  /** Skip one ambient declaration or interface: up to its `;`, end of line or closing brace. */
  private skipAmbient(): void {
    let depth = 0;
    while (!this.is(Tok.END)) {
      if (this.is(Tok.TEMPLATE)) this.lx.templateChunk(true);
      if (this.is(Tok.LBRACE)) depth++;
      if (this.is(Tok.RBRACE)) {
        depth--;
        if (depth <= 0) {
          this.lx.next();
          return;
        }
      }
      if (this.is(Tok.SEMI) && depth == 0) {
        this.lx.next();
        return;
      }
      this.lx.next();
    }
  }

  private skipStatement(): void {
    while (!this.is(Tok.END) && !this.is(Tok.SEMI) && !this.is(Tok.RBRACE)) this.lx.next();
    this.accept(Tok.SEMI);
  }

  private parseAlias(exported: bool): void {
    this.lx.next();
    const pos = this.lx.start;
    const name = this.expectName(false);
    if (this.is(Tok.LT)) this.error(this.lx.start, "generic aliases are not part of the guest language");
    this.expect(Tok.ASSIGN, "'='");
    this.declare(new AliasDecl(pos, name, this.parseType()), exported);
    this.expectSemi();
  }

  private parseEnum(exported: bool): void {
    this.lx.next();
    const pos = this.lx.start;
    const e = new EnumDecl(pos, this.expectName(false));
    this.expect(Tok.LBRACE, "'{'");
    while (!this.is(Tok.RBRACE) && !this.is(Tok.END)) {
      e.positions.push(this.lx.start);
      e.names.push(this.expectName(true));
      const explicit = this.accept(Tok.ASSIGN);
      e.hasInit.push(explicit);
      if (explicit) e.inits.push(this.parseExpr());
      if (!this.accept(Tok.COMMA)) break;
    }
    this.expect(Tok.RBRACE, "'}'");
    this.declare(e, exported);
  }

  private parseGlobals(exported: bool): void {
    const s = this.parseVars();
    for (const v of s.vars) {
      v.isGlobal = true;
      this.module.globals.push(v);
      this.declare(v, exported);
    }
    this.module.inits.push(s);
    this.expectSemi();
  }

  private parseFunction(exported: bool): void {
    this.lx.next();
    const pos = this.lx.start;
    const f = new FuncDecl(pos, this.expectName(false));
    if (!this.leaveFunction(f)) {
      this.parseSignature(f);
      if (!this.is(Tok.LBRACE)) this.error(this.lx.start, "a function needs a body");
      else if (!this.leaveBody(f)) this.parseFunctionBody(f);
    }
    this.declare(f, exported);
    this.module.funcs.push(f);
  }

  private parseTypeParams(): i32[] | null {
    if (!this.accept(Tok.LT)) return null;
    const params: i32[] = [];
    do {
      params.push(this.expectName(false));
      if (this.is(Tok.EXTENDS)) {
        this.lx.next();
        this.parseType();
      }
    } while (this.accept(Tok.COMMA));
    this.expect(Tok.GT, "'>'");
    return params;
  }

  protected override parseSignature(f: FuncDecl): void {
    f.typeParams = this.parseTypeParams();
    this.parseParams(f, null);
    if (this.accept(Tok.COLON)) f.ret = this.parseType();
  }

  /** Parameters. In a constructor (`cls` not null) modifiers make a parameter a field too. */
  private parseParams(f: FuncDecl, cls: ClassDecl | null): void {
    this.expect(Tok.LPAREN, "'('");
    while (!this.is(Tok.RPAREN) && !this.is(Tok.END)) {
      if (this.is(Tok.ELLIPSIS) || this.is(Tok.LBRACE) || this.is(Tok.LBRACKET)) {
        this.error(this.lx.start, "rest parameters and destructuring are not part of the guest language");
        this.lx.next();
      }
      const modifiers = this.parseModifiers();
      const p = new VarDecl(this.lx.start, this.expectName(false));
      if (this.is(Tok.QUESTION)) {
        this.error(this.lx.start, "give the parameter a default value instead of '?'");
        this.lx.next();
      }
      if (this.accept(Tok.COLON)) p.typeNode = this.parseType();
      if (this.accept(Tok.ASSIGN)) p.init = this.parseExpr();
      f.params.push(p);
      if (cls != null && modifiers.any) {
        const field = new FieldDecl(p.pos, p.name);
        field.typeNode = p.typeNode;
        cls.fields.push(field);
        this.storeParameter(f, p);
      }
      if (!this.accept(Tok.COMMA)) break;
    }
    this.expect(Tok.RPAREN, "')'");
  }

  /** Remember `this.p = p` for the beginning of a constructor's body. */
  private storeParameter(f: FuncDecl, p: VarDecl): void {
    let body = f.body;
    if (body == null) {
      body = new Block(p.pos);
      f.body = body;
    }
    const value = new NameExpr(Ex.NAME, p.pos);
    value.name = p.name;
    const target = new MemberExpr(p.pos, new Expr(Ex.THIS, p.pos), p.name);
    body.body.push(new ExprStmt(St.EXPR, p.pos, new BinaryExpr(Ex.ASSIGN, p.pos, Tok.ASSIGN, target, value)));
  }

  // ---- classes ----

  private parseModifiers(): Modifiers {
    const m = new Modifiers();
    while (this.is(Tok.NAME) && this.isModifier(this.lx.name) && this.peekIsMember()) {
      if (this.lx.name == this.nStatic) m.isStatic = true;
      if (this.lx.name == this.nReadonly) m.isReadonly = true;
      if (this.lx.name == this.nAbstract) m.isAbstract = true;
      m.any = true;
      this.lx.next();
    }
    return m;
  }

  private isModifier(name: i32): bool {
    return name == this.nStatic || name == this.nReadonly || name == this.nAbstract || name == this.nPublic ||
      name == this.nPrivate || name == this.nProtected || name == this.nOverride || name == this.nDeclare;
  }

  private peekIsMember(): bool {
    const start = this.lx.start;
    this.lx.next();
    const result = this.is(Tok.NAME) || this.lx.tok >= Tok.KEYWORD_BASE;
    this.lx.rewind(start);
    return result;
  }

  private parseClass(exported: bool, isAbstract: bool): void {
    this.lx.next();
    const pos = this.lx.start;
    const c = new ClassDecl(pos, this.expectName(false));
    c.isAbstract = isAbstract;
    c.typeParams = this.parseTypeParams();
    if (this.accept(Tok.EXTENDS)) c.base = this.parseType();
    if (this.is(Tok.NAME)) {
      this.error(this.lx.start, "'implements' is not part of the guest language");
      while (!this.is(Tok.LBRACE) && !this.is(Tok.END)) this.lx.next();
    }
    this.declare(c, exported);
    this.module.classes.push(c);
    this.expect(Tok.LBRACE, "'{'");
    while (!this.is(Tok.RBRACE) && !this.is(Tok.END)) {
      const start = this.lx.start;
      this.parseMember(c);
      if (this.lx.start == start) this.lx.next();
    }
    this.expect(Tok.RBRACE, "'}'");
  }

  private parseMember(c: ClassDecl): void {
    if (this.accept(Tok.SEMI)) return;
    const m = this.parseModifiers();
    const pos = this.lx.start;
    if ((this.isName(this.nGet) || this.isName(this.nSet)) && this.peekIsMember()) {
      this.error(pos, "getters and setters are not part of the guest language");
      this.lx.next();
    }
    const name = this.expectName(true);
    if (this.is(Tok.LPAREN) || this.is(Tok.LT)) this.parseMethod(c, m, pos, name);
    else this.parseField(c, m, pos, name);
  }

  private parseMethod(c: ClassDecl, m: Modifiers, pos: i32, name: i32): void {
    const f = new FuncDecl(pos, name);
    f.module = this.module;
    f.cls = c;
    f.isStatic = m.isStatic;
    f.isAbstract = m.isAbstract;
    if (name == this.nConstructor) {
      f.isCtor = true;
      this.parseParams(f, c);
      c.ctor = f;
    } else {
      this.parseSignature(f);
      c.methods.push(f);
    }
    if (!this.is(Tok.LBRACE)) {
      if (!m.isAbstract) this.error(this.lx.start, "a method needs a body");
      this.expectSemi();
    } else if (!this.leaveBody(f)) this.parseFunctionBody(f);
  }

  /** The body, behind the stores of parameters that are in it already. */
  private parseFunctionBody(f: FuncDecl): void {
    const stores = f.body;
    const body = this.parseBody();
    if (stores != null) {
      const all: Stmt[] = [];
      let at = 0;
      if (body.body.length > 0 && isSuperCall(body.body[0]!)) {
        all.push(body.body[0]!);
        at = 1;
      }
      for (const s of stores.body) all.push(s);
      for (; at < body.body.length; at++) all.push(body.body[at]!);
      body.body = all;
    }
    f.body = body;
  }

  private parseField(c: ClassDecl, m: Modifiers, pos: i32, name: i32): void {
    if (this.is(Tok.NOT)) this.lx.next();
    if (this.is(Tok.QUESTION)) {
      this.error(this.lx.start, "optional fields are not part of the guest language");
      this.lx.next();
    }
    const typeNode = this.accept(Tok.COLON) ? this.parseType() : null;
    const init = this.accept(Tok.ASSIGN) ? this.parseExpr() : null;
    this.expectSemi();
    if (m.isStatic) {
      const v = new VarDecl(pos, name);
      v.module = this.module;
      v.cls = c;
      v.typeNode = typeNode;
      v.init = init;
      v.isGlobal = true;
      v.isConst = m.isReadonly;
      c.statics.push(v);
      const s = new VarStmt(pos);
      s.vars.push(v);
      this.module.inits.push(s);
      return;
    }
    const f = new FieldDecl(pos, name);
    f.typeNode = typeNode;
    f.init = init;
    c.fields.push(f);
  }

  // ---- statements ----

  protected override parseBody(): Block {
    return this.parseBlock();
  }

  private parseBlock(): Block {
    const b = new Block(this.lx.start);
    this.expect(Tok.LBRACE, "'{'");
    this.parseStatements(b.body);
    b.end = this.lx.start;
    this.expect(Tok.RBRACE, "'}'");
    return b;
  }

  private parseStatements(list: Stmt[]): void {
    while (!this.is(Tok.RBRACE) && !this.is(Tok.END) && !this.is(Tok.CASE) && !this.is(Tok.DEFAULT)) {
      const start = this.lx.start;
      list.push(this.parseStatement());
      if (this.lx.start == start) this.lx.next();
    }
  }

  private parseStatement(): Stmt {
    const pos = this.lx.start;
    switch (this.lx.tok) {
      case Tok.LBRACE: return this.parseBlock();
      case Tok.CONST: case Tok.LET: case Tok.VAR: {
        const s = this.parseVars();
        this.expectSemi();
        return s;
      }
      case Tok.IF: return this.parseIf();
      case Tok.WHILE: return this.parseWhile();
      case Tok.DO: return this.parseDo();
      case Tok.FOR: return this.parseFor();
      case Tok.SWITCH: return this.parseSwitch();
      case Tok.RETURN: return this.parseReturn();
      case Tok.BREAK: return this.parseJump(St.BREAK);
      case Tok.CONTINUE: return this.parseJump(St.CONTINUE);
      case Tok.FUNCTION: return this.parseLocalFunction();
      case Tok.SEMI:
        this.lx.next();
        return new Stmt(St.EMPTY, pos);
      case Tok.THROW: case Tok.TRY:
        this.error(pos, "exceptions are not part of the guest language");
        this.skipStatement();
        return new Stmt(St.EMPTY, pos);
      case Tok.CLASS: case Tok.ENUM:
        this.error(pos, "classes and enums are declared at top level");
        this.lx.next();
        return new Stmt(St.EMPTY, pos);
      default: break;
    }
    if (this.is(Tok.NAME) && this.lx.isFollowedBy(58, 0)) {
      const label = this.expectName(false);
      this.lx.next();
      return new LabeledStmt(pos, label, this.parseStatement());
    }
    const s = new ExprStmt(St.EXPR, pos, this.parseExpr());
    this.expectSemi();
    return s;
  }

  /** `let a = 1, b: i32` up to the semicolon. */
  private parseVars(): VarStmt {
    const s = new VarStmt(this.lx.start);
    const isConst = this.is(Tok.CONST);
    if (this.is(Tok.VAR)) this.error(this.lx.start, "use let or const instead of var");
    this.lx.next();
    do {
      s.vars.push(this.parseVar(isConst));
    } while (this.accept(Tok.COMMA));
    return s;
  }

  private parseVar(isConst: bool): VarDecl {
    if (this.is(Tok.LBRACE) || this.is(Tok.LBRACKET)) {
      this.error(this.lx.start, "destructuring is not part of the guest language");
      this.lx.next();
    }
    const v = new VarDecl(this.lx.start, this.expectName(false));
    v.module = this.module;
    v.isConst = isConst;
    if (this.is(Tok.NOT)) this.lx.next();
    if (this.accept(Tok.COLON)) v.typeNode = this.parseType();
    if (this.accept(Tok.ASSIGN)) v.init = this.parseExpr();
    return v;
  }

  private parseTest(): Expr {
    this.expect(Tok.LPAREN, "'('");
    const e = this.parseExpr();
    this.expect(Tok.RPAREN, "')'");
    return e;
  }

  private parseIf(): Stmt {
    const pos = this.lx.start;
    this.lx.next();
    const test = this.parseTest();
    const s = new IfStmt(pos, test, this.parseStatement());
    if (this.accept(Tok.ELSE)) s.no = this.parseStatement();
    return s;
  }

  private parseWhile(): Stmt {
    const pos = this.lx.start;
    this.lx.next();
    const test = this.parseTest();
    return new LoopStmt(St.WHILE, pos, test, this.parseStatement());
  }

  private parseDo(): Stmt {
    const pos = this.lx.start;
    this.lx.next();
    const body = this.parseStatement();
    this.expect(Tok.WHILE, "'while'");
    const s = new LoopStmt(St.DO, pos, this.parseTest(), body);
    this.accept(Tok.SEMI);
    return s;
  }

  private parseFor(): Stmt {
    const pos = this.lx.start;
    this.lx.next();
    this.expect(Tok.LPAREN, "'('");
    let init: Stmt | null = null;
    if (this.is(Tok.LET) || this.is(Tok.CONST) || this.is(Tok.VAR)) {
      const vars = this.parseVars();
      if (this.isName(this.nOf)) return this.parseForOf(pos, vars);
      init = vars;
    } else if (!this.is(Tok.SEMI)) {
      init = new ExprStmt(St.EXPR, this.lx.start, this.parseExpr());
    }
    this.expect(Tok.SEMI, "';'");
    const test = this.is(Tok.SEMI) ? null : this.parseExpr();
    this.expect(Tok.SEMI, "';'");
    const updates: Expr[] = [];
    while (!this.is(Tok.RPAREN) && !this.is(Tok.END)) {
      updates.push(this.parseExpr());
      if (!this.accept(Tok.COMMA)) break;
    }
    this.expect(Tok.RPAREN, "')'");
    const s = new ForStmt(pos, this.parseStatement());
    s.init = init;
    s.test = test;
    s.updates = updates;
    return s;
  }

  private parseForOf(pos: i32, vars: VarStmt): Stmt {
    this.lx.next();
    const list = this.parseExpr();
    this.expect(Tok.RPAREN, "')'");
    return new ForOfStmt(pos, vars.vars[0]!, list, this.parseStatement());
  }

  private parseSwitch(): Stmt {
    const pos = this.lx.start;
    this.lx.next();
    const s = new SwitchStmt(pos, this.parseTest());
    this.expect(Tok.LBRACE, "'{'");
    while (this.is(Tok.CASE) || this.is(Tok.DEFAULT)) {
      const c = new SwitchCase();
      if (this.accept(Tok.CASE)) c.test = this.parseExpr();
      else this.lx.next();
      this.expect(Tok.COLON, "':'");
      this.parseStatements(c.body);
      s.cases.push(c);
    }
    this.expect(Tok.RBRACE, "'}' or 'case'");
    return s;
  }

  private parseReturn(): Stmt {
    const pos = this.lx.start;
    this.lx.next();
    const bare = this.is(Tok.SEMI) || this.is(Tok.RBRACE) || this.lx.newlineBefore;
    const s = new ExprStmt(St.RETURN, pos, bare ? null : this.parseExpr());
    this.expectSemi();
    return s;
  }

  private parseJump(kind: i32): Stmt {
    const s = new JumpStmt(kind, this.lx.start);
    this.lx.next();
    if (this.is(Tok.NAME) && !this.lx.newlineBefore) s.label = this.expectName(false);
    this.expectSemi();
    return s;
  }

  private parseLocalFunction(): Stmt {
    const pos = this.lx.start;
    this.lx.next();
    const f = new FuncDecl(this.lx.start, this.expectName(false));
    f.module = this.module;
    this.parseSignature(f);
    f.body = this.parseBody();
    return new FuncStmt(pos, f);
  }
}

function isSuperCall(s: Stmt): bool {
  if (s.kind != St.EXPR) return false;
  const e = (s as ExprStmt).expr;
  return e != null && e.kind == Ex.CALL && (e as CallExpr).callee.kind == Ex.SUPER;
}
