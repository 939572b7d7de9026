import { connectionOf } from '../../../schema/page.ts';
import { Ticket } from './ticket.entity.ts';

export const TicketConnection = connectionOf(Ticket, 'Ticket');
