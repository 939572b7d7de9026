import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { Customer } from './accounts/customer.entity.ts';
import { CustomerResolver } from './accounts/customer.resolver.ts';
import { customerById } from './accounts/loaders.ts';
import { Credit, CreditApplication } from './invoicing/credit.entity.ts';
import { Invoice } from './invoicing/invoice.entity.ts';
import { CustomerInvoicesResolver, InvoiceResolver } from './invoicing/invoice.resolver.ts';
import { markOverdueInvoices } from './invoicing/overdue.service.ts';
import { LedgerAccount } from './ledger/ledger-account.entity.ts';
import { Posting } from './ledger/posting.entity.ts';
import { Chargeback } from './payments/chargeback.entity.ts';
import { Payment } from './payments/payment.entity.ts';
import { CustomerPaymentsResolver, PaymentResolver } from './payments/payment.resolver.ts';
import { Charge } from './rating/charge.entity.ts';
import { ChargeResolver, CustomerChargesResolver } from './rating/charge.resolver.ts';
import { seed } from './seed.ts';
import { subscribers } from './subscribers.ts';

export const billing: SubgraphDefinition = {
  name: 'billing',
  resolvers: [
    CustomerResolver,
    ChargeResolver,
    CustomerChargesResolver,
    PaymentResolver,
    CustomerPaymentsResolver,
    InvoiceResolver,
    CustomerInvoicesResolver,
  ],
  entities: [Customer, LedgerAccount, Posting, Charge, Payment, Invoice, Credit, CreditApplication, Chargeback],
  references: {
    // Who may not read customers sees only the one it speaks for.
    Customer: (ctx, { id }) =>
      ctx.can('billing.customer.read') || ctx.envelope.customerId === id ? ctx.load(customerById, id) : null,
  },
  subscribers,
  crons: { markOverdueInvoices: { pattern: '* * * * *', run: markOverdueInvoices } },
  isControlPlane: true,
  isAtHome: true,
  seed,
};
