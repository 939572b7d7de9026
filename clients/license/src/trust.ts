import type { KeyObject } from 'node:crypto';
import { isObject, kidOf, openJws, publicKeyOf } from './jws.ts';

/** Clocks of two machines may differ by this much, seconds. */
export const SKEW_S = 300;
/** More statements than this are not kept: the platform has three or four keys at a time. */
const MAX_KEYS = 16;

/** The roots of development and test. Everybody knows their private halves: what they state is worth nothing. */
const DEVELOPMENT_ROOTS = [
  'wbXE_B-ADWnHGShvVySAQaczfHXCyuge4F0M-H0FZnM',
  'T04L1qBmClR81uXYx7mlTExzNAI50_NaU7z3td5VGEY',
];

interface Stated {
  key: KeyObject;
  /** Seconds since 1970 between which the key is believed. */
  from: number;
  until: number;
  statement: string;
}

/** The keys a root has stated. What a key set says beside the statements counts for nothing. */
export class TrustedKeys {
  private readonly roots = new Map<string, KeyObject>();
  private readonly stated = new Map<string, Stated>();
  /** Why no key can be trusted at all. */
  readonly fault: string | undefined;

  constructor(rootKeys: readonly string[], isDevelopment: boolean) {
    for (const x of rootKeys) {
      const key = publicKeyOf(x);
      if (key && (isDevelopment || !DEVELOPMENT_ROOTS.includes(x))) this.roots.set(kidOf(x), key);
      else if (key) this.fault = 'A root key of development is pinned outside development.';
    }
    if (this.roots.size === 0) this.fault ??= 'No root key is pinned.';
  }

  /** Takes over every statement of a key set that a pinned root has signed. Whatever else the text holds is passed over. */
  learn(keySet: unknown): void {
    const keys = isObject(keySet) && Array.isArray(keySet.keys) ? keySet.keys.slice(0, MAX_KEYS) : [];
    for (const key of keys) if (isObject(key)) this.believe(key.statement);
  }

  /** Takes over one statement; false for one that no pinned root has signed. */
  believe(statement: unknown): boolean {
    const { payload } = openJws(statement, 'isp-license-key+jwt', (kid) => this.roots.get(kid));
    if (!payload) return false;
    const { kid, x, iat, exp } = payload;
    const key = publicKeyOf(x);
    if (!key || kid !== kidOf(String(x)) || !Number.isSafeInteger(iat) || !Number.isSafeInteger(exp)) return false;
    this.stated.delete(kid);
    this.stated.set(kid, { key, from: Number(iat), until: Number(exp), statement: String(statement) });
    if (this.stated.size > MAX_KEYS) this.stated.delete(this.stated.keys().next().value as string);
    return true;
  }

  /** The key of a name, if it is believed at an instant (seconds since 1970). */
  at(kid: string, now: number): KeyObject | undefined {
    const found = this.stated.get(kid);
    return found && found.from - SKEW_S <= now && now < found.until ? found.key : undefined;
  }

  get statements(): string[] {
    return [...this.stated.values()].map(({ statement }) => statement);
  }
}
