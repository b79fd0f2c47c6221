// The kinds of tokens. Reserved words are interned first, in the order of the list here, so that the id of a word tells
// its token kind: KEYWORD_BASE + id.

export enum Tok {
  END = 0, NAME, INT, FLOAT, STRING, TEMPLATE, BAD,
  LPAREN, RPAREN, LBRACE, RBRACE, LBRACKET, RBRACKET, COMMA, SEMI, DOT, ELLIPSIS, QUESTION, COLON, ARROW,
  ASSIGN, ADD_ASSIGN, SUB_ASSIGN, MUL_ASSIGN, DIV_ASSIGN, REM_ASSIGN, AND_ASSIGN, OR_ASSIGN, XOR_ASSIGN,
  SHL_ASSIGN, SHR_ASSIGN, USHR_ASSIGN,
  OR_OR, AND_AND, OR, XOR, AND, EQ, NE, LT, GT, LE, GE, SHL, SHR, USHR, ADD, SUB, MUL, DIV, REM,
  NOT, TILDE, INC, DEC, UNSUPPORTED,
  KEYWORD_BASE = 100,
  IMPORT = 100, EXPORT, FUNCTION, CLASS, EXTENDS, ENUM, CONST, LET, VAR, IF, ELSE, FOR, WHILE, DO, SWITCH, CASE, DEFAULT,
  BREAK, CONTINUE, RETURN, NEW, THIS, SUPER, NULL, TRUE, FALSE, TYPEOF, VOID, THROW, TRY, DELETE, INSTANCEOF, IN,
  WITH, DEBUGGER, CATCH, FINALLY, KEYWORD_END,
}

/** The reserved words, in the order of their token kinds. */
export const KEYWORDS: string[] = [
  "import", "export", "function", "class", "extends", "enum", "const", "let", "var", "if", "else", "for", "while", "do",
  "switch", "case", "default", "break", "continue", "return", "new", "this", "super", "null", "true", "false", "typeof",
  "void", "throw", "try", "delete", "instanceof", "in", "with", "debugger", "catch", "finally",
];
