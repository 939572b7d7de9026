import * as React from 'react';
import { FeatureGate, useLicense } from '../portal/license-provider.tsx';
import { UpgradePrompt } from '../portal/upgrade-prompt.tsx';
import { useGated } from '../portal/use-gated.ts';
import { ContactsDocument, CustomersDocument, TicketsDocument } from './graphql/graphql.ts';

export interface Module {
  name: string;
  /** What opens it; a module without is the core's. */
  feature?: string;
  Panel: () => React.ReactNode;
}

/** The modules of the menu. Those that have a list ask the graph for it and believe its answer. */
export const MODULES: [Module, ...Module[]] = [
  { name: 'Customers', Panel: Customers },
  { name: 'Tickets', feature: 'tickets', Panel: Tickets },
  { name: 'CRM', feature: 'crm', Panel: Contacts },
  ...shown('Projects', 'projects'),
  ...shown('Field operations', 'fieldops'),
  ...shown('Analytics', 'analytics'),
  ...shown('Partners', 'partners'),
];

function Customers() {
  const answer = useGated('core', CustomersDocument, {});
  const rows = answer.data?.customers.nodes.map(({ id, number, name, status }) => [id, number, name, status]);
  return <Panel name="Customers" feature="core" columns={['Number', 'Name', 'Status']} rows={rows} {...answer} />;
}

function Tickets() {
  const answer = useGated('tickets', TicketsDocument, {});
  const rows = answer.data?.tickets?.nodes.map(({ id, number, subject, status }) => [id, number, subject, status]);
  return <Panel name="Tickets" feature="tickets" columns={['Number', 'Subject', 'Status']} rows={rows} {...answer} />;
}

function Contacts() {
  const answer = useGated('crm', ContactsDocument, {});
  const rows = answer.data?.contacts?.nodes.map(({ id, displayName, kind, status }) => [id, displayName, kind, status]);
  return <Panel name="CRM" feature="crm" columns={['Contact', 'Kind', 'Status']} rows={rows} {...answer} />;
}

interface PanelProps extends Omit<ReturnType<typeof useGated>, 'data'> {
  name: string;
  feature: string;
  columns: string[];
  /** Each begins with its id. */
  rows?: string[][];
}

/** A list from the graph, or what would open it. */
function Panel({ name, feature, columns, rows, denial, fault }: PanelProps) {
  if (denial) return <UpgradePrompt feature={feature} name={name} denial={denial} />;
  if (fault) return <p role="alert">{fault}</p>;
  return (
    <>
      <h1>{name}</h1>
      {!rows && <p role="status">Loading…</p>}
      {rows?.length === 0 && <p>There is nothing here yet.</p>}
      {rows && rows.length > 0 && (
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([id, ...cells]) => (
              <tr key={id}>
                {cells.map((cell, i) => (
                  <td key={columns[i]}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

/** A module of which this page shows only how the licence opens it. */
function shown(name: string, feature: string): Module[] {
  const Panel = () => (
    <FeatureGate feature={feature} otherwise={<UpgradePrompt feature={feature} name={name} />}>
      <h1>{name}</h1>
      <Entitlement feature={feature} />
    </FeatureGate>
  );
  return [{ name, feature, Panel }];
}

function Entitlement({ feature }: { feature: string }) {
  const { license } = useLicense();
  const entry = license?.features.find((entitlement) => entitlement.feature === feature);
  if (!entry) return null;
  const until = entry.expiresAt ? `, until ${new Date(entry.expiresAt).toLocaleDateString('en-GB')}` : '';
  return (
    <p>
      Open {entry.access === 'READ' ? 'for reading' : 'fully'} through {SOURCE[entry.source]}
      {until}.
    </p>
  );
}

const SOURCE: Record<string, string> = {
  OVERRIDE: 'an exception made for you',
  GRANT: 'a grant',
  TRIAL: 'a trial',
  ADD_ON: 'an add-on',
  PLAN: 'your plan',
  TEST_OVERRIDE: 'a setting of this test machine',
};
