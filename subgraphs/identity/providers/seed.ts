import { randomBytes } from 'node:crypto';
import type { Context } from '../../_kernel/context.ts';
import { setRecords } from '../../_kernel/dns.ts';
import { seal } from '../../_kernel/secrets.ts';
import { type SeedWorld, seedId } from '../../_kernel/seed-world.ts';
import { EmailDomain } from './email-domain.entity.ts';
import { recordName, recordValue } from './email-domain.rules.ts';
import { secretName } from './provider.service.ts';
import { SsoConnection } from './sso-connection.entity.ts';

/** Of atlas, at the example provider. */
export const ATLAS_SSO = seedId('6075');
const ATLAS_DOMAIN = seedId('6076');

/** Atlas has its people sign in with the example provider; Bruno is named for emergencies. */
export const seedSso = (world: SeedWorld): Promise<void> =>
  world.inTenant('atlas', (ctx) =>
    ctx.tx(async (em) => {
      const at = ctx.now();
      const [id, emergencyIds] = [ATLAS_SSO, [seedId('6071')]];
      em.persist(
        em.create(SsoConnection, {
          ...{ id, kind: 'OIDC', issuer: issuerOf(ctx), clientId: 'atlas', roleMap: [], emergencyIds },
          sealedSecret: await seal(ctx, em, secretName(id), randomBytes(24).toString('base64url')),
          ...{ isRequired: true, createsMembers: false, state: 'ACTIVE', testedAt: at, version: 1, createdAt: at },
        }),
      );
      const [domain, token] = ['atlas.example', randomBytes(32).toString('base64url')];
      em.persist(
        em.create(EmailDomain, {
          ...{ id: ATLAS_DOMAIN, homeId: ctx.tenantId, domain, token, state: 'PROVED', failures: 0, checkedAt: at },
          ...{ connectionId: id, isOffered: true, isRequired: true, emergencyIds, createdAt: at },
        }),
      );
      setRecords(recordName(domain), [recordValue(token)]);
    }),
  );

const issuerOf = ({ machinery }: Context) => `http://127.0.0.1:${machinery.config.EXAMPLE_PROVIDER_PORT}`;
