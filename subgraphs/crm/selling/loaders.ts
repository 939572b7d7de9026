import { isId } from '../../../schema/ids.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { Lead } from './lead.entity.ts';

export const leadById = defineLoader('leads by id', async (em, ids) => {
  const found = await em.find(Lead, { id: { $in: ids.filter(isId) } });
  return found.map((lead) => [lead.id, lead] as const);
});
