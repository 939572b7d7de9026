/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type ContactKind =
  | 'ORGANISATION'
  | 'PERSON';

export type ContactStatus =
  | 'ACTIVE'
  | 'INACTIVE';

/** A PROSPECT has no service yet; a CLOSED customer owes nothing and gets nothing. */
export type CustomerStatus =
  | 'ACTIVE'
  | 'CLOSED'
  | 'PROSPECT';

/** How the refresh token travels: as a cookie no script can read, or in the answer. */
export type SessionTransport =
  | 'BODY'
  | 'COOKIE';

export type SignInInput = {
  /** Of an earlier sign-in on this device. */
  deviceMark?: string | null | undefined;
  email: string;
  password: string;
  /** Slug of the ISP whose customer signs in. Staff leaves it out. */
  realm?: string | null | undefined;
  /** Slug of the tenant to begin in. */
  tenant?: string | null | undefined;
  /** COOKIE for browsers, BODY for whoever keeps no cookies. */
  transport: SessionTransport;
};

/** CLOSED and CANCELLED are final. */
export type TicketStatus =
  | 'CANCELLED'
  | 'CLOSED'
  | 'NEW'
  | 'OPEN'
  | 'RESOLVED'
  | 'WAITING';

export type SessionPartsFragment = { session: { accessToken: string, expiresAt: string, refreshToken: string | null } | null, userErrors: Array<{ message: string }> };

export type SignInMutationVariables = Exact<{
  input: SignInInput;
}>;


export type SignInMutation = { signIn: { session: { accessToken: string, expiresAt: string, refreshToken: string | null } | null, userErrors: Array<{ message: string }> } };

export type RefreshSessionMutationVariables = Exact<{
  refreshToken: string;
}>;


export type RefreshSessionMutation = { refreshSession: { session: { accessToken: string, expiresAt: string, refreshToken: string | null } | null, userErrors: Array<{ message: string }> } };

export type SignOutMutationVariables = Exact<{ [key: string]: never; }>;


export type SignOutMutation = { signOut: { isDone: boolean } };

export type WhoAmIQueryVariables = Exact<{ [key: string]: never; }>;


export type WhoAmIQuery = { me: { user: { displayName: string } } | null, tenant: { name: string } | null };

export type CustomersQueryVariables = Exact<{ [key: string]: never; }>;


export type CustomersQuery = { customers: { nodes: Array<{ id: string, number: string, name: string, status: CustomerStatus }> } };

export type TicketsQueryVariables = Exact<{ [key: string]: never; }>;


export type TicketsQuery = { tickets: { nodes: Array<{ id: string, number: string, subject: string, status: TicketStatus }> } | null };

export type ContactsQueryVariables = Exact<{ [key: string]: never; }>;


export type ContactsQuery = { contacts: { nodes: Array<{ id: string, displayName: string, kind: ContactKind, status: ContactStatus }> } | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const SessionPartsFragmentDoc = new TypedDocumentString(`
    fragment SessionParts on SignInPayload {
  session {
    accessToken
    expiresAt
    refreshToken
  }
  userErrors {
    message
  }
}
    `, {"fragmentName":"SessionParts"}) as unknown as TypedDocumentString<SessionPartsFragment, unknown>;
export const SignInDocument = new TypedDocumentString(`
    mutation SignIn($input: SignInInput!) {
  signIn(input: $input) {
    ...SessionParts
  }
}
    fragment SessionParts on SignInPayload {
  session {
    accessToken
    expiresAt
    refreshToken
  }
  userErrors {
    message
  }
}`) as unknown as TypedDocumentString<SignInMutation, SignInMutationVariables>;
export const RefreshSessionDocument = new TypedDocumentString(`
    mutation RefreshSession($refreshToken: String!) {
  refreshSession(input: {refreshToken: $refreshToken}) {
    ...SessionParts
  }
}
    fragment SessionParts on SignInPayload {
  session {
    accessToken
    expiresAt
    refreshToken
  }
  userErrors {
    message
  }
}`) as unknown as TypedDocumentString<RefreshSessionMutation, RefreshSessionMutationVariables>;
export const SignOutDocument = new TypedDocumentString(`
    mutation SignOut {
  signOut {
    isDone
  }
}
    `) as unknown as TypedDocumentString<SignOutMutation, SignOutMutationVariables>;
export const WhoAmIDocument = new TypedDocumentString(`
    query WhoAmI {
  me {
    user {
      displayName
    }
  }
  tenant {
    name
  }
}
    `) as unknown as TypedDocumentString<WhoAmIQuery, WhoAmIQueryVariables>;
export const CustomersDocument = new TypedDocumentString(`
    query Customers {
  customers(first: 10) {
    nodes {
      id
      number
      name
      status
    }
  }
}
    `) as unknown as TypedDocumentString<CustomersQuery, CustomersQueryVariables>;
export const TicketsDocument = new TypedDocumentString(`
    query Tickets {
  tickets(first: 10) {
    nodes {
      id
      number
      subject
      status
    }
  }
}
    `) as unknown as TypedDocumentString<TicketsQuery, TicketsQueryVariables>;
export const ContactsDocument = new TypedDocumentString(`
    query Contacts {
  contacts(first: 10) {
    nodes {
      id
      displayName
      kind
      status
    }
  }
}
    `) as unknown as TypedDocumentString<ContactsQuery, ContactsQueryVariables>;