import { createHash } from 'node:crypto';
import { openGatewayWorld, type Person } from '../../setup/gateway.ts';

const NORTHWIND = '01990000-0000-7000-8000-000000000a02';

/** One letter of a text replaced by another of its alphabet. */
const withLetter = (text: string, at: number) =>
  text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);

describe('A tenant leaves the platform', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let ingrid: Person;
  let ngozi: Person;
  let tomas: Person;
  let exportId: string;
  const act = async (who: Person, mutation: string, input: object) => {
    const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`.replace(
      /^(ReopenTenant|LiftLegalHold|ApprovePurge|ReactivateTenant)Input$/,
      'TenantInput',
    );
    const made = ['approvePurge'].includes(mutation)
      ? 'purge { approvedBy begunAt waitingFor }'
      : mutation === 'requestDataExport'
        ? 'dataExport { id state waitingFor }'
        : 'tenant { id state accessMode closesAt }';
    const { data, errors } = await who.ask(
      `mutation($input: ${type.replace('RequestDataExport', 'DataExport').replace('PlaceLegalHold', 'LegalHold')}!) { ${mutation}(input: $input) { ${made} userErrors { code message field } } }`,
      { input },
    );
    if (errors) throw Object.assign(new Error(errors[0]?.message), { extensions: errors[0]?.extensions });
    return (data as never as Record<string, { userErrors: { code: string; message: string }[] }>)[
      mutation
    ] as never as {
      tenant: { state: string; accessMode: string; closesAt: string } | null;
      purge: { approvedBy: string[]; begunAt: string | null; waitingFor: string[] } | null;
      dataExport: { id: string; state: string } | null;
      userErrors: { code: string; message: string; field: string | null }[];
    };
  };
  beforeAll(async () => {
    running = await openGatewayWorld();
    ingrid = await running.client.signIn('ingrid@northwind.example', running.password);
    ngozi = await running.client.signIn('ngozi@platform.example', running.password);
    tomas = await running.client.signIn('tomas@platform.example', running.password);
  }, 60_000);
  afterAll(() => running?.close());
  const sql = (text: string, values: unknown[] = []) => running.world.sql(text, values);

  test('whoever closes it types its name, for 7 to 90 days', async () => {
    const [wrong] = (await act(ingrid, 'closeTenant', { confirmSlug: 'kestrel' })).userErrors;
    expect(wrong).toEqual({ code: 'INVALID', message: 'Type northwind to confirm.', field: 'confirmSlug' });
    for (const days of [6, 91, -1])
      expect((await act(ingrid, 'closeTenant', { confirmSlug: 'northwind', days })).userErrors).toEqual([
        { code: 'INVALID', message: 'A tenant closes in 7 to 90 days.', field: 'days' },
      ]);
    const { tenant } = await act(ingrid, 'closeTenant', { confirmSlug: 'northwind', days: 7 });
    expect(tenant).toMatchObject({ state: 'CLOSING', accessMode: 'READ_ONLY' });
    const left = new Date(String(tenant?.closesAt)).getTime() - Date.now();
    expect(left).toBeGreaterThan(7 * 86_400_000 - 60_000);
    expect(left).toBeLessThanOrEqual(7 * 86_400_000);
    await running.world.untilNoJobs();
  });

  test('then it can be read and exported, and nothing changed', async () => {
    const { data } = await ingrid.ask('{ tenant { state } customers(first: 1) { nodes { id } } }');
    expect(data).toMatchObject({ tenant: { state: 'CLOSING' }, customers: { nodes: [{}] } });
    const { errors } = await ingrid.ask(
      'mutation { updateTenantProfile(input: { name: "Another" }) { tenant { id } } }',
    );
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'TENANT_READ_ONLY' });
  });

  test('its export holds a file for each noun with rows, whose SHA-256 is as the manifest says', async () => {
    const asked = await act(ingrid, 'requestDataExport', {});
    expect(asked.dataExport).toMatchObject({ state: 'REQUESTED' });
    exportId = String(asked.dataExport?.id);
    expect((await act(ingrid, 'requestDataExport', {})).userErrors).toEqual([
      { code: 'CONFLICT', message: 'An export is being made already.', field: null },
    ]);
    await running.world.untilNoJobs();
    const { data } = await ingrid.ask<
      {
        dataExport: {
          state: string;
          expiresAt: string;
          manifest: { domain: string; noun: string; rows: number; bytes: number; sha256: string; link: string }[];
        };
      },
      { id: string }
    >('query($id: ID!) { dataExport(id: $id) { state expiresAt manifest { domain noun rows bytes sha256 link } } }', {
      id: exportId,
    });
    const { state, expiresAt, manifest } = data?.dataExport ?? { manifest: [] };
    expect(state).toBe('READY');
    expect(Math.round((new Date(String(expiresAt)).getTime() - Date.now()) / 86_400_000)).toBe(7);
    expect([...new Set(manifest.map(({ domain }) => domain))].sort()).toEqual(
      ['billing', 'crm', 'identity', 'licensing', 'network', 'tenancy', 'tickets'].sort(),
    );
    expect(manifest.length).toBeGreaterThan(20);
    for (const file of manifest) {
      const link = file.link.replace(running.world.config.PUBLIC_URL, new URL(running.client.url).origin);
      const response = await fetch(link);
      expect(response.status).toBe(200);
      const bytes = Buffer.from(await response.arrayBuffer());
      expect({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }).toEqual({
        bytes: file.bytes,
        sha256: file.sha256,
      });
      const lines = bytes.toString('utf8').trimEnd().split('\n');
      expect(lines).toHaveLength(file.rows);
      const columns = lines.flatMap((line) => Object.keys(JSON.parse(line)));
      expect(
        columns.filter((name) => /hash|secret|token|sealed|password/.test(name.replace('password_changed_at', ''))),
      ).toEqual([]);
      for (const line of lines) expect(JSON.parse(line).tenant_id ?? NORTHWIND).toBe(NORTHWIND);
      expect((await fetch(link)).status).toBe(404); // a link opens once
    }
  }, 60_000);

  test('nobody deletes it before its day, alone, or under legal hold', async () => {
    const refused = async (who = ngozi) => (await act(who, 'approvePurge', { tenantId: NORTHWIND })).userErrors[0];
    expect(await refused()).toMatchObject({ code: 'INVALID_STATE', message: 'This tenant may still be reopened.' });
    await sql(
      `select set_config('app.tenant_id', '${NORTHWIND}', false);
       update tenancy.tenant set closes_at = now() - interval '1 second' where id = '${NORTHWIND}'`,
    );
    expect((await act(ingrid, 'reopenTenant', { tenantId: NORTHWIND })).userErrors[0]).toMatchObject({
      code: 'INVALID_STATE',
      message: 'The time to reopen it is over.',
    });
    const first = await act(ngozi, 'approvePurge', { tenantId: NORTHWIND });
    expect(first.purge).toMatchObject({ begunAt: null, approvedBy: [expect.any(String)] });
    expect(await refused()).toMatchObject({ code: 'CONFLICT', message: 'A second person must approve.' });
    const hold = { tenantId: NORTHWIND, reason: 'A court asks for its books.' };
    expect((await act(ngozi, 'placeLegalHold', hold)).userErrors).toEqual([]);
    expect((await act(ngozi, 'placeLegalHold', hold)).userErrors[0]).toMatchObject({ code: 'CONFLICT' });
    expect(await refused(tomas)).toMatchObject({
      code: 'INVALID_STATE',
      message: 'This tenant is under legal hold.',
    });
    expect((await act(ngozi, 'liftLegalHold', { tenantId: NORTHWIND })).userErrors).toEqual([]);
    expect((await act(ngozi, 'liftLegalHold', { tenantId: NORTHWIND })).userErrors[0]).toMatchObject({
      code: 'INVALID_STATE',
    });
  });

  test('with the second person it is deleted: no row, no file, no key of it is left, and others lose nothing', async () => {
    const tables = await sql('select table_name, rows_of_tenant from kernel.tables_of_tenant()');
    const count = async (condition: string) => {
      const counts: Record<string, number> = {};
      for (const { table_name, rows_of_tenant } of tables) {
        if (!rows_of_tenant.startsWith('tenant_id') || table_name === 'kernel.reaction_receipt') continue;
        const [row] = await sql(`select count(*)::int as n from ${table_name} where tenant_id ${condition}`, [
          NORTHWIND,
        ]);
        if (row.n > 0) counts[table_name] = row.n;
      }
      return counts;
    };
    const others = await count('not in ($1, $1)');
    const platform = [
      'kernel.event',
      'kernel.event_head',
      'kernel.audit_entry',
      'kernel.audit_link',
      'kernel.audit_head',
    ];
    expect(Object.keys(await count('= $1')).length).toBeGreaterThan(30);
    const { purge } = await act(tomas, 'approvePurge', { tenantId: NORTHWIND });
    expect(purge?.approvedBy).toHaveLength(2);
    await running.world.untilNoJobs();
    expect(await count('= $1')).toEqual({});
    const after = await count('not in ($1, $1)');
    for (const table of platform) {
      delete others[table];
      delete after[table];
    }
    expect(after).toEqual(others);
    expect(await sql('select 1 from identity.session where home_id = $1', [NORTHWIND])).toEqual([]);
    expect(await sql('select 1 from identity.user where realm = $1', [NORTHWIND])).toEqual([]);
  }, 60_000);

  test('its people are nobody’s, its id is unknown, and its name is never used again', async () => {
    const { errors } = await ingrid.ask('{ tenant { id } }');
    expect(errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    const { data } = await ngozi.ask('query($id: ID!) { tenantById(id: $id) { id } }', { id: NORTHWIND });
    expect(data).toEqual({ tenantById: null });
    expect((await act(ngozi, 'suspendTenant', { tenantId: NORTHWIND, reason: 'ABUSE' })).userErrors[0]).toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(
      sql(
        `insert into tenancy.tenant (tenant_id, id, slug, name, kind, state, country, zone, locale, currency)
         values ($1, $1, 'northwind', 'Again', 'PRODUCTION', 'ACTIVE', 'DE', 'Europe/Berlin', 'de-DE', 'EUR')`,
        ['01990000-0000-7000-8000-00000000beef'],
      ),
    ).rejects.toThrow('was used by a tenant that is gone');
  });

  test('the certificate says what went, and with one letter changed it is none', async () => {
    const { data } = await ngozi.ask<{ deletionCertificate: { id: string; document: string } }, { id: string }>(
      'query($id: ID!) { deletionCertificate(tenantId: $id) { id document } }',
      { id: NORTHWIND },
    );
    const { id, document } = data?.deletionCertificate ?? { id: '', document: '' };
    const verdictOf = async (text: string) =>
      (
        await running.client.post<{ verifyDeletionCertificate: Record<string, unknown> }>(
          `query($document: String!) { verifyDeletionCertificate(document: $document) {
            isValid id tenantIdHash deleted { table rows } zeroAt keyDestroyedAt lastBackupEndsOn kept approvedBy } }`,
          { document: text },
        )
      ).data?.verifyDeletionCertificate;
    const verdict = await verdictOf(document);
    expect(verdict).toMatchObject({
      isValid: true,
      id,
      tenantIdHash: createHash('sha256').update(NORTHWIND).digest('hex'),
      lastBackupEndsOn: new Date(Date.now() + 35 * 86_400_000).toISOString().slice(0, 10),
    });
    expect(verdict?.approvedBy).toHaveLength(2);
    expect(verdict?.deleted).toEqual(expect.arrayContaining([{ table: 'tenancy.tenant', rows: 1 }]));
    expect(document).not.toContain(NORTHWIND);
    for (let at = 0; at < document.length; at += Math.ceil(document.length / 40))
      expect(await verdictOf(withLetter(document, at))).toMatchObject({ isValid: false, id: null });
    expect(await verdictOf(withLetter(document, document.length - 1))).toMatchObject({ isValid: false });
    expect(await verdictOf('')).toMatchObject({ isValid: false });
  });
});
