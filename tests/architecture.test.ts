import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Supergraph } from '@apollo/federation-internals';
import { buildSchema as buildGraphQLSchema, findBreakingChanges, type GraphQLField, isObjectType } from 'graphql';
import pg from 'pg';
import type { DoorMarks } from '../schema/directives.ts';
import { FEATURES, isFeature } from '../schema/features.ts';
import { PERMISSIONS } from '../schema/permissions.ts';
import { isMarked, marksOf } from '../subgraphs/_kernel/gate.ts';
import { defineSubgraph, type Subgraph } from '../subgraphs/_kernel/subgraph.ts';
import { compose } from '../subgraphs/compose.ts';
import { SUBGRAPHS } from '../subgraphs/index.ts';
import { openWorld, type World } from './setup/world.ts';

const ROOT = resolve(import.meta.dirname, '..');
const DOMAINS = SUBGRAPHS.map(({ name }) => name);

function filesUnder(dir: string): string[] {
  return readdirSync(join(ROOT, dir), { recursive: true, encoding: 'utf8' })
    .map((file) => join(dir, file))
    .filter((file) => /\.tsx?$/.test(file));
}

interface Import {
  from: string;
  to: string;
}

/** Every relative import of the source, both ends relative to the root. */
function imports(): Import[] {
  return ['schema', 'subgraphs', 'gateway', 'clients'].flatMap(filesUnder).flatMap((from) => {
    const text = readFileSync(join(ROOT, from), 'utf8');
    return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)].map((found) => ({
      from,
      to: relative(ROOT, resolve(ROOT, dirname(from), found[1] as string)),
    }));
  });
}

const folderOf = (file: string) => {
  const [top, second] = file.split('/');
  if (top !== 'subgraphs') return top as string;
  return second === '_kernel' || DOMAINS.includes(second as string) ? `subgraphs/${second}` : 'subgraphs';
};

describe('walls', () => {
  const crossings = (allowed: (found: Import) => boolean) =>
    imports()
      .filter((found) => !allowed(found))
      .map(({ from, to }) => `${from} imports ${to}`);

  test('a domain imports the schema, the kernel and itself, never another domain', () => {
    const isDomain = (folder: string) => folder.startsWith('subgraphs/') && folder !== 'subgraphs/_kernel';
    expect(
      crossings(
        ({ from, to }) =>
          !isDomain(folderOf(from)) || ['schema', 'subgraphs/_kernel', folderOf(from)].includes(folderOf(to)),
      ),
    ).toEqual([]);
  });

  test('the schema imports nothing of ours, the kernel only the schema', () => {
    expect(crossings(({ from, to }) => folderOf(from) !== 'schema' || folderOf(to) === 'schema')).toEqual([]);
    expect(
      crossings(
        ({ from, to }) =>
          folderOf(from) !== 'subgraphs/_kernel' || ['schema', 'subgraphs/_kernel'].includes(folderOf(to)),
      ),
    ).toEqual([]);
  });

  test('only the gateway’s entry takes the list of subgraphs', () => {
    expect(
      crossings(
        ({ from, to }) =>
          folderOf(from) !== 'gateway' ||
          ['schema', 'subgraphs/_kernel', 'gateway'].includes(folderOf(to)) ||
          (from === 'gateway/index.ts' && folderOf(to) === 'subgraphs'),
      ),
    ).toEqual([]);
  });

  test('a client takes nothing of ours but itself, and what frontends copy nothing of the example', () => {
    const inPortal = (file: string) => file.startsWith('clients/portal/');
    expect(
      crossings(
        ({ from, to }) => folderOf(from) !== 'clients' || (inPortal(from) ? inPortal(to) : folderOf(to) === 'clients'),
      ),
    ).toEqual([]);
    expect(crossings(({ from, to }) => folderOf(from) === 'clients' || folderOf(to) !== 'clients')).toEqual([]);
  });

  test('inside a domain imports point from resolver to service to rules, and rules know only the schema', () => {
    const role = (file: string) => /\.(rules|service|resolver|entity)\.ts$/.exec(file)?.[1];
    const forbidden: Record<string, string[]> = {
      rules: ['service', 'resolver', 'entity'],
      service: ['resolver'],
      entity: ['service', 'resolver'],
    };
    expect(crossings(({ from, to }) => !forbidden[role(from) ?? '']?.includes(role(to) ?? ''))).toEqual([]);
    expect(
      crossings(
        ({ from, to }) =>
          role(from) !== 'rules' || !from.startsWith('subgraphs/') || folderOf(to) === 'schema' || role(to) === 'rules',
      ),
    ).toEqual([]);
  });
});

/** Doors that need no sign-in, each with the reason it gives in its mark. Adding one is a decision. */
const OPEN_DOORS = [
  // Who signs in has not signed in yet; who holds a token without tenant still has a self.
  'Mutation.acceptInvitation',
  'Mutation.activateAccount',
  'Mutation.addPasskey',
  'Mutation.answerChallenge',
  'Mutation.changeEmail',
  'Mutation.changePassword',
  'Mutation.confirmTotp',
  'Mutation.createSocketTicket',
  'Mutation.enrolTotp',
  'Mutation.endOtherSessions',
  'Mutation.endSession',
  'Mutation.eraseMyAccount',
  'Mutation.leaveTenant',
  'Mutation.linkIdentity',
  'Mutation.lockMyAccount',
  'Mutation.proveEmail',
  'Mutation.redeemSignIn',
  'Mutation.refreshSession',
  'Mutation.registerUser',
  'Mutation.removePasskey',
  'Mutation.removeTotp',
  'Mutation.renewRecoveryCodes',
  'Mutation.requestPasswordReset',
  'Mutation.resetPassword',
  'Mutation.revokeLeakedKey',
  'Mutation.signIn',
  'Mutation.signOut',
  'Mutation.startOAuth',
  'Mutation.startPasskey',
  'Mutation.startPasskeySignIn',
  'Mutation.stepUp',
  'Mutation.switchTenant',
  'Mutation.unlinkIdentity',
  'Mutation.updateMyProfile',
  'Query.me',
  'Query.mySessions',
  'Query.mySignIns',
  'Query.signInMethods',
  'Subscription.mySessionEnded',
  // Who signs up has no account yet, and follows the setting up with a ticket.
  'Mutation.confirmSignUp',
  'Mutation.signUp',
  'Query.provisioning',
  'Query.slugAvailable',
  'Subscription.provisioningProgress',
  // Whoever is invited looks at it before they have signed in.
  'Query.invitation',
  // A portal shows whose it is before anybody has signed in.
  'Query.brandingForHost',
  // Whoever carries a licence file must be able to check it, signed in or not.
  'Query.licenseKeySet',
  'Query.licenseRevocationList',
  // Whoever was given a certificate of deletion must be able to check it.
  'Query.verifyDeletionCertificate',
  // What is for sale may be looked at.
  'Query.addOns',
  'Query.plan',
  'Query.plans',
];

describe('doors', () => {
  let subgraphs: Subgraph[];
  beforeAll(async () => {
    subgraphs = await Promise.all(SUBGRAPHS.map(defineSubgraph));
  });

  const doors = () =>
    subgraphs.flatMap(({ name, marked, foreign }) =>
      Object.values(marked.getTypeMap())
        .filter(isObjectType)
        .flatMap((type) =>
          Object.values(type.getFields()).map((field) => ({
            subgraph: name,
            coordinate: `${type.name}.${field.name}`,
            isRoot: ['Query', 'Mutation', 'Subscription'].includes(type.name),
            isForeign: foreign.has(type.name),
            marks: marksOf(type, field as GraphQLField<unknown, never> as never),
            field,
          })),
        ),
    );

  test('every root field says who may enter, and every open door is on the list', () => {
    const roots = doors().filter(({ isRoot }) => isRoot);
    expect(roots.length).toBeGreaterThan(60);
    expect(roots.filter(({ marks }) => !isMarked(marks)).map(({ coordinate }) => coordinate)).toEqual([]);
    const open = roots.filter(({ marks }) => marks.open !== undefined);
    expect(open.map(({ coordinate }) => coordinate).sort()).toEqual([...OPEN_DOORS].sort());
    for (const { marks } of open) expect(marks.open?.length).toBeGreaterThan(5);
  });

  test('a domain that a licence opens gates every door, or marks it open with a reason of its own', () => {
    const gated = new Map(SUBGRAPHS.filter(({ feature }) => feature).map(({ name, feature }) => [name, feature]));
    const ungated = doors().filter(
      ({ subgraph, isRoot, isForeign, marks, field }) =>
        gated.has(subgraph) && (isRoot || (isForeign && field.name !== 'id')) && marks.feature !== gated.get(subgraph),
    );
    // What a portal customer may always read, whatever the licence of the ISP says (tickets R2).
    expect(
      ungated
        .map(({ coordinate }) => coordinate)
        .filter((coordinate) => !/\.(my[A-Z]|openMy|replyToMy|closeMy)/.test(coordinate))
        // It speaks of losing the feature; `hash` is its key (licensing R15).
        .filter((coordinate) => !/^LicenseChangePreview\.(hash|\w+Footprint)$/.test(coordinate)),
    ).toEqual([]);
  });

  test('a gated door is nullable, so that a denial never empties what stands beside it', () => {
    // A subscription's root has nothing beside it.
    const nonNull = doors().filter(
      ({ coordinate, isRoot, isForeign, marks, field }) =>
        (isRoot || isForeign) &&
        !coordinate.startsWith('Subscription.') &&
        marks.feature &&
        String(field.type).endsWith('!'),
    );
    expect(nonNull.map(({ coordinate }) => coordinate)).toEqual([]);
  });

  test('every feature a door names is in the catalogue', () => {
    for (const { marks } of doors()) if (marks.feature) expect(isFeature(marks.feature)).toBe(true);
    expect(Object.keys(FEATURES)).toEqual(expect.arrayContaining(['crm', 'tickets']));
  });

  test('every permission of the catalogue has a door or a use in code, in sorted order', () => {
    expect([...PERMISSIONS]).toEqual([...PERMISSIONS].sort());
    const named = new Set(doors().map(({ marks }) => (marks as DoorMarks).permission));
    const source = ['subgraphs', 'gateway']
      .flatMap(filesUnder)
      .map((file) => readFileSync(join(ROOT, file), 'utf8'))
      .join('\n');
    expect(PERMISSIONS.filter((permission) => !named.has(permission) && !source.includes(`'${permission}'`))).toEqual(
      [],
    );
  });

  test('no gated field is a key or a requirement of an ungated one', () => {
    const reviewed = ['tenant: Tenant @provides(fields: "name")']; // a name is core
    for (const { marked, sdl } of subgraphs) {
      for (const [line] of sdl.matchAll(/^.*@(?:requires|provides)\(.*$/gm)) expect(reviewed).toContain(line.trim());
      for (const type of Object.values(marked.getTypeMap()).filter(isObjectType)) {
        const id = type.getFields().id;
        if (id && !(type.extensions as DoorMarks).feature) expect((id.extensions as DoorMarks).feature).toBeUndefined();
      }
    }
  });

  test('the licence gates survive composition', async () => {
    const { supergraph } = await compose();
    const built = buildGraphQLSchema(supergraph, { assumeValid: true });
    const contacts = built.getQueryType()?.getFields().contacts;
    expect(contacts?.astNode?.directives?.map(({ name }) => name.value)).toContain('requiresFeature');
    expect(String(contacts?.type)).toBe('ContactConnection');
  });
});

/** Tables that belong to no tenant, each with why. */
const GLOBAL_TABLES: Record<string, string> = {
  'identity.challenge': 'what is proved before a session, which may stand without a tenant',
  'identity.credential': 'a person belongs to no tenant: the same one may work in several',
  'identity.email_domain': 'a sign-in knows the domain of a mail before it knows a tenant',
  'identity.factor_reset': 'as the credential',
  'identity.linked_identity': 'as the credential',
  'identity.mail_proof': 'as the person',
  'identity.passkey': 'as the credential',
  'identity.provider_visit': 'who is away at another provider is not known yet',
  'identity.recovery_code': 'as the credential',
  'identity.second_factor': 'as the credential',
  'identity.session': 'a session may stand without a tenant',
  'identity.sign_in_bucket': 'counts attempts before anybody is known',
  'identity.sign_in_record': 'attempts of people who may be nobody',
  'identity.socket_ticket': 'a ticket is a session’s, which may stand without a tenant',
  'identity.token_key': 'keys of the platform',
  'identity.user': 'as the credential',
  'licensing.add_on': 'the catalogue, one for all',
  'licensing.add_on_version': 'the catalogue',
  'licensing.plan': 'the catalogue',
  'licensing.plan_version': 'the catalogue',
  'licensing.propagation': 'how fast gateways hear of changes',
  'licensing.revocation_list': 'what is revoked, for everybody to read',
  'licensing.signing_key': 'keys of the platform, without their private halves',
  'tenancy.data_home': 'the databases in which tenants live',
  'kernel.home': 'the name of the database itself',
  'kernel.beside_tenant': 'which rows of tables without tenant go with one',
  'tenancy.tombstone': 'what is left of a tenant that is no more',
  'kernel.mail': 'on their way out, sealed; jobs alone read them',
  'kernel.migration': 'what has run',
  'kernel.reaction': 'which job hears which event',
  'kernel.feed': 'what gateways must hear of: ids only',
  'kernel.feed_head': 'the same',
  'kernel.gateway_node': 'which gateway has heard what',
  'kernel.example_world': 'one row',
};

interface Mapped {
  schema?: string;
  tableName: string;
  props: { fieldNames?: string[]; nullable?: boolean; name: string; persist?: boolean }[];
}

describe('tables', () => {
  let world: World;
  let client: pg.Client;
  beforeAll(async () => {
    world = await openWorld();
    client = new pg.Client({ connectionString: world.databaseUrl });
    await client.connect();
  });
  afterAll(async () => {
    await client?.end();
    await world?.close();
  });

  test('every table with tenant data has forced row-level security with the tenant policy; the rest are on the list', async () => {
    const { rows } = await client.query(`
      select n.nspname || '.' || c.relname as name, c.relrowsecurity and c.relforcerowsecurity as is_forced,
             exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant_wall' and not p.polpermissive) as has_wall
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'graphile_worker') order by 1`);
    const unwalled = rows.filter((row) => !row.is_forced || !row.has_wall).map((row) => row.name);
    expect(unwalled).toEqual(Object.keys(GLOBAL_TABLES).sort());
    expect(rows.length - unwalled.length).toBeGreaterThan(30);
  });

  test('keys, unique constraints and indexes of tenant tables begin with the tenant', async () => {
    const { rows } = await client.query(`
      select n.nspname || '.' || c.relname as name, i.indexrelid::regclass::text as index,
             (select attname from pg_attribute where attrelid = c.oid and attnum = i.indkey[0]) as first
        from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
       where exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant_wall')`);
    const foreign = rows.filter((row) => row.first !== 'tenant_id').map((row) => row.index);
    // A key is found by its hash, a slug is a name on the platform, a host is one tenant's, a sign-in finds a person's
    // memberships before it knows a tenant, an operator has one impersonation open over all of them, and the platform
    // reads what was denied in each.
    expect(foreign.sort()).toEqual([
      'identity.api_key_hash',
      'identity.impersonation_of_operator',
      'identity.impersonation_of_session',
      'identity.membership_everywhere',
      'kernel.tenant_profile_slug_key',
      'licensing.denial_everywhere',
      'tenancy.tenant_domain_host',
      'tenancy.tenant_slug',
    ]);
  });

  test('foreign keys between tenant tables carry the tenant', async () => {
    const { rows } = await client.query(`
      select conrelid::regclass::text || ' → ' || confrelid::regclass::text as key from pg_constraint k
       where contype = 'f' and exists (select from pg_policy p where p.polrelid = k.conrelid and p.polname = 'tenant_wall')
         and exists (select from pg_policy p where p.polrelid = k.confrelid and p.polname = 'tenant_wall')
         and not exists (select from pg_attribute a where a.attrelid = k.conrelid and a.attname = 'tenant_id' and a.attnum = any (k.conkey))`);
    expect(rows).toEqual([]);
  });

  test('functions that run with their owner’s rights are on a short list with a fixed search path', async () => {
    const { rows } = await client.query(`
      select p.oid::regprocedure::text as name, pg_get_userbyid(p.proowner) as owner, p.proconfig
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.prosecdef and n.nspname not in ('pg_catalog', 'graphile_worker') order by 1`);
    expect(rows.map((row) => row.name)).toEqual([
      'identity.prune_grant_feed()',
      'identity.prune_sign_in_records()',
      'kernel.audit_row()',
      'kernel.confirm_feed(text,text,bigint)',
      'kernel.enqueue(text,jsonb,text,boolean)',
      'kernel.finish(jsonb)',
      'kernel.follow_row()',
      'kernel.hold_log()',
      'kernel.link_audit()',
      'kernel.purge(text)',
      'kernel.rows_left()',
      'kernel.send_mails(jsonb)',
      'kernel.set_timers(jsonb)',
    ]);
    for (const row of rows) {
      expect(row.owner).not.toBe('dotmac_owner');
      expect(row.proconfig).toEqual(expect.arrayContaining(['search_path=pg_catalog']));
    }
  });

  test('no service role is superuser, owner or above row-level security', async () => {
    const { rows } = await client.query(`
      select rolname from pg_roles where (rolname like 'svc\\_%' or rolname in ('dotmac_platform', 'dotmac_reports', 'dotmac_fan_out', 'dotmac_jobs'))
         and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or pg_has_role(rolname, 'dotmac_owner', 'member'))`);
    expect(rows).toEqual([]);
  });

  test('entities match the migrated tables, column by column', async () => {
    const { rows } = await client.query(
      `select table_schema || '.' || table_name as table, column_name, is_nullable = 'YES' as is_nullable, column_default is not null as has_default from information_schema.columns`,
    );
    const columns = new Map<string, Map<string, { is_nullable: boolean; has_default: boolean }>>();
    for (const row of rows) columns.set(row.table, (columns.get(row.table) ?? new Map()).set(row.column_name, row));
    const drift: string[] = [];
    for (const { machinery } of world.serving.subgraphs) {
      for (const meta of machinery.db.orm.getMetadata().getAll().values() as unknown as Iterable<Mapped>) {
        const table = `${meta.schema}.${meta.tableName}`;
        const known = columns.get(table);
        if (!known) {
          drift.push(`${table} is missing`);
          continue;
        }
        const mapped = new Set(
          meta.props.flatMap(({ fieldNames = [], persist }) => (persist === false ? [] : fieldNames)),
        );
        for (const prop of meta.props) {
          if (prop.persist === false) continue;
          for (const name of prop.fieldNames ?? []) {
            const column = known.get(name);
            if (!column) drift.push(`${table}.${name} is missing`);
            else if (column.is_nullable && !prop.nullable)
              drift.push(`${table}.${name} may be null, its property may not`);
          }
        }
        for (const [name, column] of known) {
          if (name !== 'tenant_id' && !mapped.has(name) && !column.is_nullable && !column.has_default)
            drift.push(`${table}.${name} is not mapped and has no default`);
        }
      }
    }
    expect(drift).toEqual([]);
  });
});

describe('contract', () => {
  test('composing again changes nothing', async () => {
    const { sdls, supergraph } = await compose();
    expect(readFileSync(join(ROOT, 'schema/supergraph.graphql'), 'utf8')).toBe(supergraph);
    for (const [name, sdl] of sdls)
      expect(readFileSync(join(ROOT, `schema/subgraphs/${name}.graphql`), 'utf8')).toBe(`${sdl}\n`);
  });

  test('what was released stays: no change breaks a client unless it is declared', () => {
    const api = (file: string) =>
      Supergraph.build(readFileSync(join(ROOT, file), 'utf8'))
        .apiSchema()
        .toGraphQLJSSchema();
    const released = buildGraphQLSchema(readFileSync(join(ROOT, 'schema/released.graphql'), 'utf8'));
    expect(
      findBreakingChanges(released, api('schema/supergraph.graphql')).map(({ description }) => description),
    ).toEqual([]);
  });
});
