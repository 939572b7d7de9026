/** Which copies hang on what: most things have one, and a few have thousands. */
export class Hangings {
  private readonly ids = new Map<string, string | Set<string>>();

  add(subject: string, id: string): void {
    const others = this.ids.get(subject);
    if (others === undefined || others === id) this.ids.set(subject, id);
    else if (typeof others === 'string') this.ids.set(subject, new Set([others, id]));
    else others.add(id);
  }

  remove(subject: string, id: string): void {
    const others = this.ids.get(subject);
    if (others === id) this.ids.delete(subject);
    else if (others instanceof Set && others.delete(id) && others.size === 0) this.ids.delete(subject);
  }

  of(subject: string): readonly string[] {
    const others = this.ids.get(subject);
    return typeof others === 'string' ? [others] : [...(others ?? [])];
  }

  get size(): number {
    return this.ids.size;
  }
}
