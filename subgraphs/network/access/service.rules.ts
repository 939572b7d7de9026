import { type Address, type AddressInput, checkAddress } from '../../../schema/address.ts';
import { Refusal } from '../../../schema/errors.ts';
import { checkPoint, type GeoPointInput } from '../../../schema/geo.ts';
import type { PlanState } from './service-plan.rules.ts';

export type ServiceLifecycle = 'REQUESTED' | 'IN_SERVICE' | 'CANCELLED';
export type ServiceStatus = 'REQUESTED' | 'ACTIVE' | 'CANCELLED';

const NEXT: Record<ServiceLifecycle, readonly ServiceLifecycle[]> = {
  REQUESTED: ['CANCELLED'],
  IN_SERVICE: [],
  CANCELLED: [],
};

/** Moves a service on, or refuses with INVALID_STATE. */
export function advance(from: ServiceLifecycle, to: ServiceLifecycle): ServiceLifecycle {
  if (!NEXT[from].includes(to))
    throw new Refusal('INVALID_STATE', `A service that is ${statusOf(from)} cannot become ${statusOf(to)}.`, 'status');
  return to;
}

/** What customers and staff see of the lifecycle. */
export const statusOf = (lifecycle: ServiceLifecycle): ServiceStatus =>
  lifecycle === 'IN_SERVICE' ? 'ACTIVE' : lifecycle;

/** The lifecycle behind a status. */
export const lifecycleOf = (status: ServiceStatus): ServiceLifecycle => (status === 'ACTIVE' ? 'IN_SERVICE' : status);

/** Refuses with INVALID_STATE a plan that is no longer sold. */
export function checkSold(state: PlanState): void {
  if (state !== 'PUBLISHED') throw new Refusal('INVALID_STATE', 'This plan is no longer sold.', 'planCode');
}

export interface NewPremises {
  address: AddressInput;
  point?: GeoPointInput | null;
}

/** The columns of premises; refuses what is malformed with INVALID and the field. */
export function checkPremises({ address, point }: NewPremises) {
  const place = point ? checkPoint(point, 'premises.point') : null;
  return {
    premisesAddress: checkAddress(address, 'premises.address') as Address,
    longitude: place?.longitude ?? null,
    latitude: place?.latitude ?? null,
  };
}
