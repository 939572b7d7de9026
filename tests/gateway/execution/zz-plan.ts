import { parse } from 'graphql';
import { composeServices } from '@apollo/composition';
import { readSupergraph } from '/work/main/tests/gateway/execution/federation.ts';
import { operationFromDocument } from '@apollo/federation-internals';
import { prettyFormatQueryPlan } from '/work/main/node_modules/@apollo/query-planner/dist/prettyFormatQueryPlan.js';
import { readFileSync } from 'node:fs';
// file: subgraphs '# name' separated; then '---' query
const [sg, q] = readFileSync(process.argv[2]!, 'utf8').split('---');
const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@provides", "@requires", "@override", "@interfaceObject"])
enum Color { RED GREEN BLUE }
scalar JSON
input Filter { n: Int = 3, color: Color, deep: Filter, list: [Int!] }
type Ref @shareable { x: Int! y: String! }`;
const subs = sg!.split(/^# /m).filter((x) => x.trim()).map((x) => ({ name: x.split('\n')[0]!.trim(), url: 'http://x', typeDefs: parse(LINK + x.slice(x.indexOf('\n'))) }));
const r = composeServices(subs); if (r.errors) { console.log(r.errors.map((e) => e.message).join('\n')); process.exit(1); }
const s = readSupergraph(r.supergraphSdl!);
const op = operationFromDocument(s.apiSchema, parse(q!), { validate: false });
console.log(op.expandAllFragments().toString());
const plan = s.planner.buildQueryPlan(op);
console.log(prettyFormatQueryPlan(plan));
