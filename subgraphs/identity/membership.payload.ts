import { payloadOf } from '../../schema/payload.ts';
import { Membership } from './membership.entity.ts';

export const MembershipPayload = payloadOf('MembershipPayload', 'membership', () => Membership);
