// INT 10h for text mode: cursor, scrolling, characters and strings on up to eight pages of the screen at B8000. Modes other
// than text are remembered and not shown; there is no VESA BIOS. What is written as on a teletype goes to COM1 too when the
// machine has no screen that anybody sees.

import { dispatch, ENTER, FRAME } from './frame.ts';

const [MODE, COLUMNS, PAGE_BYTES, PAGE_START, CURSOR, SHAPE, PAGE, CRTC, ROWS] = [0x449, 0x44a, 0x44c, 0x44e, 0x450, 0x460, 0x462, 0x463, 0x484];

const FUNCTIONS = {
  0: 'set_mode', 1: 'set_shape', 2: 'set_cursor', 3: 'get_cursor', 5: 'set_page', 6: 'scroll_up', 7: 'scroll_down', 8: 'read_cell', 9: 'write_cells',
  0xa: 'write_characters', 0xe: 'teletype', 0xf: 'get_mode', 0x11: 'font', 0x12: 'alternate', 0x13: 'write_string', 0x1a: 'combination', 0x4f: 'no_vesa',
};

const MODES = `
set_mode:
  mov dl, al
  and dl, 0x7f
  mov [${MODE}], dl
  mov word ptr [${COLUMNS}], 80
  cmp dl, 2
  jae 1f
  mov word ptr [${COLUMNS}], 40
1:
  mov byte ptr [${ROWS}], 24
  mov word ptr [${PAGE_BYTES}], 0x1000
  mov word ptr [${PAGE_START}], 0
  mov byte ptr [${PAGE}], 0
  mov word ptr [${SHAPE}], 0x0607
  mov cx, 0xb800
  mov es, cx
  mov di, ${CURSOR}
  mov cx, 8
2:
  mov word ptr [di], 0
  add di, 2
  loop 2b
  test al, 0x80
  jnz 3f
  xor di, di
  mov ax, 0x0720
  mov cx, 0x4000
  rep stosw
3:
  mov ah, 0x0c
  xor cx, cx
  call crtc_pair
  mov ah, 0x0a
  mov cx, 0x0607
  call crtc_pair
  xor bh, bh
  call show_cursor
  mov byte ptr [bp + ${FRAME.eax}], 0x30
  jmp done

get_mode:
  mov al, [${MODE}]
  mov ah, [${COLUMNS}]
  mov [bp + ${FRAME.eax}], ax
  mov al, [${PAGE}]
  mov [bp + ${FRAME.ebx + 1}], al
  jmp done

set_page:
  and ax, 7
  mov [${PAGE}], al
  mul word ptr [${PAGE_BYTES}]
  mov [${PAGE_START}], ax
  shr ax, 1
  mov cx, ax
  mov ah, 0x0c
  call crtc_pair
  mov bh, [${PAGE}]
  call show_cursor
  jmp done

font:
  mov word ptr [bp + ${FRAME.ecx}], 16
  mov dl, [${ROWS}]
  mov [bp + ${FRAME.edx}], dl
  jmp done

alternate:
  mov byte ptr [bp + ${FRAME.eax}], 0x12
  cmp bl, 0x10
  jne done
  mov word ptr [bp + ${FRAME.ebx}], 3
  mov word ptr [bp + ${FRAME.ecx}], 9
  jmp done

combination:
  mov byte ptr [bp + ${FRAME.eax}], 0x1a
  mov word ptr [bp + ${FRAME.ebx}], 8
  jmp done

no_vesa:
  mov word ptr [bp + ${FRAME.eax}], 0x100
  jmp done
`;

const CURSORS = `
set_shape:
  mov [${SHAPE}], cx
  mov ah, 0x0a
  call crtc_pair
  jmp done

set_cursor:
  call at_cursor
  mov [si], dx
  call show_cursor
  jmp done

get_cursor:
  call at_cursor
  mov dx, [si]
  mov [bp + ${FRAME.edx}], dx
  mov dx, [${SHAPE}]
  mov [bp + ${FRAME.ecx}], dx
  jmp done

# SI: where the cursor of page BH is kept, column and row.
at_cursor:
  movzx si, bh
  and si, 7
  shl si, 1
  add si, ${CURSOR}
  ret

# Moves the cursor that is seen, if page BH is.
show_cursor:
  cmp bh, [${PAGE}]
  jne 1f
  call at_cursor
  mov al, [si + 1]
  mul byte ptr [${COLUMNS}]
  movzx cx, byte ptr [si]
  add cx, ax
  mov ax, [${PAGE_START}]
  shr ax, 1
  add cx, ax
  mov ah, 0x0e
  call crtc_pair
1:
  ret

# CRT controller registers AH and AH + 1 become CH and CL.
crtc_pair:
  mov dx, [${CRTC}]
  mov al, ah
  mov ah, ch
  out dx, ax
  inc al
  mov ah, cl
  out dx, ax
  ret

# ES:DI: the cell under the cursor of page BH.
cell:
  call at_cursor
  mov al, [si + 1]
  mul byte ptr [${COLUMNS}]
  movzx cx, byte ptr [si]
  add ax, cx
  shl ax, 1
  mov di, ax
  movzx ax, bh
  and ax, 7
  mul word ptr [${PAGE_BYTES}]
  add di, ax
  mov ax, 0xb800
  mov es, ax
  ret
`;

const SCROLLING = `
scroll_up:
  call window
  jmp 1f
scroll_down:
  call window
  push ax
  push dx
  mov al, ah
  xor ah, ah
  dec ax
  mul bx
  add di, ax
  pop dx
  pop ax
  neg bx
1:
  push ax
  push dx
  xor ah, ah
  imul bx
  mov si, ax
  pop dx
  pop ax
2:
  push di
  mov cx, dx
  cmp ah, al
  jbe 3f
  push si
  add si, di
  push ds
  push es
  pop ds
  rep movsw
  pop ds
  pop si
  jmp 4f
3:
  push ax
  mov ax, [bp + ${FRAME.ebx}]
  mov al, 0x20
  rep stosw
  pop ax
4:
  pop di
  add di, bx
  dec ah
  jnz 2b
  jmp done

# The window CH, CL to DH, DL: ES:DI its first cell, DX its width, AH its height, BX bytes from row to row, AL lines to scroll.
window:
  cmp dh, [${ROWS}]
  jbe 1f
  mov dh, [${ROWS}]
1:
  mov bx, [${COLUMNS}]
  cmp dl, bl
  jb 2f
  mov dl, bl
  dec dl
2:
  shl bx, 1
  mov ah, dh
  sub ah, ch
  jb 5f
  inc ah
  sub dl, cl
  jb 5f
  inc dl
  xor dh, dh
  test al, al
  jz 3f
  cmp al, ah
  jbe 4f
3:
  mov al, ah
4:
  push ax
  mov al, ch
  mul byte ptr [${COLUMNS}]
  xor ch, ch
  add ax, cx
  shl ax, 1
  add ax, [${PAGE_START}]
  mov di, ax
  mov ax, 0xb800
  mov es, ax
  pop ax
  ret
5:
  pop ax
  jmp done

# Page BH moves up by a line; the new one has the attribute of the old last one.
scroll_page:
  movzx ax, bh
  and ax, 7
  mul word ptr [${PAGE_BYTES}]
  mov di, ax
  mov dx, [${COLUMNS}]
  mov si, dx
  shl si, 1
  add si, di
  mov al, dl
  mul byte ptr [${ROWS}]
  mov cx, ax
  mov ax, 0xb800
  mov es, ax
  push ds
  mov ds, ax
  rep movsw
  pop ds
  mov ah, es:[di + 1]
  mov al, 0x20
  mov cx, dx
  rep stosw
  ret
`;

const WRITING = `
read_cell:
  call cell
  mov ax, es:[di]
  mov [bp + ${FRAME.eax}], ax
  jmp done

write_cells:
  call cell
  mov al, [bp + ${FRAME.eax}]
  mov ah, bl
  mov cx, [bp + ${FRAME.ecx}]
  rep stosw
  jmp done

write_characters:
  call cell
  mov al, [bp + ${FRAME.eax}]
  mov cx, [bp + ${FRAME.ecx}]
  jcxz done_here
1:
  stosb
  inc di
  loop 1b
done_here:
  jmp done

teletype:
  call put
  jmp done

# The character AL at the cursor of page BH, which moves on; the attributes stay. Keeps all registers but ES.
put:
  pusha
  call serial_copy
  call at_cursor
  mov dx, [si]
  cmp al, 7
  je 5f
  cmp al, 8
  je 1f
  cmp al, 10
  je 3f
  cmp al, 13
  je 2f
  push ax
  push dx
  call cell
  pop dx
  pop ax
  mov es:[di], al
  inc dl
  cmp dl, [${COLUMNS}]
  jb 4f
  xor dl, dl
  jmp 3f
1:
  cmp dl, 1
  adc dl, 0xff
  jmp 4f
2:
  xor dl, dl
  jmp 4f
3:
  inc dh
  cmp dh, [${ROWS}]
  jbe 4f
  mov dh, [${ROWS}]
  push dx
  call scroll_page
  pop dx
4:
  call at_cursor
  mov [si], dx
  call show_cursor
5:
  popa
  ret

serial_copy:
  cmp byte ptr cs:[serial_console], 0
  je 1f
  mov dx, 0x3f8
  out dx, al
1:
  ret

write_string:
  call at_cursor
  push word ptr [si]
  mov [si], dx
  mov si, [bp + ${FRAME.ebp}]
  jcxz 4f
1:
  mov es, [bp + ${FRAME.es}]
  mov al, es:[si]
  inc si
  test byte ptr [bp + ${FRAME.eax}], 2
  jz 2f
  mov bl, es:[si]
  inc si
2:
  cmp al, 0x0d
  ja 3f
  cmp al, 7
  jb 3f
  call put
  loop 1b
  jmp 4f
3:
  pusha
  call cell
  mov es:[di + 1], bl
  popa
  call put
  loop 1b
4:
  pop cx
  test byte ptr [bp + ${FRAME.eax}], 1
  jnz 5f
  call at_cursor
  mov [si], cx
5:
  call show_cursor
  jmp done
`;

export const VIDEO = `
int10:
${ENTER}
${dispatch(FUNCTIONS, 'done')}
${MODES}${CURSORS}${SCROLLING}${WRITING}
`;
