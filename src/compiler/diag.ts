// Source files and the diagnostics about them. A diagnostic names file, line and column, and shows the line with a caret.
// Positions are byte offsets into the text; lines and columns are computed when asked for and count from 1.

export class SourceFile {
  path: string;
  text: string;
  private starts: i32[] = [0];
  private lastStart: i32 = 0;
  private isComplete: bool = false;  // all line starts are known
  private lastLine: i32 = 0;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  /** A line starts at a byte offset. Whoever reads the text tells all of them in rising order, perhaps repeatedly. */
  startLine(pos: i32): void {
    if (pos <= this.lastStart) return;
    this.starts.push(pos);
    this.lastStart = pos;
  }

  /** All line starts have been told. */
  endLines(): void {
    this.isComplete = true;
  }

  /** Line number of a byte offset. Quick when asked in rising order, as the compiler does. */
  lineOf(pos: i32): i32 {
    if (!this.isComplete) this.findLines();
    let line = this.lastLine;
    if (line >= this.starts.length || this.starts[line]! > pos) line = this.searchLine(pos);
    while (line + 1 < this.starts.length && this.starts[line + 1]! <= pos) line++;
    this.lastLine = line;
    return line + 1;
  }

  columnOf(pos: i32): i32 {
    return pos - this.starts[this.lineOf(pos) - 1]! + 1;
  }

  /** The text of a line, without its end. */
  lineText(line: i32): string {
    this.lineOf(0);
    const start = this.starts[line - 1]!;
    let end = start;
    while (end < this.text.length && this.text.charCodeAt(end) != 10 && this.text.charCodeAt(end) != 13) end++;
    return this.text.substring(start, end);
  }

  private findLines(): void {
    const length = this.text.length;
    for (let i = this.lastStart; i < length; i++) {
      if (this.text.charCodeAt(i) == 10) this.startLine(i + 1);
    }
    this.isComplete = true;
  }

  private searchLine(pos: i32): i32 {
    let low = 0;
    let high = this.starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.starts[middle]! <= pos) low = middle;
      else high = middle;
    }
    return low;
  }
}

class Diagnostic {
  file: SourceFile | null = null;
  pos: i32 = 0;
  text: string = "";
}

const MAX_SHOWN: i32 = 30;

/** The list of errors of one run. */
export class Diags {
  private list: Diagnostic[] = [];
  count: i32 = 0;

  /** Report an error at a position of a file; `file` is null for errors about the command itself. */
  error(file: SourceFile | null, pos: i32, text: string): void {
    this.count++;
    if (this.list.length >= MAX_SHOWN || this.isRepeat(file, pos)) return;
    const d = new Diagnostic();
    d.file = file;
    d.pos = pos;
    d.text = text;
    this.list.push(d);
  }

  private isRepeat(file: SourceFile | null, pos: i32): bool {
    for (const d of this.list) {
      if (d.file == file && d.pos == pos && file != null) return true;
    }
    return false;
  }

  /** All diagnostics as text for the user. */
  render(): string {
    let text = "";
    for (const d of this.list) text = text + renderOne(d);
    if (this.count > MAX_SHOWN) text = text + `gtc: ${this.count} errors, the first ${MAX_SHOWN} are shown\n`;
    return text;
  }
}

function renderOne(d: Diagnostic): string {
  const file = d.file;
  if (file == null) return "gtc: error: " + d.text + "\n";
  const line = file.lineOf(d.pos);
  const column = file.columnOf(d.pos);
  const source = file.lineText(line);
  let caret = "";
  for (let i = 0; i < column - 1; i++) caret = caret + (source.charCodeAt(i) == 9 ? "\t" : " ");
  return `${file.path}:${line}:${column}: error: ${d.text}\n${source}\n${caret}^\n`;
}
