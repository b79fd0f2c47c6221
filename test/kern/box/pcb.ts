export class Pcb { unused: i32 = 0; }
