/** Grant type on the tokens that dialects make. The provider shows it nowhere; ours tell by it whose a token is. */
export const DIALECT_GRANT = 'dialect';
