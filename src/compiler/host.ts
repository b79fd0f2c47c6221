// What the compiler needs from the machine it runs on: files by path (relative to the source root) and a place to print.
// Node and the guest's libc each implement it; the compiler itself never touches the outside in another way.

export abstract class CompilerHost {
  /** The bytes of a file as a latin1 string, or null when it can't be read. */
  abstract readFile(path: string): string | null;
  /** Write a file whole, part behind part: "", or in a few words why it can't be written. */
  abstract writeFile(path: string, parts: u8[][], executable: bool): string;
  /** Print text for the user (diagnostics, dumps). */
  abstract print(text: string): void;
}
