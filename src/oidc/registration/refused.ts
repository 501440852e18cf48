/** Error codes of RFC 7591, 3.2.2, and of RFC 6750. */
export type RegistrationError =
  | 'invalid_client_metadata'
  | 'invalid_redirect_uri'
  | 'unapproved_software_statement'
  | 'invalid_token';

/** A registration that is refused before the provider sees it. The message is for the client's developer. */
export class RegistrationRefused extends Error {
  override readonly name = 'RegistrationRefused';
  readonly error: RegistrationError;
  readonly status: number;
  constructor(error: RegistrationError, message: string, status = error === 'invalid_token' ? 401 : 400) {
    super(message);
    this.error = error;
    this.status = status;
  }
}
