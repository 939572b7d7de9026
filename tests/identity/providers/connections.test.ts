import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setRecords } from '../../../subgraphs/_kernel/dns.ts';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { checkEmailDomains } from '../../../subgraphs/identity/providers/email-domain.service.ts';
import { ATLAS_SSO } from '../../../subgraphs/identity/providers/seed.ts';
import { openProviderWorld, type ProviderWorld, type UserError } from './browser.ts';

let open: ProviderWorld;
let ingrid: string;
let chidi: string;

beforeAll(async () => {
  open = await openProviderWorld();
  ingrid = (await open.client.signIn('ingrid@northwind.example', open.password)).token;
  chidi = (await open.client.signIn('chidi@harbour.example', open.password)).token;
}, 120_000);
afterAll(() => open.close());

interface Domain {
  id: string;
  state: string;
  record: { name: string; value: string };
}
interface Connection {
  id: string;
  state: string;
  version: number;
  testedAt: string | null;
  callbackUrl: string;
  emailDomains: { domain: string }[];
  emergencyAdmins: { id: string }[];
}

const ERRORS = 'userErrors { code message field }';
const DOMAIN = `{ emailDomain { id state record { name value } } ${ERRORS} }`;
const SSO = `{ ssoConnection { id state version testedAt callbackUrl emailDomains { domain } emergencyAdmins { id } } ${ERRORS} }`;

type DomainAnswer = { emailDomain: Domain | null; userErrors: UserError[] };
type SsoAnswer = { ssoConnection: Connection | null; userErrors: UserError[] };

const claim = async (domain: string, token = ingrid) =>
  (await open.call<DomainAnswer>('claimEmailDomain', 'EmailDomainInput', DOMAIN, { domain }, token)).answer;
const check = async (id: string | undefined, token = ingrid) =>
  (await open.call<DomainAnswer>('checkEmailDomain', 'IdInput', DOMAIN, { id }, token)).answer;
const save = async (input: object, token = ingrid) => {
  const whole = { issuer: open.sso.issuer, clientId: 'northwind', clientSecret: 'a secret of ours', ...input };
  return (await open.call<SsoAnswer>('saveSsoConnection', 'SsoInput', SSO, whole, token)).answer;
};
const set = async (id: string, state: 'ACTIVE' | 'OFF', token = ingrid) =>
  (await open.call<SsoAnswer>('setSsoState', 'SsoStateInput', SSO, { id, state }, token)).answer;

async function prove(domain: string, token = ingrid): Promise<string> {
  const { emailDomain } = await claim(domain, token);
  const { name, value } = (emailDomain as Domain).record;
  setRecords(name, ['v=spf1 -all', value]);
  expect((await check(emailDomain?.id, token)).emailDomain?.state).toBe('PROVED');
  return String(emailDomain?.id);
}

describe('a domain of mails', () => {
  test('is proved by a record at its name servers, and not before', async () => {
    const { emailDomain } = await claim('Northwind.Example');
    expect(emailDomain).toMatchObject({ state: 'PENDING', record: { name: '_isp-login.northwind.example' } });
    expect((await claim('northwind.example')).emailDomain).toEqual(emailDomain);
    setRecords('_isp-login.northwind.example', ['isp-login=of somebody else']);
    const early = await check(emailDomain?.id);
    expect(early.userErrors[0]).toMatchObject({ code: 'CONFLICT', message: 'This domain is not proved.' });
    await prove('northwind.example');
  });

  test('is proved by one tenant at a time', async () => {
    const theirs = (await claim('northwind.example', chidi)).emailDomain as Domain;
    const [{ token }] = await open.world.sql(
      "select token from identity.email_domain where domain = 'northwind.example' and state = 'PROVED'",
    );
    setRecords(theirs.record.name, [theirs.record.value, `isp-login=${token}`]);
    expect((await check(theirs.id, chidi)).userErrors[0]).toMatchObject({
      code: 'CONFLICT',
      message: 'This domain is not proved.',
    });
  });

  test('of another tenant is not found, and a text that is none is refused', async () => {
    const theirs = (await claim('harbour.example', chidi)).emailDomain as Domain;
    const [foreign, random] = [await check(theirs.id), await check(seedId('9999'))];
    expect(foreign).toEqual(random);
    expect(foreign.userErrors[0]?.code).toBe('NOT_FOUND');
    expect((await claim('no domain')).userErrors[0]).toMatchObject({ code: 'INVALID', field: 'domain' });
  });

  test('is claimed by who manages the policy, with a fresh proof', async () => {
    const samira = (await open.client.signIn('samira@northwind.example', open.password)).token;
    const refused = await open.call('claimEmailDomain', 'EmailDomainInput', DOMAIN, { domain: 'a.example' }, samira);
    expect(refused.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const edda = (await open.client.signIn('edda@northwind.example', open.password, { tenant: 'northwind' })).token;
    const { data } = await open.client.post<{ emailDomains: object[] }>('{ emailDomains { domain } }', {}, edda);
    expect(data?.emailDomains).toEqual([{ domain: 'northwind.example' }]);
  });

  test('is one of twenty at most', async () => {
    for (let i = 1; i < 20; i += 1) await claim(`d${i}.example`, chidi);
    expect((await claim('one-more.example', chidi)).userErrors[0]?.code).toBe('LIMIT_REACHED');
  });
});

describe('a connection', () => {
  let domainId: string;
  beforeAll(async () => {
    domainId = await prove('northwind.example');
  });

  test.each([
    'http://login.example',
    'https://10.0.0.1',
    'https://169.254.169.254',
    'https://[::ffff:192.168.0.1]',
    'nonsense',
  ])('has no issuer %s', async (issuer) => {
    expect((await save({ issuer, domainIds: [] })).userErrors[0]).toMatchObject({ code: 'INVALID', field: 'issuer' });
  });

  test('serves proved domains of its tenant, and names administrators of it alone', async () => {
    const pending = (await claim('pending.example')).emailDomain as Domain;
    expect((await save({ domainIds: [pending.id] })).userErrors[0]).toMatchObject({
      code: 'CONFLICT',
      message: 'This domain is not proved.',
    });
    expect((await save({ domainIds: [seedId('6076')] })).userErrors[0]?.code).toBe('NOT_FOUND');
    for (const person of ['6026', '6071', '9999'])
      expect((await save({ domainIds: [], emergencyUserIds: [seedId(person)] })).userErrors[0]).toMatchObject({
        code: 'INVALID',
        field: 'emergencyUserIds',
      });
    const three = ['6021', '6022', '6023'].map(seedId);
    expect((await save({ domainIds: [], emergencyUserIds: three })).userErrors[0]?.code).toBe('LIMIT_REACHED');
    const odd = await save({ domainIds: [], roleMap: [{ value: 'x', role: 'platform_admin' }] });
    expect(odd.userErrors[0]?.code).toBe('INVALID');
  });

  test('is tried before it is used, and tried again when its provider changes', async () => {
    const made = (await save({ domainIds: [domainId] })).ssoConnection as Connection;
    expect(made).toMatchObject({ state: 'DRAFT', testedAt: null, emailDomains: [{ domain: 'northwind.example' }] });
    expect(made.callbackUrl).toBe(`http://localhost:4000/auth/callback/${made.id}`);
    expect((await set(made.id, 'ACTIVE')).userErrors[0]).toMatchObject({
      code: 'INVALID_STATE',
      message: 'Nobody has signed in with it yet. Please try it first.',
    });
    const { codeChallenge } = open.browser.draw();
    for (const stranger of [undefined, chidi]) {
      const { answer } = await open.browser.start({ connection: made.id, codeChallenge }, stranger);
      expect(answer.userErrors[0]?.code).toBe('NOT_FOUND');
    }
    const went = await open.browser.goAndReturn(made.id, 'ingrid@northwind.example', {}, ingrid);
    const tried = await open.browser.redeem(String(went.code), went.verifier, ingrid);
    expect(tried).toEqual({ session: null, challenge: null, tenants: [], userErrors: [] });
    const active = await set(made.id, 'ACTIVE');
    expect(active.ssoConnection?.state).toBe('ACTIVE');
    expect((await open.browser.signIn(made.id, 'jonas@northwind.example')).session?.tenant?.slug).toBe('northwind');

    const version = active.ssoConnection?.version;
    const input = { id: made.id, domainIds: [domainId], clientSecret: null };
    expect((await save({ ...input, expectedVersion: 1 })).userErrors[0]?.code).toBe('CONFLICT');
    const same = await save({ ...input, expectedVersion: version });
    expect(same.ssoConnection?.state).toBe('ACTIVE');
    const other = await save({ ...input, clientId: 'other', expectedVersion: same.ssoConnection?.version });
    expect(other.ssoConnection).toMatchObject({ state: 'DRAFT', testedAt: null });
    const [row] = await open.world.sql('select is_offered from identity.email_domain where id = $1', [domainId]);
    expect(row.is_offered).toBe(false);
  });

  test('keeps its secret sealed, and shows it nowhere', async () => {
    const rows = await open.world.sql('select c::text as text from identity.sso_connection c');
    const audit = await open.world.sql('select a::text as text from kernel.audit_entry a');
    expect(rows.length).toBeGreaterThan(1);
    expect(JSON.stringify([rows, audit])).not.toContain('a secret of ours');
  });

  test('of another tenant is not found', async () => {
    expect((await set(ATLAS_SSO, 'OFF')).userErrors[0]?.code).toBe('NOT_FOUND');
    expect((await save({ id: ATLAS_SSO, expectedVersion: 1, domainIds: [] })).userErrors[0]?.code).toBe('NOT_FOUND');
  });

  test('is one of five at most', async () => {
    for (let i = 0; i < 4; i += 1) expect((await save({ domainIds: [] })).userErrors).toEqual([]);
    expect((await save({ domainIds: [] })).userErrors[0]?.code).toBe('LIMIT_REACHED');
  });

  test('makes members of whom the provider puts into a group, while there are seats', async () => {
    const domain = await prove('harbour.example', chidi);
    const input = { domainIds: [domain], createsMembers: true, roleMap: [{ value: 'noc', role: 'network_engineer' }] };
    const { ssoConnection } = await save(input, chidi);
    const id = String(ssoConnection?.id);
    const went = await open.browser.goAndReturn(id, 'chidi@harbour.example', {}, chidi);
    await open.browser.redeem(String(went.code), went.verifier, chidi);
    await set(id, 'ACTIVE', chidi);
    const without = await open.browser.signIn(id, 'new@harbour.example');
    expect(without.userErrors[0]?.message).toBe('Your provider gives you no role here.');
    open.sso.claims = { groups: ['noc'] };
    const { session } = await open.browser.signIn(id, 'new@harbour.example');
    const again = await open.browser.signIn(id, 'new@harbour.example');
    open.sso.claims = {};
    expect([session?.tenant?.slug, again.session?.tenant?.slug]).toEqual(['harbour', 'harbour']);
    const me = await open.client.post('{ me { roles { key } } }', {}, session?.accessToken);
    expect(me.data).toEqual({ me: { roles: [{ key: 'network_engineer' }] } });
  });

  test('goes off when its domain is lost, and passwords are good again', async () => {
    const daily = async () => checkEmailDomains(await open.world.system('platform', 'identity'));
    setRecords('_isp-login.atlas.example', []);
    const stand = (state: string) =>
      open.world.sql("update kernel.tenant_profile set state = $1 where slug = 'atlas'", [state]);
    await stand('SUSPENDED');
    for (let day = 0; day < 4; day++) await daily(); // nothing is looked at, and nothing lost
    await stand('ACTIVE');
    await daily();
    await daily();
    expect((await open.signInByPassword('lia@atlas.example')).session).toBeNull();
    await daily();
    expect((await open.signInByPassword('lia@atlas.example')).session?.tenant?.slug).toBe('atlas');
    const events = await open.world.sql('select payload from kernel.event where name = $1', [
      'identity.sso_connection.turned_off',
    ]);
    const ofAtlas = events.find(({ payload }) => payload.connectionId === ATLAS_SSO);
    expect(ofAtlas.payload).toMatchObject({ reason: 'DOMAIN_LOST' });
    const [{ domain, token }] = await open.world.sql(
      "select domain, token from identity.email_domain where domain = 'atlas.example'",
    );
    setRecords(`_isp-login.${domain}`, [`isp-login=${token}`]);
    await daily();
    const [row] = await open.world.sql(
      'select d.state, c.state as sso from identity.email_domain d join identity.sso_connection c on c.id = d.connection_id where d.domain = $1',
      ['atlas.example'],
    );
    expect(row).toEqual({ state: 'PROVED', sso: 'OFF' });
  });
});
