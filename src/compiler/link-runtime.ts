// Functions that generated code calls for what the machine has no instruction for: 64-bit division and variable shifts, f64
// to integer with truncation, memory copy and fill. Each is added to a program only when something refers to it. They keep
// to cdecl; 64-bit results are in edx:eax.
import { IrAsm, IrBlock, IrFunc, IrInst, Op } from "./ir.ts";

const ENTER: string = "push ebp\n mov ebp, esp\n push ebx\n push esi\n push edi\n";
const LEAVE: string = "pop edi\n pop esi\n pop ebx\n pop ebp\n ret\n";

// [ebp+8] by [ebp+16], unsigned: quotient edx:eax, remainder edi:esi. A divisor above 32 bits leaves a quotient below 2^32.
const DIVIDE: string =
  "mov eax, [ebp+8]\n mov edx, [ebp+12]\n cmp dword ptr [ebp+20], 0\n jne large\n" +
  "mov ecx, [ebp+16]\n mov edi, eax\n mov eax, edx\n xor edx, edx\n div ecx\n mov esi, eax\n mov eax, edi\n div ecx\n" +
  "mov edi, edx\n mov edx, esi\n mov esi, edi\n xor edi, edi\n jmp divided\n" +
  "large: mov esi, edx\n xor edi, edi\n xor edx, edx\n mov ecx, 32\n" +
  "step: shl eax, 1\n rcl esi, 1\n rcl edi, 1\n jc take\n cmp edi, [ebp+20]\n jb skip\n ja take\n cmp esi, [ebp+16]\n jb skip\n" +
  "take: sub esi, [ebp+16]\n sbb edi, [ebp+20]\n inc eax\n" +
  "skip: dec ecx\n jnz step\n" +
  "divided:\n";

// Make both operands positive; bit 0 of ebx: the quotient is negative, bit 1: the remainder is.
const SIGNS: string =
  "xor ebx, ebx\n cmp dword ptr [ebp+12], 0\n jge first\n" +
  "neg dword ptr [ebp+8]\n adc dword ptr [ebp+12], 0\n neg dword ptr [ebp+12]\n mov ebx, 3\n" +
  "first: cmp dword ptr [ebp+20], 0\n jge second\n" +
  "neg dword ptr [ebp+16]\n adc dword ptr [ebp+20], 0\n neg dword ptr [ebp+20]\n xor ebx, 1\n" +
  "second:\n";

const REMAINDER: string = "mov eax, esi\n mov edx, edi\n";
const NEGATE: string = "neg eax\n adc edx, 0\n neg edx\n";

const SHIFT_ARGS: string = "mov ecx, [esp+12]\n mov eax, [esp+4]\n mov edx, [esp+8]\n";

const COPY_ARGS: string =
  "push ebp\n mov ebp, esp\n push esi\n push edi\n mov edi, [ebp+8]\n mov esi, [ebp+12]\n mov ecx, [ebp+16]\n";

/** Names of the run-time functions, in the order in which they are placed. */
export function runtimeNames(): string[] {
  return ["__divdi3", "__udivdi3", "__moddi3", "__umoddi3", "__ashldi3", "__ashrdi3", "__lshrdi3", "__f2i", "__f2l", "__memmove", "__memset"];
}

function textOf(name: string): string {
  switch (name) {
    case "__divdi3": return ENTER + SIGNS + DIVIDE + "test ebx, 1\n jz positive\n" + NEGATE + "positive:\n" + LEAVE;
    case "__udivdi3": return ENTER + DIVIDE + LEAVE;
    case "__moddi3": return ENTER + SIGNS + DIVIDE + REMAINDER + "test ebx, 2\n jz positive\n" + NEGATE + "positive:\n" + LEAVE;
    case "__umoddi3": return ENTER + DIVIDE + REMAINDER + LEAVE;
    case "__ashldi3":
      return SHIFT_ARGS + "shld edx, eax, cl\n shl eax, cl\n test cl, 32\n jz below\n mov edx, eax\n xor eax, eax\n below: ret\n";
    case "__ashrdi3":
      return SHIFT_ARGS + "shrd eax, edx, cl\n sar edx, cl\n test cl, 32\n jz below\n mov eax, edx\n sar edx, 31\n below: ret\n";
    case "__lshrdi3":
      return SHIFT_ARGS + "shrd eax, edx, cl\n shr edx, cl\n test cl, 32\n jz below\n mov eax, edx\n xor edx, edx\n below: ret\n";
    case "__f2i": case "__f2l": return truncateText();
    case "__memmove": return copyText();
    default: return fillText();
  }
}

/** Truncate with the rounding field of the control word set to 11; out of range gives the integer indefinite. */
function truncateText(): string {
  return "fld qword ptr [esp+4]\n sub esp, 12\n fnstcw word ptr [esp]\n movzx eax, word ptr [esp]\n or eax, 0xC00\n" +
    "mov word ptr [esp+2], ax\n fldcw word ptr [esp+2]\n fistp qword ptr [esp+4]\n fldcw word ptr [esp]\n" +
    "mov eax, [esp+4]\n mov edx, [esp+8]\n add esp, 12\n ret\n";
}

/** Forwards in words, or backwards in bytes when the destination starts inside the source. */
function copyText(): string {
  return COPY_ARGS + "mov eax, edi\n sub eax, esi\n cmp eax, ecx\n jb backward\n" +
    "mov edx, ecx\n shr ecx, 2\n rep movsd\n mov ecx, edx\n and ecx, 3\n rep movsb\n pop edi\n pop esi\n pop ebp\n ret\n" +
    "backward: lea esi, [esi+ecx-1]\n lea edi, [edi+ecx-1]\n std\n rep movsb\n cld\n pop edi\n pop esi\n pop ebp\n ret\n";
}

function fillText(): string {
  return "push ebp\n mov ebp, esp\n push edi\n mov edi, [ebp+8]\n movzx eax, byte ptr [ebp+12]\n imul eax, eax, 0x01010101\n" +
    "mov edx, [ebp+16]\n mov ecx, edx\n shr ecx, 2\n rep stosd\n mov ecx, edx\n and ecx, 3\n rep stosb\n pop edi\n pop ebp\n ret\n";
}

/** The function as the code generator takes it. */
export function runtimeFunction(name: string): IrFunc {
  const asm = new IrAsm();
  asm.pieces.push(textOf(name));
  const i = new IrInst();
  i.op = Op.ASM;
  i.asm = asm;
  const b = new IrBlock();
  b.insts.push(i);
  const f = new IrFunc();
  f.name = name;
  f.naked = true;
  f.blocks.push(b);
  return f;
}
