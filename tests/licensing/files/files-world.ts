import { randomUUID } from 'node:crypto';
import type { FilePayload } from '../../../subgraphs/licensing/files/license-file.rules.ts';
import type { Revoked } from '../../../subgraphs/licensing/files/revocation-list.rules.ts';
import { type Asker, NGOZI } from '../../setup/world.ts';
import type { Answer, LicensingWorld } from '../licensing-world.ts';

export const FILE = 'id epoch licenseVersion kid installationId issuedAt notBefore expiresAt sha256 revokedAt reason';
const ISSUE = `mutation($input: IssueLicenseFileInput!) { issueLicenseFile(input: $input) { licenseFile { ${FILE} } jws userErrors { code message field } } }`;
const REVOKE = `mutation($input: RevokeLicenseFileInput!) { revokeLicenseFile(input: $input) { licenseFile { ${FILE} } userErrors { code message field } } }`;
const KEY = 'signingKey { kid status activeAt madeAt reason } userErrors { code message field }';

/** What a compact JWS says, unchecked. */
export const payloadOf = <T = FilePayload>(jws: string): T =>
  JSON.parse(Buffer.from(String(jws.split('.')[1]), 'base64url').toString('utf8'));
export const headerOf = (jws: string) =>
  JSON.parse(Buffer.from(String(jws.split('.')[0]), 'base64url').toString('utf8'));

export type List = Revoked & { seq: number; iat: number; nextUpdate: number };

/** What a licensing world is asked about files and keys. */
export function filesIn(world: LicensingWorld) {
  const answer = async (who: Asker, query: string, door: string, input: object): Promise<Answer> => {
    const { data, errors } = await world.ask(who, query, { input });
    return data?.[door] ?? { errors };
  };
  return {
    issue: (who: Asker, input: object = {}) =>
      answer(who, ISSUE, 'issueLicenseFile', { idempotencyKey: randomUUID(), ...input }),
    revoke: (id: string, reason = 'The machine was stolen.', who = NGOZI) =>
      answer(who, REVOKE, 'revokeLicenseFile', { id, reason }),
    rotateKey: (reason = 'Rehearsal of a rotation.', who = NGOZI) =>
      answer(
        who,
        `mutation($input: RotateSigningKeyInput!) { rotateSigningKey(input: $input) { ${KEY} } }`,
        'rotateSigningKey',
        { reason },
      ),
    revokeKey: (kid: string, reason = 'Its private half leaked.', who = NGOZI) =>
      answer(
        who,
        `mutation($input: RevokeSigningKeyInput!) { revokeSigningKey(input: $input) { ${KEY} } }`,
        'revokeSigningKey',
        { kid, reason },
      ),
    async keySet(): Promise<{ kid: string; x: string; statement: string }[]> {
      return JSON.parse((await world.askAs('ANONYMOUS', '{ licenseKeySet }')).data.licenseKeySet).keys;
    },
    async list(): Promise<string> {
      return (await world.askAs('ANONYMOUS', '{ licenseRevocationList }')).data.licenseRevocationList;
    },
    /** The keys by status, oldest first. */
    async keys(): Promise<Record<string, string[]>> {
      const rows = await world.sql('select status, kid from licensing.signing_key order by made_at, kid');
      const byStatus = Map.groupBy(rows, ({ status }) => status);
      return Object.fromEntries([...byStatus].map(([status, found]) => [status, found.map(({ kid }) => kid)]));
    },
    /** Moves the keys' past back, as if so much time had gone by. */
    age: (days: number) =>
      world.sql(
        `select set_config('app.tenant_id', '01990000-0000-7000-8000-000000000001', false);
         update licensing.signing_key set made_at = made_at - interval '${days} days', active_at = active_at - interval '${days} days',
                retiring_at = retiring_at - interval '${days} days'`,
      ),
  };
}
