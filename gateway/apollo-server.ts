import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApolloServer, type ApolloServerPlugin, HeaderMap, type HTTPGraphQLResponse } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import type { GatewayExecutor, GatewayInterface } from '@apollo/server-gateway-interface';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { ERROR_CODES } from '../schema/errors.ts';
import { retryAfter, statusOf } from './denials.ts';
import { TOO_MANY_TOKENS } from './execution/operation.ts';
import { type Answer, type ClientRequest, dataOf, type Graph } from './graph.ts';
import { MAX_TOKENS } from './limits.ts';

export interface HttpContext {
  request: Omit<ClientRequest, 'query' | 'variables' | 'operationName'>;
  /** Apollo Server copies the context, so the answer travels in something both copies hold. */
  reply: { answer?: Answer };
}

export interface ApolloDoor {
  execute(
    asked: { method: string; headers: HeaderMap; search: string; body: unknown },
    context: HttpContext,
  ): Promise<HTTPGraphQLResponse>;
  stop(): Promise<void>;
}

const FIRST_QUERY = `# Who you are signed in as, and what your licence opens.
query Hello {
  me { user { displayName } roles { key } }
  tenant { name license { version state enabledFeatures } }
}
`;

/**
 * Apollo Server carries what of GraphQL over HTTP is no plain POST: GET without mutations, CSRF prevention, and Sandbox's
 * landing page. Admission and execution are the graph's own, the same as on every other door.
 * @param sandboxToken in development, a token with which Sandbox's first query works.
 */
export async function openApolloDoor(
  graph: Graph,
  sandboxToken: (() => Promise<string | undefined>) | undefined,
): Promise<ApolloDoor> {
  const server = new ApolloServer<HttpContext>({
    gateway: asGateway(graph),
    plugins: [sandboxToken ? sandboxPage(sandboxToken) : ApolloServerPluginLandingPageDisabled(), statusPlugin()],
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: true,
    dangerouslyDisableValidation: true, // the graph validates, once per operation, after its limits
    introspection: true, // the graph decides who may
    parseOptions: { maxTokens: MAX_TOKENS },
    stopOnTerminationSignals: false,
    formatError: toOurCodes,
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (text: string) => graph.parts.log.error(text),
    },
  });
  await server.start();
  return {
    execute: (httpGraphQLRequest, context) =>
      server.executeHTTPGraphQLRequest({ httpGraphQLRequest, context: async () => context }),
    stop: () => server.stop(),
  };
}

function asGateway(graph: Graph): GatewayInterface {
  const executor: GatewayExecutor = async ({ request, context }) => {
    const held = context as HttpContext;
    const answer = await graph.execute({
      ...held.request,
      query: request.query ?? '',
      variables: request.variables,
      operationName: request.operationName,
    });
    held.reply.answer = answer;
    const errors = answer.errors?.map(
      (error) => new GraphQLError(error.message, { path: error.path, extensions: error.extensions }),
    );
    const data = dataOf(answer);
    return {
      ...(data === undefined ? {} : { data }),
      ...(errors ? { errors } : {}),
      ...(answer.extensions ? { extensions: answer.extensions } : {}),
    } as never;
  };
  return {
    load: async () => ({ executor }),
    onSchemaLoadOrUpdate(heard) {
      const tell = () => heard({ apiSchema: graph.supergraph.schema, coreSupergraphSdl: graph.supergraph.sdl });
      tell();
      graph.parts.supergraph.onChange(tell);
      return () => undefined;
    },
    stop: async () => undefined,
  };
}

/** Answers whatever is no plain POST: GET, its landing page, and what is wrong with either. */
export async function answerByApollo(
  apollo: ApolloDoor,
  request: IncomingMessage,
  response: ServerResponse,
  context: HttpContext,
): Promise<void> {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  const search = request.url?.includes('?') ? request.url.slice(request.url.indexOf('?')) : '';
  const answer = await apollo.execute({ method: request.method ?? 'GET', headers, search, body: undefined }, context);
  for (const [name, value] of answer.headers) response.setHeader(name, value);
  response.statusCode = answer.status ?? 200;
  if (answer.body.kind === 'complete') return void response.end(answer.body.string);
  for await (const chunk of answer.body.asyncIterator) response.write(chunk);
  response.end();
}

/** Apollo's own refusals, before the graph was asked, under our codes. */
function toOurCodes(formatted: GraphQLFormattedError): GraphQLFormattedError {
  const code = formatted.extensions?.code;
  const path = formatted.path ? { path: formatted.path } : {};
  if ((ERROR_CODES as readonly unknown[]).includes(code) && code !== 'INTERNAL')
    return { ...path, message: formatted.message, extensions: formatted.extensions };
  if (TOO_MANY_TOKENS.test(formatted.message))
    return { message: `A document has at most ${MAX_TOKENS} tokens.`, extensions: { code: 'OPERATION_LIMIT' } };
  if (/call stack/i.test(formatted.message))
    return { message: 'The document is nested too deeply.', extensions: { code: 'OPERATION_LIMIT' } };
  if (code === 'INTERNAL_SERVER_ERROR' || code === 'INTERNAL')
    return {
      ...path,
      message: 'Something went wrong on our side.',
      extensions: { ...formatted.extensions, code: 'INTERNAL' },
    };
  return { ...path, message: formatted.message, extensions: { code: 'BAD_USER_INPUT' } };
}

/** Gives an answer the status its errors deserve. */
function statusPlugin(): ApolloServerPlugin<HttpContext> {
  return {
    requestDidStart: async () => ({
      willSendResponse: async ({ response, contextValue }) => {
        if (response.body.kind !== 'single' || !contextValue.reply.answer) return;
        const { answer } = contextValue.reply;
        response.http.status = statusOf(dataOf(answer), answer.errors ?? []);
        for (const [name, value] of Object.entries(retryAfter(answer.errors ?? [])))
          response.http.headers.set(name, value);
      },
    }),
  };
}

/** Apollo Sandbox, embedded, with a fresh token in its headers each time the page is opened. */
function sandboxPage(token: () => Promise<string | undefined>): ApolloServerPlugin<HttpContext> {
  return {
    serverWillStart: async (service) => ({
      renderLandingPage: async () => ({
        html: async () => {
          const held = await token().catch(() => undefined);
          const plugin = ApolloServerPluginLandingPageLocalDefault({
            footer: false,
            embed: { endpointIsEditable: false },
            document: FIRST_QUERY,
            headers: held ? { authorization: `Bearer ${held}` } : {},
          });
          const listener = await plugin.serverWillStart?.(service);
          const page = await listener?.renderLandingPage?.();
          return typeof page?.html === 'function' ? page.html() : (page?.html ?? '');
        },
      }),
    }),
  };
}
