import { registerEnumType } from 'type-graphql';

export const TechnologyEnum = {
  FIBRE: 'FIBRE',
  CABLE: 'CABLE',
  DSL: 'DSL',
  FIXED_WIRELESS: 'FIXED_WIRELESS',
  SATELLITE: 'SATELLITE',
} as const;
export type Technology = keyof typeof TechnologyEnum;
registerEnumType(TechnologyEnum, { name: 'Technology', description: 'What carries a service to its premises.' });
