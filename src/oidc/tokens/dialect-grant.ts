/** Grant type on the tokens of dialects. The provider shows it nowhere; Portico tells dialects' tokens by it. */
export const DIALECT_GRANT = 'dialect';
