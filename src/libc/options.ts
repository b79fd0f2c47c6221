// The options of a command as getopt has them: letters after a minus, alone or together, a value in the same word or the next one. The
// first word without a minus, a minus alone, or -- ends them.

/** The value of the option that nextOption returned last. */
export let optionValue: string = "";
/** Where the arguments behind the options begin, once nextOption has returned 0. */
export let afterOptions: i32 = 1;
let inside: i32 = 0;         // place in the word at afterOptions; 0: at its beginning

/**
 * The next option's letter, 0 behind the last, or -1 for one that is not in `letters` or lacks its value. A letter that takes
 * a value has a colon behind it.
 */
export function nextOption(args: string[], letters: string): i32 {
  optionValue = "";
  if (inside == 0) {
    if (afterOptions >= args.length || args[afterOptions]!.length < 2 || args[afterOptions]!.charCodeAt(0) != 45) return 0;
    if (args[afterOptions] == "--") {
      afterOptions++;
      return 0;
    }
    inside = 1;
  }
  const word = args[afterOptions]!;
  const letter = word.charCodeAt(inside++);
  const at = letter == 58 ? -1 : letters.indexOf(String.fromCharCode(letter));
  if (at < 0) return -1;
  const valued = at + 1 < letters.length && letters.charCodeAt(at + 1) == 58;
  if (valued && inside == word.length && afterOptions + 1 == args.length) return -1;
  if (valued) optionValue = inside < word.length ? word.substring(inside) : args[++afterOptions]!;
  if (valued || inside == word.length) {
    afterOptions++;
    inside = 0;
  }
  return letter;
}
