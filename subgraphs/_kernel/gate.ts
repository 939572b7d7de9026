import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
} from 'graphql';
import type { DoorMarks } from '../../schema/directives.ts';
import { ClientError, deniedSentence, forbidden, tenantSuspended, unauthenticated } from '../../schema/errors.ts';
import type { Feature, FeatureAccess } from '../../schema/features.ts';
import { REFUSALS, WITHHELD_WHILE_ACTING } from '../../schema/permissions.ts';
import type { Context } from './context.ts';
import { inFinerSpan } from './telemetry.ts';

/** Whether an access opens a door: FULL opens everything, READ only what changes nothing. */
const opens = (access: FeatureAccess, isWrite: boolean) => access === 'FULL' || (access === 'READ' && !isWrite);

/** Whether a gate only observes here: it lets pass what is simply not in the plan, as far as the licence's state does. */
const isObserved = (ctx: Context, feature: Feature, isWrite: boolean) =>
  ctx.access(feature).reason === 'NOT_IN_PLAN' && opens(ctx.observed, isWrite);

/** Whether the licence lets the feature be used. Asked for doors, streams, jobs and exports alike. */
export function mayUse(ctx: Context, feature: Feature, isWrite: boolean): boolean {
  return opens(ctx.access(feature).access, isWrite) || isObserved(ctx, feature, isWrite);
}

/**
 * Refuses a caller whose licence does not open the feature, and says why. Where gates only observe, what would have been
 * refused goes back to the gateway with the door it was asked at, `Type.field`.
 */
export function requireFeature(ctx: Context, feature: Feature, isWrite: boolean, coordinate: string): void {
  const { access, reason = 'NOT_IN_PLAN' } = ctx.access(feature);
  if (opens(access, isWrite)) return;
  if (isObserved(ctx, feature, isWrite)) {
    ctx.reply.observed ??= {};
    ctx.reply.observed[feature] ??= coordinate;
    return;
  }
  throw new ClientError('FEATURE_NOT_LICENSED', deniedSentence(reason, feature), {
    feature,
    reason,
    coordinate,
    licenseVersion: ctx.envelope.licenseVersion,
  });
}

/** From licence state RESTRICTED on, a core mutation that is not a continuity door is refused with feature `core`. */
function requireCore(ctx: Context): void {
  if (ctx.core === 'FULL') return;
  const reason = ctx.envelope.coreReason ?? 'RESTRICTED';
  throw new ClientError('FEATURE_NOT_LICENSED', deniedSentence(reason, 'core'), {
    feature: 'core',
    reason,
    licenseVersion: ctx.envelope.licenseVersion,
  });
}

/** Lets the caller through one door, `Type.field`, or throws why not. Sign-in first, then licence, then permission. */
export function enter(ctx: Context, marks: DoorMarks, isWrite: boolean, coordinate: string): void {
  const { caller, tenantId } = ctx.envelope;
  if (marks.internal) {
    if (caller.kind !== 'GATEWAY') throw unauthenticated();
    return;
  }
  requireNothingFirst(ctx, marks);
  if (marks.open === undefined) {
    if (caller.kind === 'ANONYMOUS') throw unauthenticated();
    if (!tenantId) throw unauthenticated('NO_TENANT');
  }
  refuseWhoActs(ctx, marks, isWrite);
  if (marks.open === undefined) refuseSuspended(ctx, marks);
  if (marks.feature) requireFeature(ctx, marks.feature, isWrite, coordinate);
  else if (isWrite && marks.open === undefined && !marks.continuity) requireCore(ctx);
  const isOwner = marks.orOwn && ctx.envelope.customerId !== undefined;
  if (marks.permission && !isOwner && !ctx.can(marks.permission)) throw forbidden(REFUSALS[marks.permission]);
  if (isWrite && ctx.envelope.isReadOnly && marks.open === undefined && !marks.whileClosing)
    throw new ClientError('FORBIDDEN', 'Nothing can be changed here at the moment.', { reason: 'TENANT_READ_ONLY' });
  if (marks.strong) requireStrongProof(ctx);
}

/** Refuses a caller who must do something first, and says what. */
function requireNothingFirst(ctx: Context, marks: DoorMarks): void {
  const [reason] = ctx.envelope.mustDo ?? [];
  if (reason === undefined || marks.whileMustDo) return;
  throw new ClientError('FORBIDDEN', 'Please set up a second factor first.', { reason });
}

/**
 * Refuses what nobody does in another person's name, and to whoever only looks every change (identity R17). It comes
 * before licence and permission, so that support learns why a door is shut to them which the person could open.
 */
function refuseWhoActs(ctx: Context, marks: DoorMarks, isWrite: boolean): void {
  const isWithheld = marks.notActing || (marks.permission && WITHHELD_WHILE_ACTING.includes(marks.permission));
  if (!isWrite && !isWithheld) return; // who asks is not looked at: the answer may be anybody's
  const { actingFor } = ctx.envelope;
  if (!actingFor) return;
  if (isWrite && actingFor.mode === 'READ')
    throw new ClientError('FORBIDDEN', 'You are only looking over their shoulder.', {
      reason: 'IMPERSONATION_READ_ONLY',
    });
  if (isWithheld)
    throw new ClientError('FORBIDDEN', 'Only the person themselves may do this.', { reason: 'IMPERSONATION' });
}

/** In a suspended tenant nothing is open but the doors that say so, and those to the few who may settle its affairs. */
function refuseSuspended(ctx: Context, marks: DoorMarks): void {
  const { suspended } = ctx.envelope;
  if (!suspended || (suspended === 'PARTLY' && marks.whileSuspended)) return;
  throw tenantSuspended();
}

/** How long a strong proof counts, milliseconds. */
const STRONG_MS = 600_000;

/** Refuses a caller whose last strong proof is older than ten minutes, and says what they can prove themselves with. */
function requireStrongProof(ctx: Context): void {
  const { caller, strongAt, proofs = [] } = ctx.envelope;
  if (caller.kind === 'ANONYMOUS') throw unauthenticated();
  if (strongAt !== undefined && Date.now() - strongAt * 1_000 <= STRONG_MS) return;
  throw new ClientError('FORBIDDEN', 'Please prove again that it is you.', { reason: 'STEP_UP', methods: proofs });
}

/** Whether something says who may come in. A door without it stays shut: permissions deny by default. */
export const isMarked = (marks: DoorMarks): boolean =>
  Boolean(marks.internal || marks.permission || marks.signedIn) || marks.open !== undefined;

/** The marks of a field: its own, and the feature of the type it stands on or returns. */
export function marksOf(type: GraphQLObjectType, field: GraphQLField<unknown, Context>): DoorMarks {
  const own = field.extensions as DoorMarks;
  const returned = getNamedType(field.type);
  const inherited =
    (type.extensions as DoorMarks).feature ??
    (isObjectType(returned) ? (returned.extensions as DoorMarks).feature : undefined);
  return own.feature || !inherited ? own : { ...own, feature: inherited };
}

const ROOTS = ['Query', 'Mutation', 'Subscription'];

/**
 * Sets the gate before every door of a schema: root fields, fields added to a type another subgraph owns (`foreign`),
 * fields with marks of their own, every field of a gated type and every field that returns one.
 * Throws at start if a door says nothing about who may enter.
 */
export function gateSchema(
  schema: GraphQLSchema,
  marked: GraphQLSchema,
  foreign: ReadonlySet<string>,
  always: Pick<DoorMarks, 'whileSuspended'> = {},
): void {
  for (const type of Object.values(schema.getTypeMap())) {
    const source = marked.getType(type.name);
    if (!isObjectType(type) || !isObjectType(source)) continue;
    for (const field of Object.values(type.getFields())) {
      const declared = source.getFields()[field.name];
      if (!declared) continue;
      const marks = { ...always, ...marksOf(source, declared) };
      const isDoor =
        ROOTS.includes(type.name) ||
        (foreign.has(type.name) &&
          !declared.astNode?.directives?.some((d) => d.name.value === 'external') &&
          !isKey(source, field.name));
      if (isDoor && !isMarked(marks)) throw new Error(`${type.name}.${field.name} is a door that names no permission.`);
      if (isMarked(marks) || marks.feature) gateField(field as GraphQLField<unknown, Context>, marks, type.name);
    }
  }
}

const isKey = (type: GraphQLObjectType, field: string): boolean =>
  type.astNode?.directives?.some(
    (d) =>
      d.name.value === 'key' &&
      d.arguments?.some((a) => 'value' in a.value && ` ${String(a.value.value)} `.includes(` ${field} `)),
  ) ?? false;

function gateField(field: GraphQLField<unknown, Context>, marks: DoorMarks, typeName: string): void {
  const isWrite = typeName === 'Mutation';
  const coordinate = `${typeName}.${field.name}`;
  if (typeName === 'Subscription') {
    const subscribe = field.subscribe;
    field.subscribe = (source, args, ctx, info) => {
      enter(ctx, marks, false, coordinate);
      return subscribe?.(source, args, ctx, info);
    };
    return;
  }
  const resolve = field.resolve ?? defaultFieldResolver;
  // A field of a gated type is asked by someone already inside: only the licence is looked at again.
  const isInner = !isMarked(marks) && marks.feature !== undefined;
  field.resolve = (source, args, ctx, info) => {
    if (isInner) requireFeature(ctx, marks.feature as Feature, false, coordinate);
    else enter(ctx, marks, isWrite, coordinate);
    if (!isWrite) return resolve(source, args, ctx, info);
    return inFinerSpan(`use case ${field.name}`, async () => resolve(source, args, ctx, info));
  };
}
