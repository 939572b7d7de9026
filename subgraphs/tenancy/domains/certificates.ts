import { connect } from 'node:tls';
import type { Config } from '../../_kernel/config.ts';

/** Certificates of custom domains, at whoever obtains them. Each call may be repeated. */
export interface Certificates {
  /** When the certificate a host is served with ends; null while there is none. */
  endOf(host: string): Promise<Date | null>;
}

const LOOK_MS = 5_000;

/**
 * In production the proxy before the gateways obtains a certificate for a proved host when somebody first asks for it: to
 * look is to ask.
 */
const servedCertificates: Certificates = {
  endOf: (host) =>
    new Promise((resolve) => {
      const socket = connect({ host, port: 443, servername: host, timeout: LOOK_MS }, () => {
        const { valid_to: end } = socket.getPeerCertificate();
        socket.destroy();
        resolve(end ? new Date(end) : null);
      });
      const none = () => {
        socket.destroy();
        resolve(null);
      };
      socket.on('error', none).on('timeout', none);
    }),
};

const FAKE_DAYS = 90;

/** In development and test each host has one at once, but those that begin with `refuse-`. */
const fakeCertificates: Certificates = {
  endOf: async (host) => (host.startsWith('refuse-') ? null : new Date(Date.now() + FAKE_DAYS * 24 * 3_600_000)),
};

export const certificatesOf = ({ NODE_ENV }: Pick<Config, 'NODE_ENV'>): Certificates =>
  NODE_ENV === 'production' ? servedCertificates : fakeCertificates;
