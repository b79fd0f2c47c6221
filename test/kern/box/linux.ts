// The few Linux system calls that the box stands on: i386 convention, arguments in registers.

export function linux(nr: i32, a: usize, b: usize, c: usize, d: usize, e: usize): i32 {
  let result: i32 = 0;
  asm`push ebx
      push esi
      push edi
      mov eax, ${nr}
      mov ebx, ${a}
      mov ecx, ${b}
      mov edx, ${c}
      mov esi, ${d}
      mov edi, ${e}
      int 0x80
      pop edi
      pop esi
      pop ebx
      mov ${result}, eax`;
  return result;
}

export const L_EXIT: i32 = 1;
export const L_READ: i32 = 3;
export const L_WRITE: i32 = 4;
export const L_OPEN: i32 = 5;
export const L_PREAD: i32 = 180;
export const L_PWRITE: i32 = 181;
export const L_LSEEK: i32 = 19;
export const L_RDWR: usize = 2;
