// Source text to tokens, one at a time. The current token lies in the fields of the lexer; `next` moves on. A lexer can
// be set back to an earlier position with `rewind`, which is how the parser looks ahead. `>` is always a single token
// here; `joinGreater` combines it in expressions, so that type arguments may close with `>>`. Whatever the lexer passes, it
// tells the file where lines start.

import type { Diags, SourceFile } from "./diag.ts";
import { mul64, add64, Wide } from "./int64.ts";
import { nextHash } from "./names.ts";
import type { Names } from "./names.ts";
import { Tok } from "./token.ts";

const TAB: i32 = 9;
const NEWLINE: i32 = 10;
const RETURN: i32 = 13;
const QUOTE: i32 = 34;
const DOLLAR: i32 = 36;
const APOSTROPHE: i32 = 39;
const SLASH: i32 = 47;
const BACKSLASH: i32 = 92;
const UNDERSCORE: i32 = 95;
const BACKTICK: i32 = 96;

export function isDigit(c: i32): bool {
  return c >= 48 && c <= 57;
}

// Kinds of characters; those up to the mark mean nothing to who only looks for the end of a block.
const C_NAME: i32 = 0;
const C_DIGIT: i32 = 1;
const C_BLANK: i32 = 2;
const C_SINGLE: i32 = 3;           // a token by itself
const C_SYMBOL: i32 = 4;
const C_PLAIN: i32 = 4;            // the mark
const C_BRACE: i32 = 5;
const C_NEWLINE: i32 = 6;
const C_SLASH: i32 = 7;
const C_QUOTE: i32 = 8;
const C_TEMPLATE: i32 = 9;

const KINDS: i32[] = [];           // by character
const SINGLES: i32[] = [];         // by character: its token

function kindOf(c: i32): i32 {
  if ((c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c == UNDERSCORE || c == DOLLAR) return C_NAME;
  if (isDigit(c)) return C_DIGIT;
  if (c == 32 || c == TAB || c == RETURN) return C_BLANK;
  if (c == 123 || c == 125) return C_BRACE;
  if (singleToken(c) != 0) return C_SINGLE;
  switch (c) {
    case NEWLINE: return C_NEWLINE;
    case SLASH: return C_SLASH;
    case QUOTE: case APOSTROPHE: return C_QUOTE;
    case BACKTICK: return C_TEMPLATE;
    default: return C_SYMBOL;
  }
}

/** The token that a character is, whatever follows; 0 if there is none. */
function singleToken(c: i32): i32 {
  switch (c) {
    case 40: return Tok.LPAREN;
    case 41: return Tok.RPAREN;
    case 123: return Tok.LBRACE;
    case 125: return Tok.RBRACE;
    case 91: return Tok.LBRACKET;
    case 93: return Tok.RBRACKET;
    case 44: return Tok.COMMA;
    case 59: return Tok.SEMI;
    case 58: return Tok.COLON;
    case 126: return Tok.TILDE;
    case 62: return Tok.GT;
    default: return 0;
  }
}

function fillTables(): void {
  for (let c = 0; c < 256; c++) {
    KINDS.push(kindOf(c));
    SINGLES.push(singleToken(c));
  }
}

function isNameStart(c: i32): bool {
  return KINDS[c & 255] == C_NAME && c < 256;
}

function hexValue(c: i32): i32 {
  if (isDigit(c)) return c - 48;
  if (c >= 97 && c <= 102) return c - 87;
  if (c >= 65 && c <= 70) return c - 55;
  return -1;
}

export class Lexer {
  readonly file: SourceFile;
  tok: i32 = Tok.END;
  start: i32 = 0;              // of the current token
  pos: i32 = 0;                // behind the current token
  prevEnd: i32 = 0;            // behind the token before
  newlineBefore: bool = false;
  name: i32 = 0;               // NAME and keywords
  lo: i32 = 0;                 // INT
  hi: i32 = 0;
  text: string = "";           // STRING; the digits of FLOAT
  chunkEnds: bool = false;     // templateChunk: the template ended, no `${` follows
  private readonly source: string;
  private readonly length: i32;
  private readonly names: Names;
  private readonly diags: Diags;

  constructor(file: SourceFile, names: Names, diags: Diags) {
    this.file = file;
    this.source = file.text;
    this.length = file.text.length;
    this.names = names;
    this.diags = diags;
    if (KINDS.length == 0) fillTables();
  }

  error(pos: i32, text: string): void {
    this.diags.error(this.file, pos, text);
  }

  /** Make the token that starts at `start` the current one again. */
  rewind(start: i32): void {
    this.pos = start;
    this.next();
  }

  /** Do spaces and then the character `c` (and directly `d`, when not 0) follow the current token? */
  isFollowedBy(c: i32, d: i32): bool {
    let p = this.pos;
    while (p < this.length && this.source.charCodeAt(p) == 32) p++;
    if (p + 1 >= this.length || this.source.charCodeAt(p) != c) return false;
    return d == 0 || this.source.charCodeAt(p + 1) == d;
  }

  next(): void {
    const source = this.source;
    const length = this.length;
    this.prevEnd = this.pos;
    this.newlineBefore = false;
    let p = this.pos;
    while (p < length) {
      const c = source.charCodeAt(p);
      if (c == 32) {
        p++;
        continue;
      }
      const kind = KINDS[c]!;
      if (kind == C_BLANK) {
        p++;
      } else if (kind == C_NAME) {
        return this.scanName(p, c);
      } else if (kind == C_SINGLE || kind == C_BRACE) {
        this.start = p;
        this.pos = p + 1;
        this.tok = SINGLES[c]!;
        return;
      } else if (kind == C_NEWLINE) {
        p++;
        this.startLine(p);
      } else {
        this.pos = p;
        if (kind != C_SLASH || !this.skipComment()) return this.scanOther(kind, c);
        p = this.pos;
      }
    }
    this.start = p;
    this.pos = p;
    this.tok = Tok.END;
    this.file.endLines();
  }

  private scanOther(kind: i32, c: i32): void {
    this.start = this.pos;
    if (kind == C_DIGIT) this.scanNumber();
    else if (kind == C_QUOTE) this.scanString(c);
    else if (kind == C_TEMPLATE) this.take(1, Tok.TEMPLATE);
    else this.scanSymbol(c);
  }

  private startLine(pos: i32): void {
    this.newlineBefore = true;
    this.file.startLine(pos);
  }

  private at(offset: i32): i32 {
    const i = this.pos + offset;
    return i < this.length ? this.source.charCodeAt(i) : 0;
  }

  private take(length: i32, tok: i32): void {
    this.pos += length;
    this.tok = tok;
  }

  /** Move behind the comment that starts here; false if it is none. */
  private skipComment(): bool {
    const start = this.pos;
    const next = this.at(1);
    if (next != SLASH && next != 42) return false;
    const end = next == SLASH ? this.endOfLine(start) : this.endOfComment(start);
    if (end < 0) this.error(start, "this comment has no end");
    this.pos = end < 0 ? this.length : end;
    return true;
  }

  /** The end of the line, without the newline. */
  private endOfLine(start: i32): i32 {
    const source = this.source;
    let p = start;
    while (p < this.length && source.charCodeAt(p) != NEWLINE) p++;
    return p;
  }

  /** Behind the comment that starts at a position with two characters; -1 if it has no end. */
  private endOfComment(start: i32): i32 {
    const source = this.source;
    for (let p = start + 2; p + 1 < this.length; p++) {
      const c = source.charCodeAt(p);
      if (c == NEWLINE) this.startLine(p + 1);
      if (c == 42 && source.charCodeAt(p + 1) == SLASH) return p + 2;
    }
    return -1;
  }

  private scanName(start: i32, first: i32): void {
    const source = this.source;
    const length = this.length;
    let hash = first;
    let p = start + 1;
    while (p < length) {
      const c = source.charCodeAt(p);
      if (!(KINDS[c]! <= C_DIGIT)) break;
      hash = nextHash(hash, c);
      p++;
    }
    this.start = start;
    this.pos = p;
    this.name = this.names.intern(source, start, p, hash);
    const keyword = Tok.KEYWORD_BASE + this.name;
    this.tok = keyword < Tok.KEYWORD_END ? keyword : Tok.NAME;
  }

  // ---- skipping ----

  /** With `{` as the current token: move behind the matching `}`. False, and nothing has happened, when the text is not in order. */
  skipBlock(): bool {
    const end = this.endOfBlock(this.pos);
    if (end < 0) return false;
    this.pos = end;
    this.next();
    return true;
  }

  /** With what follows a function's name as the current token: move behind its body. False as above. */
  skipFunction(): bool {
    const open = this.endOfSignature(this.start);
    const end = open < 0 ? -1 : this.endOfBlock(open);
    if (end < 0) return false;
    this.pos = end;
    this.next();
    return true;
  }

  /** Behind the `{` that starts a function's body; -1 if something else comes first. */
  private endOfSignature(start: i32): i32 {
    const source = this.source;
    const length = this.length;
    let depth = 0;
    let p = start;
    while (p >= 0) {
      while (p < length && KINDS[source.charCodeAt(p)]! < C_SINGLE) p++;
      if (p >= length) return -1;
      const c = source.charCodeAt(p);
      p++;
      switch (KINDS[c]!) {
        case C_SINGLE:
          if (c == 40) depth++;
          else if (c == 41) depth--;
          else if (c == 59) return -1;
          break;
        case C_BRACE:
          if (c == 125) return -1;
          if (depth == 0) return p;
          p = this.endOfBlock(p);
          break;
        case C_NEWLINE: this.file.startLine(p); break;
        case C_SLASH: p = this.endOfSlash(p); break;
        case C_QUOTE: p = this.endOfString(p, c); break;
        case C_TEMPLATE: p = this.endOfTemplate(p); break;
        default: break;
      }
    }
    return -1;
  }

  /** Behind the `}` of a block in which `start` lies; -1 if there is none. */
  private endOfBlock(start: i32): i32 {
    const source = this.source;
    const length = this.length;
    let depth = 1;
    let p = this.skipPlain(start);
    while (p >= 0 && p < length) {
      const c = source.charCodeAt(p);
      p++;
      switch (KINDS[c]!) {
        case C_BRACE:
          depth += c == 123 ? 1 : -1;
          if (depth == 0) return p;
          break;
        case C_NEWLINE: this.file.startLine(p); break;
        case C_SLASH: p = this.endOfSlash(p); break;
        case C_QUOTE: p = this.endOfString(p, c); break;
        case C_TEMPLATE: p = this.endOfTemplate(p); break;
        default: break;
      }
      if (p >= 0) p = this.skipPlain(p);
    }
    return -1;
  }

  /** The next character that can matter to who looks for the end of a block. */
  private skipPlain(start: i32): i32 {
    const source = this.source;
    const length = this.length;
    let p = start;
    while (p < length && KINDS[source.charCodeAt(p)]! <= C_PLAIN) p++;
    return p;
  }

  /** Behind a slash at p - 1, or what comment it begins. */
  private endOfSlash(p: i32): i32 {
    const c = p < this.length ? this.source.charCodeAt(p) : 0;
    return c == SLASH ? this.endOfLine(p) : c == 42 ? this.endOfComment(p - 1) : p;
  }

  private endOfString(start: i32, quote: i32): i32 {
    for (let p = start; p + 1 < this.length; p++) {
      const c = this.source.charCodeAt(p);
      if (c == quote) return p + 1;
      if (c == NEWLINE) return -1;
      if (c == BACKSLASH) {
        p++;
        if (this.source.charCodeAt(p) == NEWLINE) this.file.startLine(p + 1);
      }
    }
    return -1;
  }

  private endOfTemplate(start: i32): i32 {
    let p = start;
    while (p >= 0 && p + 1 < this.length) {
      const c = this.source.charCodeAt(p);
      if (c == BACKTICK) return p + 1;
      if (c == BACKSLASH) p++;
      if (this.source.charCodeAt(p) == NEWLINE) this.file.startLine(p + 1);
      p++;
      if (c == DOLLAR && this.source.charCodeAt(p) == 123) p = this.endOfBlock(p + 1);
    }
    return -1;
  }

  private scanNumber(): void {
    if (this.source.charCodeAt(this.pos) == 48) {
      const x = this.at(1) | 32;
      if (x == 120) return this.scanRadix(4);
      if (x == 98) return this.scanRadix(1);
      if (x == 111) return this.scanRadix(3);
    }
    this.skipDigits();
    let isFloat = false;
    if (this.at(0) == 46 && this.at(1) != 46) {
      isFloat = true;
      this.pos++;
      this.skipDigits();
    }
    if ((this.at(0) | 32) == 101) {
      isFloat = true;
      this.pos++;
      if (this.at(0) == 43 || this.at(0) == 45) this.pos++;
      this.skipDigits();
    }
    if (isNameStart(this.at(0))) this.error(this.pos, "a number is followed by a letter");
    if (isFloat) {
      this.text = this.source.substring(this.start, this.pos);
      this.tok = Tok.FLOAT;
    } else this.decimalValue();
  }

  private skipDigits(): void {
    while (isDigit(this.at(0)) || this.at(0) == UNDERSCORE) this.pos++;
  }

  private decimalValue(): void {
    this.tok = Tok.INT;
    this.hi = 0;
    if (this.pos - this.start <= 9) {
      this.lo = 0;
      for (let i = this.start; i < this.pos; i++) {
        const c = this.source.charCodeAt(i);
        if (c != UNDERSCORE) this.lo = this.lo * 10 + c - 48;
      }
      return;
    }
    let value = new Wide(0, 0);
    const ten = new Wide(10, 0);
    for (let i = this.start; i < this.pos; i++) {
      const c = this.source.charCodeAt(i);
      if (c != UNDERSCORE) value = add64(mul64(value, ten), new Wide(c - 48, 0));
    }
    if (this.pos - this.start > 25) this.error(this.start, "this number does not fit in 64 bits");
    this.lo = value.lo;
    this.hi = value.hi;
  }

  /** A number in base 2^bits after its two-character prefix. */
  private scanRadix(bits: i32): void {
    this.pos += 2;
    this.tok = Tok.INT;
    this.lo = 0;
    this.hi = 0;
    const first = this.pos;
    while (this.pos < this.length) {
      const c = this.source.charCodeAt(this.pos);
      const digit = hexValue(c);
      if (c != UNDERSCORE && (digit < 0 || digit >= 1 << bits)) break;
      if (c != UNDERSCORE) {
        if (this.hi >>> (32 - bits) != 0) this.error(this.start, "this number does not fit in 64 bits");
        this.hi = (this.hi << bits) | (this.lo >>> (32 - bits));
        this.lo = (this.lo << bits) | digit;
      }
      this.pos++;
    }
    if (this.pos == first || isNameStart(this.at(0)) || isDigit(this.at(0))) this.error(this.pos, "a digit is wrong here");
  }

  private scanString(quote: i32): void {
    this.pos++;
    this.tok = Tok.STRING;
    let from = this.pos;
    let text = "";
    while (true) {
      const c = this.at(0);
      if (c == quote) break;
      if (this.pos >= this.length || c == NEWLINE) {
        this.error(this.start, "this string has no end");
        this.text = text;
        return;
      }
      if (c == BACKSLASH) {
        text = text + this.source.substring(from, this.pos) + this.scanEscape();
        from = this.pos;
      } else this.pos++;
    }
    const rest = this.source.substring(from, this.pos);
    this.text = text.length == 0 ? rest : text + rest;
    this.pos++;
  }

  /** The characters that a backslash sequence stands for; moves behind it. */
  private scanEscape(): string {
    const c = this.at(1);
    this.pos += 2;
    switch (c) {
      case 110: return "\n";
      case 116: return "\t";
      case 114: return "\r";
      case 48: return "\0";
      case 98: return "\b";
      case 102: return "\f";
      case 118: return "\v";
      case NEWLINE:
        this.file.startLine(this.pos);
        return "";
      case 120: return this.scanHex(2);
      case 117: return this.scanHex(4);
      default: return String.fromCharCode(c);
    }
  }

  private scanHex(digits: i32): string {
    let value = 0;
    for (let i = 0; i < digits; i++) {
      const digit = hexValue(this.at(0));
      if (digit < 0) {
        this.error(this.pos, "a hexadecimal digit is expected");
        return "";
      }
      value = value * 16 + digit;
      this.pos++;
    }
    if (value > 255) this.error(this.pos - digits, "a character of a string is a byte");
    return String.fromCharCode(value & 255);
  }

  /** Text of a template up to `${` or the closing backtick, behind which the lexer then stands. Raw keeps backslashes. */
  templateChunk(raw: bool): string {
    let text = "";
    let from = this.pos;
    while (this.pos < this.length) {
      const c = this.source.charCodeAt(this.pos);
      if (c == BACKTICK || (c == DOLLAR && this.at(1) == 123)) {
        text = text + this.source.substring(from, this.pos);
        this.chunkEnds = c == BACKTICK;
        this.pos += this.chunkEnds ? 1 : 2;
        return text;
      }
      if (c == NEWLINE) this.file.startLine(this.pos + 1);
      if (c == BACKSLASH && !raw) {
        text = text + this.source.substring(from, this.pos) + this.scanEscape();
        from = this.pos;
      } else this.pos++;
    }
    this.error(this.start, "this template string has no end");
    this.chunkEnds = true;
    return text;
  }

  /** With `>` as the current token: combine it with what follows directly, as expressions need it. */
  joinGreater(): void {
    if (this.tok != Tok.GT) return;
    let count = 1;
    while (count < 3 && this.at(count - 1) == 62) count++;
    const assigns = this.at(count - 1) == 61;
    let tok = Tok.GT as i32;
    if (count == 1) tok = assigns ? Tok.GE : Tok.GT;
    else if (count == 2) tok = assigns ? Tok.SHR_ASSIGN : Tok.SHR;
    else tok = assigns ? Tok.USHR_ASSIGN : Tok.USHR;
    this.take(count - 1 + (assigns ? 1 : 0), tok);
  }

  private scanSymbol(c: i32): void {
    const d = this.at(1);
    switch (c) {
      case 46: return this.scanDot(d);
      case 63: return this.scanQuestion(d);
      case 61: return this.scanEquals(d);
      case 33: return this.scanNot(d);
      case 60: return this.scanLess(d);
      case 43: return this.scanArithmetic(c, d, Tok.ADD, Tok.ADD_ASSIGN, Tok.INC);
      case 45: return this.scanArithmetic(c, d, Tok.SUB, Tok.SUB_ASSIGN, Tok.DEC);
      case 42: return this.scanArithmetic(c, d, Tok.MUL, Tok.MUL_ASSIGN, Tok.UNSUPPORTED);
      case 47: return this.scanArithmetic(c, d, Tok.DIV, Tok.DIV_ASSIGN, Tok.UNSUPPORTED);
      case 37: return this.scanArithmetic(c, d, Tok.REM, Tok.REM_ASSIGN, Tok.UNSUPPORTED);
      case 38: return this.scanArithmetic(c, d, Tok.AND, Tok.AND_ASSIGN, Tok.AND_AND);
      case 124: return this.scanArithmetic(c, d, Tok.OR, Tok.OR_ASSIGN, Tok.OR_OR);
      case 94: return this.scanArithmetic(c, d, Tok.XOR, Tok.XOR_ASSIGN, Tok.UNSUPPORTED);
      default: break;
    }
    this.error(this.pos, "this character has no meaning here");
    this.take(1, Tok.BAD);
  }

  private scanDot(d: i32): void {
    if (d == 46 && this.at(2) == 46) this.take(3, Tok.ELLIPSIS);
    else if (isDigit(d)) this.scanNumber();
    else this.take(1, Tok.DOT);
  }

  private scanQuestion(d: i32): void {
    if (d == 63 || d == 46) this.take(2, Tok.UNSUPPORTED);
    else this.take(1, Tok.QUESTION);
  }

  private scanEquals(d: i32): void {
    if (d == 62) this.take(2, Tok.ARROW);
    else if (d == 61) this.take(this.at(2) == 61 ? 3 : 2, Tok.EQ);
    else this.take(1, Tok.ASSIGN);
  }

  private scanNot(d: i32): void {
    if (d == 61) this.take(this.at(2) == 61 ? 3 : 2, Tok.NE);
    else this.take(1, Tok.NOT);
  }

  private scanLess(d: i32): void {
    if (d == 61) this.take(2, Tok.LE);
    else if (d == 60 && this.at(2) == 61) this.take(3, Tok.SHL_ASSIGN);
    else if (d == 60) this.take(2, Tok.SHL);
    else this.take(1, Tok.LT);
  }

  /** `+`, `+=` and `++` and the like. */
  private scanArithmetic(c: i32, d: i32, plain: i32, assign: i32, double: i32): void {
    if (d == 61) this.take(2, assign);
    else if (d == c) this.take(2, double);
    else this.take(1, plain);
  }
}
