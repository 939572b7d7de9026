import { Directive, Field, Float, InputType, ObjectType } from 'type-graphql';
import { Refusal } from './errors.ts';

@ObjectType({ description: 'A point on the Earth, WGS 84, in degrees.' })
@Directive('@shareable')
export class GeoPoint {
  @Field(() => Float, { description: '-180 to 180, east positive.' }) longitude!: number;
  @Field(() => Float, { description: '-90 to 90, north positive.' }) latitude!: number;
}

@InputType()
export class GeoPointInput {
  @Field(() => Float, { description: '-180 to 180, east positive.' }) longitude!: number;
  @Field(() => Float, { description: '-90 to 90, north positive.' }) latitude!: number;
}

/** Refuses with INVALID and `field` what is no place on the Earth; most often the two are swapped. */
export function checkPoint({ longitude, latitude }: GeoPointInput, field: string): GeoPoint {
  if (Math.abs(latitude) > 90) throw new Refusal('INVALID', 'Longitude comes first.', field);
  if (Math.abs(longitude) > 180) throw new Refusal('INVALID', 'A longitude is -180 to 180 degrees.', field);
  return { longitude, latitude };
}
