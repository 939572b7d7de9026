/** Carries the open move of one tenant in a process of its own, which a test may kill: `mover.main.ts URL TENANT`. */
import 'reflect-metadata';
import { systemContext } from '../../../subgraphs/_kernel/context.ts';
import { createLog } from '../../../subgraphs/_kernel/telemetry.ts';
import { serve } from '../../../subgraphs/serve.ts';
import { carryMove } from '../../../subgraphs/tenancy/placement/carry-move.service.ts';
import { testConfig } from '../../setup/database.ts';

const [url = '', tenantId = ''] = process.argv.slice(2);
const config = testConfig(url);
const serving = await serve(config, createLog(config, 'mover'), ['tenancy']);
const tenancy = serving.subgraphs.find(({ name }) => name === 'tenancy');
if (!tenancy) throw new Error('There is no tenancy.');
process.stdout.write('begun\n');
await carryMove(await systemContext(tenancy.machinery, tenantId));
process.stdout.write('ended\n');
await serving.stop();
