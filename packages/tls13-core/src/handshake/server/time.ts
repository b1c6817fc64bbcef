/** Time as tickets and cookies keep it: whole seconds since 1970. */

export function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
