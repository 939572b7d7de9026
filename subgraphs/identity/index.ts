import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { AccountResolver } from './accounts/account.resolver.ts';
import { MailProof } from './accounts/mail-proof.entity.ts';
import { OpenAccountResolver } from './accounts/open-account.resolver.ts';
import { SignInRecordResolver } from './accounts/sign-in-record.resolver.ts';
import { endWhatIsDue, prune } from './accounts/sweeps.ts';
import { ApiKey } from './api-keys/api-key.entity.ts';
import { ApiKeyResolver, TenantKeysResolver } from './api-keys/api-key.resolver.ts';
import { keyById } from './api-keys/api-key.service.ts';
import { tendKeys } from './api-keys/key-care.service.ts';
import { KEYS } from './api-keys/seed.ts';
import { Credential } from './credential.entity.ts';
import { Customer } from './customer.stub.ts';
import { Challenge } from './factors/challenge.entity.ts';
import { ChallengeResolver } from './factors/challenge.resolver.ts';
import { Passkey } from './factors/passkey.entity.ts';
import { PasskeyResolver } from './factors/passkey.resolver.ts';
import { SecondFactorResolver } from './factors/reset.resolver.ts';
import { FactorReset, RecoveryCode, SecondFactor } from './factors/second-factor.entity.ts';
import { TotpResolver } from './factors/totp.resolver.ts';
import { GrantResolver } from './grant.resolver.ts';
import { personById } from './loaders.ts';
import { Membership } from './membership.entity.ts';
import { MembershipResolver, TenantResolver } from './membership.resolver.ts';
import { seenMembership } from './membership.service.ts';
import { SignInPolicy } from './policy/sign-in-policy.entity.ts';
import { SignInPolicyResolver, TenantPolicyResolver } from './policy/sign-in-policy.resolver.ts';
import { CustomerCopy } from './portal/customer-copy.entity.ts';
import { CustomerPortalResolver, PortalAccessResolver } from './portal/portal-access.resolver.ts';
import { EmailDomain } from './providers/email-domain.entity.ts';
import { checkEmailDomains } from './providers/email-domain.service.ts';
import { openExampleProvider } from './providers/example-provider.ts';
import { LinkedIdentity } from './providers/linked-identity.entity.ts';
import { OtherProvidersResolver } from './providers/other-providers.resolver.ts';
import { ProviderVisit } from './providers/provider-visit.entity.ts';
import { EmailDomainResolver, SsoConnectionResolver } from './providers/sso.resolver.ts';
import { SsoConnection } from './providers/sso-connection.entity.ts';
import { connectionById } from './providers/sso-connection.service.ts';
import { AssigneeResolver } from './roles/assignee.resolver.ts';
import { PermissionGrantResolver } from './roles/permission-grant.resolver.ts';
import { lapseGrants } from './roles/permission-grant.service.ts';
import { OwnRole, PermissionGrant } from './roles/role.entity.ts';
import { RoleResolver, TenantRolesResolver } from './roles/role.resolver.ts';
import { roleById } from './roles/role.service.ts';
import { PEOPLE, seed } from './seed.ts';
import { Session } from './session.entity.ts';
import { SessionResolver } from './session.resolver.ts';
import { mySession } from './session.service.ts';
import { SignInBucket } from './sign-in-bucket.entity.ts';
import { SignInRecord } from './sign-in-record.entity.ts';
import { SocketTicket } from './socket-ticket.entity.ts';
import { SocketTicketResolver } from './socket-ticket.resolver.ts';
import { subscribers } from './subscribers.ts';
import { Impersonation } from './support/impersonation.entity.ts';
import {
  ActingResolver,
  ImpersonationResolver,
  TenantImpersonationsResolver,
} from './support/impersonation.resolver.ts';
import { impersonationById, tendImpersonations } from './support/impersonation.service.ts';
import { ownTenant } from './tenant.service.ts';
import { Tenant } from './tenant.stub.ts';
import { TokenKey } from './token-key.entity.ts';
import { User } from './user.entity.ts';
import { MeResolver, UserResolver } from './user.resolver.ts';

export const identity: SubgraphDefinition = {
  name: 'identity',
  resolvers: [
    MeResolver,
    UserResolver,
    MembershipResolver,
    TenantResolver,
    RoleResolver,
    TenantRolesResolver,
    PermissionGrantResolver,
    AssigneeResolver,
    ApiKeyResolver,
    TenantKeysResolver,
    SessionResolver,
    GrantResolver,
    SocketTicketResolver,
    OpenAccountResolver,
    AccountResolver,
    SignInRecordResolver,
    ChallengeResolver,
    TotpResolver,
    PasskeyResolver,
    SecondFactorResolver,
    SignInPolicyResolver,
    TenantPolicyResolver,
    OtherProvidersResolver,
    EmailDomainResolver,
    SsoConnectionResolver,
    ImpersonationResolver,
    TenantImpersonationsResolver,
    ActingResolver,
    PortalAccessResolver,
    CustomerPortalResolver,
  ],
  types: [Tenant, Customer],
  entities: [
    User,
    Credential,
    Membership,
    OwnRole,
    PermissionGrant,
    ApiKey,
    Session,
    SignInBucket,
    SignInRecord,
    SocketTicket,
    TokenKey,
    MailProof,
    Challenge,
    Passkey,
    RecoveryCode,
    SecondFactor,
    SignInPolicy,
    FactorReset,
    LinkedIdentity,
    ProviderVisit,
    EmailDomain,
    SsoConnection,
    Impersonation,
    CustomerCopy,
  ],
  references: {
    User: (ctx, { id }) => ctx.load(personById, id),
    Membership: (ctx, { id }) => seenMembership(ctx, id),
    Role: (ctx, { id }) => roleById(ctx, id),
    ApiKey: (ctx, { id }) => (ctx.can('identity.api_key.read') ? keyById(ctx, id) : null),
    Session: (ctx, { id }) => mySession(ctx, id),
    SsoConnection: (ctx, { id }) => (ctx.can('identity.policy.read') ? connectionById(ctx, id) : null),
    Customer: async (_, { id }) => ({ id }),
    Impersonation: (ctx, { id }) => (ctx.can('identity.impersonation.read') ? impersonationById(ctx, id) : null),
    Tenant: async (ctx, { id, slug }) => {
      const own = await ownTenant(ctx);
      return own && (own.id === id || own.slug === slug) ? own : null;
    },
  },
  isControlPlane: true,
  subscribers,
  crons: {
    endWhatIsDue: { pattern: '* * * * *', run: endWhatIsDue },
    checkEmailDomains: { pattern: '17 4 * * *', run: checkEmailDomains },
    prune: { pattern: '7 * * * *', run: prune },
  },
  onStart: openExampleProvider,
  timers: { lapseGrants, tendKeys, tendImpersonations },
  people: PEOPLE,
  keys: KEYS,
  seed,
};
