// What gtc says about wrong programs: place, text, line and caret; several errors a run; exit codes.

import { describe, expect, test, vi } from "vitest";
import { compile } from "../../src/compiler/compile.ts";
import { front, TestHost } from "./harness.ts";

vi.setConfig({ testTimeout: 60_000 });

/** The messages, as `line:column text`, of a program whose body of main (from line 2) is given. */
function complaints(body: string, top = ""): string[] {
  const { errors } = front(`${top} export function main(): void {\n${body}\n}`);
  return errors.split("\n").filter((l) => l.startsWith("main.ts:")).map((l) => l.slice(8).replace(" error:", ""));
}

describe("a diagnostic", () => {
  test("shows the line and a caret", () => {
    const { errors } = front("export function main(): void {\n\tlet x: i32 = \"text\";\n}");
    expect(errors).toBe("main.ts:2:15: error: string does not convert to i32\n\tlet x: i32 = \"text\";\n\t             ^\n");
  });
  test("is one of several in a run", () => {
    expect(complaints("let a: u32 = -1;\nfoo();\nlet b: i32 = a;\nlet c = d;")).toEqual([
      "2:14: this constant does not fit in u32",
      "3:1: 'foo' is not declared",
      "4:14: u32 does not convert to i32 by itself; write 'as i32'",
      "5:9: 'd' is not declared",
    ]);
  });
  test("names what the language leaves out", () => {
    const cases: [string, string][] = [
      ["let n: number = 1;", "2:8: 'number' has no width here; use i32, u32, i64 or f64"],
      ["const o = { a: 1 };", "2:11: object literals are not part of the guest language"],
      ["try { } catch { }", "2:1: exceptions are not part of the guest language"],
      ["const [a] = x;", "2:7: destructuring is not part of the guest language"],
      ["let a = typeof 1;", "2:9: this operator is not part of the guest language"],
      ["var a = 1;", "2:1: use let or const instead of var"],
      ["f(...a);", "2:3: spread is not part of the guest language"],
    ];
    for (const [body, message] of cases) expect(complaints(body)[0]).toBe(message);
  });
  test("says what a nested function may not do", () => {
    expect(complaints("let b = 1;\nconst f = (x: i32): i32 => x + b;\nf(1);")).toEqual(["3:32: this function would capture 'b' of the one around it"]);
  });
  test("judges signedness and width", () => {
    expect(complaints("let a: u32 = 1; let b: i32 = 2;\nif (a < b) return;\nb = a + b;\nlet c: u8 = b;\nlet d: i64 = b; b = d;\nconst e: u8 = 256;")).toEqual([
      "3:7: u32 and i32 can't be compared without 'as'",
      "4:7: u32 and i32 don't mix; convert one side with 'as'",
      "5:13: i32 does not convert to u8 by itself; write 'as u8'",
      "6:21: i64 does not convert to i32 by itself; write 'as i32'",
      "7:15: this constant does not fit in u8",
    ]);
  });
  test("is about calls, members and assignments too", () => {
    const top = "class C { x: i32 = 0; p!: Embed<D>; } class D { y: i32 = 0; } abstract class E { abstract m(): void; } function f(a: i32, b: i32): i32 { return a + b; } const K: i32 = 3;";
    expect(complaints("f(1);\nf(1, 2, 3);\nconst c = new C();\nc.z = 1;\nc.p = new D();\nK = 4;\nnew E();\nlet s: string = f(1, 2);\ns.nothing();\nbreak;", top)).toEqual([
      "2:1: the argument 'b' is missing",
      "3:9: at most 2 arguments are expected",
      "5:3: C has no member 'z'",
      "6:3: storage in place can't be assigned",
      "7:1: a constant can't be assigned to",
      "8:1: 'E' is abstract",
      "9:17: i32 does not convert to string",
      "10:3: string has no method 'nothing'",
      "11:1: break outside of a loop or switch",
    ]);
  });
  test("about syntax goes on at the next statement", () => {
    expect(complaints("let a = ;\nlet b: = 2;\nif a { }")).toEqual([
      "2:9: an expression is expected here",
      "3:8: a type is expected here",
      "4:4: '(' is expected here",
      "4:6: ')' is expected here",
    ]);
  });
  test("in a function of another module comes when that is used, or everything is checked", () => {
    const other = "// }{ `\nexport function good(a: string = \"}{\"): string { return a + \"}\" + `}${a}{`; /* } */ }\nexport function bad(): i32 { let = 1; }";
    const use = (name: string): string => `import { ${name} } from "./other.ts"; export function main(): void { ${name}(); }`;
    expect(front(use("good"), { "other.ts": other }).errors).toBe("");
    expect(front(use("bad"), { "other.ts": other }).errors).toMatch(/^other\.ts:3:34: error: a name is expected here$/m);
    const host = new TestHost({ "main.ts": use("good"), "other.ts": other });
    expect(compile(["main.ts", "--entry", "main", "--check"], host)).toBe(1);
    expect(host.printed).toMatch(/^other\.ts:3:34: error/m);
    expect(front(use("good"), { "other.ts": other + "\nexport function open(): void {" }).errors).toMatch(/^other\.ts:4:/m);
  });
  test("never is a stack trace, whatever the text", () => {
    const source = "export class A<T> extends B<T> { x!: Embed<A<i32>>; m(a: T = 3): T { return this.x.y[0]!(1)?.z; } }\nexport enum E { A = f(), B = E.C }\nexport function main(): i32 { for (const x of 5) { switch (x) { case y: } } return `${main}${new A<i32>()}` as i32 }";
    for (let cut = 0; cut < source.length; cut += 3) expect(() => front(source.slice(0, cut))).not.toThrow();
    for (let cut = 0; cut < source.length; cut += 7) expect(() => front(source.slice(0, cut) + source.slice(cut + 5))).not.toThrow();
  });
});

describe("the command", () => {
  function gtc(args: string[], files: Record<string, string> = {}): { code: number; said: string } {
    const host = new TestHost(files);
    const code = compile(args, host);
    return { code, said: host.printed };
  }
  test("explains itself when it is wrong", () => {
    expect(gtc([]).code).toBe(2);
    expect(gtc(["--wrong"]).said).toContain("gtc: error: unknown option --wrong\n");
    expect(gtc(["a.ts", "-o", "x", "--base", "12z"]).said).toContain("12z is not a number");
  });
  test("reports files and imports that are not there", () => {
    expect(gtc(["none.ts", "-o", "x"])).toEqual({ code: 1, said: "gtc: error: can't read none.ts\n" });
    const files = { "a.ts": "import { x } from './b.ts';\nimport { y } from './c.ts';\nimport 'm/x.ts';", "b.ts": "export const y = 1;" };
    const { code, said } = gtc(["a.ts", "-o", "x"], files);
    expect(code).toBe(1);
    expect(said).toContain("a.ts:2:19: error: can't read c.ts\n");
    expect(said).toContain("a.ts:3:8: error: 'm/x.ts' is neither relative nor bound with --bind\n");
    expect(gtc(["a.ts", "-o", "x"], { ...files, "a.ts": "import { x } from './b.ts';" }).said).toContain("a.ts:1:10: error: ./b.ts exports no 'x'\n");
  });
});
