/* eslint-disable */
import * as types from './graphql.ts';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "fragment SessionParts on SignInPayload {\n  session {\n    accessToken\n    expiresAt\n    refreshToken\n  }\n  userErrors {\n    message\n  }\n}\n\nmutation SignIn($input: SignInInput!) {\n  signIn(input: $input) {\n    ...SessionParts\n  }\n}\n\nmutation RefreshSession($refreshToken: String!) {\n  refreshSession(input: {refreshToken: $refreshToken}) {\n    ...SessionParts\n  }\n}\n\nmutation SignOut {\n  signOut {\n    isDone\n  }\n}\n\nquery WhoAmI {\n  me {\n    user {\n      displayName\n    }\n  }\n  tenant {\n    name\n  }\n}\n\nquery Customers {\n  customers(first: 10) {\n    nodes {\n      id\n      number\n      name\n      status\n    }\n  }\n}\n\nquery Tickets {\n  tickets(first: 10) {\n    nodes {\n      id\n      number\n      subject\n      status\n    }\n  }\n}\n\nquery Contacts {\n  contacts(first: 10) {\n    nodes {\n      id\n      displayName\n      kind\n      status\n    }\n  }\n}": typeof types.SessionPartsFragmentDoc,
};
const documents: Documents = {
    "fragment SessionParts on SignInPayload {\n  session {\n    accessToken\n    expiresAt\n    refreshToken\n  }\n  userErrors {\n    message\n  }\n}\n\nmutation SignIn($input: SignInInput!) {\n  signIn(input: $input) {\n    ...SessionParts\n  }\n}\n\nmutation RefreshSession($refreshToken: String!) {\n  refreshSession(input: {refreshToken: $refreshToken}) {\n    ...SessionParts\n  }\n}\n\nmutation SignOut {\n  signOut {\n    isDone\n  }\n}\n\nquery WhoAmI {\n  me {\n    user {\n      displayName\n    }\n  }\n  tenant {\n    name\n  }\n}\n\nquery Customers {\n  customers(first: 10) {\n    nodes {\n      id\n      number\n      name\n      status\n    }\n  }\n}\n\nquery Tickets {\n  tickets(first: 10) {\n    nodes {\n      id\n      number\n      subject\n      status\n    }\n  }\n}\n\nquery Contacts {\n  contacts(first: 10) {\n    nodes {\n      id\n      displayName\n      kind\n      status\n    }\n  }\n}": types.SessionPartsFragmentDoc,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "fragment SessionParts on SignInPayload {\n  session {\n    accessToken\n    expiresAt\n    refreshToken\n  }\n  userErrors {\n    message\n  }\n}\n\nmutation SignIn($input: SignInInput!) {\n  signIn(input: $input) {\n    ...SessionParts\n  }\n}\n\nmutation RefreshSession($refreshToken: String!) {\n  refreshSession(input: {refreshToken: $refreshToken}) {\n    ...SessionParts\n  }\n}\n\nmutation SignOut {\n  signOut {\n    isDone\n  }\n}\n\nquery WhoAmI {\n  me {\n    user {\n      displayName\n    }\n  }\n  tenant {\n    name\n  }\n}\n\nquery Customers {\n  customers(first: 10) {\n    nodes {\n      id\n      number\n      name\n      status\n    }\n  }\n}\n\nquery Tickets {\n  tickets(first: 10) {\n    nodes {\n      id\n      number\n      subject\n      status\n    }\n  }\n}\n\nquery Contacts {\n  contacts(first: 10) {\n    nodes {\n      id\n      displayName\n      kind\n      status\n    }\n  }\n}"): typeof import('./graphql.ts').SessionPartsFragmentDoc;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
