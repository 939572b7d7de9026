import { Directive, Extensions } from 'type-graphql';
import type { Feature } from './features.ts';
import type { Permission } from './permissions.ts';
import { QUEUED } from './tags.ts';

/** Our directives stand in a specification of our own, so that composition keeps them in the supergraph. */
export const LICENSING_SPEC = 'https://specs.dotmac.io/licensing/v1.0';

export const DIRECTIVE_DEFINITIONS = /* GraphQL */ `
  "The value is there only for tenants whose licence holds the feature; for others it is null, with an error FEATURE_NOT_LICENSED."
  directive @requiresFeature(feature: String!) on OBJECT | FIELD_DEFINITION
  "A mutation of the core that stays open from licence state RESTRICTED on."
  directive @continuity on FIELD_DEFINITION
`;

/** What the decorators below leave in a field's or a type's extensions; `gate.ts` enforces it. */
export interface DoorMarks {
  feature?: Feature;
  permission?: Permission;
  /** A portal customer may enter too: row policies keep it to what is its own. */
  orOwn?: boolean;
  open?: string;
  continuity?: boolean;
  internal?: boolean;
  signedIn?: boolean;
  /** Asks for a strong proof of who the caller is, at most ten minutes old. */
  strong?: boolean;
  /** Open while the tenant is read-only because it is closing. */
  whileClosing?: boolean;
  /** Open to whoever must do something first: what does it, and what leads out. */
  whileMustDo?: boolean;
  /** Open in a suspended tenant to those who may settle its affairs. */
  whileSuspended?: boolean;
  /** Shut to an operator who acts in another person's name. */
  notActing?: boolean;
}

export type Decorator = ClassDecorator & PropertyDecorator & MethodDecorator;

/** Several decorators as one. */
export function both(...decorators: Decorator[]): Decorator {
  return ((target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    for (const decorate of decorators) (decorate as (...args: unknown[]) => void)(target, key, descriptor);
  }) as Decorator;
}

const mark = (marks: DoorMarks) => Extensions(marks as Record<string, unknown>) as Decorator;

/** The door, or every field of the type, opens only to tenants licensed for the feature. */
export function RequiresFeature(feature: Feature): Decorator {
  return both(Directive(`@requiresFeature(feature: "${feature}")`) as Decorator, mark({ feature }));
}

/** The caller needs this permission; with `orOwn` a portal customer may enter too, whom row policies keep to its own. */
export function RequiresPermission(permission: Permission, { orOwn = false } = {}): Decorator {
  return mark({ permission, orOwn });
}

/** Any signed-in principal of a tenant may enter, portal customers included. */
export const SignedIn = (): Decorator => mark({ signedIn: true });

/**
 * The caller must have proved who they are within the last ten minutes (identity R11); otherwise FORBIDDEN, reason
 * STEP_UP, with the methods `stepUp` takes from them. So nobody enters in another person's name either.
 */
export const RequiresStrongProof = (): Decorator => mark({ strong: true, notActing: true });

/** A mutation that stays open while the tenant is closing; every other one is refused then. */
export const WhileClosing = (): Decorator => mark({ whileClosing: true });

/** Open also to whoever must do something before anything else is open to them (identity R11). */
export const WhileMustDo = (): Decorator => mark({ whileMustDo: true });

/** Stays open to an administrator and a billing manager of a suspended tenant; every other door is shut (tenancy R7). */
export const WhileSuspended = (): Decorator => mark({ whileSuspended: true });

/** Refused with reason IMPERSONATION to whoever acts in another person's name, whatever the mode (identity R17). */
export const NotWhileActing = (): Decorator => mark({ notActing: true });

/** A core mutation that stays open when the licence is RESTRICTED or worse. */
export function Continuity(): Decorator {
  return both(Directive('@continuity') as Decorator, mark({ continuity: true }));
}

/** Anyone may enter, signed in or not. The reason is read by the test of the doors. */
export const OpenDoor = (reason: string): Decorator => mark({ open: reason });

/** For the gateway itself: not part of the API schema, and refused to every other caller. */
export function Internal(): Decorator {
  return both(Directive('@inaccessible') as Decorator, mark({ internal: true }));
}

/**
 * What one value of the field costs an operation; an object otherwise costs 1 and a scalar nothing. For what is dearer
 * to answer than a row that is read: a count, a sum, a search.
 * @param weight a whole number of rows' worth.
 */
export const Cost = (weight: number): Decorator => Directive(`@cost(weight: ${weight})`) as Decorator;

/**
 * Its work waits for its turn in a queue of its subgraph's own, which turns away what is too much: what waits there takes no
 * place among what a gateway runs at once.
 */
export const Queued = (): Decorator => Directive(`@tag(name: "${QUEUED}")`) as Decorator;

/** How many entries a list without pages is taken to hold when an operation is priced. Pages say it by their `first`. */
export const ListSize = (assumedSize: number): Decorator =>
  Directive(`@listSize(assumedSize: ${assumedSize})`) as Decorator;
