export { openWith as unseal, sealWith as seal } from '../_kernel/cipher.ts';
