import { counter } from '../_kernel/metrics.ts';

export const foreignBillingEvents = counter(
  'dotmac_licensing_foreign_billing_events_total',
  'Events of ISPs’ own billing that name a licence and move none.',
  ['event'],
);
