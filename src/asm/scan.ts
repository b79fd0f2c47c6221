// Tokens of assembly text: names, numbers, strings and single characters. Blanks are skipped, a comment runs from # or //
// to the end of its line, and the end of a statement (newline, semicolon, end of text) is a token of its own.
import { hexDigit } from "../isa/row.ts";

export enum Token { END, NAME, NUMBER, STRING, CHAR }

/** One pass over a text. `kind` and its value describe the current token; `next` moves on. */
export class Scanner {
  text: string;
  pos: i32 = 0;
  line: i32 = 0;         // of the current token, counted from 0
  kind: i32 = 0;         // a Token
  name: string = "";     // NAME as written, STRING without quotes and escapes
  value: i32 = 0;        // NUMBER; CHAR: its code
  bad: string = "";      // what is wrong with the current token, or ""
  atEnd: bool = false;   // END is the end of the text
  private nextLine: i32 = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Moves to the next token. */
  next(): void {
    this.skipBlanks();
    this.line = this.nextLine;
    this.bad = "";
    const c = this.peek();
    if (c < 0 || c == 10 || c == 59) this.scanEnd(c);
    else if (isDigit(c)) this.scanNumber();
    else if (isNameChar(c)) this.scanName();
    else if (c == 34) this.scanString();
    else if (c == 39) this.scanCharacter();
    else this.scanOther(c);
  }

  /** Whether the current token is this character. */
  is(c: i32): bool {
    return this.kind == Token.CHAR && this.value == c;
  }

  /** Whether the word after the current token is this one, which is in lower case. */
  isBefore(word: string): bool {
    this.skipBlanks();
    let to = this.pos;
    while (to < this.text.length && isNameChar(this.text.charCodeAt(to))) to++;
    return lowerCase(this.text.substring(this.pos, to)) == word;
  }

  private peek(): i32 {
    return this.pos < this.text.length ? this.text.charCodeAt(this.pos) : -1;
  }

  private skipBlanks(): void {
    while (true) {
      const c = this.peek();
      if (c == 35 || (c == 47 && this.pos + 1 < this.text.length && this.text.charCodeAt(this.pos + 1) == 47)) {
        while (this.peek() >= 0 && this.peek() != 10) this.pos++;
      } else if (c == 32 || c == 9 || c == 13) {
        this.pos++;
      } else {
        return;
      }
    }
  }

  private scanEnd(c: i32): void {
    this.kind = Token.END;
    this.atEnd = c < 0;
    if (c == 10) this.nextLine++;
    if (c >= 0) this.pos++;
  }

  private scanOther(c: i32): void {
    this.kind = Token.CHAR;
    this.value = c;
    this.pos++;
  }

  private scanName(): void {
    const from = this.pos;
    while (isNameChar(this.peek())) this.pos++;
    this.kind = Token.NAME;
    this.name = this.text.substring(from, this.pos);
  }

  /** A number, or a numeric label reference such as 1f, which is a NAME. */
  private scanNumber(): void {
    const from = this.pos;
    while (isNameChar(this.peek())) this.pos++;
    const word = this.text.substring(from, this.pos);
    if (isLocalReference(word)) {
      this.kind = Token.NAME;
      this.name = word;
      return;
    }
    this.kind = Token.NUMBER;
    if (word.startsWith("0x") || word.startsWith("0X")) this.hexadecimal(word);
    else this.decimal(word);
  }

  private hexadecimal(word: string): void {
    let value: i32 = 0;
    for (let i: i32 = 2; i < word.length; i++) {
      const digit = hexDigit(word.charCodeAt(i));
      if (digit < 0 || ((value >> 28) & 15) != 0) this.bad = "bad number " + word;
      value = (value << 4) | digit;
    }
    if (word.length < 3) this.bad = "bad number " + word;
    this.value = value;
  }

  private decimal(word: string): void {
    let value: i32 = 0;
    for (let i: i32 = 0; i < word.length; i++) {
      const c = word.charCodeAt(i);
      const tooBig = (value >>> 1) > 214748364 || (value == 429496729 && c > 53);
      if (!isDigit(c) || tooBig) this.bad = "bad number " + word;
      value = (Math.imul(value, 10) + c - 48) | 0;
    }
    this.value = value;
  }

  private scanString(): void {
    this.kind = Token.STRING;
    this.name = "";
    this.pos++;
    while (this.peek() >= 0 && this.peek() != 34 && this.peek() != 10) this.name = this.name + String.fromCharCode(this.character());
    if (this.peek() == 34) this.pos++;
    else this.bad = "string without end";
  }

  private scanCharacter(): void {
    this.kind = Token.NUMBER;
    this.pos++;
    this.value = this.peek() < 0 ? 0 : this.character();
    if (this.peek() == 39) this.pos++;
    else this.bad = "character without end";
  }

  /** Takes one character, which a backslash may escape. */
  private character(): i32 {
    const c = this.peek();
    this.pos++;
    if (c != 92 || this.peek() < 0) return c;
    const escaped = this.peek();
    this.pos++;
    switch (escaped) {
      case 110: return 10;
      case 114: return 13;
      case 116: return 9;
      case 48: return 0;
      default: return escaped;
    }
  }
}

function isDigit(c: i32): bool {
  return c >= 48 && c <= 57;
}

/** Letters, digits, _ . $ @ ? and everything beyond ASCII. */
function isNameChar(c: i32): bool {
  return isDigit(c) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c == 95 || c == 46 || c == 36 || c == 64 || c == 63 || c > 127;
}

/** Whether `word` is digits followed by b or f: the nearest numeric label before or after. */
export function isLocalReference(word: string): bool {
  const last = word.charCodeAt(word.length - 1);
  if (word.length < 2 || (last != 98 && last != 102)) return false;
  for (let i: i32 = 0; i < word.length - 1; i++) if (!isDigit(word.charCodeAt(i))) return false;
  return true;
}

/** `text` with A-Z made small. */
export function lowerCase(text: string): string {
  let upper = false;
  for (let i: i32 = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 65 && c <= 90) upper = true;
  }
  if (!upper) return text;
  let small: string = "";
  for (let i: i32 = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    small = small + String.fromCharCode(c >= 65 && c <= 90 ? c + 32 : c);
  }
  return small;
}
