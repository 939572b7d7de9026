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
    "fragment PortalLicense on License {\n  version\n  state\n  enforcement\n  features {\n    feature\n    access\n    source\n    expiresAt\n    reason\n  }\n  planVersion {\n    plan {\n      code\n      name\n    }\n  }\n  trialEndsAt\n  graceEndsAt\n  restrictedEndsAt\n  limits {\n    key\n    baseUnit\n    isUnlimited\n    limit\n    used\n    percent\n    policy\n    periodEnd\n  }\n}\n\nquery ReadLicense {\n  license {\n    ...PortalLicense\n  }\n}\n\nsubscription FollowLicense($after: Int) {\n  licenseUpdated(after: $after) {\n    kind\n    version\n    previousVersion\n    license {\n      ...PortalLicense\n    }\n  }\n}\n\nquery ReadUpgradeOptions($feature: FeatureKey!) {\n  upgradeOptions(feature: $feature) {\n    plan {\n      code\n      name\n    }\n    addOn {\n      code\n      name\n    }\n    netDueToday {\n      amountMinor\n      currency\n    }\n    monthlyPrice {\n      amountMinor\n      currency\n    }\n  }\n}\n\nmutation Upgrade($input: UpgradeLicenseInput!) {\n  upgradeLicense(input: $input) {\n    license {\n      ...PortalLicense\n    }\n    userErrors {\n      code\n      message\n    }\n  }\n}\n\nmutation RecordUpgradeClick($denialId: ID!) {\n  recordUpgradeClick(input: {denialId: $denialId}) {\n    userErrors {\n      code\n    }\n  }\n}": typeof types.PortalLicenseFragmentDoc,
};
const documents: Documents = {
    "fragment PortalLicense on License {\n  version\n  state\n  enforcement\n  features {\n    feature\n    access\n    source\n    expiresAt\n    reason\n  }\n  planVersion {\n    plan {\n      code\n      name\n    }\n  }\n  trialEndsAt\n  graceEndsAt\n  restrictedEndsAt\n  limits {\n    key\n    baseUnit\n    isUnlimited\n    limit\n    used\n    percent\n    policy\n    periodEnd\n  }\n}\n\nquery ReadLicense {\n  license {\n    ...PortalLicense\n  }\n}\n\nsubscription FollowLicense($after: Int) {\n  licenseUpdated(after: $after) {\n    kind\n    version\n    previousVersion\n    license {\n      ...PortalLicense\n    }\n  }\n}\n\nquery ReadUpgradeOptions($feature: FeatureKey!) {\n  upgradeOptions(feature: $feature) {\n    plan {\n      code\n      name\n    }\n    addOn {\n      code\n      name\n    }\n    netDueToday {\n      amountMinor\n      currency\n    }\n    monthlyPrice {\n      amountMinor\n      currency\n    }\n  }\n}\n\nmutation Upgrade($input: UpgradeLicenseInput!) {\n  upgradeLicense(input: $input) {\n    license {\n      ...PortalLicense\n    }\n    userErrors {\n      code\n      message\n    }\n  }\n}\n\nmutation RecordUpgradeClick($denialId: ID!) {\n  recordUpgradeClick(input: {denialId: $denialId}) {\n    userErrors {\n      code\n    }\n  }\n}": types.PortalLicenseFragmentDoc,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "fragment PortalLicense on License {\n  version\n  state\n  enforcement\n  features {\n    feature\n    access\n    source\n    expiresAt\n    reason\n  }\n  planVersion {\n    plan {\n      code\n      name\n    }\n  }\n  trialEndsAt\n  graceEndsAt\n  restrictedEndsAt\n  limits {\n    key\n    baseUnit\n    isUnlimited\n    limit\n    used\n    percent\n    policy\n    periodEnd\n  }\n}\n\nquery ReadLicense {\n  license {\n    ...PortalLicense\n  }\n}\n\nsubscription FollowLicense($after: Int) {\n  licenseUpdated(after: $after) {\n    kind\n    version\n    previousVersion\n    license {\n      ...PortalLicense\n    }\n  }\n}\n\nquery ReadUpgradeOptions($feature: FeatureKey!) {\n  upgradeOptions(feature: $feature) {\n    plan {\n      code\n      name\n    }\n    addOn {\n      code\n      name\n    }\n    netDueToday {\n      amountMinor\n      currency\n    }\n    monthlyPrice {\n      amountMinor\n      currency\n    }\n  }\n}\n\nmutation Upgrade($input: UpgradeLicenseInput!) {\n  upgradeLicense(input: $input) {\n    license {\n      ...PortalLicense\n    }\n    userErrors {\n      code\n      message\n    }\n  }\n}\n\nmutation RecordUpgradeClick($denialId: ID!) {\n  recordUpgradeClick(input: {denialId: $denialId}) {\n    userErrors {\n      code\n    }\n  }\n}"): typeof import('./graphql.ts').PortalLicenseFragmentDoc;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
