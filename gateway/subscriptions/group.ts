import type { Answer, ClientRequest, Graph } from '../graph.ts';
import type { Standing } from '../standing.ts';
import { Payload } from './payload.ts';
import type { Plan } from './plan.ts';
import { type Event, isNews } from './position.ts';
import type { Reader } from './reader.ts';
import { personOf } from './rights.ts';

/** Readers of a source that get the same answers: their whole operation and its variables are the same. */
export interface Group {
  key: string;
  plan: Plan;
  /** One of their requests: they differ in who asks alone. */
  request: ClientRequest;
  readers: Set<Reader>;
}

/** The answers to an event for the readers to whom it is news: one for all of them, unless it hangs on who asks. */
export async function answersFor(
  graph: Graph,
  { plan, request, readers }: Group,
  event: Event,
  standing: Standing,
): Promise<Map<Reader, Payload>> {
  const { operation, values, primary, rest } = plan;
  const answers = new Map<Reader, Payload>();
  const due = [...readers].filter(({ at }) => isNews(event, at));
  const [first] = due;
  if (!first) return answers;
  const run = ({ request: { requestId, address }, caller }: Reader): Promise<Answer> => {
    const result = structuredClone(event.result); // the executor keeps what it is given, and others need it, too
    const own = { ...request, caller, requestId, address };
    return graph
      .run(operation, own, { ...standing, caller }, { primary, result, rest }, values)
      .catch((error) => ({ errors: graph.refusals.errorsOf(error) }));
  };
  const answer = await run(first);
  const shared = new Payload(answer);
  if (!answer.isPersonal) {
    for (const reader of due) answers.set(reader, shared);
    return answers;
  }
  const byPerson = new Map([[personOf(first.request, first.caller), shared]]);
  for (const reader of due) {
    const person = personOf(reader.request, reader.caller);
    const payload = byPerson.get(person) ?? new Payload(await run(reader));
    byPerson.set(person, payload);
    answers.set(reader, payload);
  }
  return answers;
}
