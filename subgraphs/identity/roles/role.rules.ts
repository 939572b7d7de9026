import { Refusal } from '../../../schema/errors.ts';
import {
  allow,
  isRole,
  namedBy,
  PERMISSIONS,
  type Permission,
  PLATFORM_PERMISSIONS,
  permissionsOf,
  withhold,
} from '../../../schema/permissions.ts';
import { text } from '../../../schema/words.ts';

/** What a role an ISP made says; a built-in one is code. */
export interface RoleTerms {
  key: string;
  name: string;
  /** Key of the role it begins from. */
  basedOn: string | null;
  adds: readonly string[];
  removes: readonly string[];
  /** How many members may have it; null without end. */
  maxMembers: number | null;
}

/** The own roles of a tenant by key. */
export type OwnRoles = ReadonlyMap<string, RoleTerms>;

export const NO_ROLES: OwnRoles = new Map();

/** How often roles may stand on one another: a role on a role on a role on a built-in one. */
const MAX_LEVELS = 3;
export const MAX_OWN_ROLES = 50;
const MAX_PATTERNS = 60;

/**
 * What one role allows before the tenant narrows it: (`basedOn` ∪ `adds`) − `removes` (identity R1). A key that names no
 * role allows nothing, and neither does what lies deeper than three levels.
 */
export function permissionsOfRole(key: string, own: OwnRoles): Set<Permission> {
  const held = new Set<Permission>();
  allowRole(held, key, own, MAX_LEVELS);
  return held;
}

function allowRole(held: Set<Permission>, key: string, own: OwnRoles, levels: number): void {
  if (isRole(key)) for (const permission of permissionsOf([key])) held.add(permission);
  const role = isRole(key) ? undefined : own.get(key);
  if (!role) return;
  if (role.basedOn && levels > 0) allowRole(held, role.basedOn, own, levels - 1);
  allow(held, role.adds);
  withhold(held, role.removes);
}

/** Whether a role is the named one or stands on it. */
export function standsOn(key: string, base: string, own: OwnRoles): boolean {
  for (let at: string | null = key, left = MAX_LEVELS; at && left >= 0; at = own.get(at)?.basedOn ?? null, left -= 1)
    if (at === base) return true;
  return false;
}

export type AskedRole = { -readonly [K in keyof RoleTerms]: RoleTerms[K] };

/**
 * Checks what a role shall say, in the tenant whose other roles are `own`; texts trimmed, patterns once each.
 * Refuses with INVALID and the field: a key of another form or of a built-in role, a pattern that names nothing, a
 * permission of the platform in an ISP, a base that does not exist, a circle, a fourth level, and `read` taken away where
 * `manage`, which contains it, stays.
 */
export function checkRole(asked: AskedRole, own: OwnRoles, isPlatform: boolean): RoleTerms {
  const role = { ...asked, name: text(asked.name, 80, 'name', { name: 'A name' }) };
  if (!/^[a-z][a-z0-9_]{2,39}$/.test(role.key))
    throw invalid('A key has 3 to 40 small letters, digits and underscores, a letter first.', 'key');
  if (isRole(role.key)) throw invalid(`${role.key} is a built-in role and does not change.`, 'key');
  if (role.maxMembers !== null && (role.maxMembers < 1 || role.maxMembers > 1_000_000))
    throw invalid('A role has room for 1 to 1,000,000 members.', 'maxMembers');
  role.adds = checkPatterns(role.adds, 'adds', isPlatform);
  role.removes = checkPatterns(role.removes, 'removes', isPlatform);
  const all = new Map([...own, [role.key, role]]);
  checkBase(role, all, isPlatform);
  const held = permissionsOfRole(role.key, all);
  for (const permission of held) {
    const read = permission.replace(/\.manage$/, '.read') as Permission;
    if (read !== permission && PERMISSIONS.includes(read) && !held.has(read))
      throw invalid(`${permission} contains ${read}: remove both or none.`, 'removes');
  }
  return role;
}

const invalid = (sentence: string, field: string) => new Refusal('INVALID', sentence, field);

function checkPatterns(patterns: readonly string[], field: string, isPlatform: boolean): string[] {
  if (patterns.length > MAX_PATTERNS) throw invalid(`A role has at most ${MAX_PATTERNS} patterns.`, field);
  for (const pattern of patterns) {
    const named = namedBy(pattern);
    if (named.length === 0) throw invalid(`There is no permission ${pattern.slice(0, 80)}.`, field);
    if (!isPlatform && named.every((permission) => PLATFORM_PERMISSIONS.includes(permission)))
      throw invalid(`${pattern} is held on the platform only.`, field);
  }
  return [...new Set(patterns)];
}

function checkBase(role: RoleTerms, all: OwnRoles, isPlatform: boolean): void {
  const seen = [role.key];
  for (let base = role.basedOn; base !== null; base = all.get(base)?.basedOn ?? null) {
    if (seen.includes(base)) throw invalid(`${role.key} would stand on itself.`, 'basedOn');
    if (!all.has(base) && !isBase(base, isPlatform)) throw invalid(`There is no role ${base.slice(0, 40)}.`, 'basedOn');
    if (seen.length > MAX_LEVELS) throw invalid(`Roles stand at most ${MAX_LEVELS} levels deep.`, 'basedOn');
    seen.push(base);
  }
  for (const key of all.keys())
    if (standsOn(key, role.key, all) && levelsOf(key, all) > MAX_LEVELS)
      throw invalid(`Roles stand at most ${MAX_LEVELS} levels deep.`, 'basedOn');
}

/** A subscriber's role is the portal's own; the platform's is nobody else's. */
const isBase = (key: string, isPlatform: boolean) =>
  isRole(key) && key !== 'customer' && (isPlatform || key !== 'platform_admin');

function levelsOf(key: string, own: OwnRoles): number {
  let levels = 0;
  for (let base = own.get(key)?.basedOn ?? null; base !== null && levels <= MAX_LEVELS; levels += 1)
    base = own.get(base)?.basedOn ?? null;
  return levels;
}
