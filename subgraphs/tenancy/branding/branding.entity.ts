import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType } from 'type-graphql';
import { RequiresFeature } from '../../../schema/directives.ts';

const text = () => ({ type: 'string', nullable: true }) as const;

/** What a tenant has set of its looks. */
@Entity({ schema: 'tenancy', tableName: 'branding' })
export class StoredBranding {
  /** The tenant's own. */
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'integer' }) version!: number;
  @Property(text()) displayName?: string | null;
  @Property(text()) logoLight?: string | null;
  @Property(text()) logoDark?: string | null;
  @Property(text()) primaryColor?: string | null;
  @Property(text()) supportEmail?: string | null;
  @Property(text()) supportPhone?: string | null;
  @Property(text()) termsUrl?: string | null;
  @Property(text()) privacyUrl?: string | null;
  @Property(text()) imprintUrl?: string | null;
  @Property(text()) favicon?: string | null;
  @Property(text()) font?: string | null;
  @Property(text()) secondaryColor?: string | null;
  @Property(text()) accentColor?: string | null;
  @Property(text()) backgroundColor?: string | null;
  @Property(text()) textColor?: string | null;
  @Property(text()) senderName?: string | null;
  @Property({ type: 'boolean' }) hidePoweredBy!: boolean;
  @Property({ type: 'datetime', nullable: true }) whiteLabelEndedAt?: Date | null;
}

@Entity({ schema: 'tenancy', tableName: 'brand_image' })
export class BrandImage {
  /** SHA-256 of the content and what it is: `<64 hex digits>.png`. */
  @PrimaryKey({ type: 'string' }) id!: string;
  @Property({ type: 'blob' }) content!: Buffer;
}

@ObjectType({
  description: 'The looks only a white label may have. They are kept, not shown, while the plan has none.',
})
@RequiresFeature('white_label')
export class WhiteLabel {
  @Field(() => String, { nullable: true, description: 'Where the picture is.' }) favicon?: string | null;
  @Field(() => String, { nullable: true }) font?: string | null;
  @Field(() => String, { nullable: true }) secondaryColor?: string | null;
  @Field(() => String, { nullable: true }) accentColor?: string | null;
  @Field(() => String, { nullable: true }) backgroundColor?: string | null;
  @Field(() => String, { nullable: true }) textColor?: string | null;
  @Field(() => String, { nullable: true, description: 'Whom mails are from.' }) senderName?: string | null;
  @Field(() => Boolean) hidePoweredBy!: boolean;
  @Field(() => Boolean, { description: 'Whether subscribers see it now.' }) isShown!: boolean;
}

@ObjectType({ description: 'How a tenant looks to its subscribers.' })
export class Branding {
  @Field(() => Int, { description: '1 until something is set.' }) version!: number;
  @Field(() => String) displayName!: string;
  @Field(() => String, { nullable: true, description: 'Where the picture is, for light backgrounds.' })
  logoLight?: string | null;
  @Field(() => String, { nullable: true, description: 'Where the picture is, for dark backgrounds.' })
  logoDark?: string | null;
  @Field(() => String, { description: '#RRGGBB; white text on it can be read.' }) primaryColor!: string;
  @Field(() => String, { nullable: true }) supportEmail?: string | null;
  @Field(() => String, { nullable: true, description: 'E.164.' }) supportPhone?: string | null;
  @Field(() => String, { nullable: true }) termsUrl?: string | null;
  @Field(() => String, { nullable: true }) privacyUrl?: string | null;
  @Field(() => String, { nullable: true }) imprintUrl?: string | null;
  @Field(() => WhiteLabel, { nullable: true }) whiteLabel?: WhiteLabel | null;
}

@ObjectType({ description: 'What a portal shows under a host, before anybody has signed in.' })
export class PortalBranding {
  @Field(() => String) displayName!: string;
  @Field(() => String, { description: 'Whose it is: the realm of its subscribers.' }) slug!: string;
  @Field(() => String, { nullable: true }) logoLight?: string | null;
  @Field(() => String, { nullable: true }) logoDark?: string | null;
  @Field(() => String) primaryColor!: string;
  @Field(() => String, { nullable: true }) supportEmail?: string | null;
  @Field(() => String, { nullable: true }) supportPhone?: string | null;
  @Field(() => String, { nullable: true }) termsUrl?: string | null;
  @Field(() => String, { nullable: true }) privacyUrl?: string | null;
  @Field(() => String, { nullable: true }) imprintUrl?: string | null;
  @Field(() => String, { nullable: true }) favicon?: string | null;
  @Field(() => String, { nullable: true }) font?: string | null;
  @Field(() => String, { nullable: true }) secondaryColor?: string | null;
  @Field(() => String, { nullable: true }) accentColor?: string | null;
  @Field(() => String, { nullable: true }) backgroundColor?: string | null;
  @Field(() => String, { nullable: true }) textColor?: string | null;
  @Field(() => Boolean, { description: 'Whether the platform is named.' }) hidePoweredBy!: boolean;
  @Field(() => String, {
    nullable: true,
    description: 'Where to send on to (308): the white label of this domain has ended.',
  })
  redirectTo?: string | null;
}
