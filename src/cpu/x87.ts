// The x87 as microcode: all effects of the D8..DF, FWAIT and FXSAVE rows of the ISA table. x87Effects names every effect
// (the `does` column); for each there is `throws fn x87_NAME(ip: i32)`. When it runs, #NM has been checked and the linear
// address of a memory operand is in `ea` (segment-checked, not yet touched); rd8..rd64 and wr8..wr64 access it. Micro-op
// fields: m32[imm : ip] = opcode byte << 8 | ModRM, aux = operand size in bytes, aux2 = segment register of the operand.
// Results are exact 80-bit results; an instruction that faults has changed nothing.
import { x87ArithmeticText } from './x87-arithmetic.ts';
import { x87ControlText } from './x87-control.ts';
import { x87MoveText } from './x87-move.ts';
import { x87TranscendentalText } from './x87-transcendental.ts';
import { x87ValuesText } from './x87-values.ts';

export const x87Text = [x87ValuesText, x87MoveText, x87ArithmeticText, x87TranscendentalText, x87ControlText].join('\n');

/** Effects that x87Text defines. */
export const x87Effects: string[] = [...x87Text.matchAll(/^throws fn x87_(\w+)\(ip: i32\)/gm)].map((m) => m[1]!);
