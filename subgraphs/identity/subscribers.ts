import { hears } from '../_kernel/subgraph.ts';
import { recountStaff } from './membership.service.ts';

export const subscribers = {
  recountStaff: hears('licensing.usage.day_closed', (ctx) => recountStaff(ctx)),
};
