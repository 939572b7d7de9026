import { type Asker, NGOZI } from '../../setup/world.ts';
import type { Answer, LicensingWorld } from '../licensing-world.ts';

/** Somebody who may give the second signature. */
export const TOMAS: Asker = { tenant: 'platform', user: '6002', roles: ['platform_admin'] };
export const NOBODYS_ID = '01990000-0000-7000-8000-00000000dead';

const ANSWER =
  '{ license { id version state enabledFeatures } propagation { nodes } userErrors { code message field } }';
const CHANGE = 'change { version cause reason changedKeys }';

/** Calls a door that changes a licence; answers its payload, or the code of the error that kept it shut. */
export async function call(world: LicensingWorld, name: string, input: object, who: Asker = NGOZI): Promise<Answer> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const fields = name === 'refreshLicense' ? ANSWER : ANSWER.replace('{', `{ ${CHANGE}`);
  const { data, errors } = await world.ask(who, `mutation($input: ${type}!) { ${name}(input: $input) ${fields} }`, {
    input,
  });
  return errors ? { code: errors[0].extensions.code, message: errors[0].message } : data[name];
}

/** The events of a tenant of one name, oldest first. */
export const eventsOf = async (world: LicensingWorld, tenantId: string, name: string): Promise<Answer[]> =>
  (
    await world.sql('select payload from kernel.event where tenant_id = $1 and name = $2 order by seq', [
      tenantId,
      name,
    ])
  ).map(({ payload }) => payload);
